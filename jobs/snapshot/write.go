package snapshot

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// object is one raw object before it is written.
type object struct {
	entry report.ManifestObject
	body  []byte
}

// write makes the bucket hold this snapshot and nothing else of its instant.
func (j *Job) write(ctx context.Context, at, start time.Time, all *samples, result *Result) error {
	objects, err := j.encode(at, all)
	if err != nil {
		return err
	}
	manifest := report.Manifest{
		Version:         report.Version,
		Cluster:         j.Cluster,
		At:              at,
		SampledAt:       all.taken,
		IntervalSeconds: int(j.Interval / time.Second),
		ProgramVersion:  j.Version,
		Objects:         make([]report.ManifestObject, 0, len(objects)),
		Gaps:            distinct(all.gaps),
	}
	for _, o := range objects {
		manifest.Objects = append(manifest.Objects, o.entry)
		result.Bytes += len(o.body)
	}
	result.Objects = len(objects)

	name := layout.Object{Tier: layout.Manifest, Cluster: j.Cluster, Time: at, Node: j.Node}.Name()
	old, found, err := j.readManifest(ctx, name)
	if err != nil {
		return err
	}
	if found && keepsOld(old, manifest) {
		result.Unchanged = true
		return nil
	}
	// From here to the last Put the instant has no manifest, so that no reader
	// takes half-replaced objects for a snapshot. Stale objects are deleted even
	// where there was no manifest: a run that was killed may have left some.
	if found {
		if err := j.Bucket.Delete(ctx, name); err != nil {
			return err
		}
	}
	if stale := j.stale(at, manifest.Objects); len(stale) > 0 {
		if err := j.Bucket.Delete(ctx, stale...); err != nil {
			return err
		}
	}
	for _, o := range objects {
		if _, err := j.Bucket.Put(ctx, o.entry.Name, o.body, bucket.PutOptions{}); err != nil {
			return err
		}
	}
	manifest.DurationSeconds = math.Round(j.Now().Sub(start).Seconds()*1000) / 1000
	body, err := json.Marshal(manifest)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	_, err = j.Bucket.Put(ctx, name, body, bucket.PutOptions{})
	return err
}

// encode makes one object of each table that has rows, by name.
func (j *Job) encode(at time.Time, all *samples) (objects []object, err error) {
	for _, add := range [...]func() error{
		func() error { return j.encodePods(at, all, &objects) },
		func() error { return encode(j, at, store.Nodes, all.nodes, &objects) },
		func() error { return encode(j, at, store.GPUs, all.gpus, &objects) },
		func() error { return encode(j, at, store.Engines, all.engines, &objects) },
		func() error { return encode(j, at, store.Gaps, all.gaps, &objects) },
	} {
		if err := add(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(objects, func(a, b object) int { return strings.Compare(a.entry.Name, b.entry.Name) })
	return objects, nil
}

func encode[T any](j *Job, at time.Time, table *store.Table[T], rows []T, objects *[]object) error {
	if len(rows) == 0 {
		return nil
	}
	body, err := table.Encode(rows, store.Metadata{Cluster: j.Cluster})
	return j.add(at, table.Name(), len(rows), body, err, objects)
}

// rowsAtOnce is how many pods are made rows of at once.
const rowsAtOnce = 1024

func (j *Job) encodePods(at time.Time, all *samples, objects *[]object) error {
	if all.podCount() == 0 {
		return nil
	}
	var body bytes.Buffer
	w := store.Pods.NewWriter(&body, store.Metadata{Cluster: j.Cluster})
	rows := make([]usage.Pod, 0, rowsAtOnce)
	var err error
	for row := range all.podRows() {
		if rows = append(rows, *row); len(rows) == cap(rows) {
			if err = w.Write(rows); err != nil {
				break
			}
			rows = rows[:0]
		}
	}
	if err = cmp.Or(err, w.Write(rows)); err == nil {
		err = w.Close()
	}
	return j.add(at, store.Pods.Name(), all.podCount(), body.Bytes(), err, objects)
}

// add appends the object of a table, unless it could not be encoded.
func (j *Job) add(at time.Time, table string, rows int, body []byte, err error, objects *[]object) error {
	name := j.rawName(at, table)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	sum := sha256.Sum256(body)
	*objects = append(*objects, object{report.ManifestObject{Name: name, Table: table, Rows: rows,
		Bytes: len(body), SHA256: hex.EncodeToString(sum[:])}, body})
	return nil
}

func (j *Job) rawName(at time.Time, table string) string {
	return layout.Object{Tier: layout.Raw, Table: table, Cluster: j.Cluster, Time: at, Node: j.Node}.Name()
}

// stale are the objects that an earlier run of the instant may have left and
// that this one does not replace.
func (j *Job) stale(at time.Time, objects []report.ManifestObject) (names []string) {
	for _, table := range store.RawTables {
		written := slices.ContainsFunc(objects, func(o report.ManifestObject) bool { return o.Table == table })
		if !written {
			names = append(names, j.rawName(at, table))
		}
	}
	return names
}

// readManifest reads the manifest of an earlier run of the instant. One that
// cannot be understood counts as none to keep, but has to be deleted.
func (j *Job) readManifest(ctx context.Context, name string) (m report.Manifest, found bool, err error) {
	o, err := j.Bucket.Get(ctx, name)
	switch {
	case errors.Is(err, bucket.ErrNotExist):
		return m, false, nil
	case err != nil:
		return m, false, err
	}
	if err := json.Unmarshal(o.Body, &m); err != nil {
		j.Log.Warn("the manifest of an earlier run is unreadable and is replaced", "object", name, "err", err)
		return report.Manifest{}, true, nil
	}
	return m, true, nil
}

// keepsOld reports whether the snapshot in the bucket is kept: it has the same
// objects, or more samples, as when a run is repeated late. Gaps are an object.
func keepsOld(old, fresh report.Manifest) bool {
	if old.Version != fresh.Version {
		return false
	}
	return len(old.SampledAt) > len(fresh.SampledAt) || slices.Equal(old.Objects, fresh.Objects)
}

// distinct are the gaps of all samples, each once, without their instants.
func distinct(gaps []usage.Gap) []usage.Gap {
	out := make([]usage.Gap, 0, len(gaps))
	for _, g := range gaps {
		g.TS = time.Time{}
		out = append(out, g)
	}
	slices.SortFunc(out, usage.CompareGaps)
	return slices.Compact(out)
}
