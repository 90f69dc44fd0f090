// Package deploy checks the manifests of deploy/cronjobs: that kustomize builds
// them, that Kubernetes knows every field, and that they keep their promises.
package deploy

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	batchv1beta1 "k8s.io/api/batch/v1beta1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"github.com/company/k8s-resource-monitor/internal/config"
)

const cronjobs = "../../deploy/cronjobs"

// build is what `kubectl apply -k` would send, as "Kind/name" to YAML.
func build(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		t.Fatal(err)
	}
	documents := map[string][]byte{}
	for _, r := range resources.Resources() {
		body, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		documents[r.GetKind()+"/"+r.GetName()] = body
	}
	return documents
}

// decode reads a document, refusing a field that its type does not have.
func decode[T any](t *testing.T, body []byte) T {
	t.Helper()
	var to T
	if err := yaml.UnmarshalStrict(body, &to); err != nil {
		t.Fatalf("%v in\n%s", err, body)
	}
	return to
}

func TestBuild(t *testing.T) {
	documents := build(t, cronjobs)
	kinds := map[string]int{}
	for name, body := range documents {
		kind, _, _ := strings.Cut(name, "/")
		kinds[kind]++
		switch kind {
		case "Namespace":
			decode[corev1.Namespace](t, body)
		case "ServiceAccount":
			decode[corev1.ServiceAccount](t, body)
		case "ConfigMap":
			if _, err := config.Load(name, []byte(decode[corev1.ConfigMap](t, body).Data["config.yaml"])); err != nil {
				t.Error(err)
			}
		case "ClusterRole":
			readOnly(t, decode[rbacv1.ClusterRole](t, body))
		case "ClusterRoleBinding":
			decode[rbacv1.ClusterRoleBinding](t, body)
		case "NetworkPolicy":
			decode[networkingv1.NetworkPolicy](t, body)
		case "CronJob":
			promises(t, decode[batchv1.CronJob](t, body), documents)
		default:
			t.Errorf("%s: a kind this test does not check", name)
		}
	}
	if kinds["CronJob"] != 4 || kinds["NetworkPolicy"] != 2 || kinds["ServiceAccount"] != 2 {
		t.Errorf("built %v", kinds)
	}
	for _, name := range []string{"Namespace/k8s-monitoring", "ServiceAccount/k8s-monitor-service-account",
		"ClusterRoleBinding/k8s-monitor-cluster-role-binding"} {
		if documents[name] == nil {
			t.Errorf("no %s, a name that users know", name)
		}
	}
}

func readOnly(t *testing.T, role rbacv1.ClusterRole) {
	for _, rule := range role.Rules {
		for _, verb := range rule.Verbs {
			if !slices.Contains([]string{"get", "list", "watch"}, verb) {
				t.Errorf("%s: may %s %v", role.Name, verb, rule.Resources)
			}
		}
		if slices.Contains(rule.Resources, "secrets") || slices.Contains(rule.Resources, "*") {
			t.Errorf("%s: reads %v", role.Name, rule.Resources)
		}
	}
}

