package sim

import "strconv"

// holder is the slot whose pod holds the device now, nil if none does.
func (d *device) holder(now int64) (*slot, state) {
	for _, s := range d.holders {
		if st := s.at(now); st.holds() {
			return s, st
		}
	}
	return nil, state{}
}

// gpuUse is what a device does at one instant.
type gpuUse struct {
	busy   float64 // share of its compute in use
	memory float64 // share of its memory in use
}

// use is what a device does for its holder. A model server takes nearly all
// memory whether it works or not; a notebook takes a little and does nothing.
func (d *device) use(s *slot, st state, now int64) gpuUse {
	if s == nil {
		return gpuUse{}
	}
	busy := s.curve.at(float64(now)).busy * s.share
	switch {
	case st.phase != ready || st.away:
		return gpuUse{memory: 0.35}
	case s.w.engine != nil:
		return gpuUse{busy, 0.9}
	case busy == 0:
		return gpuUse{0, 0.07}
	}
	return gpuUse{busy, 0.76}
}

// util is the share of time in which the device has a kernel running: batches
// keep it busy long before they fill it.
func (u gpuUse) util() float64 {
	if u.busy < 0.004 {
		return 0
	}
	return min(0.99, 0.3+0.69*u.busy)
}

// xidAt is when the node's last card reports an error, and xidCode which:
// contained ECC error.
const (
	xidAt   = 14*3600 + 600
	xidFor  = 5 * 3600
	xidCode = 94
)

// reading is what the exporter knows of one device.
type reading struct {
	*device
	labels []byte
	use    gpuUse
	noise  float64 // -0.5 to 0.5
	card   *cardReading
}

// cardReading is what the instances of a card have in common.
type cardReading struct{ watts, joules, busy float64 }

// dcgm writes the exporter's text for the node at Unix second now. Its values
// are as old as its own collection interval of 15 seconds.
func (n *node) dcgm(b []byte, now int64) []byte {
	now -= now % resolution
	cards := make([]cardReading, n.spec.count)
	for i := range cards {
		cards[i].watts, cards[i].joules = n.spec.gpu.idle, n.spec.gpu.idle*float64(now-n.created)
	}
	swing := (n.spec.gpu.max - n.spec.gpu.idle) * 0.86
	readings := make([]reading, len(n.devices))
	labels := make([]byte, 0, len(n.devices)*360)
	for i, d := range n.devices {
		part := float64(d.slices) / 7
		card := &cards[d.card]
		s, st := d.holder(now)
		u := d.use(s, st, now)
		card.busy += u.busy * part
		card.watts += swing * part * u.busy
		if len(d.holders) > 0 { // the slots of a CronJob have one curve
			card.joules += swing * part * d.holders[0].share * d.holders[0].curve.between(float64(n.created), float64(now)).busy
		}
		from := len(labels)
		labels = n.labels(labels, d, s, st)
		readings[i] = reading{d, labels[from:], u, unit(hash(d.id, 3, uint64(now))) - 0.5, card}
	}
	for m := range dcgmMetrics {
		m := &dcgmMetrics[m]
		b = append(append(append(b, "# HELP "...), m.name...), ' ')
		b = append(append(append(b, m.help...), "\n# TYPE "...), m.name...)
		b = append(append(append(b, ' '), m.kind...), '\n')
		for i := range readings {
			if readings[i].profile != "" && m.wholeOnly {
				continue // not reported for instances
			}
			b = append(append(b, m.name...), readings[i].labels...)
			b = append(m.value(b, &readings[i], n, now), '\n')
		}
	}
	return b
}

func (n *node) labels(b []byte, d *device, s *slot, st state) []byte {
	b = append(b, `{gpu="`...)
	b = strconv.AppendInt(b, int64(d.card), 10)
	b = append(append(b, `",UUID="`...), d.cardUUID...)
	b = append(b, `",pci_bus_id="00000000:`...)
	b = strconv.AppendInt(b, int64(0x10+d.card), 16)
	b = append(b, `:00.0",device="nvidia`...)
	b = strconv.AppendInt(b, int64(d.card), 10)
	b = append(append(b, `",modelName="`...), n.spec.gpu.name...)
	if d.profile != "" {
		b = append(append(b, `",GPU_I_PROFILE="`...), d.profile...)
		b = append(b, `",GPU_I_ID="`...)
		b = strconv.AppendInt(b, int64(d.instance), 10)
	}
	b = append(append(b, `",Hostname="`...), n.name...)
	b = append(b, `",DCGM_FI_DRIVER_VERSION="580.95.05`...)
	if s != nil {
		b = append(append(b, `",container="`...), s.w.containerNames()[0]...)
		b = append(append(b, `",namespace="`...), s.w.namespace...)
		b = append(append(b, `",pod="`...), s.podName(st.inc)...)
	}
	return append(b, `"} `...)
}

