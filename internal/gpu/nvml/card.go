//go:build cgo

package nvml

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/NVIDIA/go-nvml/pkg/nvml"

	"github.com/company/k8s-resource-monitor/internal/gpu"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// nvmlDevice is a card or a MIG instance, with the names that the kubelet may
// have for it.
type nvmlDevice struct {
	row     usage.GPU
	holders gpu.Holders
	uuids   []string // the card's, or those of the instance's MIG devices
	minor   int32    // of the card, N of /dev/nvidiaN; none: not known
	profile int32    // the driver's number of the instance's profile; none: not known
	start   int32    // the instance's first memory slice; none: not known
}

// instance is the number of the GPU instance, none for a card.
func (d *nvmlDevice) instance() int32 {
	if n, ok := d.row.MIGInstance.Get(); ok {
		return n
	}
	return none
}

// is reports whether an ID names the device.
func (d *nvmlDevice) is(id deviceID) bool {
	switch {
	case id.UUID == "":
		return id.Minor == d.minor && id.GPUInstance == d.instance()
	case id.GPUInstance != none:
		return id.UUID == d.row.GPUUUID && id.GPUInstance == d.instance()
	}
	return slices.Contains(d.uuids, id.UUID)
}

// isClaimed reports whether a claim's name may be the device's: an instance
// that does not tell its place may be any of its profile.
func (d *nvmlDevice) isClaimed(id claimedID) bool {
	if id.minor != d.minor || id.mig != d.row.MIGInstance.Present() {
		return false
	}
	if !id.mig {
		return true
	}
	if d.start != none {
		return id.id == d.profile && id.start == d.start
	}
	profile, ok := d.row.MIGProfile.Get()
	return ok && id.profile == claimName(profile)
}

// cardReader reads one card and notes what goes wrong.
type cardReader struct {
	lib      nvml.Interface
	index    int
	problems []string
}

// problem is what went wrong with the card, "" if nothing did.
func (r *cardReader) problem() string {
	if len(r.problems) == 0 {
		return ""
	}
	return fmt.Sprintf("GPU %d: %s", r.index, strings.Join(r.problems, "; "))
}

// ask calls a function of the library. ok is false if there is no answer:
// because the card or the driver does not have the function, which is how
// things are, or because it failed, which is a problem. The library is bound
// lazily, so that calling a function that an older one lacks would end the
// process: it is looked up first.
func ask[T any](r *cardReader, function string, call func() (T, nvml.Return)) (v T, ok bool) {
	if r.lib.Extensions().LookupSymbol(function) != nil {
		return v, false
	}
	v, result := call()
	switch result {
	case nvml.SUCCESS:
		return v, true
	case nvml.ERROR_NOT_SUPPORTED, nvml.ERROR_FUNCTION_NOT_FOUND:
	default:
		r.problems = append(r.problems, function+": "+result.Error())
	}
	return v, false
}

// read returns the card, or its MIG instances if it is cut. Without a UUID it
// returns nothing, because a row is identified by its UUID.
func (r *cardReader) read() []*nvmlDevice {
	d, result := r.lib.DeviceGetHandleByIndex(r.index)
	if result != nvml.SUCCESS {
		r.problems = append(r.problems, "nvmlDeviceGetHandleByIndex: "+result.Error()+"; it has no row")
		return nil
	}
	uuid, ok := ask(r, "nvmlDeviceGetUUID", d.GetUUID)
	if !ok {
		r.problems = append(r.problems, "without a UUID it has no row")
		return nil
	}
	card := &nvmlDevice{uuids: []string{uuid}, minor: none, profile: none, start: none}
	row := &card.row
	row.GPUIndex, row.GPUUUID = int32(r.index), uuid
	row.GPUProduct, _ = ask(r, "nvmlDeviceGetName", d.GetName)
	if n, ok := ask(r, "nvmlDeviceGetMinorNumber", d.GetMinorNumber); ok {
		card.minor = int32(n)
	}
	if mw, ok := ask(r, "nvmlDeviceGetPowerUsage", d.GetPowerUsage); ok {
		row.PowerWatts = usage.Some(float64(mw) / 1e3)
	}
	mj, ok := ask(r, "nvmlDeviceGetTotalEnergyConsumption", d.GetTotalEnergyConsumption)
	row.EnergyMillijoulesTotal = asBigint(mj, ok)
	celsius, ok := ask(r, "nvmlDeviceGetTemperature", func() (uint32, nvml.Return) { return d.GetTemperature(nvml.TEMPERATURE_GPU) })
	row.TemperatureCelsius = asInt(celsius, ok)
	mhz, ok := ask(r, "nvmlDeviceGetClockInfo", func() (uint32, nvml.Return) { return d.GetClockInfo(nvml.CLOCK_SM) })
	row.SMClockMHz = asInt(mhz, ok)

	mig, ok := ask(r, "nvmlDeviceGetMigMode", func() (int, nvml.Return) {
		current, _, result := d.GetMigMode()
		return current, result
	})
	if ok && mig == nvml.DEVICE_MIG_ENABLE {
		instances, ok := r.instances(d, card)
		if !ok || len(instances) > 0 {
			return instances
		}
	} else if u, ok := ask(r, utilSourceNVML, d.GetUtilizationRates); ok {
		row.UtilPercent, row.UtilSource = usage.Some(float64(u.Gpu)), usage.Some(utilSourceNVML)
	}
	row.MemoryUsedBytes, row.MemoryTotalBytes = r.memory(d)
	return []*nvmlDevice{card}
}

