package store

import (
	"encoding/binary"

	"github.com/parquet-go/parquet-go/format"
)

// dictionary numbers a chunk's values in the order of their first use.
type dictionary struct {
	texts     []string
	numbers   []int64
	textIDs   map[string]uint32
	numberIDs map[int64]uint32
	recent    [256]uint32 // numbers' IDs by a hash, as far as they are true: most numbers that recur do so soon
	bytes     int         // of the texts
}

func (d *dictionary) len() int { return len(d.texts) + len(d.numbers) }

// reset empties the dictionary. A map that has been large would be slow to
// clear ever after.
func (d *dictionary) reset() {
	if d.len() > 1024 {
		d.textIDs, d.numberIDs = nil, nil
	}
	clear(d.textIDs)
	clear(d.numberIDs)
	clear(d.texts)
	d.texts, d.numbers, d.bytes = d.texts[:0], d.numbers[:0], 0
}

func (d *dictionary) text(v string) uint32 {
	if last := len(d.texts) - 1; last >= 0 && d.texts[last] == v {
		return uint32(last)
	}
	id, ok := d.textIDs[v]
	if !ok {
		if d.textIDs == nil {
			d.textIDs = map[string]uint32{}
		}
		id = uint32(len(d.texts))
		d.textIDs[v] = id
		d.texts = append(d.texts, v)
		d.bytes += len(v)
	}
	return id
}

func (d *dictionary) number(v int64) uint32 {
	recent := &d.recent[uint64(v)*0x9E3779B97F4A7C15>>56]
	if int(*recent) < len(d.numbers) && d.numbers[*recent] == v {
		return *recent
	}
	id, ok := d.numberIDs[v]
	if !ok {
		if d.numberIDs == nil {
			d.numberIDs = map[int64]uint32{}
		}
		id = uint32(len(d.numbers))
		d.numberIDs[v] = id
		d.numbers = append(d.numbers, v)
	}
	*recent = id
	return id
}

// appendPage appends the dictionary page. Unlike a data page it cannot say
// that it is not compressed.
func (d *dictionary) appendPage(dst []byte, k kind, s *workspace) (page []byte, size int) {
	s.values = plainNumbers(s.values[:0], d.numbers, k)
	for _, v := range d.texts {
		s.values = binary.LittleEndian.AppendUint32(s.values, uint32(len(v)))
		s.values = append(s.values, v...)
	}
	body := s.frame(s.values)
	h := &s.header
	h.b = h.b[:0]
	h.i32(1, int(format.DictionaryPage))
	h.i32(2, len(s.values))
	h.i32(3, len(body))
	h.open(7)
	h.i32(1, d.len())
	h.i32(2, int(format.Plain))
	h.shut()
	h.shut()
	return append(append(dst, h.b...), body...), len(h.b) + len(s.values)
}
