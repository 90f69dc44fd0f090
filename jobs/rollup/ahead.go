package rollup

// aheadRows is how many rows are merged ahead of who reads them, at least.
const aheadRows = 2048

// ahead lets a merger work beside who reads it, a few batches of things ahead.
type ahead[T any] struct {
	full, empty chan *things[T]
	stopped     chan struct{}
	now         *things[T] // being read
	at          int        // the next of its things
}

// things are the rows of some things, and where those of each end.
type things[T any] struct {
	rows []T
	ends []int
}

// start lets the merger work ahead, until it is at its end or stop is called.
func (m *merger[T]) start() (stop func()) {
	const batches = 3
	a := &ahead[T]{full: make(chan *things[T], batches), empty: make(chan *things[T], batches), stopped: make(chan struct{})}
	for range batches {
		a.empty <- &things[T]{}
	}
	go func() {
		defer close(a.full)
		for more := true; more; {
			var b *things[T]
			select {
			case b = <-a.empty:
			case <-a.stopped:
				return
			}
			b.rows, b.ends = b.rows[:0], b.ends[:0]
			for more && len(b.rows) < aheadRows {
				rows := m.merge()
				if more = rows != nil; more {
					b.rows = append(b.rows, rows...)
					b.ends = append(b.ends, len(b.rows))
				}
			}
			a.full <- b // has room for all there are
		}
	}()
	m.ahead = a
	return func() {
		close(a.stopped)
		for range a.full { // until the merger has ended
		}
	}
}

func (a *ahead[T]) next() []T {
	for a.now == nil || a.at == len(a.now.ends) {
		if a.now != nil {
			a.empty <- a.now
		}
		b, ok := <-a.full
		if !ok {
			a.now = nil
			return nil
		}
		a.now, a.at = b, 0
	}
	from := 0
	if a.at > 0 {
		from = a.now.ends[a.at-1]
	}
	a.at++
	return a.now.rows[from:a.now.ends[a.at-1]]
}
