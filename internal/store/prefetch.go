package store

const (
	prefetchBatches   = 3    // batches that are merged ahead of the reader
	prefetchBatchRows = 2048 // rows of a batch, at least
)

// Prefetch merges in the background from now on, a few thousand rows ahead of
// the reader. stop ends that; it must be called, and Next not after it.
func (m *Merger[T]) Prefetch() (stop func()) {
	p := &prefetcher[T]{
		full:    make(chan *batch[T], prefetchBatches),
		empty:   make(chan *batch[T], prefetchBatches),
		stopped: make(chan struct{}),
	}
	for range prefetchBatches {
		p.empty <- &batch[T]{}
	}
	m.prefetch = p
	go p.run(m)
	return func() {
		close(p.stopped)
		for range p.full { // until run has ended
		}
	}
}

// prefetcher hands batches from the goroutine that merges to the one that reads,
// and empty ones back.
type prefetcher[T any] struct {
	full, empty chan *batch[T]
	stopped     chan struct{}
	current     *batch[T] // is being read
	position    int       // the next key of current
}

// batch holds rows grouped by key: ends[i] is the index after key i's last row.
type batch[T any] struct {
	rows []T
	ends []int
}

func (p *prefetcher[T]) run(m *Merger[T]) {
	defer close(p.full)
	for more := true; more; {
		var b *batch[T]
		select {
		case b = <-p.empty:
		case <-p.stopped:
			return
		}
		b.rows, b.ends = b.rows[:0], b.ends[:0]
		for more && len(b.rows) < prefetchBatchRows {
			rows := m.next()
			if more = rows != nil; more {
				b.rows = append(b.rows, rows...)
				b.ends = append(b.ends, len(b.rows))
			}
		}
		p.full <- b // never blocks: it has room for every batch
	}
}

func (p *prefetcher[T]) next() []T {
	for p.current == nil || p.position == len(p.current.ends) {
		if p.current != nil {
			p.empty <- p.current
		}
		b, ok := <-p.full
		if !ok {
			p.current = nil
			return nil
		}
		p.current, p.position = b, 0
	}
	from := 0
	if p.position > 0 {
		from = p.current.ends[p.position-1]
	}
	p.position++
	return p.current.rows[from:p.current.ends[p.position-1]]
}
