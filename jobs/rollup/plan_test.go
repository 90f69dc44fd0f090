package rollup

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/committed"
)

// snapshotsOf are snapshots at times of the day such as "00:59", "01:00*" with
// another content than before, "01:00/n" of a node.
func snapshotsOf(times string) (snapshots []committed.Snapshot) {
	for _, text := range strings.Fields(times) {
		etag := "1"
		if strings.HasSuffix(text, "*") {
			etag = "2"
		}
		clock, node, _ := strings.Cut(strings.TrimSuffix(text, "*"), "/")
		of, err := time.Parse("15:04", clock)
		if err != nil {
			panic(err)
		}
		at := midnight.Add(time.Duration(of.Hour())*time.Hour + time.Duration(of.Minute())*time.Minute)
		snapshots = append(snapshots, committed.Snapshot{At: at, Node: node, Name: text, ETag: etag})
	}
	return snapshots
}

// TestPlan plans a run after another one that has seen the snapshots before.
func TestPlan(t *testing.T) {
	const steady = "00:58 00:59 01:00 01:30 01:59 02:00"
	for _, c := range []struct {
		name            string
		seen, snapshots string // of the run before, and of this one
		seenAt, at      string
		settings        string
		rebuild         bool
		want            string // hours: a aggregated, c compacted
	}{
		{"a first run", "", steady, "00:00", "02:01", "s", false, "00ac 01a 02a"},
		{"nothing new", steady, steady, "02:01", "02:01", "s", false, ""},
		{"a new snapshot of the open hour", steady, steady + " 02:01", "02:01", "02:02", "s", false, "02a"},
		{"an hour closes", "00:59 01:00 01:59", "00:59 01:00 01:59", "01:59", "02:00", "s", false, "01a"},
		{"an hour settles ten minutes after its end", "01:00 01:59", "01:00 01:59", "02:09", "02:10", "s", false, "01c"},
		{"not before", "01:00 01:59", "01:00 01:59", "02:00", "02:09", "s", false, ""},
		{"a late snapshot reopens its hour and the two after it", steady, "00:58 00:58/n 00:59 01:00 01:30 01:59 02:00", "02:11", "02:11", "s", false, "00ac 01ac 02a"},
		{"a snapshot taken again", "00:58 03:00", "00:58* 03:00", "03:00", "03:00", "s", false, "00ac"},
		{"other settings", steady, steady, "02:01", "02:01", "other", false, "00ac 01a 02a"},
		{"a snapshot from the future moves the run on", "01:59", "01:59 03:30", "02:00", "02:00", "s", false, "01c 03a"},
		{"a rebuild computes every hour", steady, steady, "04:00", "04:00", "s", true, "00ac 01ac 02ac 03a 04a"},
	} {
		at := func(clock string, snapshots []committed.Snapshot) time.Time {
			now := snapshotsOf(clock)[0].At
			if n := len(snapshots); n > 0 && snapshots[n-1].At.After(now) {
				now = snapshots[n-1].At
			}
			return now
		}
		before := planner{settings: "s", computed: map[string]string{}, compacted: map[string]string{}}
		before.now = at(c.seenAt, snapshotsOf(c.seen))
		for _, w := range before.plan(snapshotsOf(c.seen), midnight, midnight.Add(24*time.Hour)) {
			before.computed[w.key] = w.digest
			if w.compact {
				before.compacted[w.key] = w.samplesDigest
			}
		}
		p := before
		p.settings, p.rebuild, p.now = c.settings, c.rebuild, at(c.at, snapshotsOf(c.snapshots))
		var got []string
		for _, w := range p.plan(snapshotsOf(c.snapshots), midnight, midnight.Add(24*time.Hour)) {
			did := w.hour.Format("15")
			if w.aggregate {
				did += "a"
			}
			if w.compact {
				did += "c"
			}
			got = append(got, did)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}

// A snapshot that began in the last ten minutes of the hour before may hold
// samples of the hour; older ones do not, but bear on it.
func TestCandidates(t *testing.T) {
	p := planner{now: midnight.Add(3 * time.Hour), settings: "s"}
	names := func(snapshots string) string {
		w := p.hour(midnight.Add(2*time.Hour), byHour(snapshotsOf(snapshots)))
		var names []string
		for _, s := range w.candidates {
			names = append(names, s.Name)
		}
		return fmt.Sprint(names)
	}
	if got := names("01:49 01:50 01:50/n 02:00 02:59"); got != "[01:50 01:50/n 02:00 02:59]" {
		t.Errorf("candidates %s", got)
	}
	base := func(snapshots string) string {
		return p.hour(midnight.Add(2*time.Hour), byHour(snapshotsOf(snapshots))).base
	}
	if base("00:10 02:00") == base("02:00") || base("00:10 01:10 02:00") == base("00:10 02:00") {
		t.Error("snapshots of the two hours before do not bear on the hour")
	}
}

func TestHorizon(t *testing.T) {
	for _, c := range []struct{ retention, want time.Duration }{
		{48 * time.Hour, 45 * time.Hour},
		{time.Hour, 3 * time.Hour},
		{90*time.Hour + 30*time.Minute, 87 * time.Hour},
	} {
		if got := horizonOf(c.retention); got != c.want {
			t.Errorf("retention %v: horizon %v, want %v", c.retention, got, c.want)
		}
	}
}
