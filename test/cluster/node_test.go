//go:build cluster

// Package cluster runs a real Kubernetes of one node on this machine, as root,
// and on it the CronJobs as they are shipped: etcd, API server, controllers,
// scheduler, kubelet and metrics-server, compiled from their modules, containerd
// and runc of the distribution, and a real S3 gateway. Images are made here:
// nothing is pulled. It is what `make cluster` does; `make test` does not.
package cluster

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// serviceIP is the API server's address for pods. It is put on the loopback
	// device, where the API server listens too, so that no proxy is needed.
	serviceIP    = "10.96.0.1"
	podNetwork   = "10.77.0.0/24"
	bridge       = "k8s-monitor0"
	adminToken   = "admin-token"
	metricsPort  = 14443
	etcdPort     = 12379
	etcdPeerPort = 12380
)

// node is the cluster.
type node struct {
	dir        string // of everything that it keeps
	bin        string // of its programs
	ip         string // of this machine
	kubeconfig string // of an administrator
}

// startNode starts everything and ends it with the test.
func startNode(t *testing.T) *node {
	if os.Geteuid() != 0 {
		t.Fatal("a kubelet runs as root: run make cluster as root, on a machine that has no other Kubernetes")
	}
	n := &node{dir: t.TempDir(), ip: ownIP(t)}
	n.bin = n.build(t)
	n.kubeconfig = filepath.Join(n.dir, "kubeconfig")

	run(t, "ip", "address", "replace", serviceIP+"/32", "dev", "lo")
	t.Cleanup(func() { run(t, "ip", "address", "delete", serviceIP+"/32", "dev", "lo") })
	n.startControlPlane(t)
	n.startKubelet(t)
	n.startMetrics(t)
	return n
}

// build compiles the programs, which takes ten minutes on two cores the first
// time; the build cache keeps them. Without optimisation it takes two thirds.
func (n *node) build(t *testing.T) string {
	bin := filepath.Join(n.dir, "bin")
	version := func(of string) string { return " -X k8s.io/" + of + "/version.gitVersion=" + kubernetesVersion(t) }
	c := exec.Command("go", "build", "-trimpath", "-gcflags=all=-N -l -dwarf=false",
		"-ldflags=-s -w"+version("component-base")+version("client-go/pkg"), "-o", bin+"/", "tool")
	c.Dir = "kubernetes"
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	output(t, c)
	return bin
}

// kubernetesVersion is the version that the module of the programs requires.
func kubernetesVersion(t *testing.T) string {
	c := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes")
	c.Dir = "kubernetes"
	return strings.TrimSpace(output(t, c))
}

// ownIP is an address at which pods reach this machine.
func ownIP(t *testing.T) string {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if ip, _, err := net.ParseCIDR(a.String()); err == nil && ip.To4() != nil && ip.IsGlobalUnicast() {
			return ip.String()
		}
	}
	t.Fatal("this machine has no IPv4 address but loopback")
	return ""
}

