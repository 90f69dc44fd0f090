package gpu

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/company/k8s-resource-monitor/internal/exposition"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// field is a figure of a device.
type field uint8

const (
	engineActive field = iota // share of time in which any engine was busy; best, and the only one for MIG
	engineActiveAlias
	gpuUtil
	gpuUtilAlias
	memoryUsed
	memoryFree
	memoryReserved
	memoryTotal
	power
	energy
	temperature
	smClock
	xid
	fields
)

const mib = 1 << 20

// dcgmFields maps the exporter's metric names to figures. The aliases are the
// names of DCGM's newer field catalogue, where utilisation is a ratio.
var dcgmFields = map[string]field{
	"DCGM_FI_PROF_GR_ENGINE_ACTIVE":        engineActive,
	"DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO":    engineActiveAlias,
	"DCGM_FI_DEV_GPU_UTIL":                 gpuUtil,
	"DCGM_FI_DEV_GPU_UTIL_RATIO":           gpuUtilAlias,
	"DCGM_FI_DEV_FB_USED":                  memoryUsed,
	"DCGM_FI_DEV_FB_FREE":                  memoryFree,
	"DCGM_FI_DEV_FB_RESERVED":              memoryReserved,
	"DCGM_FI_DEV_FB_TOTAL":                 memoryTotal,
	"DCGM_FI_DEV_POWER_USAGE":              power,
	"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": energy,
	"DCGM_FI_DEV_GPU_TEMP":                 temperature,
	"DCGM_FI_DEV_GPU_TEMP_CELSIUS":         temperature,
	"DCGM_FI_DEV_SM_CLOCK":                 smClock,
	"DCGM_FI_DEV_XID_ERRORS":               xid,
}

// utilSources are the metrics for util_percent, best first, and what makes
// them percent.
var utilSources = []struct {
	field   field
	metric  string
	percent float64
}{
	{engineActive, "DCGM_FI_PROF_GR_ENGINE_ACTIVE", 100},
	{engineActiveAlias, "DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO", 100},
	{gpuUtil, "DCGM_FI_DEV_GPU_UTIL", 1},
	{gpuUtilAlias, "DCGM_FI_DEV_GPU_UTIL_RATIO", 100},
}

// holderLabels are the names under which the exporter, or a Prometheus in
// between, tells who holds a device. The first triple whose pod label is there
// counts. Prometheus moves the exporter's own labels to exported_ and puts the
// exporter's pod in their place.
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
	holders  []holder
	values   [fields]reading
}

const wholeCard = -1

type holder struct{ namespace, pod, container string }

// reading is the value of one figure.
type reading struct {
	value float64
	seen  bool
	whole bool // from a series that names no holder
}

// ParseDCGM reads a DCGM exporter's text into one row per GPU or MIG instance,
// in the order of usage.CompareGPUs. node is the exporter's node, exporterPod
// its own pod, which holds no GPU.
//
// A GPU that is cut into MIG instances has a row for each of them and none for
// itself; power and energy are the card's on every one. A device shared by
// several containers is one row: share_count says how many hold it, and
// namespace, pod and container name the first of them in that order. DCGM's
// blank values, NaN, infinities and what is below zero are dropped. A body
// without a GPU is an error.
func ParseDCGM(body []byte, node, exporterPod string, at time.Time) ([]usage.GPU, error) {
	var devices []*device
	last := 0
	err := exposition.Read(body, dcgmFields, func(f field, s *exposition.Sample) {
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
			d.values[f].add(s.Value, !held)
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
	for i, l := range holderLabels {
		pod := s.Label(l.pod)
		if len(pod) == 0 {
			continue
		}
		if i > 0 && string(pod) == exporterPod {
			return false
		}
		namespace, container := s.Label(l.namespace), s.Label(l.container)
		for _, h := range d.holders {
			if h.pod == string(pod) && h.namespace == string(namespace) && h.container == string(container) {
				return true
			}
		}
		d.holders = append(d.holders, holder{string(namespace), string(pod), string(container)})
		return true
	}
	return false
}

// add takes in one of the series of a device and a figure. Those that share a
// device repeat its value; where the exporter gives them values of their own,
// it gives the device's in a series that names nobody.
func (r *reading) add(value float64, whole bool) {
	if !r.seen || whole && !r.whole || whole == r.whole && value > r.value {
		*r = reading{value, true, whole}
	}
}

// finish turns holders and readings into the columns of the row.
func (d *device) finish() {
	row := &d.row
	slices.SortFunc(d.holders, compareHolders)
	row.ShareCount = int32(len(d.holders))
	if len(d.holders) > 0 {
		h := d.holders[0]
		row.Namespace, row.Pod, row.Container = usage.Some(h.namespace), usage.Some(h.pod), usage.Some(h.container)
	}
	for _, src := range utilSources {
		if r := d.values[src.field]; r.seen {
			row.UtilPercent, row.UtilSource = usage.Some(r.value*src.percent), usage.Some(src.metric)
			break
		}
	}
	used, free, reserved, total := d.values[memoryUsed], d.values[memoryFree], d.values[memoryReserved], d.values[memoryTotal]
	row.MemoryUsedBytes = whole(used, mib)
	switch {
	case total.seen:
		row.MemoryTotalBytes = whole(total, mib)
	case used.seen && free.seen: // older exporters have no reserved memory
		row.MemoryTotalBytes = usage.Add(usage.Add(whole(used, mib), whole(free, mib)), whole(reserved, mib))
	}
	if r := d.values[power]; r.seen {
		row.PowerWatts = usage.Some(r.value)
	}
	row.EnergyMillijoulesTotal = whole(d.values[energy], 1)
	row.TemperatureCelsius = small(d.values[temperature])
	row.SMClockMHz = small(d.values[smClock])
	row.XIDLast = small(d.values[xid])
}

func compareHolders(a, b holder) int {
	if c := strings.Compare(a.namespace, b.namespace); c != 0 {
		return c
	}
	if c := strings.Compare(a.pod, b.pod); c != 0 {
		return c
	}
	return strings.Compare(a.container, b.container)
}

// whole is a reading times a unit, as far as a bigint holds it.
func whole(r reading, unit float64) usage.Opt[int64] {
	if v := math.Round(r.value * unit); r.seen && v < 1<<62 {
		return usage.Some(int64(v))
	}
	return usage.Opt[int64]{}
}

func small(r reading) usage.Opt[int32] {
	if v := math.Round(r.value); r.seen && v <= math.MaxInt32 {
		return usage.Some(int32(v))
	}
	return usage.Opt[int32]{}
}

// isBlank reports whether a value stands for none. DCGM has four blanks
// (unknown, not found, not supported, not permitted) in each of three types:
// they begin at 2^31-16 for 32 bits, at 2^63-16 for 64 bits and at 2^47 for
// doubles. No figure that is read here is ever below zero.
func isBlank(v float64) bool {
	return !(v >= 0) || v >= 1<<62 || v >= 1<<47 && v < 1<<47+16 || v >= 1<<31-16 && v < 1<<31
}
