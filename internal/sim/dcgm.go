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
func (d *device) use(now int64) gpuUse {
	s, st := d.holder(now)
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

// metric is one metric of the exporter.
type metric struct{ name, kind, help string }

var dcgmMetrics = [...]metric{
	{"DCGM_FI_DEV_SM_CLOCK", "gauge", "SM clock frequency (in MHz)."},
	{"DCGM_FI_DEV_MEM_CLOCK", "gauge", "Memory clock frequency (in MHz)."},
	{"DCGM_FI_DEV_GPU_TEMP", "gauge", "GPU temperature (in C)."},
	{"DCGM_FI_DEV_POWER_USAGE", "gauge", "Power draw (in W)."},
	{"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "counter", "Total energy consumption since boot (in mJ)."},
	{"DCGM_FI_DEV_GPU_UTIL", "gauge", "GPU utilization (in %)."},
	{"DCGM_FI_DEV_XID_ERRORS", "gauge", "Value of the last XID error encountered."},
	{"DCGM_FI_DEV_FB_FREE", "gauge", "Framebuffer memory free (in MiB)."},
	{"DCGM_FI_DEV_FB_USED", "gauge", "Framebuffer memory used (in MiB)."},
	{"DCGM_FI_DEV_FB_RESERVED", "gauge", "Framebuffer memory reserved (in MiB)."},
	{"DCGM_FI_PROF_GR_ENGINE_ACTIVE", "gauge", "Ratio of time the graphics engine is active."},
	{"DCGM_FI_PROF_DRAM_ACTIVE", "gauge", "Ratio of cycles the device memory interface is active."},
}

// xidAt is when the node's last card reports an error, and xidCode which:
// contained ECC error.
const (
	xidAt   = 14*3600 + 600
	xidFor  = 5 * 3600
	xidCode = 94
)

// dcgm writes the exporter's text for the node at Unix second now. Its values
// are as old as its own collection interval of 15 seconds.
func (n *node) dcgm(b []byte, now int64) []byte {
	now -= now % resolution
	cards := make([]struct{ power, energy, busy float64 }, n.spec.count)
	for i := range cards {
		cards[i].power, cards[i].energy = n.spec.gpu.idle, n.spec.gpu.idle*float64(now-n.created)
	}
	swing := (n.spec.gpu.max - n.spec.gpu.idle) * 0.86
	for _, d := range n.devices {
		part := float64(d.slices) / 7
		card := &cards[d.card]
		u := d.use(now)
		card.busy += u.busy * part
		card.power += swing * part * u.busy
		if len(d.holders) > 0 { // the slots of a CronJob have one curve
			card.energy += swing * part * d.holders[0].share * d.holders[0].curve.between(float64(n.created), float64(now)).busy
		}
	}
	for _, m := range dcgmMetrics {
		b = append(b, "# HELP "+m.name+" "+m.help+"\n# TYPE "+m.name+" "+m.kind+"\n"...)
		for _, d := range n.devices {
			if d.profile != "" && m.name == "DCGM_FI_DEV_GPU_UTIL" {
				continue // not reported for instances
			}
			b = append(b, m.name...)
			b = n.labels(b, d, now)
			b = n.value(b, m.name, d, now, cards[d.card].power, cards[d.card].energy, cards[d.card].busy)
			b = append(b, '\n')
		}
	}
	return b
}

func (n *node) labels(b []byte, d *device, now int64) []byte {
	b = append(b, `{gpu="`...)
	b = strconv.AppendInt(b, int64(d.card), 10)
	b = append(b, `",UUID="`...)
	b = append(b, n.cardUUID(d)...)
	b = append(b, `",pci_bus_id="00000000:`...)
	b = strconv.AppendInt(b, int64(10+d.card), 16)
	b = append(b, `:00.0",device="nvidia`...)
	b = strconv.AppendInt(b, int64(d.card), 10)
	b = append(b, `",modelName="`...)
	b = append(b, n.spec.gpu.name...)
	b = append(b, `",Hostname="`...)
	b = append(b, n.name...)
	b = append(b, '"')
	if d.profile != "" {
		b = append(b, `,GPU_I_PROFILE="`...)
		b = append(b, d.profile...)
		b = append(b, `",GPU_I_ID="`...)
		b = strconv.AppendInt(b, int64(d.instance), 10)
		b = append(b, '"')
	}
	if s, st := d.holder(now); s != nil {
		b = append(b, `,container="`...)
		b = append(b, s.w.containerNames()[0]...)
		b = append(b, `",namespace="`...)
		b = append(b, s.w.namespace...)
		b = append(b, `",pod="`...)
		b = append(b, s.podName(st.inc)...)
		b = append(b, '"')
	}
	return append(b, "} "...)
}

// cardUUID is the card's own UUID, which its instances report too.
func (n *node) cardUUID(d *device) string {
	if d.profile == "" {
		return d.uuid
	}
	return "GPU-" + uuid(hash(key(n.name), 77, uint64(d.card)))
}

func (n *node) value(b []byte, name string, d *device, now int64, power, energy, cardBusy float64) []byte {
	u, gpu := d.use(now), n.spec.gpu
	noise := unit(hash(key(d.uuid), 3, uint64(now))) - 0.5
	reserved := d.memory / 150
	used := int(float64(d.memory-reserved) * u.memory)
	whole := func(v float64) []byte { return strconv.AppendInt(b, int64(v), 10) }
	ratio := func(v float64) []byte { return strconv.AppendFloat(b, v, 'f', 6, 64) }
	switch name {
	case "DCGM_FI_DEV_SM_CLOCK":
		if cardBusy < 0.004 {
			return whole(345)
		}
		return whole(float64(gpu.smClock))
	case "DCGM_FI_DEV_MEM_CLOCK":
		return whole(float64(gpu.memClock))
	case "DCGM_FI_DEV_GPU_TEMP":
		return whole(29 + 38*min(1, cardBusy) + 3*noise)
	case "DCGM_FI_DEV_POWER_USAGE":
		return strconv.AppendFloat(b, max(gpu.idle*0.9, power*(1+0.04*noise)), 'f', 3, 64)
	case "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION":
		return whole(energy * 1000)
	case "DCGM_FI_DEV_GPU_UTIL":
		return whole(100 * u.util())
	case "DCGM_FI_DEV_XID_ERRORS":
		if since := now % day; n.xid && d.card == n.spec.count-1 && since >= xidAt && since < xidAt+xidFor {
			return whole(xidCode)
		}
		return whole(0)
	case "DCGM_FI_DEV_FB_USED":
		return whole(float64(used))
	case "DCGM_FI_DEV_FB_FREE":
		return whole(float64(d.memory - reserved - used))
	case "DCGM_FI_DEV_FB_RESERVED":
		return whole(float64(reserved))
	case "DCGM_FI_PROF_GR_ENGINE_ACTIVE":
		return ratio(u.util())
	}
	return ratio(0.6 * u.busy)
}
