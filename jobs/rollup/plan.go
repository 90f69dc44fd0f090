package rollup

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/company/k8s-resource-monitor/internal/committed"
)

// Six instants decide which hours a run computes, and from which snapshots:
//
//	now       the run's instant, or that of the newest snapshot if it is later
//	horizon   before now: how far back a steady run looks for new, late or
//	          changed snapshots. Raw objects are kept for longer, so pruning
//	          them changes nothing that a steady run sees
//	end       of an hour: from then on it is closed. Its newest sample lasts
//	          for up to two intervals, and the hour gets no further checkpoint
//	grace     after the end: from then on it is settled, and compacted into
//	          samples/. A snapshot that lands later reopens it
//	reach     before the start: the snapshots of the two hours before bear on an
//	          hour. Those of the last hour have values that last into it and the
//	          readings that its counters are compared with; those of the hour
//	          before that decide what the last hour's first sample was compared
//	          with. A change among them computes the hour again
//	overrun   before the start: a snapshot that began so late in the hour before
//	          may hold samples of this hour
const (
	grace   = 10 * time.Minute
	reach   = 2 * time.Hour
	overrun = 10 * time.Minute
)

// horizonOf is the horizon for a retention of raw objects.
func horizonOf(rawRetention time.Duration) time.Duration {
	const margin = 3 * time.Hour // reach, and an hour for the prune job to come late or early
	return max(rawRetention-margin, margin).Truncate(time.Hour)
}

// planner says what is to be computed. It reads nothing.
type planner struct {
	now       time.Time
	settings  string            // digest of the settings that figures depend on
	computed  map[string]string // hour → digest of what its statistics were computed from
	compacted map[string]string // hour → digest of what its samples were made from
	rebuild   bool              // compute every hour, whether or not it changed
}

// work is one hour that is to be computed.
type work struct {
	hour       time.Time
	key        string               // of the hour in the job's state
	candidates []committed.Snapshot // that may hold instants of the hour, in order of time
	own        []committed.Snapshot // whose names are of the hour
	base       string               // digest of the snapshots within reach before the hour
	closed     bool
	settled    bool

	aggregate     bool   // compute the statistics
	compact       bool   // write samples/
	digest        string // of what the statistics are computed from
	samplesDigest string // of what the samples are made from
}

// plan is the work of the hours from one instant to another, oldest first. A
// steady run computes what changed; a rebuild computes all hours, as those whose
// raw objects were pruned live on in samples/.
func (p planner) plan(snapshots []committed.Snapshot, from, to time.Time) (todo []work) {
	hours := byHour(snapshots)
	for hour := from.Truncate(time.Hour); hour.Before(to) && !hour.After(p.now); hour = hour.Add(time.Hour) {
		if len(hours[hour]) == 0 && !p.rebuild {
			continue
		}
		if w := p.hour(hour, hours); w.aggregate || w.compact {
			todo = append(todo, w)
		}
	}
	return todo
}

// hour is the work of one hour.
func (p planner) hour(hour time.Time, snapshots map[time.Time][]committed.Snapshot) work {
	last, secondLast := snapshots[hour.Add(-time.Hour)], snapshots[hour.Add(-2*time.Hour)]
	w := work{
		hour:    hour,
		key:     hour.Format(time.RFC3339),
		own:     snapshots[hour],
		base:    digestOf(append(secondLast[:len(secondLast):len(secondLast)], last...)),
		closed:  !p.now.Before(hour.Add(time.Hour)),
		settled: !p.now.Before(hour.Add(time.Hour + grace)),
	}
	for _, s := range last {
		if !s.At.Before(hour.Add(-overrun)) {
			w.candidates = append(w.candidates, s)
		}
	}
	w.candidates = append(w.candidates, w.own...)
	w.samplesDigest = digestOf(w.own)
	w.digest = digestOf(w.own, w.base, fmt.Sprint(w.closed), p.settings)
	w.aggregate = p.rebuild || p.computed[w.key] != w.digest
	w.compact = w.settled && (p.rebuild || p.compacted[w.key] != w.samplesDigest || w.aggregate)
	return w
}

// byHour groups snapshots by the hour of their names, in order of time.
func byHour(snapshots []committed.Snapshot) map[time.Time][]committed.Snapshot {
	hours := map[time.Time][]committed.Snapshot{}
	for _, s := range snapshots {
		hours[hourOf(s.At)] = append(hours[hourOf(s.At)], s)
	}
	return hours
}

// hourOf is the hour that an instant lies in.
func hourOf(t time.Time) time.Time { return t.UTC().Truncate(time.Hour) }

// digestOf identifies snapshots and settings: equal digests, equal figures.
func digestOf(snapshots []committed.Snapshot, rest ...string) string {
	var b strings.Builder
	for _, s := range snapshots {
		fmt.Fprintf(&b, "%s %s\n", s.Name, s.ETag)
	}
	sum := sha256.Sum256([]byte(b.String() + strings.Join(rest, "\n")))
	return hex.EncodeToString(sum[:16])
}
