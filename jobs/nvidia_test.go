//go:build nvidia && cgo

package main

import (
	"context"
	"encoding/csv"
	"maps"
	"net"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	podresources "k8s.io/kubelet/pkg/apis/podresources/v1"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// smiColumns are the columns that we ask nvidia-smi for.
var smiColumns = []string{"index", "uuid", "name", "mig.mode.current", "memory.used", "memory.total", "power.draw",
	"temperature.gpu", "clocks.sm", "utilization.gpu"}

// smi is a row of nvidia-smi, by column: MiB, W, degrees Celsius, MHz, %.
type smi map[string]string

// number is a figure of nvidia-smi, multiplied by unit.
func (s smi) number(t *testing.T, column string, unit float64) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s[column], 64)
	if err != nil {
		t.Fatalf("nvidia-smi says %q for %s", s[column], column)
	}
	return v * unit
}

// askSMI asks nvidia-smi about all cards.
func askSMI(t *testing.T) (cards []smi) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "nvidia-smi", "--query-gpu="+strings.Join(smiColumns, ","),
		"--format=csv,noheader,nounits").Output()
	if err != nil {
		t.Fatalf("nvidia-smi, which this test needs: %v", err)
	}
	r := csv.NewReader(strings.NewReader(string(out)))
	r.TrimLeadingSpace = true
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		card := make(smi)
		for i, column := range smiColumns {
			card[column] = line[i]
		}
		cards = append(cards, card)
	}
	return cards
}

// kubelet answers List with its pods.
type kubelet struct {
	podresources.UnimplementedPodResourcesListerServer
	pods []*podresources.PodResources
}

func (k kubelet) List(context.Context, *podresources.ListPodResourcesRequest) (*podresources.ListPodResourcesResponse, error) {
	return &podresources.ListPodResourcesResponse{PodResources: k.pods}, nil
}

// serve serves the kubelet's answers until the test ends.
func (k kubelet) serve(t *testing.T) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "kubelet.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	podresources.RegisterPodResourcesListerServer(s, k)
	go s.Serve(listener)
	t.Cleanup(s.Stop)
	return socket
}

