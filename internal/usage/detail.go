package usage

import "strings"

// PodDetail is a pod as the API server describes it: its row as far as the API
// server knows it (no usage, no engine, no GPU figures, no ts), and what
// identification and scraping need and no table stores. Who is shown it first
// completes the row and may drop what has been read; after that it never
// changes, and an unchanged pod may be the same pointer in two samples, so a
// reader may remember what it concluded about it.
type PodDetail struct {
	Row         Pod
	Labels      map[string]string
	Annotations map[string]string
	Containers  []Container // in the order of the spec, init containers first
	IP          string      // "": none yet
	HostNetwork bool
}

// Container is one container of a pod's spec.
type Container struct {
	Name       string
	Image      string
	Command    []string
	Args       []string
	Env        map[string]string // literal values only; what comes from elsewhere is absent
	Ports      []ContainerPort
	Init       bool // an init container that ends before the others start
	Sidecar    bool // a native sidecar: init container with restartPolicy Always
	GPURequest int32
}

// ContainerPort is a port that a container declares.
type ContainerPort struct {
	Name string
	Port int32
}

// The phases of a pod that has ended, as Kubernetes names them.
const (
	PhaseSucceeded = "Succeeded"
	PhaseFailed    = "Failed"
)

// Ended reports whether the pod holds no resources any more.
func (p *Pod) Ended() bool { return p.Phase == PhaseSucceeded || p.Phase == PhaseFailed }

// PodName names a pod across tables that do not all know its UID.
type PodName struct{ Namespace, Pod string }

// Name is the pod's name.
func (p *Pod) Name() PodName { return PodName{p.Namespace, p.Pod} }

// Name is the name of the engine's pod.
func (e *Engine) Name() PodName { return PodName{e.Namespace, e.Pod} }

// Compare orders names as the tables of pods and engines are ordered.
func (n PodName) Compare(o PodName) int {
	if c := strings.Compare(n.Namespace, o.Namespace); c != 0 {
		return c
	}
	return strings.Compare(n.Pod, o.Pod)
}
