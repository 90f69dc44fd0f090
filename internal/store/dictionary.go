package store

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// dictionary numbers a chunk's values in the order of their first use. They
// are found by open addressing: a map takes three times as long, which is what
// encoding a name would mostly be.
type dictionary struct {
	texts   []string
	numbers []int64
	bytes   int // of the texts
	slots   []slot
	shift   int // of a hash, which makes it a slot's index
}

// slot is a value's hash and its number, one up: 0 is a free slot.
type slot struct{ hash, id uint32 }

const fewSlots = 1 << 6

func (d *dictionary) len() int { return len(d.texts) + len(d.numbers) }

// reset empties the dictionary. One that has been much larger than this time
// would be slow to clear ever after.
func (d *dictionary) reset() {
	if len(d.slots) > fewSlots && len(d.slots) > 16*d.len() {
		d.slots = nil
	}
	clear(d.slots)
	clear(d.texts)
	d.texts, d.numbers, d.bytes = d.texts[:0], d.numbers[:0], 0
}

var textSeed = maphash.MakeSeed()

func (d *dictionary) text(v string) uint32 {
	id, isNew := find(d, &d.texts, v, uint32(maphash.String(textSeed, v)>>32))
	if isNew {
		d.bytes += len(v)
	}
	return id
}

func (d *dictionary) number(v int64) uint32 {
	id, _ := find(d, &d.numbers, v, uint32(uint64(v)*0x9E3779B97F4A7C15>>32))
	return id
}

// find returns the value's number among the entries, to which it adds a new one.
func find[V comparable](d *dictionary, entries *[]V, v V, hash uint32) (id uint32, isNew bool) {
	if 2*len(*entries) >= len(d.slots) {
		d.grow()
	}
	for i := int(hash >> d.shift); ; i = (i + 1) & (len(d.slots) - 1) {
		switch s := &d.slots[i]; {
		case s.id == 0:
			*entries = append(*entries, v)
			*s = slot{hash, uint32(len(*entries))}
			return s.id - 1, true
		case s.hash == hash && (*entries)[s.id-1] == v:
			return s.id - 1, false
		}
	}
}

// grow doubles the slots.
func (d *dictionary) grow() {
	old := d.slots
	d.slots = make([]slot, max(fewSlots, 2*len(old)))
	d.shift = 32 - bits.TrailingZeros(uint(len(d.slots)))
	for _, s := range old {
		if s.id > 0 {
			i := int(s.hash >> d.shift)
			for d.slots[i].id > 0 {
				i = (i + 1) & (len(d.slots) - 1)
			}
			d.slots[i] = s
		}
	}
}

// appendPage appends the dictionary page. Unlike a data page it cannot say
// that it is not compressed.
func (d *dictionary) appendPage(dst []byte, k kind, s *workspace) (page []byte, size int) {
	s.values = plainNumbers(s.values[:0], d.numbers, k)
	for _, v := range d.texts {
		s.values = binary.LittleEndian.AppendUint32(s.values, uint32(len(v)))
		s.values = append(s.values, v...)
	}
	s.compressed = zstdEncoder().EncodeAll(s.values, s.compressed[:0])
	body := s.compressed
	header := format.PageHeader{Type: format.DictionaryPage, UncompressedPageSize: int32(len(s.values)),
		CompressedPageSize: int32(len(body)), CRC: checksum(body),
		DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: int32(d.len()), Encoding: format.Plain})}
	start := len(dst)
	dst = appendThrift(dst, &header)
	return append(dst, body...), len(dst) - start + len(s.values)
}