// metric is one metric of the exporter, and how it follows from a reading.
type metric struct {
	name, kind, help string
	wholeOnly        bool // not reported for MIG instances
	value            func(b []byte, r *reading, n *node, now int64) []byte
}

func whole(b []byte, v float64) []byte { return strconv.AppendInt(b, int64(v), 10) }

func ratio(b []byte, v float64) []byte { return strconv.AppendFloat(b, v, 'f', 6, 64) }

func (r *reading) reserved() int { return r.memory / 150 }

func (r *reading) used() int { return int(float64(r.memory-r.reserved()) * r.use.memory) }

var dcgmMetrics = [...]metric{
	{"DCGM_FI_DEV_SM_CLOCK", "gauge", "SM clock frequency (in MHz).", false, func(b []byte, r *reading, n *node, _ int64) []byte {
		if r.card.busy < 0.004 {
			return whole(b, 345)
		}
		return whole(b, float64(n.spec.gpu.smClock))
	}},
	{"DCGM_FI_DEV_MEM_CLOCK", "gauge", "Memory clock frequency (in MHz).", false, func(b []byte, _ *reading, n *node, _ int64) []byte {
		return whole(b, float64(n.spec.gpu.memClock))
	}},
	{"DCGM_FI_DEV_MEMORY_TEMP", "gauge", "Memory temperature (in C).", false, func(b []byte, r *reading, _ *node, _ int64) []byte {
		return whole(b, 34+41*min(1, r.card.busy)+2*r.noise)
	}},
	{"DCGM_FI_DEV_GPU_TEMP", "gauge", "GPU temperature (in C).", false, func(b []byte, r *reading, _ *node, _ int64) []byte {
		return whole(b, 29+38*min(1, r.card.busy)+3*r.noise)
	}},
	{"DCGM_FI_DEV_POWER_USAGE", "gauge", "Power draw (in W).", false, func(b []byte, r *reading, n *node, _ int64) []byte {
		return strconv.AppendFloat(b, max(n.spec.gpu.idle*0.9, r.card.watts*(1+0.04*r.noise)), 'f', 3, 64)
	}},
	{"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "counter", "Total energy consumption since boot (in mJ).", false, func(b []byte, r *reading, _ *node, _ int64) []byte {
		return whole(b, r.card.joules*1000)
	}},
	{"DCGM_FI_DEV_GPU_UTIL", "gauge", "GPU utilization (in %).", true, func(b []byte, r *reading, _ *node, _ int64) []byte {
		return whole(b, 100*r.use.util())
	}},
	{"DCGM_FI_DEV_MEM_COPY_UTIL", "gauge", "Memory utilization (in %).", true, func(b []byte, r *reading, _ *node, _ int64) []byte {
		return whole(b, 62*r.use.busy)
	}},
	{"DCGM_FI_DEV_XID_ERRORS", "gauge", "Value of the last XID error encountered.", false, func(b []byte, r *reading, n *node, now int64) []byte {
		if since := now % day; n.xid && r.device.card == n.spec.count-1 && since >= xidAt && since < xidAt+xidFor {
			return whole(b, xidCode)
		}
		return whole(b, 0)
	}},
	{"DCGM_FI_DEV_FB_FREE", "gauge", "Framebuffer memory free (in MiB).", false, func(b []byte, r *reading, _ *node, _ int64) []byte {
		return whole(b, float64(r.memory-r.reserved()-r.used()))
	}},
	{"DCGM_FI_DEV_FB_USED", "gauge", "Framebuffer memory used (in MiB).", false, func(b []byte, r *reading, _ *node, _ int64) []byte {
		return whole(b, float64(r.used()))
	}},
	{"DCGM_FI_DEV_FB_RESERVED", "gauge", "Framebuffer memory reserved (in MiB).", false, func(b []byte, r *reading, _ *node, _ int64) []byte {
		return whole(b, float64(r.reserved()))
	}},
	{"DCGM_FI_PROF_GR_ENGINE_ACTIVE", "gauge", "Ratio of time the graphics engine is active.", false, func(b []byte, r *reading, _ *node, _ int64) []byte {
		return ratio(b, r.use.util())
	}},
	{"DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "gauge", "Ratio of cycles the tensor (HMMA) pipe is active.", false, func(b []byte, r *reading, _ *node, _ int64) []byte {
		return ratio(b, 0.38*r.use.busy)
	}},
	{"DCGM_FI_PROF_DRAM_ACTIVE", "gauge", "Ratio of cycles the device memory interface is active.", false, func(b []byte, r *reading, _ *node, _ int64) []byte {
		return ratio(b, 0.6*r.use.busy)
	}},
}
