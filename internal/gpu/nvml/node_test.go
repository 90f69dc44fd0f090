//go:build cgo

package nvml

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/dgxa100"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/dgxb200"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/dgxh100"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/dgxh200"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/server"
	podresources "k8s.io/kubelet/pkg/apis/podresources/v1"

	"github.com/company/k8s-resource-monitor/internal/golden"
	"github.com/company/k8s-resource-monitor/internal/gpu"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

var at = time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)

// TestReadNode reads one node of each mocked machine, each with another way of
// giving out its GPUs, and compares rows and gaps with testdata/*.json.
func TestReadNode(t *testing.T) {
	for name, test := range map[string]struct {
		machine *server.Server
		prepare func(t *testing.T, m *server.Server)
		pods    []*podresources.PodResources
	}{
		// MIG, with a driver that has not all functions yet.
		"a100": {dgxa100.New(), func(t *testing.T, m *server.Server) {
			m.LookupSymbolFunc = func(symbol string) error {
				if symbol == "nvmlDeviceGetMemoryInfo_v2" {
					return errors.New("undefined symbol")
				}
				return nil
			}
			cut(t, m.Devices[0].(*server.Device), "3g.20gb", "1g.5gb", "2g.10gb")
		}, []*podresources.PodResources{
			plugin("models", "mig-0", "main", "nvidia.com/mig-3g.20gb", instanceUUID(0)),
			plugin("models", "mig-old", "main", "nvidia.com/mig-1g.5gb", "MIG-"+cardUUID(0)+"/1/0"),
			plugin("team-b", "half-b", "main", "nvidia.com/mig-1c.2g.10gb", instanceUUID(21)),
			plugin("team-a", "half-a", "main", "nvidia.com/mig-1c.2g.10gb", instanceUUID(20)),
			plugin("models", "gone", "main", "nvidia.com/mig-1g.5gb", instanceUUID(99)),
			plugin("models", "whole-0", "main", "nvidia.com/gpu", cardUUID(1), cardUUID(2)),
			plugin("models", "cut-since", "main", "nvidia.com/gpu", cardUUID(0)),
		}},
		// Whole cards and time-slicing by the device plugin.
		"h100": {dgxh100.New(), nil, []*podresources.PodResources{
			plugin("models", "llama-0", "server", "nvidia.com/gpu", cardUUID(0), cardUUID(1), cardUUID(2), cardUUID(3)),
			plugin("team-b", "slice-c", "main", "nvidia.com/gpu.shared", cardUUID(4)+"::0"),
			plugin("team-a", "slice-b", "main", "nvidia.com/gpu.shared", cardUUID(4)+"::1", cardUUID(4)+"::2"),
			plugin("team-a", "alone", "main", "nvidia.com/gpu.shared", cardUUID(5)+"::7"),
			plugin("models", "renamed", "main", "example.com/h100", cardUUID(6)),
			plugin("models", "strange", "main", "nvidia.com/gpu", "cpu\n0"),
			plugin("models", "nic-0", "main", "nvidia.com/hostdev", "0000:08:00.2"),
			plugin("models", "web-0", "main", "example.com/nic", "eth0"),
		}},
		// Dynamic resource allocation, of cards and instances.
		"h200": {dgxh200.New(), func(t *testing.T, m *server.Server) {
			for i, d := range m.Devices { // as on machines whose order by bus differs from that of the device files
				d.(*server.Device).Minor = len(m.Devices) - 1 - i
			}
			cut(t, m.Devices[1].(*server.Device), "1g.18gb", "1g.18gb", "3g.71gb")
			cut(t, m.Devices[2].(*server.Device), "1g.18gb", "1g.18gb", "3g.71gb")
			m.Devices[2].(*server.Device).GetGpuInstanceByIdFunc = func(int) (nvml.GpuInstance, nvml.Return) { return nil, nvml.ERROR_NO_PERMISSION }
		}, []*podresources.PodResources{
			dra("models", "claim-0", "main", gpuDriver, "gpu-7"),
			dra("models", "claim-b", "main", gpuDriver, "gpu-6-mig-1g18gb-0-1"),
			dra("models", "claim-c", "main", gpuDriver, "gpu-6-mig-2-2-3"),
			dra("models", "no-place", "main", gpuDriver, "gpu-5-mig-3g71gb-2-2"),
			dra("models", "ambiguous", "main", gpuDriver, "gpu-5-mig-1g18gb-0-0"),
			dra("models", "vfio", "main", gpuDriver, "gpu-vfio-0"),
			dra("models", "gone", "main", gpuDriver, "gpu-11"),
			dra("models", "imex", "main", "compute-domain.nvidia.com", "channel-0"),
			dra("team-a", "both-a", "main", gpuDriver, "gpu-4"),
			dra("team-b", "both-b", "main", gpuDriver, "gpu-4"),
		}},
		// GKE's names; cards that answer in part and not at all.
		"b200": {dgxb200.New(), func(t *testing.T, m *server.Server) {
			cut(t, m.Devices[2].(*server.Device), "1g.23gb", "3g.90gb")
			at := func(i int) *server.Device { return m.Devices[i].(*server.Device) }
			at(3).GetPowerUsageFunc = func() (uint32, nvml.Return) { return 0, nvml.ERROR_UNKNOWN }
			at(3).GetTemperatureFunc = func(nvml.TemperatureSensors) (uint32, nvml.Return) { return 0, nvml.ERROR_UNKNOWN }
			at(4).GetTotalEnergyConsumptionFunc = func() (uint64, nvml.Return) { return 7, nvml.ERROR_NOT_SUPPORTED }
			at(4).GetMemoryInfo_v2Func = func() (nvml.Memory_v2, nvml.Return) {
				return nvml.Memory_v2{Total: 1 << 30, Used: ^uint64(0)}, nvml.SUCCESS
			}
			at(5).GetUUIDFunc = func() (string, nvml.Return) { return "", nvml.ERROR_GPU_IS_LOST }
			handle := m.DeviceGetHandleByIndexFunc
			m.DeviceGetHandleByIndexFunc = func(i int) (nvml.Device, nvml.Return) {
				if i == 6 {
					return nil, nvml.ERROR_GPU_IS_LOST
				}
				return handle(i)
			}
			at(7).MigMode = nvml.DEVICE_MIG_ENABLE // cut, but how is not said
			at(7).GetMaxMigDeviceCountFunc = func() (int, nvml.Return) { return 0, nvml.ERROR_UNKNOWN }
		}, []*podresources.PodResources{
			plugin("models", "gke-0", "main", "nvidia.com/gpu", "nvidia0"),
			plugin("models", "gke-a", "main", "nvidia.com/gpu", "nvidia1/vgpu0"),
			plugin("models", "gke-b", "main", "nvidia.com/gpu", "nvidia1/vgpu1"),
			plugin("models", "gke-mig", "main", "nvidia.com/gpu", "nvidia2/gi0"),
			plugin("models", "gke-mig-a", "main", "nvidia.com/gpu", "nvidia2/gi1/vgpu0"),
			plugin("models", "gke-mig-b", "sidecar", "nvidia.com/gpu", "nvidia2/gi1/vgpu1"),
			plugin("models", "on-lost", "main", "nvidia.com/gpu", "nvidia5"),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			measured(test.machine)
			if test.prepare != nil {
				test.prepare(t, test.machine)
			}
			gpus, gaps, err := readNode(t.Context(), test.machine, kubelet(t, test.pods...), "node-1", at)
			if err != nil {
				t.Fatal(err)
			}
			checkNode(t, gpus, gaps)
			golden.CompareJSON(t, filepath.Join("testdata", name+".json"), struct {
				GPUs []usage.GPU
				Gaps []usage.Gap
			}{gpus, gaps})
		})
	}
}

