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
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// serviceIP is where pods find the API server, and nodeIP the node: addresses
	// of the loopback device, so that no proxy is needed, and nobody elsewhere
	// finds what listens there.
	serviceIP    = "10.96.0.1"
	nodeIP       = "10.78.0.1"
	podNetwork   = "10.77.0.0/24"
	bridge       = "k8s-monitor0"
	cgroup       = "k8s-monitor-test" // under which all pods are
	metricsPort  = "14443"
	etcdPort     = "12379"
	etcdPeerPort = "12380"
)

// node is the cluster.
type node struct {
	dir        string // of everything that it keeps
	bin        string // of its programs
	token      string // of an administrator
	kubeconfig string // of the same
	parts      []part // that were started
}

// part is a program that runs until it says that it has ended.
type part struct {
	name  string
	ended chan error
}

// startNode starts everything and ends it with the test.
func startNode(t *testing.T) *node {
	if os.Geteuid() != 0 {
		t.Fatal("a kubelet runs as root: run make cluster as root, on a machine to throw away")
	}
	signal.Notify(interrupted, os.Interrupt) // ends the test, which then cleans up
	n := &node{dir: t.TempDir(), token: rand.Text()}
	n.kubeconfig = filepath.Join(n.dir, "kubeconfig")
	n.bin = n.build(t)
	for _, ip := range [...]string{serviceIP, nodeIP} {
		run(t, "ip", "address", "replace", ip+"/32", "dev", "lo")
		t.Cleanup(func() { run(t, "ip", "address", "delete", ip+"/32", "dev", "lo") })
	}
	for _, address := range [...]string{serviceIP + ":443", nodeIP + ":10250", "127.0.0.1:10248", "127.0.0.1:" + etcdPort,
		"127.0.0.1:" + etcdPeerPort, "127.0.0.1:" + metricsPort} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatalf("%v: does another Kubernetes run here, or an earlier run of this test?", err)
		}
		l.Close()
	}
	n.startControlPlane(t)
	n.startKubelet(t)
	n.startMetrics(t)
	return n
}

// interrupted is told when somebody wants the test to end.
var interrupted = make(chan os.Signal, 1)

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

