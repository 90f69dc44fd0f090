package layout

import (
	"strings"
	"testing"
	"time"
)

var instant = time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)

func TestNames(t *testing.T) {
	hour := instant.Truncate(time.Hour)
	for _, c := range []struct {
		object Object
		name   string
	}{
		{Object{Tier: Raw, Table: "pods", Cluster: "prod-eu.1", Time: instant},
			"raw/v1/pods/cluster=prod-eu.1/dt=2026-01-02/hh=03/20260102T030400Z.parquet"},
		{Object{Tier: Raw, Table: "gpus", Cluster: "c", Time: instant, Node: "gpu-1.example"},
			"raw/v1/gpus/cluster=c/dt=2026-01-02/hh=03/20260102T030400Z-gpu-1.example.parquet"},
		{Object{Tier: Manifest, Cluster: "c", Time: instant}, "raw/v1/_manifest/cluster=c/dt=2026-01-02/hh=03/20260102T030400Z.json"},
		{Object{Tier: Manifest, Cluster: "c", Time: instant, Node: "gpu-1.example"},
			"raw/v1/_manifest/cluster=c/dt=2026-01-02/hh=03/20260102T030400Z-gpu-1.example.json"},
		{Object{Tier: Samples, Table: "pods", Cluster: "c", Time: hour}, "samples/v1/pods/cluster=c/dt=2026-01-02/03.parquet"},
		{Object{Tier: Hourly, Table: "models", Cluster: "c", Time: hour}, "hourly/v1/models/cluster=c/dt=2026-01-02/03.parquet"},
		{Object{Tier: Site, Path: "index.html"}, "site/index.html"},
		{Object{Tier: Site, Path: "assets/main-AbC_1.js"}, "site/assets/main-AbC_1.js"},
		{Object{Tier: Report, Cluster: "c", Path: "api/v1/resources/pods/ns/pod-1.json"}, "site/c/api/v1/resources/pods/ns/pod-1.json"},
		{Object{Tier: State, Cluster: "c", Path: "alert"}, "state/alert/c.json"},
		{Object{Tier: State, Cluster: "c", Path: "rollup", Time: hour}, "state/rollup/c/20260102T03Z.bin"},
	} {
		if got := c.object.Name(); got != c.name {
			t.Errorf("name %q, want %q", got, c.name)
		}
		if back, ok := Parse(c.name); !ok || back != c.object {
			t.Errorf("%s parses to %+v, %v", c.name, back, ok)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, name := range []string{
		"", "x", "raw/v1/pods/cluster=c/dt=2026-01-02/hh=03/",
		"raw/v1/pods/cluster=c/dt=2026-01-02/hh=04/20260102T030400Z.parquet", // the hour is another's
		"raw/v1/pods/cluster=c/dt=2026-01-03/hh=03/20260102T030400Z.parquet",
		"raw/v1/pods/cluster=../dt=2026-01-02/hh=03/20260102T030400Z.parquet",
		"raw/v1/pods/cluster=C/dt=2026-01-02/hh=03/20260102T030400Z.parquet",
		"samples/v1/pods/cluster=c/dt=2026-01-02/24.parquet", "samples/v2/pods/cluster=c/dt=2026-01-02/03.parquet",
		"site/../state/alert/c.json", "site/", "site//x", "site/c", "site/c/.hidden", "site/c/a b", "site/assets/../x",
		"state/alert/index.html.json", "states/alert/c.json", "backup/raw/v1/pods/cluster=c/dt=2026-01-02/03.parquet",
	} {
		if o, ok := Parse(name); ok {
			t.Errorf("%q parses to %+v", name, o)
		}
	}
}

func TestPrefixesHoldTheirNames(t *testing.T) {
	raw := Object{Tier: Raw, Table: "pods", Cluster: "c", Time: instant}.Name()
	manifest := Object{Tier: Manifest, Cluster: "c", Time: instant}.Name()
	for prefix, name := range map[string]string{
		HourPrefix("pods", "c", instant):                raw,
		DayPrefix(Raw, "pods", "c", instant):            raw,
		TablePrefix(Raw, "pods", "c"):                   raw,
		HourPrefix(ManifestTable, "c", instant):         manifest,
		DayPrefix(Raw, ManifestTable, "c", instant):     manifest,
		DayPrefix(Samples, "pods", "c", instant) + "03": Object{Tier: Samples, Table: "pods", Cluster: "c", Time: instant}.Name(),
	} {
		if !strings.HasPrefix(name, prefix) {
			t.Errorf("%s does not begin with %s", name, prefix)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"raw/v1/pods/cluster=c/dt=2026-01-02/hh=03/20260102T030400Z-n.parquet", "site/c/latest.json",
		"hourly/v1/models/cluster=c/dt=2026-01-02/03.parquet", "raw/v1/_manifest/cluster=c/dt=2026-01-02/hh=03/20260102T030400Z-n.json"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		o, ok := Parse(name)
		if !ok {
			return
		}
		if o.Name() != name {
			t.Errorf("%q parses to what is named %q", name, o.Name())
		}
		if strings.Contains(name, "..") && o.Tier != Site && o.Tier != Report {
			t.Errorf("%q climbs", name)
		}
	})
}