// TestNVIDIA compares what the program writes on a node with NVIDIA GPUs, none of them in MIG mode, with nvidia-smi before
// and after: two samples, and a pod that holds the first card. The objects are the test's artifacts.
func TestNVIDIA(t *testing.T) {
	card := askSMI(t)[0]
	details, err := exec.CommandContext(t.Context(), "nvidia-smi", "-q", "-i", card["uuid"]).Output()
	if err != nil {
		t.Fatal(err)
	}
	minor := regexp.MustCompile(`Minor Number\s*:\s*([0-9]+)`).FindSubmatch(details)
	if minor == nil {
		t.Fatalf("no minor number in %s", details)
	}
	for name, server := range map[string]*podresources.ContainerResources{
		"device plugin": {Name: "server", Devices: []*podresources.ContainerDevices{{ResourceName: "nvidia.com/gpu",
			DeviceIds: []string{card["uuid"]}}}},
		"resource claim": {Name: "server", DynamicResources: []*podresources.DynamicResource{{ClaimName: "gpu", ClaimNamespace: "llm",
			ClaimResources: []*podresources.ClaimResource{{DriverName: "gpu.nvidia.com", PoolName: "gpu-node",
				DeviceName: "gpu-" + string(minor[1])}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			testNVIDIA(t, kubelet{pods: []*podresources.PodResources{{Namespace: "llm", Name: "llama-0",
				Containers: []*podresources.ContainerResources{server}}}})
		})
	}
}

func testNVIDIA(t *testing.T, k kubelet) {
	before, socket := askSMI(t), k.serve(t)
	dir := t.ArtifactDir()
	settings := write(t, "config.yaml", "cluster: hardware\nbucket: file://"+dir+"\ncollection: {interval: 30s}\n")
	code, _, stderr := invoke(t, nil, "snapshot", "--at", "2026-01-31T10:00:00Z", // samples by hand begin at once
		"--config", settings, "--gpus", "nvml", "--node", "gpu-node", "--kubelet-socket", socket)
	t.Log(stderr)
	if code != 0 {
		t.Fatalf("exit code %d", code)
	}
	after := askSMI(t)

	b := bucket.Dir(dir)
	objects := make(map[string]string)
	for o, err := range b.List(t.Context(), "raw/v1/") {
		if err != nil {
			t.Fatal(err)
		}
		objects[strings.Split(o.Name, "/")[2]] = o.Name
	}
	if want := []string{"_manifest", usage.GPUs}; !slices.Equal(slices.Sorted(maps.Keys(objects)), want) { // no gaps
		t.Fatalf("the objects %v were written, want those of %v", objects, want)
	}
	rows, err := store.GPUs.Read(t.Context(), b, objects[usage.GPUs])
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2*len(before) {
		t.Fatalf("%d rows of %d cards in two samples", len(rows), len(before))
	}
	for i, card := range before {
		compareCard(t, i, rows[2*i:2*i+2], card, after[i])
	}
}

// compareCard compares two rows of a card with nvidia-smi before and after. Figures that do not change are equal; those that
// do are between the two of nvidia-smi, or close to one of them.
func compareCard(t *testing.T, index int, rows []usage.GPU, before, after smi) {
	t.Helper()
	for _, row := range rows {
		t.Logf("row %+v\nnvidia-smi before %v\nafter %v", row, before, after)
		if row.GPUUUID != before["uuid"] || row.GPUProduct != before["name"] || strconv.Itoa(int(row.GPUIndex)) != before["index"] {
			t.Errorf("row of %q %q %d", row.GPUUUID, row.GPUProduct, row.GPUIndex)
		}
		wantPod, wantShare := usage.Opt[string]{}, int32(0)
		if index == 0 {
			wantPod, wantShare = usage.Some("llama-0"), 1
		}
		if row.Pod != wantPod || row.ShareCount != wantShare || row.MIGInstance.Present() || row.Source != "nvml" {
			t.Errorf("pod %v, share_count %d, MIG instance %v, source %q", row.Pod, row.ShareCount, row.MIGInstance, row.Source)
		}
		near := func(column string, got float64, present bool, unit, tolerance float64) {
			a, b := before.number(t, column, unit), after.number(t, column, unit)
			if !present || got < min(a, b)-tolerance || got > max(a, b)+tolerance {
				t.Errorf("%s: %v, present %v; nvidia-smi says %v before and %v after", column, got, present, a, b)
			}
		}
		const mib = 1 << 20
		total, ok := row.MemoryTotalBytes.Get()
		near("memory.total", float64(total), ok, mib, mib)
		used, ok := row.MemoryUsedBytes.Get()
		near("memory.used", float64(used), ok, mib, mib)
		watts, ok := row.PowerWatts.Get()
		near("power.draw", watts, ok, 1, 0.2*watts)
		celsius, ok := row.TemperatureCelsius.Get()
		near("temperature.gpu", float64(celsius), ok, 1, 3)
		mhz, ok := row.SMClockMHz.Get()
		near("clocks.sm", float64(mhz), ok, 1, 0.1*float64(mhz))
		util, ok := row.UtilPercent.Get()
		near("utilization.gpu", util, ok, 1, 10)
	}
	// The energy counter and the power agree.
	first, ok := rows[0].EnergyMillijoulesTotal.Get()
	second, ok2 := rows[1].EnergyMillijoulesTotal.Get()
	took := rows[1].TS.Sub(rows[0].TS)
	watts := float64(second-first) / 1e3 / took.Seconds()
	w0, _ := rows[0].PowerWatts.Get()
	w1, _ := rows[1].PowerWatts.Get()
	t.Logf("%.1f W by the energy of %v, %.1f and %.1f W by the power", watts, took, w0, w1)
	if !ok || !ok2 || took != 30*time.Second || watts < 0.7*min(w0, w1) || watts > 1.3*max(w0, w1) {
		t.Errorf("energy %v, then %v", rows[0].EnergyMillijoulesTotal, rows[1].EnergyMillijoulesTotal)
	}
}