func (n *node) startControlPlane(t *testing.T) {
	key := n.file(t, "account.key", signingKey(t))
	tokens := n.file(t, "tokens.csv", adminToken+`,admin,admin,"system:masters"`+"\n")
	certs := filepath.Join(n.dir, "certs")
	n.file(t, "kubeconfig", fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: x, contexts: [{name: x, context: {cluster: x, user: x}}],
clusters: [{name: x, cluster: {server: "https://%s", certificate-authority: %s/apiserver.crt}}], users: [{name: x, user: {token: %s}}]}`, n.ip, certs, adminToken))

	etcd, peers := fmt.Sprintf("http://127.0.0.1:%d", etcdPort), fmt.Sprintf("http://127.0.0.1:%d", etcdPeerPort)
	n.start(t, "etcd", filepath.Join(n.bin, "server"), "--data-dir="+filepath.Join(n.dir, "etcd"), "--name=x", "--log-level=warn",
		"--listen-client-urls="+etcd, "--advertise-client-urls="+etcd,
		"--listen-peer-urls="+peers, "--initial-advertise-peer-urls="+peers, "--initial-cluster=x="+peers)
	n.start(t, "kube-apiserver", filepath.Join(n.bin, "kube-apiserver"), "--etcd-servers="+etcd,
		"--secure-port=443", "--bind-address=0.0.0.0", "--advertise-address="+n.ip, "--cert-dir="+certs,
		"--token-auth-file="+tokens, "--authorization-mode=Node,RBAC", "--allow-privileged=true",
		"--service-account-key-file="+key, "--service-account-signing-key-file="+key,
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local", "--service-cluster-ip-range=10.96.0.0/16",
		"--kubelet-preferred-address-types=InternalIP")
	until(t, "the API server to be ready", func() error { return n.tryKubectl("get", "--raw", "/readyz") })
	n.start(t, "kube-controller-manager", filepath.Join(n.bin, "kube-controller-manager"), "--kubeconfig="+n.kubeconfig, "--secure-port=0",
		"--leader-elect=false", "--service-account-private-key-file="+key, "--root-ca-file="+certs+"/apiserver.crt")
	n.start(t, "kube-scheduler", filepath.Join(n.bin, "kube-scheduler"), "--kubeconfig="+n.kubeconfig, "--secure-port=0", "--leader-elect=false")
	until(t, "the first ServiceAccount", func() error { return n.tryKubectl("get", "serviceaccount", "default") })
}

func signingKey(t *testing.T) string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	body, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: body}))
}

// socket is containerd's.
func (n *node) socket() string { return filepath.Join(n.dir, "containerd.sock") }

func (n *node) startKubelet(t *testing.T) {
	network := filepath.Join(n.dir, "network")
	n.file(t, "network/10-bridge.conflist", fmt.Sprintf(`{"cniVersion": "1.0.0", "name": "test", "plugins": [{"type": "bridge", "bridge": %q,
"isGateway": true, "ipam": {"type": "host-local", "dataDir": %q, "ranges": [[{"subnet": %q}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}`,
		bridge, filepath.Join(n.dir, "addresses"), podNetwork))
	t.Cleanup(func() { _ = exec.Command("ip", "link", "delete", bridge).Run() }) // made with the first pod
	config := n.file(t, "containerd.toml", fmt.Sprintf(`version = 2
root = "%[1]s/containerd"
state = "%[1]s/containerd-state"
[grpc]
  address = %[2]q
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/library/load:1"
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = %[3]q
`, n.dir, n.socket(), network))
	t.Cleanup(n.clean)
	n.start(t, "containerd", "containerd", "--config="+config)
	until(t, "containerd", func() error { return exec.Command("ctr", "--address", n.socket(), "version").Run() })
	n.load(t, loadImage(t, n.dir))

	config = n.file(t, "kubelet.yaml", fmt.Sprintf(`apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
containerRuntimeEndpoint: unix://%s
resolvConf: /etc/resolv.conf
podLogsDir: %s/logs
nodeStatusUpdateFrequency: 5s
evictionHard: {memory.available: 100Mi, nodefs.available: 1%%, imagefs.available: 1%%, nodefs.inodesFree: 1%%}
`, n.socket(), n.dir))
	kubelet := filepath.Join(n.dir, "kubelet")
	n.start(t, "kubelet", filepath.Join(n.bin, "kubelet"), "--kubeconfig="+n.kubeconfig, "--config="+config, "--root-dir="+kubelet,
		"--cert-dir="+kubelet+"/pki", "--hostname-override=node-1", "--node-ip="+n.ip)
	until(t, "the node to be ready", func() error {
		return n.tryKubectl("wait", "--for=condition=Ready", "node/node-1", "--timeout=1s")
	})
}

func (n *node) startMetrics(t *testing.T) {
	n.start(t, "metrics-server", filepath.Join(n.bin, "metrics-server"), "--secure-port="+strconv.Itoa(metricsPort), "--bind-address=127.0.0.1",
		"--cert-dir="+filepath.Join(n.dir, "metrics-certs"), "--kubeconfig="+n.kubeconfig, "--authorization-kubeconfig="+n.kubeconfig,
		"--authentication-kubeconfig="+n.kubeconfig, "--authentication-skip-lookup", "--authorization-always-allow-paths=/*",
		"--kubelet-preferred-address-types=InternalIP", "--kubelet-insecure-tls", "--metric-resolution=15s")
	body, err := os.ReadFile("testdata/metrics-server.yaml")
	if err != nil {
		t.Fatal(err)
	}
	n.apply(t, "-f", n.file(t, "metrics-server.yaml", strings.ReplaceAll(string(body), "METRICS_PORT", strconv.Itoa(metricsPort))))
	until(t, "metrics of the node", func() error { return n.tryKubectl("top", "node", "node-1") })
}

// load gives containerd the images of an archive.
func (n *node) load(t *testing.T, archive string) {
	run(t, "ctr", "--address", n.socket(), "--namespace", "k8s.io", "images", "import", archive)
}

// file writes a file of the node's.
func (n *node) file(t *testing.T, name, body string) string {
	path := filepath.Join(n.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// start starts a part. It ends with the test, which shows the end of what the
// part said if it failed.
func (n *node) start(t *testing.T, name, program string, args ...string) {
	log, err := os.Create(filepath.Join(n.dir, name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, args...)
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(20*time.Second, func() { _ = c.Process.Kill() })
		_ = c.Wait()
		late.Stop()
		log.Close()
		if t.Failed() {
			body, _ := os.ReadFile(log.Name())
			t.Logf("%s said at last:\n%s", name, body[max(0, len(body)-2000):])
		}
	})
}

// patience is how long a part or the cluster may take to get somewhere.
const patience = 3 * time.Minute

// until tries until there is no error.
func until(t *testing.T, what string, try func() error) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(200 * time.Millisecond) {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("waited %v for %s: %v", patience, what, err)
		}
	}
}

// clean ends what containerd leaves behind: it does not end its containers when
// it ends.
func (n *node) clean() {
	var groups []string
	for _, of := range [...]string{"/sys/fs/cgroup", "/sys/fs/cgroup/*"} { // cgroup v2, v1
		for _, at := range [...]string{"/kubepods/*/*", "/kubepods/*/*/*"} { // guaranteed pods, others
			found, _ := filepath.Glob(of + at + "/cgroup.procs")
			groups = append(groups, found...)
		}
	}
	for _, g := range groups {
		body, _ := os.ReadFile(g)
		for _, pid := range strings.Fields(string(body)) {
			if pid, err := strconv.Atoi(pid); err == nil {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
	_ = exec.Command("pkill", "-f", "containerd-shim.*"+n.socket()).Run()
	body, _ := os.ReadFile("/proc/self/mounts")
	var mounts []string
	for line := range strings.Lines(string(body)) {
		if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(f[1], n.dir) {
			mounts = append(mounts, f[1])
		}
	}
	for _, m := range slices.Backward(mounts) {
		_ = syscall.Unmount(m, syscall.MNT_DETACH)
	}
}

func (n *node) tryKubectl(args ...string) error {
	c := exec.Command(filepath.Join(n.bin, "kubectl"), append([]string{"--kubeconfig=" + n.kubeconfig}, args...)...)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

func (n *node) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	return output(t, exec.Command(filepath.Join(n.bin, "kubectl"), append([]string{"--kubeconfig=" + n.kubeconfig}, args...)...))
}

func (n *node) apply(t *testing.T, args ...string) {
	t.Helper()
	n.kubectl(t, append([]string{"apply"}, args...)...)
}

func run(t *testing.T, program string, args ...string) {
	t.Helper()
	output(t, exec.Command(program, args...))
}

func output(t *testing.T, c *exec.Cmd) string {
	t.Helper()
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", c, err, stderr.String())
	}
	return string(out)
}
