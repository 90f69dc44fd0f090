package store

import (
	"encoding/binary"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// dictionary numbers a chunk's values in the order of their first use.
type dictionary struct {
	texts     []string
	numbers   []int64
	bytes     int // of the texts
	textIDs   map[string]uint32
	numberIDs map[int64]uint32
}

func (d *dictionary) len() int { return len(d.texts) + len(d.numbers) }

// keptEntries is how many entries a map may have had that is used again. One
// that has been large would be slow to clear ever after.
const keptEntries = 1 << 10

// reset empties the dictionary.
func (d *dictionary) reset() {
	if d.textIDs == nil || d.len() > keptEntries {
		d.textIDs, d.numberIDs = map[string]uint32{}, map[int64]uint32{}
	}
	clear(d.textIDs)
	clear(d.numberIDs)
	clear(d.texts)
	d.texts, d.numbers, d.bytes = d.texts[:0], d.numbers[:0], 0
}

func (d *dictionary) text(v string) uint32 {
	id, ok := d.textIDs[v]
	if !ok {
		id = uint32(len(d.texts))
		d.textIDs[v], d.texts, d.bytes = id, append(d.texts, v), d.bytes+len(v)
	}
	return id
}

func (d *dictionary) number(v int64) uint32 {
	id, ok := d.numberIDs[v]
	if !ok {
		id = uint32(len(d.numbers))
		d.numberIDs[v], d.numbers = id, append(d.numbers, v)
	}
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
	s.compressed = zstdEncoder().EncodeAll(s.values, s.compressed[:0])
	body := s.compressed
	header := format.PageHeader{Type: format.DictionaryPage, UncompressedPageSize: int32(len(s.values)),
		CompressedPageSize: int32(len(body)), CRC: checksum(body),
		DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: int32(d.len()), Encoding: format.Plain})}
	start := len(dst)
	dst = appendThrift(dst, &header)
	return append(dst, body...), len(dst) - start + len(s.values)
}
