package store

import (
	"encoding/binary"
	"math"
)

// longestBound is the longest string that is kept as a minimum or maximum.
const longestBound = 64

// bounds are the least and the greatest value of a page or chunk.
type bounds struct {
	some        bool // there are values
	least, most int64
	leastText   string
	mostText    string
}

// bounds are those of the page's values.
func (c *chunk) bounds() (b bounds) {
	k := c.column.kind
	switch {
	case k == kindBoolean:
		for _, r := range c.ids {
			b.add(k, int64(r.value))
		}
	case k == kindString && c.coded:
		for _, r := range c.ids {
			b.addText(c.entries.texts[r.value])
		}
	case k == kindString:
		b = c.texts.bounds
	case c.coded:
		for _, r := range c.ids {
			b.add(k, c.entries.numbers[r.value])
		}
	default:
		for _, v := range c.numbers {
			b.add(k, v)
		}
	}
	return b
}

func (b *bounds) addText(v string) {
	switch {
	case !b.some:
		b.some, b.leastText, b.mostText = true, v, v
	case v < b.leastText:
		b.leastText = v
	case v > b.mostText:
		b.mostText = v
	}
}

func (b *bounds) add(k kind, v int64) {
	if k == kindDouble {
		v = ordered(v)
	}
	if !b.some {
		b.some, b.least, b.most = true, v, v
	}
	b.least, b.most = min(b.least, v), max(b.most, v)
}

// ordered maps the bits of doubles to integers of the same order, and back. A
// NaN is beyond the infinities.
func ordered(v int64) int64 { return v ^ v>>63&math.MaxInt64 }

// join makes b the bounds of its values and the other's.
func (b *bounds) join(other bounds) {
	switch {
	case !other.some:
	case !b.some:
		*b = other
	default:
		b.least, b.most = min(b.least, other.least), max(b.most, other.most)
		b.leastText, b.mostText = min(b.leastText, other.leastText), max(b.mostText, other.mostText)
	}
}

// encode is the bounds as a file states them; ok is false where it may not:
// there are no values, one is a NaN, or a string is too long to be repeated.
func (b *bounds) encode(k kind) (least, most []byte, ok bool) {
	if !b.some {
		return nil, nil, false
	}
	switch k {
	case kindString:
		return []byte(b.leastText), []byte(b.mostText), len(b.leastText) <= longestBound && len(b.mostText) <= longestBound
	case kindBoolean:
		return []byte{byte(b.least)}, []byte{byte(b.most)}, true
	case kindInt:
		return binary.LittleEndian.AppendUint32(nil, uint32(b.least)), binary.LittleEndian.AppendUint32(nil, uint32(b.most)), true
	case kindDouble:
		infinity := int64(math.Float64bits(math.Inf(1)))
		if b.most > infinity || b.least < ordered(int64(math.Float64bits(math.Inf(-1)))) {
			return nil, nil, false
		}
		// A zero stands for both zeros: −0 as the least, +0 as the most.
		return eightBytes(ordered(b.least - b2i(b.least == 0))), eightBytes(ordered(b.most + b2i(b.most == -1))), true
	}
	return eightBytes(b.least), eightBytes(b.most), true
}

func b2i(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func eightBytes(v int64) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(v)) }
