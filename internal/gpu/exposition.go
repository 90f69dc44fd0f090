package gpu

import (
	"fmt"
	"slices"
	"time"

	"github.com/company/k8s-resource-monitor/internal/exposition"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// identity tells the devices of one exporter apart.
type identity struct {
	uuid     []byte
	instance int32 // of MIG, wholeCard otherwise
}

const wholeCard = -1

// description are the columns that describe a device.
type description struct {
	index               int32
	product, migProfile string
}

// holderLabels are the names under which an exporter, or a Prometheus in
// between, tells who holds a device. The first of an exporter's whose pod label
// is present counts. A Prometheus without honor_labels renames the exporter's
// labels to exported_… and puts the exporter's own pod in their place, which is
// not the holder.
type holderLabels struct{ pod, namespace, container string }

// device is one GPU or MIG instance while its samples come in.
type device struct {
	uuid     string
	instance int32
	row      usage.GPU
	holders  Holders
	values   [figures + maxUtilization]reading
}

// parse reads an exporter's metrics into one row per GPU or MIG instance, in the
// order of usage.CompareGPUs. node is the exporter's node, exporterPod its own
// pod, which holds no GPU.
//
// A GPU with MIG instances has a row for each instance and none for the card;
// power and energy in each are the card's. A device shared by
// several containers is one row: share_count says how many hold it, and
// namespace, pod and container name the first of them in that order. Where the
// exporter does not list the holders of a shared device, the row names the one
// it lists, with a share_count of 1: see Attribute. Figures of single processes
// are ignored, because the device's include them. Blank values are dropped. A body
// without a GPU is an error.
func (k *exporterKind) parse(body []byte, node, exporterPod string, at time.Time) ([]usage.GPU, error) {
	var devices []*device
	last := 0
	err := exposition.Read(body, k.metrics, func(m metric, s *exposition.Sample) {
		id, ok := k.identify(s)
		if !ok {
			return
		}
		i := find(devices, last+1, id)
		if i < 0 {
			about, ok := k.describe(s)
			if !ok {
				return
			}
			i = len(devices)
			devices = append(devices, newDevice(id, about))
		}
		last = i
		d := devices[i]
		held := d.addHolder(s, k.holder, exporterPod)
		if !k.isBlank(s.Value) {
			d.values[m.figure].add(m.convert(s.Value), !held)
		}
	})
	if err != nil {
		return nil, err
	}
	if len(devices) == 0 {
		return nil, fmt.Errorf("no %s metric with a UUID: the exporter sees no GPU, or its list of metrics is another one", k.prefix)
	}
	gpus := make([]usage.GPU, 0, len(devices))
	for _, d := range devices {
		if d.instance == wholeCard && slices.ContainsFunc(devices, func(o *device) bool { return o.uuid == d.uuid && o.instance != wholeCard }) {
			continue
		}
		d.row.TS, d.row.Node, d.row.Source = at, node, k.source
		d.finish(k.utilization)
		gpus = append(gpus, d.row)
	}
	slices.SortFunc(gpus, usage.CompareGPUs)
	return gpus, nil
}

// find looks for a device, beginning where the exporter's order has the next.
func find(devices []*device, from int, id identity) int {
	for i := range devices {
		at := (from + i) % len(devices)
		if devices[at].instance == id.instance && devices[at].uuid == string(id.uuid) {
			return at
		}
	}
	return -1
}

func newDevice(id identity, about description) *device {
	d := &device{uuid: string(id.uuid), instance: id.instance}
	d.row.GPUIndex = about.index
	d.row.GPUUUID = d.uuid
	d.row.GPUProduct = about.product
	d.row.MIGProfile = usage.SomeUnless(about.migProfile, "")
	d.row.MIGInstance = usage.SomeUnless(id.instance, wholeCard)
	return d
}

// addHolder remembers the container that a sample names, and reports whether it
// names one.
func (d *device) addHolder(s *exposition.Sample, names []holderLabels, exporterPod string) bool {
	for _, l := range names {
		pod := s.Label(l.pod)
		if len(pod) == 0 || string(pod) == exporterPod && l.pod == "pod" {
			continue
		}
		namespace, container := s.Label(l.namespace), s.Label(l.container)
		for _, h := range d.holders { // nearly always there already, which must not cost an allocation
			if h.Pod == string(pod) && h.Namespace == string(namespace) && h.Container == string(container) {
				return true
			}
		}
		d.holders.Add(Holder{string(namespace), string(pod), string(container)})
		return true
	}
	return false
}

// finish turns holders and readings into the columns of the row.
func (d *device) finish(utilizations []utilization) {
	row := &d.row
	d.holders.Fill(row)
	for i, u := range utilizations {
		if r := d.values[figures+figure(i)]; r.seen && (d.instance == wholeCard || u.ofInstances) {
			row.UtilPercent, row.UtilSource = r.float(), usage.Some(u.metric)
			break
		}
	}
	used, free, reserved, total := d.values[memoryUsed], d.values[memoryFree], d.values[memoryReserved], d.values[memoryTotal]
	row.MemoryUsedBytes, row.MemoryTotalBytes = used.bigint(), total.bigint()
	if !total.seen && used.seen && free.seen { // older exporters have no reserved memory
		row.MemoryTotalBytes = usage.Add(usage.Add(used.bigint(), free.bigint()), reserved.bigint())
	}
	row.PowerWatts = d.values[power].float()
	row.EnergyMillijoulesTotal = d.values[energy].bigint()
	row.TemperatureCelsius = d.values[temperature].int()
	row.SMClockMHz = d.values[smClock].int()
	row.XIDLast = d.values[xid].int()
}
