package hour

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/company/k8s-resource-monitor/internal/activity"
	"github.com/company/k8s-resource-monitor/internal/statistics"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// stateVersion begins an encoded state. It changes with the layout of this file
// (the number), and with the declared statistics.
var stateVersion = "k8s-monitor hour 2 " + statistics.StateVersion

// Checkpoint is an encoded state. Its pods, which are most of it, are apart.
type Checkpoint struct{ head, pods []byte }

// Write writes the checkpoint and its checksum.
func (c *Checkpoint) Write(w io.Writer) error {
	sum := crc32.Update(crc32.ChecksumIEEE(c.head), crc32.IEEETable, c.pods)
	for _, part := range [...][]byte{c.head, c.pods, binary.BigEndian.AppendUint32(nil, sum)} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// Decode reads what Write wrote. An error means that the state is damaged, or of
// another version of the program, and has to be computed again.
func Decode(body []byte) (*State, error) {
	n := len(body) - 4
	if n < 0 || binary.BigEndian.Uint32(body[n:]) != crc32.ChecksumIEEE(body[:n]) {
		return nil, errors.New("truncated or damaged")
	}
	c := Checkpoint{head: body[:n]}
	return c.State()
}

// Checkpoint encodes the state. The pods are encoded already.
func (s *State) Checkpoint() Checkpoint {
	var w statistics.Writer
	w.Text(stateVersion)
	w.Int(s.Hour.UnixMilli())
	w.Count(len(s.Merged))
	for _, f := range s.Merged {
		w.Text(f.Name)
		w.Text(f.ETag)
	}
	w.Text(s.Base)
	w.Text(s.Settings)
	writeTime(&w, s.Newest)
	encodeMap(&w, s.cards, strings.Compare, w.Text, writeReading(&w))
	encodeMap(&w, s.engines, strings.Compare, w.Text, writeReading(&w))
	fold := func(f *statistics.Aggregate) { f.Encode(&w) }
	encodeMap(&w, s.models, compareModels, func(k modelKey) { writeTexts(&w, k.namespace, k.engine, k.model) }, fold)
	encodeMap(&w, s.workloads, compareWorkloads, func(k workloadKey) { writeTexts(&w, k.namespace, k.kind, k.owner) }, fold)
	encodeMap(&w, s.namespaces, strings.Compare, w.Text, fold)
	encodeMap(&w, s.nodes, strings.Compare, w.Text, func(n *nodeState) {
		writeOpt(&w, n.product)
		writeTime(&w, n.productAt)
		n.Encode(&w)
	})
	s.cluster.Encode(&w)
	return Checkpoint{w, s.pods}
}

// State decodes the checkpoint. Where it was read from the bucket, its pods
// follow in the head.
func (c *Checkpoint) State() (*State, error) {
	r := statistics.NewReader(c.head)
	if version := r.Text(); version != stateVersion {
		return nil, errors.New("not the state of an hour, or of another version of this program")
	}
	s := NewState(time.UnixMilli(r.Int()).UTC())
	for range r.Count() {
		s.Merged = append(s.Merged, Snapshot{r.Text(), r.Text()})
	}
	s.Base, s.Settings, s.Newest = r.Text(), r.Text(), readTime(r)
	decodeMap(r, s.cards, r.Text, readReading(r))
	decodeMap(r, s.engines, r.Text, readReading(r))
	fold := func() *statistics.Aggregate { f := &statistics.Aggregate{}; f.Decode(r); return f }
	decodeMap(r, s.models, func() modelKey { return modelKey{r.Text(), r.Text(), r.Text()} }, fold)
	decodeMap(r, s.workloads, func() workloadKey { return workloadKey{r.Text(), r.Text(), r.Text()} }, fold)
	decodeMap(r, s.namespaces, r.Text, fold)
	decodeMap(r, s.nodes, r.Text, func() *nodeState {
		n := &nodeState{product: readOpt(r), productAt: readTime(r)}
		n.Decode(r)
		return n
	})
	s.cluster.Decode(r)
	if s.pods = c.pods; s.pods == nil {
		s.pods = r.Rest()
	}
	return s, r.Err()
}

// encode appends the pod. Its texts are written as differences from those of the
// pod before, which are much alike.
func (p *podHour) encode(w *statistics.Writer, before *podTexts) {
	now := podTexts{p.name.Namespace, p.name.Pod, p.uid, p.engine, text(p.node), text(p.model)}
	for i, s := range now {
		w.TextAfter(before[i], s)
	}
	*before = now
	w.Bool(p.node.Present())
	w.Bool(p.model.Present())
	w.OptInt(p.restarts)
	writeTime(w, p.at)
	p.Aggregate.Encode(w)
}

func (p *podHour) decode(r *statistics.Reader, before *podTexts) {
	for i := range before {
		before[i] = r.TextAfter(before[i])
	}
	p.name.Namespace, p.name.Pod, p.uid, p.engine = before[0], before[1], before[2], before[3]
	p.node, p.model = usage.Opt[string]{}, usage.Opt[string]{}
	if r.Bool() {
		p.node = usage.Some(before[4])
	}
	if r.Bool() {
		p.model = usage.Some(before[5])
	}
	p.restarts, p.at = r.OptInt(), readTime(r)
	p.Aggregate.Decode(r)
}

// podTexts are a pod's namespace, name, UID, engine, node and model; "" where
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

func writeReading(w *statistics.Writer) func(activity.Reading) {
	return func(v activity.Reading) {
		v.Encode(w)
		w.OptFloat(v.TTFT)
		w.OptFloat(v.InterToken)
		w.OptFloat(v.E2E)
		writeTime(w, v.At)
		working, known := v.Working.Get()
		w.Bool(known)
		w.Bool(working)
	}
}

func readReading(r *statistics.Reader) func() activity.Reading {
	return func() (v activity.Reading) {
		v.Decode(r)
		v.TTFT, v.InterToken, v.E2E = r.OptFloat(), r.OptFloat(), r.OptFloat()
		v.At = readTime(r)
		if known, working := r.Bool(), r.Bool(); known {
			v.Working = usage.Some(working)
		}
		return v
	}
}
