package store

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// This file is DELTA_BINARY_PACKED: the first integer, then differences, in
// blocks of 128 that share a minimum and miniblocks of 32 that share a width.
//
// Widths are whole bytes, and a minimum below zero is the least that as many
// bytes can hold. The page is larger for it and the compressed page smaller: an
// equal difference is the same bytes wherever it stands, which zstd finds.

const (
	deltaBlock = 128
	deltaMini  = 32
)

// appendDelta appends the encoded integers. Differences of 32-bit integers wrap
// at 32 bits.
func appendDelta(dst []byte, values []int64, narrow bool) []byte {
	dst = binary.AppendUvarint(dst, deltaBlock)
	dst = binary.AppendUvarint(dst, deltaBlock/deltaMini)
	dst = binary.AppendUvarint(dst, uint64(len(values)))
	if len(values) == 0 {
		return append(dst, 0)
	}
	last := values[0]
	dst = binary.AppendVarint(dst, last)
	for values = values[1:]; len(values) > 0; {
		var block [deltaBlock]uint64
		n, least := min(deltaBlock, len(values)), int64(math.MaxInt64)
		for i, v := range values[:n] {
			d := v - last
			if narrow {
				d = int64(int32(d))
			}
			block[i], last, least = uint64(d), v, min(least, d)
		}
		values = values[n:]
		if least = min(least, 0); least < 0 {
			least = -1 << (wholeBytes(uint64(^least)<<1|1) - 1)
		}
		dst = binary.AppendVarint(dst, least)
		widths := len(dst)
		dst = append(dst, 0, 0, 0, 0)
		for i := 0; i < n; i += deltaMini {
			mini, all := block[i:i+deltaMini], uint64(0)
			for j := range mini[:min(deltaMini, n-i)] {
				mini[j] -= uint64(least)
				all |= mini[j]
			}
			if width := wholeBytes(all); width > 0 {
				dst[widths+i/deltaMini] = byte(width)
				dst = packed(dst, mini, width)
			}
		}
	}
	return dst
}

// wholeBytes is how many bits the bytes have that v takes.
func wholeBytes(v uint64) int { return (bits.Len64(v) + 7) &^ 7 }

// deltaReader reads such integers.
type deltaReader struct {
	b      []byte
	left   int // values that are not in ready yet
	value  int64
	first  bool // value is the next one, not the last one
	least  int64
	widths []byte // of the block's miniblocks that are not read yet
	narrow bool
	ready  []uint64 // the rest of the miniblock, decoded
	space  []uint64
}

// open begins to read b.
func (r *deltaReader) open(b []byte, narrow bool) error {
	*r = deltaReader{b: b, narrow: narrow, first: true, space: r.space}
	block, minis, left := r.uint(), r.uint(), r.uint()
	first, n := binary.Varint(r.b)
	if n <= 0 || block != deltaBlock || minis != deltaBlock/deltaMini || left > maxRows {
		return errShort
	}
	r.b = r.b[n:]
	r.left, r.value = int(left), first
	return nil
}

func (r *deltaReader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	r.b = r.b[max(n, 0):]
	if n <= 0 {
		r.b = nil
	}
	return v
}

// next finds the next miniblock: where its packed bytes begin, their width and
// how many values it holds.
func (r *deltaReader) next() (packed []byte, width, n int, err error) {
	if len(r.widths) == 0 {
		least, n := binary.Varint(r.b)
		if n <= 0 || n+deltaBlock/deltaMini > len(r.b) {
			return nil, 0, 0, errShort
		}
		r.b = r.b[n:]
		r.least, r.widths, r.b = least, r.b[:deltaBlock/deltaMini], r.b[deltaBlock/deltaMini:]
	}
	width = int(r.widths[0])
	r.widths = r.widths[1:]
	size := deltaMini / 8 * width
	if width > 64 || size > len(r.b) {
		return nil, 0, 0, errShort
	}
	packed, r.b = r.b, r.b[size:]
	n = min(deltaMini, r.left)
	r.left -= n
	return packed, width, n, nil
}

// read fills dst with integers.
func (r *deltaReader) read(dst []int64) error {
	if r.first && len(dst) > 0 {
		if r.left == 0 {
			return errShort
		}
		dst[0], dst, r.first = r.value, dst[1:], false
		r.left--
	}
	for len(dst) > 0 {
		if len(r.ready) == 0 {
			if r.left == 0 {
				return errShort
			}
			packed, width, n, err := r.next()
			if err != nil {
				return err
			}
			if r.space == nil {
				r.space = make([]uint64, deltaMini)
			}
			r.ready = r.space[:n]
			unpack(r.ready, packed, 0, width)
		}
		n := min(len(dst), len(r.ready))
		value := r.value
		for i, d := range r.ready[:n] {
			value += r.least + int64(d)
			if r.narrow {
				value = int64(int32(value))
			}
			dst[i] = value
		}
		r.value, dst, r.ready = value, dst[n:], r.ready[n:]
	}
	return nil
}

// after is what follows the integers that b begins with.
func (r *deltaReader) after(b []byte) ([]byte, error) {
	if err := r.open(b, true); err != nil {
		return nil, err
	}
	for r.left--; r.left > 0; {
		if _, _, _, err := r.next(); err != nil {
			return nil, err
		}
	}
	return r.b, nil
}
