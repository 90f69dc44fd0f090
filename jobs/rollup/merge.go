package rollup

import (
	"cmp"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// blockRows is how many rows of a run are in memory at once.
const blockRows = 256

// sortedRun is a table's rows in its order, read a block at a time.
type sortedRun[T any] struct {
	read  func([]T) (int, error) // as store.Reader has it
	want  func(*T) bool          // nil: every row
	block []T
	rows  []T // of the block, that are left
}

// fill reads on where no row is left. At the end there is none.
func (r *sortedRun[T]) fill() error {
	for len(r.rows) == 0 && r.read != nil {
		if r.block == nil {
			r.block = make([]T, blockRows)
		}
		n, err := r.read(r.block)
		if err == io.EOF {
			r.read, r.block = nil, nil
			return nil
		}
		if err != nil {
			return err
		}
		r.rows = r.block[:n]
		if r.want != nil {
			r.rows = slices.DeleteFunc(r.rows, func(row T) bool { return !r.want(&row) })
		}
	}
	return nil
}

// order is how the rows of a table stand: by thing, then by time. A thing has
// one row an instant; where runs hold several, as after a clock that was set
// back, the first counts.
type order[T any] struct {
	thing func(a, b *T) int
	ts    func(*T) time.Time
	gaps  bool // several rows may be of one instant, and some of none that was sampled
}

var (
	podOrder = order[usage.Pod]{
		thing: func(a, b *usage.Pod) int { return comparePods(a.Namespace, a.Pod, b.Namespace, b.Pod) },
		ts:    func(p *usage.Pod) time.Time { return p.TS },
	}
	nodeOrder = order[usage.Node]{
		thing: func(a, b *usage.Node) int { return strings.Compare(a.Node, b.Node) },
		ts:    func(n *usage.Node) time.Time { return n.TS },
	}
	gpuOrder    = order[usage.GPU]{thing: compareDevices, ts: func(g *usage.GPU) time.Time { return g.TS }}
	engineOrder = order[usage.Engine]{
		thing: func(a, b *usage.Engine) int { return comparePods(a.Namespace, a.Pod, b.Namespace, b.Pod) },
		ts:    func(e *usage.Engine) time.Time { return e.TS },
	}
	gapOrder = order[usage.Gap]{
		thing: func(a, b *usage.Gap) int {
			return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.Target, b.Target))
		},
		ts:   func(g *usage.Gap) time.Time { return g.TS },
		gaps: true,
	}
)

func comparePods(namespace, pod, otherNamespace, otherPod string) int {
	if c := strings.Compare(namespace, otherNamespace); c != 0 {
		return c
	}
	return strings.Compare(pod, otherPod)
}

func compareDevices(a, b *usage.GPU) int {
	if c := strings.Compare(a.Node, b.Node); c != 0 {
		return c
	}
	if c := cmp.Compare(a.GPUIndex, b.GPUIndex); c != 0 {
		return c
	}
	x, ok := a.MIGInstance.Get()
	y, ok2 := b.MIGInstance.Get()
	switch {
	case ok == ok2:
		return cmp.Compare(x, y)
	case ok2:
		return -1
	}
	return 1
}

// merger merges sorted runs, one thing at a time: a pod's rows of all runs, then
// the next pod's. It holds a block of each run and the rows of one thing.
type merger[T any] struct {
	order[T]
	runs  []*sortedRun[T]
	group []T
	err   error // after the last of next
	ahead *ahead[T]
}

// next returns the next thing's rows in order of time, until the call after it;
// none at the end.
func (m *merger[T]) next() []T {
	if m.ahead != nil {
		return m.ahead.next()
	}
	return m.merge()
}

// merge merges the next thing's rows. Of rows of one instant those of the
// earlier run come first.
func (m *merger[T]) merge() []T {
	m.group = m.group[:0]
	var least *T
	left := m.runs[:0]
	for _, r := range m.runs {
		if m.err == nil {
			m.err = r.fill()
		}
		if len(r.rows) == 0 {
			continue
		}
		left = append(left, r)
		if least == nil || m.thing(&r.rows[0], least) < 0 {
			least = &r.rows[0]
		}
	}
	m.runs = left
	if least == nil || m.err != nil {
		return nil
	}
	first := *least // its block may be read over
	sorted := true
	for _, r := range m.runs {
		for len(r.rows) > 0 && m.err == nil {
			n := 0
			for n < len(r.rows) && m.thing(&r.rows[n], &first) == 0 {
				n++
			}
			if k := len(m.group); n > 0 && k > 0 && m.ts(&r.rows[0]).Before(m.ts(&m.group[k-1])) {
				sorted = false
			}
			m.group = append(m.group, r.rows[:n]...)
			if r.rows = r.rows[n:]; len(r.rows) > 0 {
				break
			}
			m.err = r.fill()
		}
	}
	if m.err != nil {
		return nil
	}
	if !sorted {
		slices.SortStableFunc(m.group, func(a, b T) int { return m.ts(&a).Compare(m.ts(&b)) })
	}
	if !m.gaps && m.anyTwice() {
		m.group = slices.CompactFunc(m.group, func(a, b T) bool { return m.ts(&a).Equal(m.ts(&b)) })
	}
	return m.group
}

// anyTwice reports whether an instant has several rows: rows are large, and
// comparing them by value copies each.
func (m *merger[T]) anyTwice() bool {
	for i := 1; i < len(m.group); i++ {
		if m.ts(&m.group[i]).Equal(m.ts(&m.group[i-1])) {
			return true
		}
	}
	return false
}

// each gives every row of the merger to do.
func each[T any](m *merger[T], do func(*T)) error {
	for rows := m.next(); rows != nil; rows = m.next() {
		for i := range rows {
			do(&rows[i])
		}
	}
	return m.err
}
