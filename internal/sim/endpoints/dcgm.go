package endpoints

import (
	"strconv"

	"github.com/company/k8s-resource-monitor/internal/sim/chance"
	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
)

// xidAt is when the node's last card reports an error, and xidCode which:
// contained ECC error.
const (
	xidAt   = 14*3600 + 600
	xidFor  = 5 * 3600
	xidCode = 94
)

// reading is what the exporter knows of one device.
type reading struct {
	*cluster.Device
	labels []byte
	use    cluster.GPUUse
	noise  float64 // -0.5 to 0.5
	card   *cardReading
}

// cardReading is what the instances of a card have in common.
type cardReading struct{ watts, joules, busy float64 }

// dcgmText writes the exporter's text for the node at Unix second now. Its values
// are as old as its own collection interval of 15 seconds.
func dcgmText(n *cluster.Node, b []byte, now int64) []byte {
	now -= now % cluster.Resolution
	cards := make([]cardReading, n.Spec.Count)
	for i := range cards {
		cards[i].watts, cards[i].joules = n.Spec.GPU.Idle, n.Spec.GPU.Idle*float64(now-n.Created)
	}
	swing := (n.Spec.GPU.Max - n.Spec.GPU.Idle) * 0.86
	readings := make([]reading, len(n.Devices))
	labels := make([]byte, 0, len(n.Devices)*360)
	for i, d := range n.Devices {
		part := float64(d.Slices) / 7
		card := &cards[d.Card]
		s, st := d.Holder(now)
		u := d.Use(s, st, now)
		card.busy += u.Busy * part
		card.watts += swing * part * u.Busy
		if len(d.Holders) > 0 { // the slots of a CronJob have one curve
			card.joules += swing * part * d.Holders[0].Share * d.Holders[0].Curve.Between(float64(n.Created), float64(now)).Busy
		}
		from := len(labels)
		labels = seriesLabels(n, labels, d, s, st)
		readings[i] = reading{d, labels[from:], u, chance.Unit(chance.Hash(d.ID, 3, uint64(now))) - 0.5, card}
	}
	for m := range dcgmMetrics {
		m := &dcgmMetrics[m]
		b = append(append(append(b, "# HELP "...), m.name...), ' ')
		b = append(append(append(b, m.help...), "\n# TYPE "...), m.name...)
		b = append(append(append(b, ' '), m.kind...), '\n')
		for i := range readings {
			if readings[i].Profile != "" && m.wholeOnly {
				continue // not reported for instances
			}
			b = append(append(b, m.name...), readings[i].labels...)
			b = append(m.value(b, &readings[i], n, now), '\n')
		}
	}
	return b
}

func seriesLabels(n *cluster.Node, b []byte, d *cluster.Device, s *cluster.Slot, st cluster.State) []byte {
	b = append(b, `{gpu="`...)
	b = strconv.AppendInt(b, int64(d.Card), 10)
	b = append(append(b, `",UUID="`...), d.CardUUID...)
	b = append(b, `",pci_bus_id="00000000:`...)
	b = strconv.AppendInt(b, int64(0x10+d.Card), 16)
	b = append(b, `:00.0",device="nvidia`...)
	b = strconv.AppendInt(b, int64(d.Card), 10)
	b = append(append(b, `",modelName="`...), n.Spec.GPU.Name...)
	if d.Profile != "" {
		b = append(append(b, `",GPU_I_PROFILE="`...), d.Profile...)
		b = append(b, `",GPU_I_ID="`...)
		b = strconv.AppendInt(b, int64(d.Instance), 10)
	}
	b = append(append(b, `",Hostname="`...), n.Name...)
	b = append(b, `",DCGM_FI_DRIVER_VERSION="580.95.05`...)
	if s != nil {
		b = append(append(b, `",container="`...), s.Workload.ContainerNames()[0]...)
		b = append(append(b, `",namespace="`...), s.Workload.Namespace...)
		b = append(append(b, `",pod="`...), s.PodName(st.Incarnation)...)
	}
	return append(b, `"} `...)
}

// metric is one metric of the exporter, and how it follows from a reading.
type metric struct {
	name, kind, help string
	wholeOnly        bool // not reported for MIG instances
	value            func(b []byte, r *reading, n *cluster.Node, now int64) []byte
}

func whole(b []byte, v float64) []byte { return strconv.AppendInt(b, int64(v), 10) }

func ratio(b []byte, v float64) []byte { return strconv.AppendFloat(b, v, 'f', 6, 64) }