// checkNode says what holds of any node.
func checkNode(t *testing.T, gpus []usage.GPU, gaps []usage.Gap) {
	t.Helper()
	type device struct {
		uuid     string
		instance usage.Opt[int32]
	}
	seen := map[device]bool{}
	for _, g := range gpus {
		d := device{g.GPUUUID, g.MIGInstance}
		if seen[d] || seen[device{uuid: g.GPUUUID}] {
			t.Errorf("%v has two rows, or its card has one too", d)
		}
		seen[d] = true
		if g.TS != at || g.Node != "node-1" || g.Source != "nvml" || g.XIDLast.Present() ||
			g.UtilPercent.Present() != g.UtilSource.Present() || g.UtilPercent.Present() && g.MIGInstance.Present() ||
			g.Pod.Present() != (g.ShareCount > 0) {
			t.Errorf("row contradicts itself: %+v", g)
		}
	}
	if !slices.IsSortedFunc(gpus, usage.CompareGPUs) || !slices.IsSortedFunc(gaps, usage.CompareGaps) {
		t.Error("rows are not in order")
	}
	for _, g := range gaps {
		if g.TS != at || g.Source != "nvml" || g.Target != "node-1" || g.Reason == "" || strings.Contains(g.Reason, "\n") {
			t.Errorf("gap %+v", g)
		}
	}
}

