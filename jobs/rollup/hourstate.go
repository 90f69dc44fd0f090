package rollup

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/company/k8s-resource-monitor/internal/statistics"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// hourState is one hour of every key after the snapshots that were folded into
// it. It is kept in the bucket, so that the next minute adds only itself.
type hourState struct {
	hour     time.Time
	folded   []folded
	base     string    // digest of the snapshots of the hour before
	settings string    // digest of the settings that figures depend on
	last     time.Time // the newest instant

	cards      map[string]reading // by UUID
	engines    map[string]reading // by pod UID
	models     map[modelKey]*statistics.Fold
	workloads  map[workloadKey]*statistics.Fold
	namespaces map[string]*statistics.Fold
	nodes      map[string]*nodeState
	cluster    statistics.Fold
	pods       []byte // of podHour, in order of (namespace, pod)
}

// folded names a snapshot that is in the state, as far as it took instants of
// the hour.
type folded struct{ name, etag string }

// nodeState is a node's hour, and the GPU product by which it is priced, as the
// node said it last.
type nodeState struct {
	statistics.Fold
	product   usage.Opt[string]
	productAt time.Time
}

// podHour is a pod's hour, and what its last row said of it.
type podHour struct {
	namespace, pod, uid string
	node, model         usage.Opt[string]
	engine              string
	restarts            usage.Opt[int64]
	at                  time.Time // of the last row
	statistics.Fold
}

// Keys of the hourly tables.
type (
	modelKey    struct{ namespace, engine, model string }
	workloadKey struct{ namespace, kind, owner string }
)

func newHourState(hour time.Time) *hourState {
	return &hourState{hour: hour, cards: map[string]reading{}, engines: map[string]reading{}, models: map[modelKey]*statistics.Fold{},
		workloads: map[workloadKey]*statistics.Fold{}, namespaces: map[string]*statistics.Fold{}, nodes: map[string]*nodeState{}}
}

// next is the state that the hour after s begins with: what stands into it, and
// the counters as they were read last. It depends on s's snapshots alone, so
// what is older than s's hour is let go. s is of no use afterwards.
func (s *hourState) next() *hourState {
	s.hour = s.hour.Add(time.Hour)
	s.folded, s.base, s.settings = nil, "", ""
	for _, readings := range []map[string]reading{s.cards, s.engines} {
		maps.DeleteFunc(readings, func(_ string, r reading) bool { return r.at.Before(s.hour.Add(-time.Hour)) })
	}
	begin(s.models)
	begin(s.workloads)
	begin(s.namespaces)
	for name, n := range s.nodes {
		if n.Begin(); n.productAt.Before(s.hour.Add(-time.Hour)) {
			n.product, n.productAt = usage.Opt[string]{}, time.Time{}
		}
		if !n.Stands() && !n.product.Present() {
			delete(s.nodes, name)
		}
	}
	s.cluster.Begin()
	var pods statistics.Writer
	var read, written podTexts
	for r, p := statistics.NewReader(s.pods), (&podHour{}); r.More(); {
		p.decode(r, &read)
		if p.Begin(); !p.at.Before(s.hour.Add(-time.Hour)) {
			p.encode(&pods, &written)
		}
	}
	s.pods = pods
	return s
}

func begin[K comparable](folds map[K]*statistics.Fold) {
	for k, f := range folds {
		if f.Begin(); !f.Stands() {
			delete(folds, k)
		}
	}
}

// stateVersion is the first text in an encoded state. A state of another version
// is refused, and its hour is computed again from its snapshots. Of statistics
// the version follows by itself; what else this file writes has the number, which
// is to be raised with it.
var stateVersion = "k8s-monitor hour 1 " + statistics.StateVersion

// encodedHour is a state as bytes: the pods' part, which is most of it, apart.
type encodedHour struct{ head, pods []byte }