// promises are those that every job keeps: it does not overlap itself, it
// ends, it does not retry what cannot work, and it is restricted and small.
func promises(t *testing.T, job batchv1.CronJob, documents map[string][]byte) {
	template := job.Spec.JobTemplate.Spec
	pod := template.Template.Spec
	if len(pod.Containers) != 1 {
		t.Fatalf("%s: %d containers: the patch did not meet its container", job.Name, len(pod.Containers))
	}
	container := pod.Containers[0]
	must := func(what string, ok bool) {
		if !ok {
			t.Errorf("%s: %s", job.Name, what)
		}
	}
	must("may overlap itself", job.Spec.ConcurrencyPolicy == batchv1.ForbidConcurrent)
	must("startingDeadlineSeconds is out of 10 to 60", job.Spec.StartingDeadlineSeconds != nil &&
		*job.Spec.StartingDeadlineSeconds >= 10 && *job.Spec.StartingDeadlineSeconds < 60)
	must("may run for ever", template.ActiveDeadlineSeconds != nil)
	must("leaves its jobs behind", template.TTLSecondsAfterFinished != nil)
	must("restarts in place, which podFailurePolicy forbids", pod.RestartPolicy == corev1.RestartPolicyNever)
	must("retries a wrong configuration", template.PodFailurePolicy != nil &&
		slices.ContainsFunc(template.PodFailurePolicy.Rules, func(r batchv1.PodFailurePolicyRule) bool {
			return r.Action == batchv1.PodFailurePolicyActionFailJob && r.OnExitCodes != nil &&
				*r.OnExitCodes.ContainerName == container.Name && slices.Equal(r.OnExitCodes.Values, []int32{2})
		}))
	must("does not run its own command", slices.Equal(container.Args, []string{job.Name}) && container.Command == nil)

	must("sees the API server's token though it needs none", *pod.AutomountServiceAccountToken == (job.Name == "snapshot"))
	must("has no such account", documents["ServiceAccount/"+pod.ServiceAccountName] != nil)
	for _, volume := range pod.Volumes {
		if volume.ConfigMap != nil {
			must("mounts a ConfigMap that is not there", documents["ConfigMap/"+volume.ConfigMap.Name] != nil)
		}
	}
	slack := slices.ContainsFunc(container.Env, func(e corev1.EnvVar) bool { return e.Name == "SLACK_WEBHOOK_URL" })
	must("sees Slack's secret though only alert needs it", slack == (job.Name == "alert"))

	security := container.SecurityContext
	must("is not restricted", *pod.SecurityContext.RunAsNonRoot &&
		pod.SecurityContext.SeccompProfile.Type == corev1.SeccompProfileTypeRuntimeDefault &&
		!*security.AllowPrivilegeEscalation && *security.ReadOnlyRootFilesystem &&
		slices.Equal(security.Capabilities.Drop, []corev1.Capability{"ALL"}))
	atMost := func(list corev1.ResourceList, cpu, memory string) bool {
		return !list.Cpu().IsZero() && list.Cpu().Cmp(resource.MustParse(cpu)) <= 0 &&
			!list.Memory().IsZero() && list.Memory().Cmp(resource.MustParse(memory)) <= 0
	}
	must("requests more than 250m, 512Mi", atMost(container.Resources.Requests, "250m", "512Mi"))
	must("is limited above 500m, 1Gi", atMost(container.Resources.Limits, "500m", "1Gi"))
}

// uncommented is a copy of the folder in which the lines that begin with the
// mark and a key of these are commented in, as users are told to.
func uncommented(t *testing.T, keys ...string) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(cronjobs)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "kustomization.yaml")
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(body)
	for _, key := range keys {
		before, after, ok := strings.Cut(text, "# "+key)
		if !ok {
			t.Fatalf("%s has no line # %s", file, key)
		}
		block, rest, _ := strings.Cut(after+"\n", "\n\n")
		text = before + key + strings.ReplaceAll(block, "\n# ", "\n") + "\n\n" + rest
	}
	write(t, file, text)
	return folder
}

func TestOldKubernetes(t *testing.T) {
	jobs := 0
	for name, body := range build(t, uncommented(t, "components:")) {
		if strings.HasPrefix(name, "CronJob/") {
			jobs++
			job := decode[batchv1beta1.CronJob](t, body)
			if job.APIVersion != "batch/v1beta1" || job.Spec.JobTemplate.Spec.PodFailurePolicy != nil {
				t.Errorf("%s is not for Kubernetes 1.20: %s", name, body)
			}
		}
	}
	if jobs != 4 {
		t.Errorf("%d jobs, want 4", jobs)
	}
}

func TestOwnSettings(t *testing.T) {
	folder := uncommented(t, "configMapGenerator:")
	write(t, filepath.Join(folder, "config.yaml"), "cluster: mine\n")
	maps := 0
	for name, body := range build(t, folder) {
		if strings.HasPrefix(name, "ConfigMap/") {
			maps++
			if got := decode[corev1.ConfigMap](t, body).Data["config.yaml"]; got != "cluster: mine\n" {
				t.Errorf("the jobs would see\n%s", got)
			}
		}
	}
	if maps != 1 {
		t.Errorf("%d ConfigMaps, want 1", maps)
	}
}

func write(t *testing.T, file, body string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
}
