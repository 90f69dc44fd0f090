package serving

import (
	"cmp"
	"slices"
	"strings"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// What the owner of a pod may declare, in annotations or labels. It takes
// precedence over everything that the monitor concludes.
const (
	ownEngine      = "k8s-monitor/engine" // "vllm" or "sglang"; anything else: it serves no model
	ownModel       = "k8s-monitor/model"
	ownMetricsPort = "k8s-monitor/metrics-port"
	ownIgnore      = "k8s-monitor/ignore" // "true": it serves no model
)

// platform is how a platform marks the pods that it runs. All keys are labels.
type platform struct {
	label, value string   // marks its pods; value "": any
	model        []string // name the model, best first; annotations too
	engine       string   // names the engine
	runs         string   // the engine of its servers, where nothing else tells
	containers   []string // that serve; the name of an engine says which it is
	part         string   // says what the pod is for
	serves       []string // what part begins with on servers; none: see others
	others       []string // values of part on pods that serve no model
	https        bool
}

var platforms = []platform{
	{label: "serving.kserve.io/inferenceservice", model: []string{"serving.kserve.io/inferenceservice"},
		containers: []string{"kserve-container", "worker-container"}, part: "component", others: []string{"transformer", "explainer"}},
	{label: "app.kubernetes.io/part-of", value: "llminferenceservice", model: []string{"app.kubernetes.io/name"}, runs: usage.VLLM,
		containers: []string{"main"}, part: "app.kubernetes.io/component", serves: []string{"llminferenceservice-workload"}, https: true},
	{label: "llm-d.ai/inference-serving", value: "true", model: []string{"llm-d.ai/model"}, containers: Engines()},
	{label: "llm-d.ai/inferenceServing", value: "true", model: []string{"llm-d.ai/model"}, containers: Engines()},
	{label: "app.kubernetes.io/part-of", value: "vllm-stack", model: []string{"model"}, runs: usage.VLLM,
		containers: []string{"vllm", "vllm-ray-head", "vllm-ray-worker"}, part: "app.kubernetes.io/component",
		serves: []string{"serving-engine"}},
	{label: "app.kubernetes.io/managed-by", value: "kubeai", model: []string{"model"}, engine: "app.kubernetes.io/name",
		containers: []string{"server"}},
	{label: "model.aibrix.ai/name", model: []string{"model.aibrix.ai/name"}, engine: "model.aibrix.ai/engine"},
	{label: "nvidia.com/dynamo-graph-deployment-name", model: []string{"nvidia.com/dynamo-base-model"}, containers: []string{"main"},
		part: "nvidia.com/dynamo-component-type", others: []string{"frontend", "planner", "epp", "router", "gateway", "profiler"}},
	{label: rayCluster, part: "ray.io/originated-from-crd", others: []string{"RayJob"}},
}

// roleLabels say which part a pod has where prefill and decode are apart.
var roleLabels = []string{"llm-d.ai/role", "nvidia.com/dynamo-sub-component-type", "nvidia.com/dynamo-component-type",
	"role-name", "rolebasedgroup.workloads.x-k8s.io/role", "app.kubernetes.io/component"}

// portKeys are annotations and labels that give the port of the metrics, best
// first.
var portKeys = []string{ownMetricsPort, "prometheus.io/port", "prometheus.kserve.io/port", "model-pod-port",
	"model.aibrix.ai/metric-port", "model.aibrix.ai/port"}

// batchOwners run work that ends: with the image of a server and a command of
// its own it is no server.
var batchOwners = set("Job", "CronJob", "RayJob", "PyTorchJob", "TFJob", "MPIJob", "XGBoostJob", "TrainJob", "JobSet", "AppWrapper",
	"Workflow", "TaskRun", "PipelineRun", "SparkApplication")

// said is what annotations and labels say of a pod.
type said struct {
	engine     string // "" if they do not name it
	fallback   string // the engine where nothing else names one
	ownModel   string // the model, as the pod's owner names it
	model      string // the model, as a platform names it
	containers []string
	https      bool
	noServer   bool // they exclude a model server
	own        bool // the engine is named by the pod's owner
	evidence   []naming
}

// naming is a label or an annotation that names an engine or a model.
type naming struct{ by, engine string }

// metadata reads the annotations and labels of a pod.
func metadata(d *usage.PodDetail) (s said) {
	if len(d.Annotations) > 0 || len(d.Labels) > 0 {
		if engine, by := lookUp(d, ownEngine); engine != "" {
			s.engine, s.own = engine, true
			s.evidence = append(s.evidence, naming{by, engine})
		}
		if model, by := lookUp(d, ownModel); model != "" {
			s.ownModel = model
			s.evidence = append(s.evidence, naming{by, ""})
		}
		ignore, _ := lookUp(d, ownIgnore)
		s.noServer = ignore == "true"
	}
	for i := range platforms {
		if len(d.Labels) == 0 {
			break
		}
		if p := &platforms[i]; d.Labels[p.label] != "" && (p.value == "" || p.value == d.Labels[p.label]) {
			s.add(d, p)
		}
	}
	s.noServer = s.noServer || s.engine != "" && engineNamed(s.engine) == nil
	return s
}

// add takes in what one platform says.
func (s *said) add(d *usage.PodDetail, p *platform) {
	part := strings.ToLower(d.Labels[p.part])
	begins := func(prefix string) bool { return strings.HasPrefix(part, prefix) }
	is := func(other string) bool { return part == strings.ToLower(other) }
	if part != "" && (len(p.serves) > 0 && !slices.ContainsFunc(p.serves, begins) || slices.ContainsFunc(p.others, is)) {
		s.noServer = s.noServer || !s.own
		return
	}
	if engine := strings.ToLower(d.Labels[p.engine]); engine != "" {
		s.engine = cmp.Or(s.engine, engine)
		s.evidence = append(s.evidence, naming{"label " + p.engine, engine})
	}
	runs := p.runs
	for i := range d.Containers {
		if name := d.Containers[i].Name; slices.Contains(p.containers, name) && engineNamed(name) != nil {
			runs = name
		}
	}
	if runs != "" {
		s.fallback = cmp.Or(s.fallback, runs)
		s.evidence = append(s.evidence, naming{"label " + p.label, runs})
	}
	for _, key := range p.model {
		if model, by := lookUp(d, key); model != "" {
			s.model = cmp.Or(s.model, model)
			s.evidence = append(s.evidence, naming{by, ""})
			break
		}
	}
	s.containers = append(s.containers, p.containers...)
	s.https = s.https || p.https
}

// lookUp finds an annotation or label, and says which.
func lookUp(d *usage.PodDetail, key string) (value, by string) {
	if value = d.Annotations[key]; value != "" {
		return value, "annotation " + key
	}
	return d.Labels[key], "label " + key
}

// roleLabel is the part that labels give a pod where prefill and decode are
// apart; a component's name holds it as one of its words.
func roleLabel(d *usage.PodDetail) string {
	for _, key := range roleLabels {
		words := strings.Split(d.Labels[key], "-")
		prefill, decode := slices.Contains(words, "prefill"), slices.Contains(words, "decode")
		switch {
		case prefill && !decode:
			return "prefill"
		case decode && !prefill:
			return "decode"
		}
	}
	return ""
}
