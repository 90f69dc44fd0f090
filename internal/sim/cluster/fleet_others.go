package cluster

// others are the workloads that hold no GPU: what calls the model servers, what
// the platform needs, and ordinary applications.
func others() []*Workload {
	deploy := func(ns, name, image string, on ...int) *Workload {
		return &Workload{Namespace: ns, Name: name, Kind: "Deployment", Image: image, on: on, demand: office,
			CPU: [2]int64{250, 1000}, Memory: [2]int64{256, 1024}, CPUUse: [2]int64{15, 420}, MemoryUse: [2]int64{140, 380}}
	}
	daemon := func(ns, name, image string, gpu bool) *Workload {
		return &Workload{Namespace: ns, Name: name, Kind: "DaemonSet", Image: image, everywhere: !gpu, onGPUs: gpu, demand: world,
			CPU: [2]int64{100, 0}, Memory: [2]int64{64, 256}, CPUUse: [2]int64{8, 45}, MemoryUse: [2]int64{38, 70}}
	}
	static := func(name string, cpu, mem int64) *Workload {
		return &Workload{Namespace: "kube-system", Name: name, Image: "registry.k8s.io/" + name + ":v1.34.2", on: []int{0, 1, 2},
			HostNetwork: true, Command: []string{name, "--kubeconfig=/etc/kubernetes/" + name + ".conf"}, demand: world,
			CPU: [2]int64{cpu, 0}, Memory: [2]int64{mem, 0}, CPUUse: [2]int64{cpu / 8, cpu}, MemoryUse: [2]int64{mem * 2 / 5, mem * 7 / 10}}
	}
	stateful := func(ns, name, image string, on ...int) *Workload {
		w := deploy(ns, name, image, on...)
		w.Kind = "StatefulSet"
		w.CPU, w.Memory = [2]int64{500, 2000}, [2]int64{2048, 4096}
		w.CPUUse, w.MemoryUse = [2]int64{60, 700}, [2]int64{1200, 2300}
		return w
	}
	with := func(w *Workload, change func(*Workload)) *Workload { change(w); return w }
	cron := func(ns, name, image string, on int, every, offset, runs int64) *Workload {
		w := deploy(ns, name, image, on, on, on)
		w.Kind, w.Story, w.Every, w.Offset, w.runs = "CronJob", Batch, every, offset, runs
		return w
	}
	return []*Workload{
		with(deploy("model-serving", "vllm-router", "lmcache/lmstack-router:v0.1.8", 0, 1), func(w *Workload) {
			w.Args = []string{"--host", "0.0.0.0", "--port", "8000", "--service-discovery", "k8s", "--routing-logic", "prefixaware",
				"--engine-stats-interval", "15"}
		}),
		with(deploy("model-serving", "sglang-router", "lmsysorg/sglang:v0.5.7", 2), func(w *Workload) {
			w.Command = []string{"python3", "-m", "sglang_router.launch_router", "--pd-disaggregation", "--prefill",
				"http://qwen3-30b-prefill:30000", "--decode", "http://qwen3-30b-decode:30000"}
		}),
		deploy("model-serving", "litellm", "ghcr.io/berriai/litellm:main-v1.80.0-stable", 0, 1),
		stateful("model-serving", "open-webui", "ghcr.io/open-webui/open-webui:v0.6.41", 2),
		with(cron("model-serving", "bench-llama", "vllm/vllm-openai:v0.13.0", 1, Day, 64800, 900), func(w *Workload) {
			w.Command = []string{"vllm", "bench", "serve", "--model", "meta-llama/Llama-3.3-70B-Instruct", "--base-url", "http://llama-33-70b:8000",
				"--num-prompts", "500"}
		}),
		deploy("team-search", "search-web", "registry.example.com/search/web:5.12.0", 0, 1, 2),
		with(deploy("team-search", "search-api", "registry.example.com/search/api:5.12.0", 0, 1, 2, 0), func(w *Workload) {
			w.Sidecar = "docker.io/envoyproxy/envoy:v1.36.2"
		}),
		with(deploy("team-search", "indexer", "registry.example.com/search/indexer:3.4.4", 1, 2), func(w *Workload) { // CPU near its limit
			w.CPU, w.CPUUse, w.demand = [2]int64{1000, 2000}, [2]int64{120, 2050}, crowded
		}),
		with(stateful("team-search", "postgres", "docker.io/library/postgres:17.6", 2), func(w *Workload) { // memory near its limit
			w.Memory, w.MemoryUse, w.demand = [2]int64{6144, 8192}, [2]int64{5400, 7800}, crowded
		}),
		stateful("team-search", "redis", "docker.io/library/redis:8.2", 1),
		cron("team-search", "sitemap", "registry.example.com/search/web:5.12.0", 0, 3600, 420, 95),
		deploy("research", "mlflow", "ghcr.io/mlflow/mlflow:v3.6.0", 2),
		static("kube-apiserver", 250, 1100), static("kube-controller-manager", 200, 180),
		static("kube-scheduler", 100, 90), static("etcd", 100, 400),
		deploy("kube-system", "coredns", "registry.k8s.io/coredns/coredns:v1.12.1", 0, 1),
		deploy("kube-system", "metrics-server", "registry.k8s.io/metrics-server/metrics-server:v0.8.0", 2),
		with(daemon("kube-system", "kube-proxy", "registry.k8s.io/kube-proxy:v1.34.2", false), func(w *Workload) { w.HostNetwork = true }),
		with(daemon("kube-system", "cilium", "quay.io/cilium/cilium:v1.18.4", false), func(w *Workload) {
			w.HostNetwork, w.MemoryUse, w.Memory = true, [2]int64{260, 340}, [2]int64{256, 1024}
		}),
		deploy("gpu-operator", "gpu-operator", "nvcr.io/nvidia/gpu-operator:v25.10.1", 1),
		with(daemon("gpu-operator", Exporter, "nvcr.io/nvidia/k8s/dcgm-exporter:4.4.2-4.7.0-distroless", true), func(w *Workload) {
			w.Memory, w.MemoryUse = [2]int64{256, 512}, [2]int64{180, 260}
		}),
		daemon("gpu-operator", "nvidia-device-plugin-daemonset", "nvcr.io/nvidia/k8s-device-plugin:v0.18.0", true),
		daemon("gpu-operator", "gpu-feature-discovery", "nvcr.io/nvidia/k8s-device-plugin:v0.18.0", true),
		with(stateful("monitoring", "prometheus-k8s", "quay.io/prometheus/prometheus:v3.7.3", 0), func(w *Workload) {
			w.Sidecar = "quay.io/prometheus-operator/prometheus-config-reloader:v0.86.1"
			w.Memory, w.MemoryUse = [2]int64{4096, 8192}, [2]int64{4300, 5600}
		}),
		stateful("monitoring", "alertmanager-main", "quay.io/prometheus/alertmanager:v0.29.0", 1),
		deploy("monitoring", "grafana", "docker.io/grafana/grafana:12.3.0", 2),
		deploy("monitoring", "kube-state-metrics", "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.17.0", 1),
		with(daemon("monitoring", "node-exporter", "quay.io/prometheus/node-exporter:v1.10.2", false),
			func(w *Workload) { w.HostNetwork = true }),
	}
}

// Exporter is the DaemonSet of GPU exporters.
const Exporter = "nvidia-dcgm-exporter"

// fillers are the small applications that bring a large cluster to about 30
// pods a node: as many Deployments as this, each with a pod on every node of a
// repetition.
const fillers = 22
