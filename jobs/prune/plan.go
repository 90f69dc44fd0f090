package prune

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
)

// Policy says how long each tier is kept.
type Policy struct {
	Raw, Samples, Hourly, Report time.Duration
}

// Inventory is what a plan is made from: the objects, and what they are compared with.
type Inventory struct {
	Cluster string
	Objects []bucket.Info
	Now     time.Time
	// Shown are the names of the data objects to which the cluster's latest.json points; nil if there is no latest.json.
	Shown map[string]bool
}

// Decision says whether one object is kept, and why.
type Decision struct {
	Name   string
	Tier   layout.Tier // "": the name is not one that this program writes
	Bytes  int64
	Keep   bool
	Reason string
}

// Reasons that several rules give.
const (
	notOurs     = "not ours"
	notThis     = "another cluster's"
	noSnapshot  = "no snapshot to count from"
	notRolledUp = "its hour is not in samples/ yet"
	tooYoung    = "younger than its retention"
	tooOld      = "older than its retention"
)

// shownFor is how long a data object is kept after it was written although latest.json no longer points at it: a page
// may have read the earlier latest.json.
const shownFor = 2 * time.Hour

// Plan decides on every object, in the order of their names. Age counts from the newest snapshot that is not after Now,
// so that nothing is lost while no snapshots are taken. Raw objects are kept or deleted by whole hours, because a late
// object reopens its hour and rollup then reads all of it again.
func Plan(in Inventory, policy Policy) []Decision {
	newest, seen := newestSnapshot(in)
	unsampled := unsampledHours(in)
	decisions := make([]Decision, 0, len(in.Objects))
	for _, info := range in.Objects {
		d := Decision{Name: info.Name, Bytes: info.Bytes, Keep: true}
		o, ours := layout.Parse(info.Name)
		if ours {
			d.Tier = o.Tier
		}
		switch {
		case !ours:
			d.Reason = notOurs
		case o.Tier == layout.Site:
			d.Reason = "the site itself"
		case o.Cluster != in.Cluster:
			d.Reason = notThis
		case o.Tier == layout.State:
			d.Reason = "what a job remembers"
		case !seen:
			d.Reason = noSnapshot
		case o.Tier == layout.Report:
			d.Keep, d.Reason = decideReport(in, o, info, newest, policy.Report)
		default:
			d.Keep, d.Reason = decideHour(o, newest, unsampled, policy)
		}
		decisions = append(decisions, d)
	}
	slices.SortFunc(decisions, func(a, b Decision) int { return strings.Compare(a.Name, b.Name) })
	return decisions
}

// decideHour keeps an object of a table, or a manifest, until the end of its hour is older than the retention; raw
// objects also until their hour is in samples/.
func decideHour(o layout.Object, newest time.Time, unsampled map[time.Time]bool, policy Policy) (keep bool, reason string) {
	retention := map[layout.Tier]time.Duration{layout.Raw: policy.Raw, layout.Manifest: policy.Raw,
		layout.Samples: policy.Samples, layout.Hourly: policy.Hourly}[o.Tier]
	hour := o.Time.UTC().Truncate(time.Hour)
	isRaw := o.Tier == layout.Raw || o.Tier == layout.Manifest
	switch {
	case newest.Sub(hour.Add(time.Hour)) <= retention:
		return true, tooYoung
	case isRaw && unsampled[hour]:
		return true, notRolledUp
	}
	return false, tooOld
}

// newestSnapshot is the instant of the cluster's newest manifest that is not after Now: one snapshot taken with a wrong
// clock must not make everything else look old.
func newestSnapshot(in Inventory) (newest time.Time, seen bool) {
	for _, info := range in.Objects {
		o, ok := layout.Parse(info.Name)
		if ok && o.Tier == layout.Manifest && o.Cluster == in.Cluster && !o.Time.After(in.Now) && o.Time.After(newest) {
			newest, seen = o.Time, true
		}
	}
	return newest, seen
}

// unsampledHours are the hours in which a table has raw objects and no object in samples/. Such an hour is kept as a
// whole: all tables, and the manifests.
func unsampledHours(in Inventory) map[time.Time]bool {
	type tableHour struct {
		table string
		hour  time.Time
	}
	sampled, raw := map[tableHour]bool{}, map[tableHour]bool{}
	for _, info := range in.Objects {
		o, ok := layout.Parse(info.Name)
		if !ok || o.Cluster != in.Cluster {
			continue
		}
		switch at := (tableHour{o.Table, o.Time.UTC().Truncate(time.Hour)}); o.Tier {
		case layout.Samples:
			sampled[at] = true
		case layout.Raw:
			raw[at] = true
		}
	}
	hours := map[time.Time]bool{}
	for at := range raw {
		if !sampled[at] {
			hours[at.hour] = true
		}
	}
	return hours
}

// decideReport keeps the documents with fixed names, which every rollup rewrites. It deletes data objects to which
// nothing points any more, and the documents of pods that ended longer ago than the retention.
func decideReport(
	in Inventory, o layout.Object, info bucket.Info, newest time.Time, retention time.Duration,
) (keep bool, reason string) {
	switch {
	case strings.HasPrefix(o.Path, "data/"):
		switch {
		case in.Shown == nil:
			return true, "no latest.json says what is shown"
		case in.Shown[o.Name()]:
			return true, "shown"
		case in.Now.Sub(info.Modified) <= shownFor:
			return true, "shown until lately"
		}
		return false, "no longer shown"
	case strings.HasPrefix(o.Path, "api/v1/resources/pods/"):
		if newest.Sub(info.Modified) > retention {
			return false, tooOld
		}
		return true, tooYoung
	}
	return true, "rewritten in place"
}

// deletions are the names to delete, in the order in which they are deleted: manifests before the raw objects that they
// list, so that a manifest never lists an object that is gone; raw before samples, so that a run that dies never leaves
// a raw hour without its object in samples/.
func deletions(decisions []Decision) [][]string {
	rank := []layout.Tier{layout.Manifest, layout.Raw, layout.Samples, layout.Hourly, layout.Report}
	steps := make([][]string, len(rank))
	for _, d := range decisions {
		if i := slices.Index(rank, d.Tier); !d.Keep && i >= 0 {
			steps[i] = append(steps[i], d.Name)
		}
	}
	return steps
}

// Line counts the objects of one tier on which a plan decides the same for the same reason.
type Line struct {
	Tier    layout.Tier
	Keep    bool
	Reason  string
	Objects int
	Bytes   int64
}

// Summary counts a plan by tier and reason, in the order of tiers, kept objects first.
func Summary(decisions []Decision) []Line {
	type id struct {
		tier   layout.Tier
		keep   bool
		reason string
	}
	byReason := map[id]*Line{}
	for _, d := range decisions {
		k := id{d.Tier, d.Keep, d.Reason}
		if byReason[k] == nil {
			byReason[k] = &Line{Tier: d.Tier, Keep: d.Keep, Reason: d.Reason}
		}
		byReason[k].Objects++
		byReason[k].Bytes += d.Bytes
	}
	order := []layout.Tier{layout.Raw, layout.Manifest, layout.Samples, layout.Hourly, layout.Report, layout.Site, layout.State, ""}
	var lines []Line
	for _, l := range byReason {
		lines = append(lines, *l)
	}
	slices.SortFunc(lines, func(a, b Line) int {
		if a.Tier == b.Tier && a.Keep != b.Keep {
			return map[bool]int{true: -1, false: 1}[a.Keep]
		}
		return cmp.Or(slices.Index(order, a.Tier)-slices.Index(order, b.Tier), strings.Compare(a.Reason, b.Reason))
	})
	return lines
}
