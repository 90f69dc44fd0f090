package nvml

import (
	"strings"
	"testing"
)

const someUUID = "5c89852c-d268-c3f3-1b07-005d5ae1dc3f"

func TestParseDeviceID(t *testing.T) {
	for text, want := range map[string]deviceID{
		"GPU-" + someUUID:                  {"GPU-" + someUUID, none, none, none, none},
		"MIG-" + someUUID:                  {"MIG-" + someUUID, none, none, none, none},
		"GPU-" + someUUID + "::0":          {"GPU-" + someUUID, none, none, none, 0},
		"MIG-" + someUUID + "::12":         {"MIG-" + someUUID, none, none, none, 12},
		"MIG-GPU-" + someUUID + "/7/0":     {"GPU-" + someUUID, none, 7, 0, none},
		"MIG-GPU-" + someUUID + "/1/2::3":  {"GPU-" + someUUID, none, 1, 2, 3},
		"GPU-" + strings.ToUpper(someUUID): {"GPU-" + strings.ToUpper(someUUID), none, none, none, none},
		"nvidia0":                          {"", 0, none, none, none},
		"nvidia15":                         {"", 15, none, none, none},
		"nvidia0/vgpu1":                    {"", 0, none, none, 1},
		"nvidia0/gi3":                      {"", 0, 3, none, none},
		"nvidia0/gi3/vgpu2":                {"", 0, 3, none, 2},
	} {
		got, err := parseDeviceID(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: %+v (%s), %v", text, got, got, err)
		}
	}
	for _, text := range []string{
		"", "GPU-", "GPU", "gpu-" + someUUID, someUUID, "GPU-" + someUUID[:35], "GPU-" + someUUID + "0",
		"GPU-5c89852cxd268-c3f3-1b07-005d5ae1dc3f", "GPU-gc89852c-d268-c3f3-1b07-005d5ae1dc3f", "XPU-" + someUUID,
		"GPU-" + someUUID + "::", "GPU-" + someUUID + "::-1", "GPU-" + someUUID + "::01", "GPU-" + someUUID + "::1::2",
		"GPU-" + someUUID + "::+1", "GPU-" + someUUID + "::99999999999", " GPU-" + someUUID, "GPU-" + someUUID + "\n",
		"MIG-GPU-" + someUUID, "MIG-GPU-" + someUUID + "/1", "MIG-GPU-" + someUUID + "/1/", "MIG-GPU-" + someUUID + "/1/2/3",
		"MIG-GPU-/1/2", "nvidia", "nvidia-1", "nvidia01", "nvidia0/", "nvidia0/gi", "nvidia0/gi1/", "nvidia0/vgpu",
		"nvidia0/vgpu1/gi1", "nvidia0/gi1/gi2", "nvidia0/vgpu1/", "nvidia0::1", "nvidiactl", "0000:08:00.2", "eth0", "/dev/dri/renderD128",
	} {
		if got, err := parseDeviceID(text); err == nil || got != (deviceID{}) {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
}

func TestParseClaimedID(t *testing.T) {
	for text, want := range map[string]claimedID{
		"gpu-0":                    {0, false, "", none, none},
		"gpu-12":                   {12, false, "", none, none},
		"gpu-0-mig-1g10gb-19-0":    {0, true, "1g10gb", 19, 0},
		"gpu-3-mig-1g10gb-me-20-6": {3, true, "1g10gb-me", 20, 6},
		"gpu-3-mig-1c-3g40gb-9-4":  {3, true, "1c-3g40gb", 9, 4},
		"gpu-1-mig-9-4-4":          {1, true, "", 9, 4},
	} {
		if got, err := parseClaimedID(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "gpu-", "gpu-x", "gpu-vfio-0", "gpu-01", "gpu-0-mig", "gpu-0-mig-", "gpu-0-mig-1g10gb", "gpu-0-mig-19-0",
		"gpu-0-mig-1g10gb-19-x", "gpu-0-mig-1g10gb-x-0", "channel-0", "0"} {
		if got, err := parseClaimedID(text); err == nil {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
	for profile, want := range map[string]string{"1g.10gb": "1g10gb", "1g.10gb+me": "1g10gb-me", "2G.20GB+": "2g20gb", "": ""} {
		if got := claimName(profile); got != want {
			t.Errorf("%q: %q, want %q", profile, got, want)
		}
	}
}

func FuzzDeviceID(f *testing.F) {
	for _, seed := range []string{
		"GPU-" + someUUID, "MIG-" + someUUID + "::1", "MIG-GPU-" + someUUID + "/1/2::3", "nvidia0/gi3/vgpu2", "nvidia1/vgpu0",
		"gpu-0", "gpu-0-mig-1g10gb-19-0", "gpu-1-mig-9-4-4", "nvidia0/gi3/vgpu", "GPU-::", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := parseDeviceID(text)
		if err == nil {
			if id.String() != text {
				t.Errorf("%q is read as %+v and printed as %q", text, id, id)
			}
			if again, err := parseDeviceID(id.String()); err != nil || again != id {
				t.Errorf("%+v parses back to %+v, %v", id, again, err)
			}
		} else if strings.ContainsAny(err.Error(), "\n\x1b") || len(err.Error()) > 600 {
			t.Errorf("error is not fit for a message: %q", err)
		}
		claimed, err := parseClaimedID(text)
		if err == nil && (claimed.minor < 0 || claimed.mig != (claimed.id >= 0 && claimed.start >= 0) || !strings.HasPrefix(text, "gpu-")) {
			t.Errorf("%q is read as %+v", text, claimed)
		}
	})
}
