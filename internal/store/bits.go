package store

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// This file packs numbers into as many bits as they need: runs of dictionary
// entries and levels (RLE) and differences of integers (DELTA_BINARY_PACKED).

var errShort = errors.New("a page ends before its values do")

// run is a value and how often it stands there in a row.
type run struct{ value, count uint32 }

// push appends n of the value to the runs.
func push(runs []run, value uint32, n int) []run {
	if last := len(runs) - 1; last >= 0 && runs[last].value == value {
		runs[last].count += uint32(n)
		return runs
	}
	return append(runs, run{value, uint32(n)})
}

// packed appends the low bits of each value, the first value in the lowest.
func packed(dst []byte, values []uint64, width int) []byte {
	var word uint64
	filled := 0
	for _, v := range values {
		word |= v << filled
		if filled += width; filled >= 64 {
			dst = binary.LittleEndian.AppendUint64(dst, word)
			filled -= 64
			word = v >> (width - filled)
		}
	}
	for ; filled > 0; filled -= 8 {
		dst = append(dst, byte(word))
		word >>= 8
	}
	return dst
}

// appendBits appends a bit for each value of the runs.
func appendBits(dst []byte, runs []run) []byte {
	n := 0
	for _, r := range runs {
		for range r.count {
			if n%8 == 0 {
				dst = append(dst, 0)
			}
			dst[len(dst)-1] |= byte(r.value << (n % 8))
			n++
		}
	}
	return dst
}

// unpack reads values that begin at a bit of b. What follows them in b is not
// looked at, but there it makes reading fast.
func unpack(dst []uint64, b []byte, bit, width int) {
	mask := uint64(1)<<width - 1
	if width <= 56 { // with the bits before it in its first byte, at most a word
		for len(dst) > 0 && bit>>3+8 <= len(b) {
			dst[0] = binary.LittleEndian.Uint64(b[bit>>3:]) >> (bit & 7) & mask
			dst = dst[1:]
			bit += width
		}
	}
	for i := range dst {
		at, shift := bit>>3, bit&7
		if at+9 > len(b) {
			unpackEnd(dst[i:], b, bit, width)
			return
		}
		v := binary.LittleEndian.Uint64(b[at:]) >> shift
		if shift+width > 64 {
			v |= uint64(b[at+8]) << (64 - shift)
		}
		dst[i] = v & mask
		bit += width
	}
}

// unpackEnd is unpack where b ends, as if zeros followed.
func unpackEnd(dst []uint64, b []byte, bit, width int) {
	for i := range dst {
		v := uint64(0)
		for j := range width {
			if at := bit >> 3; at < len(b) {
				v |= uint64(b[at]>>(bit&7)&1) << j
			}
			bit++
		}
		dst[i] = v
	}
}

// appendRuns appends values in the RLE / bit-packed hybrid: all as runs where
// that is not longer, because equal bytes then stand in equal places for the
// compressor, else long runs as such and the rest packed in groups of eight.
func appendRuns(dst []byte, runs []run, width int) []byte {
	const most = 63 * 8 // values whose header is one byte
	asRuns, start := 0, len(dst)
	var some [most]uint64
	n := 0
	pack := func() {
		if n > 0 {
			groups := (n + 7) / 8
			clear(some[n : groups*8])
			dst = append(dst, byte(groups<<1|1))
			dst = packed(dst, some[:groups*8], width)
			n = 0
		}
	}
	for _, r := range runs {
		asRuns += (bits.Len32(r.count)+7)/7 + (width+7)/8
		left := int(r.count)
		for left > 0 {
			if n%8 == 0 && left >= 8 && left*width >= 64 {
				pack()
				dst = appendRun(dst, r.value, left, width)
				break
			}
			for k := min(left, 8-n%8); k > 0; k-- {
				some[n] = uint64(r.value)
				n++
				left--
			}
			if n == most {
				pack()
			}
		}
	}
	pack()
	if asRuns > len(dst)-start {
		return dst
	}
	dst = dst[:start]
	for _, r := range runs {
		dst = appendRun(dst, r.value, int(r.count), width)
	}
	return dst
}

func appendRun(dst []byte, value uint32, count, width int) []byte {
	dst = binary.AppendUvarint(dst, uint64(count)<<1)
	for ; width > 0; width -= 8 {
		dst = append(dst, byte(value))
		value >>= 8
	}
	return dst
}

// runReader reads the hybrid that appendRuns writes.
type runReader struct {
	b      []byte // what follows the run
	width  int
	left   int    // values that are left of the run
	value  uint64 // of the run, unless it is packed
	packed []byte
	bit    int // the next packed value begins here
}

// next begins the next run.
func (r *runReader) next() error {
	head, n := binary.Uvarint(r.b)
	if n <= 0 || head>>1 > 1<<31 {
		return errShort
	}
	r.b = r.b[n:]
	r.left = int(head >> 1)
	if head&1 == 0 {
		size := (r.width + 7) / 8
		if size > len(r.b) {
			r.left, r.b = 0, nil
			return errShort
		}
		r.value, r.packed = 0, nil
		for i, v := range r.b[:size] {
			r.value |= uint64(v) << (8 * i)
		}
		r.b = r.b[size:]
		return nil
	}
	size := r.left * r.width
	if size > len(r.b) {
		r.left, r.b = 0, nil
		return errShort
	}
	r.left *= 8
	r.packed, r.bit, r.b = r.b, 0, r.b[size:]
	return nil
}

// longRun is how many values are worth being treated as one.
const longRun = 16

// long reads up to most values, if the next ones are a long run or all equal.
// Else it reads none, and leaves it to read to find out why.
func (r *runReader) long(most int) (value uint64, n int) {
	for r.left == 0 {
		if r.next() != nil {
			return 0, 0
		}
	}
	if n = min(r.left, most); r.packed != nil || n < min(most, longRun) {
		return 0, 0
	}
	r.left -= n
	return r.value, n
}

// read fills dst with values.
func (r *runReader) read(dst []uint64) error {
	for len(dst) > 0 {
		if r.left == 0 {
			if err := r.next(); err != nil {
				return err
			}
			continue
		}
		n := min(r.left, len(dst))
		if r.packed == nil {
			for i := range dst[:n] {
				dst[i] = r.value
			}
		} else {
			unpack(dst[:n], r.packed, r.bit, r.width)
			r.bit += n * r.width
		}
		r.left -= n
		dst = dst[n:]
	}
	return nil
}
