package cluster

// Holder is the slot whose pod holds the device now, nil if none does.
func (d *Device) Holder(now int64) (*Slot, State) {
	for _, s := range d.Holders {
		if st := s.At(now); st.holds() {
			return s, st
		}
	}
	return nil, State{}
}

// GPUUse is what a device does at one instant.
type GPUUse struct {
	Busy   float64 // share of its compute in use
	Memory float64 // share of its memory in use
}

// Use is what a device does for its holder. A model server takes nearly all
// memory whether it works or not; a notebook takes a little and does nothing.
func (d *Device) Use(s *Slot, st State, now int64) GPUUse {
	if s == nil {
		return GPUUse{}
	}
	busy := s.Curve.at(float64(now)).busy * s.Share
	switch {
	case st.Phase != Ready || st.Away:
		return GPUUse{Memory: 0.35}
	case s.Workload.Engine != nil:
		return GPUUse{busy, 0.9}
	case busy == 0:
		return GPUUse{0, 0.07}
	}
	return GPUUse{busy, 0.76}
}

// Util is the share of time in which the device has a kernel running. Small
// batches suffice for that: it is well above the share of compute in use.
func (u GPUUse) Util() float64 {
	if u.Busy < 0.004 {
		return 0
	}
	return min(0.99, 0.3+0.69*u.Busy)
}