// utilSourceNVML is the share of the driver's last sample period, a sixth of a
// second to a second, in which a kernel ran.
const utilSourceNVML = "nvmlDeviceGetUtilizationRates"

// instances reads the MIG instances of a card. Several compute instances of one
// instance are one device, as their memory and slices are the instance's. ok is
// false if the driver does not say which instances there are.
func (r *cardReader) instances(card nvml.Device, uncut *nvmlDevice) (devices []*nvmlDevice, ok bool) {
	most, ok := ask(r, "nvmlDeviceGetMaxMigDeviceCount", card.GetMaxMigDeviceCount)
	if !ok {
		r.problems = append(r.problems, "it is cut into MIG instances that the driver does not show, and has no rows")
		return nil, false
	}
	for i := range most {
		d, result := card.GetMigDeviceHandleByIndex(i)
		if result == nvml.ERROR_NOT_FOUND || result == nvml.ERROR_INVALID_ARGUMENT {
			continue // a place that no instance takes
		}
		if result != nvml.SUCCESS {
			r.problems = append(r.problems, fmt.Sprintf("nvmlDeviceGetMigDeviceHandleByIndex(%d): %s", i, result.Error()))
			continue
		}
		id, ok := ask(r, "nvmlDeviceGetGpuInstanceId", d.GetGpuInstanceId)
		uuid, ok2 := ask(r, "nvmlDeviceGetUUID", d.GetUUID)
		if !ok || !ok2 {
			r.problems = append(r.problems, fmt.Sprintf("MIG device %d does not say which it is, and has no row", i))
			continue
		}
		if at := slices.IndexFunc(devices, func(o *nvmlDevice) bool { return o.instance() == int32(id) }); at >= 0 {
			devices[at].uuids = append(devices[at].uuids, uuid)
			continue
		}
		instance := &nvmlDevice{row: uncut.row, uuids: []string{uuid}, minor: uncut.minor}
		instance.row.MIGInstance = usage.Some(int32(id))
		if name, ok := ask(r, "nvmlDeviceGetName", d.GetName); ok {
			instance.row.MIGProfile = usage.SomeUnless(profileOf(name), "")
		}
		instance.row.MemoryUsedBytes, instance.row.MemoryTotalBytes = r.memory(d)
		instance.profile, instance.start = r.place(card, id)
		devices = append(devices, instance)
	}
	return devices, true
}

// profileOf is the profile at the end of a MIG device's name, "3g.20gb" of
// "NVIDIA A100-SXM4-40GB MIG 1c.3g.20gb": the instance's, without what the
// compute instance has of it.
func profileOf(name string) string {
	_, profile, _ := strings.Cut(name, " MIG ")
	if compute, rest, ok := strings.Cut(profile, "c."); ok {
		if _, isNumber := number(compute); isNumber {
			return rest
		}
	}
	return profile
}

// place is where an instance lies on its card. Not every container may know,
// which is no problem: only devices of resource claims are found by it.
func (r *cardReader) place(card nvml.Device, id int) (profile, start int32) {
	before := r.problems
	defer func() { r.problems = before }()
	instance, ok := ask(r, "nvmlDeviceGetGpuInstanceById", func() (nvml.GpuInstance, nvml.Return) { return card.GetGpuInstanceById(id) })
	if !ok {
		return none, none
	}
	info, ok := ask(r, "nvmlGpuInstanceGetInfo", instance.GetInfo)
	if !ok {
		return none, none
	}
	return int32(info.ProfileId), int32(info.Placement.Start)
}

// memory is what a device has in use and in all, in bytes. Drivers before 510
// count what they reserve for themselves as used.
func (r *cardReader) memory(d nvml.Device) (used, total usage.Opt[int64]) {
	const newer = "nvmlDeviceGetMemoryInfo_v2"
	if r.lib.Extensions().LookupSymbol(newer) == nil {
		m, ok := ask(r, newer, d.GetMemoryInfo_v2)
		return asBigint(m.Used, ok), asBigint(m.Total, ok)
	}
	m, ok := ask(r, "nvmlDeviceGetMemoryInfo", d.GetMemoryInfo)
	return asBigint(m.Used, ok), asBigint(m.Total, ok)
}

// asBigint is an answer as a bigint. The driver's mark for a value that it does
// not have is all ones, which does not fit.
func asBigint(v uint64, ok bool) usage.Opt[int64] {
	if !ok || v > math.MaxInt64 {
		return usage.Opt[int64]{}
	}
	return usage.Some(int64(v))
}

// asInt is an answer as an int, likewise.
func asInt(v uint32, ok bool) usage.Opt[int32] {
	if !ok || v > math.MaxInt32 {
		return usage.Opt[int32]{}
	}
	return usage.Some(int32(v))
}