func (n *node) startControlPlane(t *testing.T) {
	key := n.file(t, "account.key", signingKey(t))
	tokens := n.file(t, "tokens.csv", n.token+`,admin,admin,"system:masters"`+"\n")
	certs := filepath.Join(n.dir, "certs")
	n.file(
		t,
		"kubeconfig",
		fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: x, contexts: [{name: x, context: {cluster: x, user: x}}],
clusters: [{name: x, cluster: {server: "https://%s", certificate-authority: %s/apiserver.crt}}], users: [{name: x,
  user: {token: %s}}]}`, serviceIP, certs, n.token),
	)

	etcd, peers := "http://127.0.0.1:"+etcdPort, "http://127.0.0.1:"+etcdPeerPort
	n.start(t, "etcd", filepath.Join(n.bin, "server"), "--data-dir="+filepath.Join(n.dir, "etcd"), "--name=x", "--log-level=warn",
		"--listen-client-urls="+etcd, "--advertise-client-urls="+etcd,
		"--listen-peer-urls="+peers, "--initial-advertise-peer-urls="+peers, "--initial-cluster=x="+peers)
	n.start(t, "kube-apiserver", filepath.Join(n.bin, "kube-apiserver"), "--etcd-servers="+etcd,
		"--secure-port=443", "--bind-address="+serviceIP, "--advertise-address="+nodeIP, "--cert-dir="+certs,
		"--token-auth-file="+tokens, "--authorization-mode=Node,RBAC", "--allow-privileged=true",
		"--service-account-key-file="+key, "--service-account-signing-key-file="+key,
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local", "--service-cluster-ip-range=10.96.0.0/16",
		"--kubelet-preferred-address-types=InternalIP")
	n.until(t, "the API server to be ready", func() error { return n.tryKubectl("get", "--raw", "/readyz") })
	n.start(t, "kube-controller-manager", filepath.Join(n.bin, "kube-controller-manager"), "--kubeconfig="+n.kubeconfig, "--secure-port=0",
		"--leader-elect=false", "--service-account-private-key-file="+key, "--root-ca-file="+certs+"/apiserver.crt")
	n.start(
		t,
		"kube-scheduler",
		filepath.Join(n.bin, "kube-scheduler"),
		"--kubeconfig="+n.kubeconfig,
		"--secure-port=0",
		"--leader-elect=false",
	)
	n.until(t, "the first ServiceAccount", func() error { return n.tryKubectl("get", "serviceaccount", "default") })
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
	n.file(
		t,
		"network/10-bridge.conflist",
		fmt.Sprintf(`{"cniVersion": "1.0.0", "name": "test", "plugins": [{"type": "bridge", "bridge": %q,
"isGateway": true, "ipam": {"type": "host-local", "dataDir": %q, "ranges": [[{"subnet": %q}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}`,
			bridge, filepath.Join(n.dir, "addresses"), podNetwork),
	)
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
	n.keepMachine(t)
	n.makeCgroup(t)
	n.start(t, "containerd", "containerd", "--config="+config)
	n.until(t, "containerd", func() error { return exec.Command("ctr", "--address", n.socket(), "version").Run() })
	n.load(t, loadImage(t, n.dir))

	config = n.file(t, "kubelet.yaml", fmt.Sprintf(`apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
cgroupRoot: /%s
address: %s
makeIPTablesUtilChains: false
failCgroupV1: false
failSwapOn: false
containerRuntimeEndpoint: unix://%s
resolvConf: /etc/resolv.conf
podLogsDir: %s/logs
nodeStatusUpdateFrequency: 5s
evictionHard: {memory.available: 100Mi, nodefs.available: 1%%, imagefs.available: 1%%, nodefs.inodesFree: 1%%}
`, cgroup, nodeIP, n.socket(), n.dir))
	kubelet := filepath.Join(n.dir, "kubelet")
	n.start(t, "kubelet", filepath.Join(n.bin, "kubelet"), "--kubeconfig="+n.kubeconfig, "--config="+config, "--root-dir="+kubelet,
		"--cert-dir="+kubelet+"/pki", "--hostname-override=node-1", "--node-ip="+nodeIP)
	n.until(t, "the node to be ready", func() error {
		return n.tryKubectl("wait", "--for=condition=Ready", "node/node-1", "--timeout=1s")
	})
}

func (n *node) startMetrics(t *testing.T) {
	n.start(t, "metrics-server", filepath.Join(n.bin, "metrics-server"), "--secure-port="+metricsPort, "--bind-address=127.0.0.1",
		"--cert-dir="+filepath.Join(n.dir, "metrics-certs"), "--kubeconfig="+n.kubeconfig, "--authorization-kubeconfig="+n.kubeconfig,
		"--authentication-kubeconfig="+n.kubeconfig, "--authentication-skip-lookup", "--authorization-always-allow-paths=/*",
		"--kubelet-preferred-address-types=InternalIP", "--kubelet-insecure-tls", "--metric-resolution=15s")
	body, err := os.ReadFile("testdata/metrics-server.yaml")
	if err != nil {
		t.Fatal(err)
	}
	n.apply(t, "-f", n.file(t, "metrics-server.yaml", strings.ReplaceAll(string(body), "METRICS_PORT", metricsPort)))
	n.until(t, "metrics of the node", func() error { return n.tryKubectl("top", "node", "node-1") })
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
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt is for the test alone
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	n.parts = append(n.parts, part{name, ended})
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(20*time.Second, func() { _ = c.Process.Kill() })
		<-ended
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

// until tries until there is no error, as long as all parts run.
func (n *node) until(t *testing.T, what string, try func() error) {
	t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for err := try(); err != nil; err = try() {
		for _, p := range n.parts {
			select {
			case end := <-p.ended:
				p.ended <- end
				t.Fatalf("waiting for %s: %s has ended: %v", what, p.name, end)
			default:
			}
		}
		select {
		case <-tick.C:
		case <-interrupted:
			t.Fatalf("interrupted, waiting for %s", what)
		case <-late:
			t.Fatalf("waited %v for %s: %v", patience, what, err)
		}
	}
}

// controllers are the folders of cgroups: one in version 2, one for each
// controller in version 1.
func controllers() []string {
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		return []string{"/sys/fs/cgroup"}
	}
	found, _ := filepath.Glob("/sys/fs/cgroup/*/cgroup.procs")
	for i := range found {
		found[i] = filepath.Dir(found[i])
	}
	return found
}

// makeCgroup makes the cgroup of all pods, and ends with the test what is still
// in it: containerd does not end its containers when it ends.
func (n *node) makeCgroup(t *testing.T) {
	for _, c := range controllers() {
		dir := filepath.Join(c, cgroup)
		must(t, os.MkdirAll(dir, 0o755))
		for _, file := range [...]string{"cpuset.cpus", "cpuset.mems"} { // version 1 wants these before anybody comes
			if body, err := os.ReadFile(filepath.Join(c, file)); err == nil {
				must(t, os.WriteFile(filepath.Join(dir, file), body, 0o644))
			}
		}
	}
	t.Cleanup(func() {
		var dirs []string
		for _, c := range controllers() {
			_ = filepath.WalkDir(filepath.Join(c, cgroup), func(path string, d fs.DirEntry, err error) error {
				if err == nil && d.IsDir() {
					dirs = append(dirs, path)
				}
				return nil
			})
		}
		for _, dir := range dirs {
			body, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
			for _, pid := range strings.Fields(string(body)) {
				if pid, err := strconv.Atoi(pid); err == nil && pid > 1 {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			}
		}
		_ = exec.Command("pkill", "-f", "containerd-shim.*"+n.socket()).Run()
		for _, dir := range slices.Backward(dirs) { // the inner ones first
			for range 50 { // until who was killed is gone
				if err := os.Remove(dir); err == nil || errors.Is(err, fs.ErrNotExist) {
					break
				}
				time.Sleep(20 * time.Millisecond)
			}
		}
	})
}

// keepMachine puts back with the test what a kubelet and containerd change of a
// machine.
func (n *node) keepMachine(t *testing.T) {
	for _, file := range [...]string{"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys",
		"kernel/keys/root_maxbytes", "net/ipv4/ip_forward"} {
		path := filepath.Join("/proc/sys", file)
		if body, err := os.ReadFile(path); err == nil {
			t.Cleanup(func() { _ = os.WriteFile(path, body, 0o644) })
		}
	}
	for _, dir := range [...]string{"/var/lib/kubelet", "/var/log/containers", "/var/log/pods"} {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			t.Cleanup(func() { _ = os.RemoveAll(dir) })
		}
	}
	t.Cleanup(func() {
		body, _ := os.ReadFile("/proc/self/mounts")
		var mounts []string
		for line := range strings.Lines(string(body)) {
			if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(f[1], n.dir+"/") {
				mounts = append(mounts, f[1])
			}
		}
		for _, m := range slices.Backward(mounts) {
			_ = syscall.Unmount(m, syscall.MNT_DETACH)
		}
		links, _ := filepath.Glob("/var/log/containers/*")
		for _, link := range links {
			if to, err := os.Readlink(link); err == nil && strings.HasPrefix(to, n.dir+"/") {
				_ = os.Remove(link)
			}
		}
	})
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