func (r *reading) reserved() int { return r.Memory / 150 }

func (r *reading) used() int { return int(float64(r.Memory-r.reserved()) * r.use.Memory) }

var dcgmMetrics = [...]metric{
	{"DCGM_FI_DEV_SM_CLOCK", "gauge", "SM clock frequency (in MHz).", false, func(b []byte, r *reading, n *cluster.Node, _ int64) []byte {
		if r.card.busy < 0.004 {
			return whole(b, 345)
		}
		return whole(b, float64(n.Spec.GPU.SMClock))
	}},
	{"DCGM_FI_DEV_MEM_CLOCK", "gauge", "Memory clock frequency (in MHz).", false, func(b []byte, _ *reading, n *cluster.Node, _ int64) []byte {
		return whole(b, float64(n.Spec.GPU.MemClock))
	}},
	{"DCGM_FI_DEV_MEMORY_TEMP", "gauge", "Memory temperature (in C).", false, func(b []byte, r *reading, _ *cluster.Node, _ int64) []byte {
		return whole(b, 34+41*min(1, r.card.busy)+2*r.noise)
	}},
	{"DCGM_FI_DEV_GPU_TEMP", "gauge", "GPU temperature (in C).", false, func(b []byte, r *reading, _ *cluster.Node, _ int64) []byte {
		return whole(b, 29+38*min(1, r.card.busy)+3*r.noise)
	}},
	{"DCGM_FI_DEV_POWER_USAGE", "gauge", "Power draw (in W).", false, func(b []byte, r *reading, n *cluster.Node, _ int64) []byte {
		return strconv.AppendFloat(b, max(n.Spec.GPU.Idle*0.9, r.card.watts*(1+0.04*r.noise)), 'f', 3, 64)
	}},
	{"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "counter", "Total energy consumption since boot (in mJ).", false,
		func(b []byte, r *reading, _ *cluster.Node, _ int64) []byte {
			return whole(b, r.card.joules*1000)
		}},
	{"DCGM_FI_DEV_GPU_UTIL", "gauge", "GPU utilization (in %).", true, func(b []byte, r *reading, _ *cluster.Node, _ int64) []byte {
		return whole(b, 100*r.use.Util())
	}},
	{"DCGM_FI_DEV_MEM_COPY_UTIL", "gauge", "Memory utilization (in %).", true, func(b []byte, r *reading, _ *cluster.Node, _ int64) []byte {
		return whole(b, 62*r.use.Busy)
	}},
	{"DCGM_FI_DEV_XID_ERRORS", "gauge", "Value of the last XID error encountered.", false,
		func(b []byte, r *reading, n *cluster.Node, now int64) []byte {
			if since := now % cluster.Day; n.XID && r.Device.Card == n.Spec.Count-1 && since >= xidAt && since < xidAt+xidFor {
				return whole(b, xidCode)
			}
			return whole(b, 0)
		}},
	{"DCGM_FI_DEV_FB_FREE", "gauge", "Framebuffer memory free (in MiB).", false, func(b []byte, r *reading, _ *cluster.Node, _ int64) []byte {
		return whole(b, float64(r.Memory-r.reserved()-r.used()))
	}},
	{"DCGM_FI_DEV_FB_USED", "gauge", "Framebuffer memory used (in MiB).", false, func(b []byte, r *reading, _ *cluster.Node, _ int64) []byte {
		return whole(b, float64(r.used()))
	}},
	{"DCGM_FI_DEV_FB_RESERVED", "gauge", "Framebuffer memory reserved (in MiB).", false,
		func(b []byte, r *reading, _ *cluster.Node, _ int64) []byte {
			return whole(b, float64(r.reserved()))
		}},
	{"DCGM_FI_PROF_GR_ENGINE_ACTIVE", "gauge", "Ratio of time the graphics engine is active.", false,
		func(b []byte, r *reading, _ *cluster.Node, _ int64) []byte {
			return ratio(b, r.use.Util())
		}},
	{"DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "gauge", "Ratio of cycles the tensor (HMMA) pipe is active.", false,
		func(b []byte, r *reading, _ *cluster.Node, _ int64) []byte {
			return ratio(b, 0.38*r.use.Busy)
		}},
	{"DCGM_FI_PROF_DRAM_ACTIVE", "gauge", "Ratio of cycles the device memory interface is active.", false,
		func(b []byte, r *reading, _ *cluster.Node, _ int64) []byte {
			return ratio(b, 0.6*r.use.Busy)
		}},
}