// write writes the state and a checksum of it.
func (e *encodedHour) write(w io.Writer) error {
	sum := crc32.Update(crc32.ChecksumIEEE(e.head), crc32.IEEETable, e.pods)
	for _, part := range [...][]byte{e.head, e.pods, binary.BigEndian.AppendUint32(nil, sum)} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// readEncoded reads what write wrote.
func readEncoded(body []byte) (*hourState, error) {
	n := len(body) - 4
	if n < 0 || binary.BigEndian.Uint32(body[n:]) != crc32.ChecksumIEEE(body[:n]) {
		return nil, errors.New("it is cut off or damaged")
	}
	return decodeHour(encodedHour{head: body[:n]})
}

// encode writes the state. Its pods are written already.
func (s *hourState) encode() encodedHour {
	var w statistics.Writer
	w.Text(stateVersion)
	w.Int(s.hour.UnixMilli())
	w.Count(len(s.folded))
	for _, f := range s.folded {
		w.Text(f.name)
		w.Text(f.etag)
	}
	w.Text(s.base)
	w.Text(s.settings)
	writeTime(&w, s.last)
	encodeMap(&w, s.cards, strings.Compare, w.Text, writeReading(&w))
	encodeMap(&w, s.engines, strings.Compare, w.Text, writeReading(&w))
	fold := func(f *statistics.Fold) { f.Encode(&w) }
	encodeMap(&w, s.models, compareModels, func(k modelKey) { writeTexts(&w, k.namespace, k.engine, k.model) }, fold)
	encodeMap(&w, s.workloads, compareWorkloads, func(k workloadKey) { writeTexts(&w, k.namespace, k.kind, k.owner) }, fold)
	encodeMap(&w, s.namespaces, strings.Compare, w.Text, fold)
	encodeMap(&w, s.nodes, strings.Compare, w.Text, func(n *nodeState) {
		writeOpt(&w, n.product)
		writeTime(&w, n.productAt)
		n.Encode(&w)
	})
	s.cluster.Encode(&w)
	return encodedHour{w, s.pods}
}

// decodeHour reads a state. Its pods may follow in the head.
func decodeHour(e encodedHour) (*hourState, error) {
	r := statistics.NewReader(e.head)
	if version := r.Text(); version != stateVersion {
		return nil, errors.New("it was written by another version of this program")
	}
	s := newHourState(time.UnixMilli(r.Int()).UTC())
	for range r.Count() {
		s.folded = append(s.folded, folded{r.Text(), r.Text()})
	}
	s.base, s.settings, s.last = r.Text(), r.Text(), readTime(r)
	decodeMap(r, s.cards, r.Text, readReading(r))
	decodeMap(r, s.engines, r.Text, readReading(r))
	fold := func() *statistics.Fold { f := &statistics.Fold{}; f.Decode(r); return f }
	decodeMap(r, s.models, func() modelKey { return modelKey{r.Text(), r.Text(), r.Text()} }, fold)
	decodeMap(r, s.workloads, func() workloadKey { return workloadKey{r.Text(), r.Text(), r.Text()} }, fold)
	decodeMap(r, s.namespaces, r.Text, fold)
	decodeMap(r, s.nodes, r.Text, func() *nodeState {
		n := &nodeState{product: readOpt(r), productAt: readTime(r)}
		n.Decode(r)
		return n
	})
	s.cluster.Decode(r)
	if s.pods = e.pods; s.pods == nil {
		s.pods = r.Rest()
	}
	return s, r.Err()
}

// encode appends the pod after another, whose texts are much like its own.
func (p *podHour) encode(w *statistics.Writer, before *podTexts) {
	now := podTexts{p.namespace, p.pod, p.uid, p.engine, text(p.node), text(p.model)}
	for i, s := range now {
		w.TextAfter(before[i], s)
	}
	*before = now
	w.Bool(p.node.Present())
	w.Bool(p.model.Present())
	w.OptInt(p.restarts)
	writeTime(w, p.at)
	p.Fold.Encode(w)
}

func (p *podHour) decode(r *statistics.Reader, before *podTexts) {
	for i := range before {
		before[i] = r.TextAfter(before[i])
	}
	p.namespace, p.pod, p.uid, p.engine = before[0], before[1], before[2], before[3]
	p.node, p.model = usage.Opt[string]{}, usage.Opt[string]{}
	if r.Bool() {
		p.node = usage.Some(before[4])
	}
	if r.Bool() {
		p.model = usage.Some(before[5])
	}
	p.restarts, p.at = r.OptInt(), readTime(r)
	p.Fold.Decode(r)
}

// podTexts are a pod's namespace, name, UID, engine, node and model, "" where
// there is none.
type podTexts [6]string

func text(o usage.Opt[string]) string {
	s, _ := o.Get()
	return s
}

func encodeMap[K comparable, V any](w *statistics.Writer, m map[K]V, compare func(a, b K) int, key func(K), value func(V)) {
	w.Count(len(m))
	for _, k := range slices.SortedFunc(maps.Keys(m), compare) {
		key(k)
		value(m[k])
	}
}

func decodeMap[K comparable, V any](r *statistics.Reader, m map[K]V, key func() K, value func() V) {
	for range r.Count() {
		k := key()
		m[k] = value()
	}
}

func writeTexts(w *statistics.Writer, texts ...string) {
	for _, s := range texts {
		w.Text(s)
	}
}

func writeOpt(w *statistics.Writer, o usage.Opt[string]) {
	s, ok := o.Get()
	if w.Bool(ok); ok {
		w.Text(s)
	}
}

func readOpt(r *statistics.Reader) usage.Opt[string] {
	if !r.Bool() {
		return usage.Opt[string]{}
	}
	return usage.Some(r.Text())
}

// writeTime writes an instant in milliseconds; the zero time is 1970.
func writeTime(w *statistics.Writer, t time.Time) {
	if t.IsZero() {
		w.Int(0)
		return
	}
	w.Int(t.UnixMilli())
}

func readTime(r *statistics.Reader) time.Time {
	if ms := r.Int(); ms != 0 {
		return time.UnixMilli(ms).UTC()
	}
	return time.Time{}
}

func writeReading(w *statistics.Writer) func(reading) {
	return func(v reading) {
		v.Encode(w)
		w.OptFloat(v.ttft)
		w.OptFloat(v.interToken)
		w.OptFloat(v.e2e)
		writeTime(w, v.at)
	}
}

func readReading(r *statistics.Reader) func() reading {
	return func() (v reading) {
		v.Decode(r)
		v.ttft, v.interToken, v.e2e = r.OptFloat(), r.OptFloat(), r.OptFloat()
		v.at = readTime(r)
		return v
	}
}
