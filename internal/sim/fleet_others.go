package sim

// others are the workloads that hold no GPU: what calls the model servers, what
// the platform needs, and ordinary applications.
func others() []*workload {
	deploy := func(ns, name, image string, on ...int) *workload {
		return &workload{namespace: ns, name: name, kind: "Deployment", image: image, on: on, demand: office,
			cpu: [2]int64{250, 1000}, memory: [2]int64{256, 1024}, cpuUse: [2]int64{15, 420}, memUse: [2]int64{140, 380}}
	}
	daemon := func(ns, name, image string, gpu bool) *workload {
		return &workload{namespace: ns, name: name, kind: "DaemonSet", image: image, everywhere: !gpu, onGPUs: gpu, demand: world,
			cpu: [2]int64{100, 0}, memory: [2]int64{64, 256}, cpuUse: [2]int64{8, 45}, memUse: [2]int64{38, 70}}
	}
	static := func(name string, cpu, mem int64) *workload {
		return &workload{namespace: "kube-system", name: name, image: "registry.k8s.io/" + name + ":v1.34.2", on: []int{0, 1, 2}, hostNetwork: true,
			command: []string{name, "--kubeconfig=/etc/kubernetes/" + name + ".conf"}, demand: world,
			cpu: [2]int64{cpu, 0}, memory: [2]int64{mem, 0}, cpuUse: [2]int64{cpu / 8, cpu}, memUse: [2]int64{mem * 2 / 5, mem * 7 / 10}}
	}
	stateful := func(ns, name, image string, on ...int) *workload {
		w := deploy(ns, name, image, on...)
		w.kind = "StatefulSet"
		w.cpu, w.memory = [2]int64{500, 2000}, [2]int64{2048, 4096}
		w.cpuUse, w.memUse = [2]int64{60, 700}, [2]int64{1200, 2300}
		return w
	}
	with := func(w *workload, change func(*workload)) *workload { change(w); return w }
	cron := func(ns, name, image string, on int, every, offset, runs int64) *workload {
		w := deploy(ns, name, image, on, on, on)
		w.kind, w.story, w.every, w.offset, w.runs = "CronJob", batch, every, offset, runs
		return w
	}
	return []*workload{
		with(deploy("model-serving", "vllm-router", "lmcache/lmstack-router:v0.1.8", 0, 1), func(w *workload) {
			w.args = []string{"--host", "0.0.0.0", "--port", "8000", "--service-discovery", "k8s", "--routing-logic", "prefixaware", "--engine-stats-interval", "15"}
		}),
		with(deploy("model-serving", "sglang-router", "lmsysorg/sglang:v0.5.7", 2), func(w *workload) {
			w.command = []string{"python3", "-m", "sglang_router.launch_router", "--pd-disaggregation", "--prefill", "http://qwen3-30b-prefill:30000", "--decode", "http://qwen3-30b-decode:30000"}
		}),
		deploy("model-serving", "litellm", "ghcr.io/berriai/litellm:main-v1.80.0-stable", 0, 1),
		stateful("model-serving", "open-webui", "ghcr.io/open-webui/open-webui:v0.6.41", 2),
		with(cron("model-serving", "bench-llama", "vllm/vllm-openai:v0.13.0", 1, day, 64800, 900), func(w *workload) {
			w.command = []string{"vllm", "bench", "serve", "--model", "meta-llama/Llama-3.3-70B-Instruct", "--base-url", "http://llama-33-70b:8000", "--num-prompts", "500"}
		}),
		deploy("team-search", "search-web", "registry.example.com/search/web:5.12.0", 0, 1, 2),
		with(deploy("team-search", "search-api", "registry.example.com/search/api:5.12.0", 0, 1, 2, 0), func(w *workload) {
			w.sidecar = "docker.io/envoyproxy/envoy:v1.36.2"
		}),
		with(deploy("team-search", "indexer", "registry.example.com/search/indexer:3.4.4", 1, 2), func(w *workload) { // CPU near its limit
			w.cpu, w.cpuUse, w.demand = [2]int64{1000, 2000}, [2]int64{120, 2050}, crowded
		}),
		with(stateful("team-search", "postgres", "docker.io/library/postgres:17.6", 2), func(w *workload) { // memory near its limit
			w.memory, w.memUse, w.demand = [2]int64{6144, 8192}, [2]int64{5400, 7800}, crowded
		}),
		stateful("team-search", "redis", "docker.io/library/redis:8.2", 1),
		cron("team-search", "sitemap", "registry.example.com/search/web:5.12.0", 0, 3600, 420, 95),
		deploy("research", "mlflow", "ghcr.io/mlflow/mlflow:v3.6.0", 2),
		static("kube-apiserver", 250, 1100), static("kube-controller-manager", 200, 180),
		static("kube-scheduler", 100, 90), static("etcd", 100, 400),
		deploy("kube-system", "coredns", "registry.k8s.io/coredns/coredns:v1.12.1", 0, 1),
		deploy("kube-system", "metrics-server", "registry.k8s.io/metrics-server/metrics-server:v0.8.0", 2),
		with(daemon("kube-system", "kube-proxy", "registry.k8s.io/kube-proxy:v1.34.2", false), func(w *workload) { w.hostNetwork = true }),
		with(daemon("kube-system", "cilium", "quay.io/cilium/cilium:v1.18.4", false), func(w *workload) {
			w.hostNetwork, w.memUse, w.memory = true, [2]int64{260, 340}, [2]int64{256, 1024}
		}),
		deploy("gpu-operator", "gpu-operator", "nvcr.io/nvidia/gpu-operator:v25.10.1", 1),
		with(daemon("gpu-operator", exporter, "nvcr.io/nvidia/k8s/dcgm-exporter:4.4.2-4.7.0-distroless", true), func(w *workload) {
			w.memory, w.memUse = [2]int64{256, 512}, [2]int64{180, 260}
		}),
		daemon("gpu-operator", "nvidia-device-plugin-daemonset", "nvcr.io/nvidia/k8s-device-plugin:v0.18.0", true),
		daemon("gpu-operator", "gpu-feature-discovery", "nvcr.io/nvidia/k8s-device-plugin:v0.18.0", true),
		with(stateful("monitoring", "prometheus-k8s", "quay.io/prometheus/prometheus:v3.7.3", 0), func(w *workload) {
			w.sidecar = "quay.io/prometheus-operator/prometheus-config-reloader:v0.86.1"
			w.memory, w.memUse = [2]int64{4096, 8192}, [2]int64{4300, 5600}
		}),
		stateful("monitoring", "alertmanager-main", "quay.io/prometheus/alertmanager:v0.29.0", 1),
		deploy("monitoring", "grafana", "docker.io/grafana/grafana:12.3.0", 2),
		deploy("monitoring", "kube-state-metrics", "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.17.0", 1),
		with(daemon("monitoring", "node-exporter", "quay.io/prometheus/node-exporter:v1.10.2", false), func(w *workload) { w.hostNetwork = true }),
	}
}

// exporter is the DaemonSet whose pods answer for the GPUs of their node.
const exporter = "nvidia-dcgm-exporter"

// fillers are the small applications that bring a large cluster to about 30
// pods a node: as many Deployments as this, each with a pod on every node of a
// repetition.
const fillers = 22
