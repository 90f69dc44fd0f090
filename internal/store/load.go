package store

import (
	"cmp"
	"slices"
)

// passedOver is how many bytes of columns that are not wanted cost less to read
// than a request.
const passedOver = 64 << 10

// loaded is the pages of a row group, by column.
type loaded struct {
	pages [][]byte
	err   error
}

// load begins to read a row group, and at once has that of a file in memory.
func (r *Reader[T]) load(g *group) {
	ahead := make(chan loaded, 1)
	if r.ahead = ahead; r.name == "" {
		pages, err := r.pages(g)
		ahead <- loaded{pages, err}
		return
	}
	go func() {
		pages, err := r.pages(g)
		ahead <- loaded{pages, err}
	}()
}

// pages reads the pages of the columns that are wanted. It may be on its way
// while rows are read.
func (r *Reader[T]) pages(g *group) ([][]byte, error) {
	pages := make([][]byte, len(r.chunks))
	var wanted []int // columns, as their chunks lie in the file
	for i, at := range r.chunks {
		if at < 0 {
			continue
		}
		c := &r.table.columns[i]
		if err := g.Chunks[at].Info.check(c, g.Rows, r.size); err != nil {
			return nil, r.corrupt(c, err)
		}
		wanted = append(wanted, i)
	}
	span := func(i int) (start, end int64) { return g.Chunks[r.chunks[i]].Info.span() }
	slices.SortFunc(wanted, func(a, b int) int {
		x, _ := span(a)
		y, _ := span(b)
		return cmp.Compare(x, y)
	})
	for len(wanted) > 0 { // chunks that lie close together are one request
		first, last := span(wanted[0])
		n := 1
		for ; n < len(wanted); n++ {
			start, end := span(wanted[n])
			if start > last+passedOver {
				break
			}
			last = max(last, end)
		}
		var body []byte
		if first < last {
			var err error
			if body, err = r.fetch(first, last); err != nil {
				return nil, err
			}
		}
		for _, i := range wanted[:n] {
			if start, end := span(i); start < end {
				pages[i] = body[start-first : end-first]
			}
		}
		wanted = wanted[n:]
	}
	return pages, nil
}