// TestReadNodeAttribute goes all the way to pods.
func TestReadNodeAttribute(t *testing.T) {
	socket := kubelet(t,
		plugin("models", "llama-0", "server", "nvidia.com/gpu", cardUUID(1), cardUUID(2)),
		plugin("team-a", "slice-a", "main", "nvidia.com/gpu.shared", cardUUID(3)+"::0"),
		plugin("team-b", "slice-b", "main", "nvidia.com/gpu.shared", cardUUID(3)+"::1"))
	gpus, gaps, err := readNode(t.Context(), measured(dgxh100.New()), socket, "node-1", at)
	if err != nil || len(gaps) > 0 {
		t.Fatal(err, gaps)
	}
	pod := func(namespace, name string, gpus int32) usage.Pod {
		return usage.Pod{Namespace: namespace, Pod: name, Node: usage.Some("node-1"), Phase: "Running", GPURequest: gpus}
	}
	pods := []usage.Pod{pod("models", "llama-0", 2), pod("team-a", "slice-a", 1), pod("team-b", "slice-b", 1)}
	gpu.Attribute(pods, gpus)
	if p := pods[0]; p.GPUAttribution != usage.Some(usage.Exclusive) || p.GPUUtilPercent != usage.Some(15.0) ||
		p.GPUMemoryUsedBytes != usage.Some[int64](4<<30) || p.GPUPowerWatts != usage.Some(610.501+610.502) {
		t.Errorf("%+v", p)
	}
	for _, p := range pods[1:] {
		if p.GPUAttribution != usage.Some(usage.Shared) || p.GPUUtilPercent != usage.Some(30.0) ||
			p.GPUMemoryUsedBytes != usage.Some[int64](2<<30) {
			t.Errorf("%+v", p)
		}
	}
}

func TestReadNodeErrors(t *testing.T) {
	for want, break_ := range map[string]func(m *server.Server){
		"runtimeClassName nvidia, NVIDIA_VISIBLE_DEVICES=all": func(m *server.Server) {
			m.InitFunc = func() nvml.Return { return nvml.ERROR_LIBRARY_NOT_FOUND }
		},
		"driver is not loaded": func(m *server.Server) {
			m.InitFunc = func() nvml.Return { return nvml.ERROR_DRIVER_NOT_LOADED }
		},
		"the node was upgraded": func(m *server.Server) {
			m.InitFunc = func() nvml.Return { return nvml.ERROR_LIB_RM_VERSION_MISMATCH }
		},
		"may not open": func(m *server.Server) {
			m.InitFunc = func() nvml.Return { return nvml.ERROR_NO_PERMISSION }
		},
		"nvmlInit: ERROR_UNKNOWN": func(m *server.Server) {
			m.InitFunc = func() nvml.Return { return nvml.ERROR_UNKNOWN }
		},
		"nvmlDeviceGetCount: ERROR_UNKNOWN": func(m *server.Server) {
			m.DeviceGetCountFunc = func() (int, nvml.Return) { return 0, nvml.ERROR_UNKNOWN }
		},
		"shows no GPU": func(m *server.Server) { m.Devices = nil },
	} {
		m := measured(dgxa100.New())
		break_(m)
		gpus, gaps, err := readNode(t.Context(), m, kubelet(t), "node-1", at)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "NVML: ") || gpus != nil || gaps != nil {
			t.Errorf("%d rows, error %v, want %q in it", len(gpus), err, want)
		}
	}
}

// TestReadNodeStalled has a driver that never returns from a call.
func TestReadNodeStalled(t *testing.T) {
	m := measured(dgxa100.New())
	called, release := make(chan bool), make(chan bool)
	defer close(release)
	m.Devices[0].(*server.Device).GetPowerUsageFunc = func() (uint32, nvml.Return) {
		close(called)
		<-release
		return 0, nvml.ERROR_TIMEOUT
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-called
		cancel()
	}()
	_, _, err := readNode(ctx, m, kubelet(t), "node-1", at)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "driver does not answer") {
		t.Errorf("error %v", err)
	}
}

// TestNoLibrary runs the real thing, where no driver is installed.
func TestNoLibrary(t *testing.T) {
	if nvml.New().Init() == nvml.SUCCESS {
		t.Skip("this machine has a driver")
	}
	_, _, err := ReadNode(t.Context(), kubelet(t), "node-1", at)
	if err == nil || !strings.Contains(err.Error(), "NVML: nvmlInit: ERROR_LIBRARY_NOT_FOUND") {
		t.Errorf("error %v", err)
	}
}
