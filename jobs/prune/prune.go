// Package prune is the prune job: it deletes objects that are older than the retention of their tier. Plan decides; it
// is a pure function from names to decisions with reasons. Job lists the objects of its own cluster, plans, deletes and
// reports what it did. Only names that layout parses are ever deleted; the site itself and the state of jobs are not
// even listed.
package prune

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/store"
)

// Job deletes one cluster's old objects. A dry run is a Job on bucket.DryRun, which reports every name that would be
// deleted.
type Job struct {
	Bucket  bucket.Bucket
	Cluster string
	Policy  Policy
	Out     io.Writer // for the plan, summed up as a table
	Log     *slog.Logger
}

// Result counts what a run did.
type Result struct {
	Kept, Removed           int // objects
	KeptBytes, RemovedBytes int64
}

const batch = 1000 // names in a call of Delete

// Run deletes what the policy does not keep at the instant at. If a run dies, the next one deletes the rest.
func (j *Job) Run(ctx context.Context, at time.Time) (Result, error) {
	in := Inventory{Cluster: j.Cluster, Now: at}
	var err error
	if in.Shown, err = j.shown(ctx); err != nil {
		return Result{}, err
	}
	for _, prefix := range prefixes(j.Cluster) {
		for info, err := range j.Bucket.List(ctx, prefix) {
			if err != nil {
				return Result{}, fmt.Errorf("list %s: %w", prefix, err)
			}
			in.Objects = append(in.Objects, info)
		}
	}
	plan := Plan(in, j.Policy)
	if err := j.print(in, plan); err != nil {
		return Result{}, err
	}
	var result Result
	for _, d := range plan {
		if d.Keep {
			result.Kept++
			result.KeptBytes += d.Bytes
		} else {
			result.Removed++
			result.RemovedBytes += d.Bytes
		}
	}
	for _, names := range deletions(plan) {
		for some := range slices.Chunk(names, batch) {
			if err := j.Bucket.Delete(ctx, some...); err != nil {
				return result, fmt.Errorf("delete old objects: %w; run prune again", err)
			}
		}
	}
	j.Log.Info("prune", "cluster", j.Cluster, "at", at.UTC(), "kept", result.Kept, "kept_bytes", result.KeptBytes,
		"removed", result.Removed, "removed_bytes", result.RemovedBytes)
	return result, nil
}

// prefixes are those of one cluster's objects of which some may be deleted. Listing by cluster keeps a run's cost that of
// its own objects, however many clusters share the bucket.
func prefixes(cluster string) []string {
	all := []string{layout.TablePrefix(layout.Raw, layout.ManifestTable, cluster)}
	for _, table := range store.RawTables {
		all = append(all, layout.TablePrefix(layout.Raw, table, cluster), layout.TablePrefix(layout.Samples, table, cluster))
	}
	for _, table := range store.HourlyTables {
		all = append(all, layout.TablePrefix(layout.Hourly, table, cluster))
	}
	return append(all, layout.ReportPrefix(cluster))
}

// shown reads which data objects the cluster's latest.json names; nil if there is no latest.json.
func (j *Job) shown(ctx context.Context) (map[string]bool, error) {
	name := layout.Object{Tier: layout.Report, Cluster: j.Cluster, Path: "latest.json"}.Name()
	object, err := j.Bucket.Get(ctx, name)
	if errors.Is(err, bucket.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var latest report.Latest
	if err := json.Unmarshal(object.Body, &latest); err != nil {
		return nil, fmt.Errorf("%s: %w; run rollup, which writes it anew", name, err)
	}
	if latest.Version != report.Version {
		return nil, fmt.Errorf("%s: version %d, this program reads version %d: use the k8s-monitor that wrote it, or a newer one",
			name, latest.Version, report.Version)
	}
	shown := map[string]bool{}
	for _, o := range latest.Objects.All() {
		shown[layout.Object{Tier: layout.Report, Cluster: j.Cluster, Path: o.Path}.Name()] = true
	}
	return shown, nil
}

// print writes the plan as a table.
func (j *Job) print(in Inventory, plan []Decision) error {
	newest, seen := newestSnapshot(in)
	counted := "age counts from the newest snapshot, " + newest.Format(time.RFC3339)
	if !seen {
		counted = "there is no snapshot to count age from: nothing is deleted"
	}
	w := tabwriter.NewWriter(j.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "cluster %s: %s\n", j.Cluster, counted)
	fmt.Fprintln(w, "TIER\tACTION\tOBJECTS\tBYTES\tREASON")
	for _, l := range Summary(plan) {
		tier, action := string(l.Tier), "remove"
		if tier == "" {
			tier = "-"
		}
		if l.Keep {
			action = "keep"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\n", tier, action, l.Objects, l.Bytes, l.Reason)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the plan: %w", err)
	}
	return nil
}
