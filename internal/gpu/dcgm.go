package gpu

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/company/k8s-resource-monitor/internal/exposition"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// holderLabels are the names under which the exporter, or a Prometheus in
// between, tells who holds a device. The first triple whose pod label is there
// counts. A Prometheus that does not honour labels moves the exporter's own to
// exported_ and puts the exporter's pod in their place, which says nothing of
// who holds the device.
var holderLabels = []struct{ pod, namespace, container string }{
	{"exported_pod", "exported_namespace", "exported_container"},
	{"pod", "namespace", "container"},
	{"pod_name", "pod_namespace", "container_name"}, // exporters before 2.0
}

// device is one GPU or MIG instance while its samples come in.
type device struct {
	uuid     string
	instance int32 // of MIG, wholeCard otherwise
	row      usage.GPU
	holders  holders
	values   [fields]reading
}

const wholeCard = -1

// ParseDCGM reads a DCGM exporter's text into one row per GPU or MIG instance,
// in the order of usage.CompareGPUs. node is the exporter's node, exporterPod
// its own pod, which holds no GPU.
//
// A GPU that is cut into MIG instances has a row for each of them and none for
// itself; power and energy are the card's on every one. A device shared by
// several containers is one row: share_count says how many hold it, and
// namespace, pod and container name the first of them in that order. Where the
// exporter does not list the holders of a shared device, the row names the one
// that it does, with a share_count of 1: see Attribute. Figures that the
// exporter gives to single processes are left out, for the device's contain
// them. DCGM's blank values, NaN, infinities and what is below zero are
// dropped. A body without a GPU is an error.
func ParseDCGM(body []byte, node, exporterPod string, at time.Time) ([]usage.GPU, error) {
	var devices []*device
	last := 0
	err := exposition.Read(body, dcgmMetrics, func(m metric, s *exposition.Sample) {
		uuid, instance := s.Label("UUID"), int32(wholeCard)
		if len(uuid) == 0 {
			uuid = s.Label("uuid") // exporters before 2.0
		}
		if id := s.Label("GPU_I_ID"); len(id) > 0 {
			n, err := strconv.ParseUint(string(id), 10, 31)
			if err != nil {
				return
			}
			instance = int32(n)
		}
		if len(uuid) == 0 {
			return // a link or a switch
		}
		i := find(devices, last+1, uuid, instance)
		if i < 0 {
			d := newDevice(s, uuid, instance)
			if d == nil {
				return
			}
			i = len(devices)
			devices = append(devices, d)
		}
		last = i
		d := devices[i]
		held := d.addHolder(s, exporterPod)
		if !isBlank(s.Value) {
			d.values[m.field].add(m.in(s.Value), !held)
		}
	})
	if err != nil {
		return nil, err
	}
	if len(devices) == 0 {
		return nil, errors.New("no DCGM_FI_ metric with a UUID: the exporter sees no GPU, or its list of metrics is another one")
	}
	gpus := make([]usage.GPU, 0, len(devices))
	for _, d := range devices {
		if d.instance == wholeCard && slices.ContainsFunc(devices, func(o *device) bool { return o.uuid == d.uuid && o.instance != wholeCard }) {
			continue
		}
		d.row.TS, d.row.Node, d.row.Source = at, node, "dcgm"
		d.finish()
		gpus = append(gpus, d.row)
	}
	slices.SortFunc(gpus, usage.CompareGPUs)
	return gpus, nil
}

// find looks for a device, beginning where the exporter's order has the next.
func find(devices []*device, from int, uuid []byte, instance int32) int {
	for i := range devices {
		at := (from + i) % len(devices)
		if devices[at].instance == instance && devices[at].uuid == string(uuid) {
			return at
		}
	}
	return -1
}

// newDevice takes from a sample what identifies the device; nil if its index
// is missing, for then it has no place among the others.
func newDevice(s *exposition.Sample, uuid []byte, instance int32) *device {
	index := string(s.Label("gpu"))
	if index == "" {
		index = strings.TrimPrefix(string(s.Label("device")), "nvidia")
	}
	n, err := strconv.ParseUint(index, 10, 31)
	if err != nil {
		return nil
	}
	d := &device{uuid: string(uuid), instance: instance}
	d.row.GPUIndex = int32(n)
	d.row.GPUUUID = d.uuid
	d.row.GPUProduct = string(s.Label("modelName"))
	d.row.MIGProfile = usage.SomeUnless(string(s.Label("GPU_I_PROFILE")), "")
	d.row.MIGInstance = usage.SomeUnless(instance, wholeCard)
	return d
}

// addHolder remembers the container that a sample names, if any.
func (d *device) addHolder(s *exposition.Sample, exporterPod string) bool {
	for _, l := range holderLabels {
		pod := s.Label(l.pod)
		if len(pod) == 0 || string(pod) == exporterPod && l.pod == "pod" {
			continue
		}
		namespace, container := s.Label(l.namespace), s.Label(l.container)
		for _, h := range d.holders { // nearly always there already, which must not cost an allocation
			if h.pod == string(pod) && h.namespace == string(namespace) && h.container == string(container) {
				return true
			}
		}
		d.holders.add(holder{string(namespace), string(pod), string(container)})
		return true
	}
	return false
}

// finish turns holders and readings into the columns of the row.
func (d *device) finish() {
	row := &d.row
	d.holders.fill(row)
	for _, src := range utilSources {
		if r := d.values[src.field]; r.seen && (d.instance == wholeCard || src.field.ofInstance()) {
			row.UtilPercent, row.UtilSource = r.real(), usage.Some(src.metric)
			break
		}
	}
	used, free, reserved, total := d.values[memoryUsed], d.values[memoryFree], d.values[memoryReserved], d.values[memoryTotal]
	row.MemoryUsedBytes, row.MemoryTotalBytes = used.big(), total.big()
	if !total.seen && used.seen && free.seen { // older exporters have no reserved memory
		row.MemoryTotalBytes = usage.Add(usage.Add(used.big(), free.big()), reserved.big())
	}
	row.PowerWatts = d.values[power].real()
	row.EnergyMillijoulesTotal = d.values[energy].big()
	row.TemperatureCelsius = d.values[temperature].small()
	row.SMClockMHz = d.values[smClock].small()
	row.XIDLast = d.values[xid].small()
}
