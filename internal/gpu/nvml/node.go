//go:build cgo

package nvml

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/NVIDIA/go-nvml/pkg/nvml"

	"github.com/company/k8s-resource-monitor/internal/gpu"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Built reports whether this build can read GPUs through NVML.
const Built = true

// driverTimeout bounds what the driver may take for all cards together.
const driverTimeout = 20 * time.Second

// ReadNode reads the GPUs of the node that the process runs on, and who holds
// them, for the instant at: figures from the driver's own library, NVML, and
// containers from the kubelet, at socket, which KubeletSocket is by default. It
// loads the library and needs no GPU of its own, so the container must not
// request one: it runs with runtimeClassName nvidia and
// NVIDIA_VISIBLE_DEVICES=all.
//
// The rows are like a DCGM exporter's, in the order of usage.CompareGPUs: one
// for a card, or one for each MIG instance of a card that is cut, with the
// card's power, energy, temperature and clock on every one. A figure that a card
// does not have is NULL. NVML has no utilisation of an instance and does not
// tell the last XID error, so these are NULL throughout.
//
// A card that answers in part, one that has no row because it does not answer
// at all, and a container whose device is not among the rows are gaps of the
// source "nvml" with the node as target. The error is for the node as a whole:
// no library, no driver, no card, or no answer of the kubelet, without which
// every card would look free.
//
// Before 1.34 a kubelet may list pods that have ended, and a card that was
// given away again then has a share_count of 2. Devices that a pod got through
// a resource claim are seen where the kubelet lists them, by default since 1.34.
func ReadNode(ctx context.Context, socket, node string, at time.Time) ([]usage.GPU, []usage.Gap, error) {
	return readNode(ctx, nvml.New(), socket, node, at)
}

func readNode(ctx context.Context, lib nvml.Interface, socket, node string, at time.Time) ([]usage.GPU, []usage.Gap, error) {
	claims, problems, err := listClaims(ctx, socket)
	if err != nil {
		return nil, nil, err
	}
	devices, ofCards, err := readDevices(ctx, lib)
	if err != nil {
		return nil, nil, fmt.Errorf("NVML: %w", err)
	}
	problems = append(problems, ofCards...)
	for _, c := range claims {
		if d, problem := c.find(devices); d != nil {
			d.holders.Add(c.holder)
		} else {
			problems = append(problems, fmt.Sprintf("%s holds %s, %s", inWords(c.holder), c.name, problem))
		}
	}
	gpus := make([]usage.GPU, len(devices))
	for i, d := range devices {
		d.row.TS, d.row.Node, d.row.Source = at, node, gpu.NVMLSource
		d.holders.Fill(&d.row)
		gpus[i] = d.row
	}
	slices.SortFunc(gpus, usage.CompareGPUs)
	gaps := make([]usage.Gap, len(problems))
	for i, p := range problems {
		gaps[i] = usage.Gap{TS: at, Source: gpu.NVMLSource, Target: node, Reason: p}
	}
	slices.SortFunc(gaps, usage.CompareGaps)
	return gpus, gaps, nil
}

// readDevices reads all cards. A call into the driver cannot be cut off, and
// one that has stalled would block the process for ever: so it is abandoned
// when the time is over.
func readDevices(ctx context.Context, lib nvml.Interface) ([]*nvmlDevice, []string, error) {
	ctx, cancel := context.WithTimeout(ctx, driverTimeout)
	defer cancel()
	type answer struct {
		devices  []*nvmlDevice
		problems []string
		err      error
	}
	answers := make(chan answer, 1)
	go func() {
		devices, problems, err := readCards(ctx, lib)
		answers <- answer{devices, problems, err}
	}()
	select {
	case a := <-answers:
		return a.devices, a.problems, a.err
	case <-ctx.Done():
		return nil, nil, fmt.Errorf("%w; the driver does not answer (%v are allowed): see what nvidia-smi and dmesg say on the node",
			ctx.Err(), driverTimeout)
	}
}

// readCards reads card after card; what is wrong with one is a problem of that
// card, in words.
func readCards(ctx context.Context, lib nvml.Interface) (devices []*nvmlDevice, problems []string, err error) {
	if r := lib.Init(); r != nvml.SUCCESS {
		return nil, nil, initError(r)
	}
	defer lib.Shutdown()
	count, r := lib.DeviceGetCount()
	if r != nvml.SUCCESS {
		return nil, nil, fmt.Errorf("nvmlDeviceGetCount: %s", r.Error())
	}
	if count == 0 {
		return nil, nil, errors.New("the driver shows no GPU: the container needs runtimeClassName nvidia and NVIDIA_VISIBLE_DEVICES=all, " +
			"and the node a GPU")
	}
	for index := range count {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		card := cardReader{lib: lib, index: index}
		devices = append(devices, card.read()...)
		if problem := card.problem(); problem != "" {
			problems = append(problems, problem)
		}
	}
	return devices, problems, nil
}

// initError says what to do about a library that does not start.
func initError(r nvml.Return) error {
	hint := "see what nvidia-smi says on the node"
	switch r {
	case nvml.ERROR_LIBRARY_NOT_FOUND:
		hint = "libnvidia-ml.so.1 cannot be loaded in this container: it needs runtimeClassName nvidia, NVIDIA_VISIBLE_DEVICES=all " +
			"and an image with glibc, and the node the NVIDIA container toolkit"
	case nvml.ERROR_DRIVER_NOT_LOADED:
		hint = "the node's NVIDIA driver is not loaded, or the container does not see its devices: NVIDIA_VISIBLE_DEVICES=all"
	case nvml.ERROR_LIB_RM_VERSION_MISMATCH:
		hint = "the library is of another version than the loaded driver: the node was upgraded and needs a restart"
	case nvml.ERROR_NO_PERMISSION:
		hint = "the container may not open the driver's devices: it needs runtimeClassName nvidia"
	}
	return fmt.Errorf("nvmlInit: %s; %s", r.Error(), hint)
}

// find returns the device that a container holds, or says why there is none.
func (c *claim) find(devices []*nvmlDevice) (found *nvmlDevice, problem string) {
	for _, d := range devices {
		switch {
		case c.id != nil && !d.is(*c.id), c.claimed != nil && !d.isClaimed(*c.claimed):
		case found != nil:
			return nil, "which several MIG instances may be: the driver does not tell this container where they lie"
		default:
			found = d
		}
	}
	if found == nil {
		return nil, "which is not among the GPUs that the driver shows: the GPU is lost or cut anew, or NVIDIA_VISIBLE_DEVICES is not all"
	}
	return found, ""
}
