package nvml

import (
	"fmt"
	"strconv"
	"strings"
)

// deviceID names a GPU, a MIG instance or a share of one, as a device plugin
// names it to the kubelet. The forms, of which N, M and K are decimal numbers:
//
//	GPU-<uuid>            a card
//	MIG-<uuid>            a MIG instance
//	MIG-GPU-<uuid>/M/K    a MIG instance of a card: GPU instance M, compute
//	                      instance K (drivers before R470)
//	…::N                  share N of any of these (time-slicing, MPS)
//	nvidiaN               the card of /dev/nvidiaN (GKE)
//	nvidiaN/giM           its MIG instance M
//	nvidiaN/vgpuK         share K of the card
//	nvidiaN/giM/vgpuK     share K of the instance
//
// It is comparable, and String is its text again.
type deviceID struct {
	UUID            string // of a card or a MIG instance, "GPU-" or "MIG-" before it; "": Minor names the card
	Minor           int32  // N of /dev/nvidiaN
	GPUInstance     int32  // of MIG, none: the whole of what UUID or Minor names
	ComputeInstance int32  // inside of GPUInstance, none: not said
	Share           int32  // none: not shared
}

// none stands for the absence of a number.
const none = -1

// parseDeviceID reads a device ID of any form that deviceID lists. An error
// says that the ID has none of them, as those of other devices than NVIDIA's.
func parseDeviceID(text string) (deviceID, error) {
	id := deviceID{Minor: none, GPUInstance: none, ComputeInstance: none, Share: none}
	ok := false
	if rest, isMinor := strings.CutPrefix(text, "nvidia"); isMinor {
		ok = id.parseMinor(rest)
	} else {
		ok = id.parseUUID(text)
	}
	if !ok {
		return deviceID{}, fmt.Errorf("%s is no device ID of a GPU in a known form", quote(text))
	}
	return id, nil
}

// parseMinor reads what follows "nvidia".
func (id *deviceID) parseMinor(rest string) (ok bool) {
	minor, rest, more := strings.Cut(rest, "/")
	if id.Minor, ok = number(minor); !ok || !more {
		return ok
	}
	if instance, isInstance := strings.CutPrefix(rest, "gi"); isInstance {
		instance, rest, more = strings.Cut(instance, "/")
		if id.GPUInstance, ok = number(instance); !ok || !more {
			return ok
		}
	}
	share, isShare := strings.CutPrefix(rest, "vgpu")
	id.Share, ok = number(share)
	return isShare && ok
}

// parseUUID reads the forms that begin with a UUID.
func (id *deviceID) parseUUID(text string) (ok bool) {
	text, share, shared := strings.Cut(text, "::")
	if shared {
		if id.Share, ok = number(share); !ok {
			return false
		}
	}
	if card, isOld := strings.CutPrefix(text, "MIG-GPU-"); isOld {
		uuid, rest, _ := strings.Cut(card, "/")
		instance, compute, _ := strings.Cut(rest, "/")
		id.UUID = "GPU-" + uuid
		id.GPUInstance, ok = number(instance)
		if !ok {
			return false
		}
		id.ComputeInstance, ok = number(compute)
		return ok && isUUID(uuid)
	}
	id.UUID = text
	kind, uuid, _ := strings.Cut(text, "-")
	return (kind == "GPU" || kind == "MIG") && isUUID(uuid)
}

// String is the ID in the form that it was read from.
func (id deviceID) String() string {
	if id.UUID == "" {
		text := "nvidia" + strconv.Itoa(int(id.Minor))
		if id.GPUInstance != none {
			text += "/gi" + strconv.Itoa(int(id.GPUInstance))
		}
		if id.Share != none {
			text += "/vgpu" + strconv.Itoa(int(id.Share))
		}
		return text
	}
	text := id.UUID
	if id.GPUInstance != none {
		text = fmt.Sprintf("MIG-%s/%d/%d", id.UUID, id.GPUInstance, id.ComputeInstance)
	}
	if id.Share != none {
		text += "::" + strconv.Itoa(int(id.Share))
	}
	return text
}

// claimedID names a GPU or a MIG instance as NVIDIA's driver for dynamic
// resource allocation does: gpu-N for a card, gpu-N-mig-PROFILE-ID-START for an
// instance, and from older drivers gpu-N-mig-ID-START-SIZE. N is the minor
// number of the card, and ID and START are the driver's numbers of the profile
// and of the first memory slice.
type claimedID struct {
	minor   int32
	mig     bool
	profile string // as in a MIG profile's claimName; "": not said
	id      int32
	start   int32
}

// parseClaimedID reads the name of a device of a resource claim. Names of
// devices that the host gives away to virtual machines (gpu-vfio-N) are none.
func parseClaimedID(text string) (claimedID, error) {
	id := claimedID{id: none, start: none}
	rest, ok := strings.CutPrefix(text, "gpu-")
	minor, rest, mig := strings.Cut(rest, "-mig-")
	if ok {
		id.minor, ok = number(minor)
	}
	if id.mig = mig; mig && ok {
		parts := strings.Split(rest, "-")
		if n := len(parts); n >= 3 {
			last, ok1 := number(parts[n-1])
			middle, ok2 := number(parts[n-2])
			ok = ok1 && ok2
			if first, old := number(parts[0]); old && n == 3 {
				id.id, id.start = first, middle
			} else {
				id.profile, id.id, id.start = strings.Join(parts[:n-2], "-"), middle, last
			}
		} else {
			ok = false
		}
	}
	if !ok {
		return claimedID{}, fmt.Errorf("%s is no name of a GPU in a known form", quote(text))
	}
	return id, nil
}

// claimName is a MIG profile as names of claimed devices have it: without dots,
// and a hyphen for what a name may not hold.
func claimName(profile string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r == '.':
			return -1
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		}
		return '-'
	}, strings.ToLower(profile)), "-")
}

// number reads a decimal number the way that it is printed: no sign, no zeros
// before it.
func number(text string) (int32, bool) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || len(text) > 1 && text[0] == '0' {
		return none, false
	}
	return int32(n), true
}

// isUUID reports whether a text has a UUID's form, 8-4-4-4-12 hexadecimal.
func isUUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i := range len(text) {
		c := text[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
				return false
			}
		}
	}
	return true
}

// quote makes a foreign text fit for a message.
func quote(text string) string {
	const most = 100
	if len(text) > most {
		return strconv.Quote(text[:most]) + "…"
	}
	return strconv.Quote(text)
}
