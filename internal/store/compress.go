package store

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync"

	"github.com/klauspost/compress/huff0"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
)

const (
	// bytesToCompress is the least that is worth a compressor's time.
	bytesToCompress = 192
	// maxPageBytes is the largest page that is read, decompressed. Ours are a
	// few hundred KiB, those of other writers one MiB.
	maxPageBytes = 64 << 20
	// mostShrunk bounds what zstd can make of a byte: 128 KiB of a block of four.
	mostShrunk = 128 << 10 / 4
)

var (
	zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
			zstd.WithWindowSize(64<<10), zstd.WithLowerEncoderMem(true)) // a larger one finds hardly more in a page
		if err != nil {
			panic(err) // the options do not go together: a mistake in this program
		}
		return e
	})
	zstdDecoder = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true))
		if err != nil {
			panic(err)
		}
		return d
	})
)

// compressor makes zstd frames and keeps the memory that it needs for it.
type compressor struct {
	whole, parts []byte
	huffman      huff0.Scratch
}

// frames is how a chunk's pages become zstd frames.
type frames int

const (
	framesUnknown frames = iota
	framesWhole          // as the library makes them: it looks for repetitions
	framesParts          // the same up to a split, then a code for each byte, by frequency
)

// compress returns src as a zstd frame, or nil where that would not be
// smaller. The first page of a chunk takes the smaller of two frames, and the
// chunk's other pages are made like it. The one in parts is what random text
// such as UIDs needs; the library gives such text up as incompressible. The
// result is good until the next call.
func (c *compressor) compress(src []byte, split int, f *frames) []byte {
	if len(src) < bytesToCompress {
		return nil
	}
	best := src
	if *f != framesParts {
		c.whole = zstdEncoder().EncodeAll(src, c.whole[:0])
		best = c.whole
	}
	if *f != framesWhole {
		c.inParts(src, split, len(best))
		if len(c.parts) < len(best) {
			best = c.parts
		}
	}
	if *f == framesUnknown {
		if *f = framesWhole; &best[0] == &c.parts[0] {
			*f = framesParts
		}
	}
	if len(best) >= len(src) {
		return nil
	}
	return best
}

// inParts makes a frame in parts, but no longer than most bytes.
func (c *compressor) inParts(src []byte, split, most int) {
	c.begin(len(src))
	if split > 0 {
		start := len(c.parts)
		c.parts = zstdEncoder().EncodeAll(src[:split], c.parts)
		c.parts = withoutFrame(c.parts, start)
	}
	for rest := src[split:]; len(rest) > 0 && len(c.parts) < most; {
		n := min(len(rest), 128<<10)
		c.block(rest[:n], n == len(rest))
		rest = rest[n:]
	}
}

// frame returns src as a zstd frame, smaller or not.
func (c *compressor) frame(src []byte) []byte {
	var any frames
	if best := c.compress(src, 0, &any); best != nil {
		return best
	}
	c.inParts(src, 0, math.MaxInt)
	return c.parts
}

// begin writes the header of a frame: one segment, and its size.
func (c *compressor) begin(size int) {
	c.parts = append(c.parts[:0], 0x28, 0xB5, 0x2F, 0xFD)
	if size < 256 {
		c.parts = append(c.parts, 0x20, byte(size))
		return
	}
	c.parts = binary.LittleEndian.AppendUint32(append(c.parts, 0xA0), uint32(size))
}

// block appends a block that has no sequences, only literals.
func (c *compressor) block(src []byte, last bool) {
	header := func(kind, size int) {
		head := uint32(size<<3 | kind<<1)
		if last {
			head |= 1
		}
		c.parts = append(c.parts, byte(head), byte(head>>8), byte(head>>16))
	}
	coded, err := []byte(nil), huff0.ErrIncompressible
	if len(src) >= bytesToCompress {
		c.huffman.Reuse = huff0.ReusePolicyNone
		coded, _, err = huff0.Compress4X(src, &c.huffman)
	}
	switch {
	case err == huff0.ErrUseRLE:
		header(1, len(src))
		c.parts = append(c.parts, src[0])
	case err != nil || len(coded)+6 >= len(src):
		header(0, len(src))
		c.parts = append(c.parts, src...)
	default:
		header(2, 5+len(coded)+1)
		sizes := uint64(2|3<<2) | uint64(len(src))<<4 | uint64(len(coded))<<22 // compressed, in four streams, sizes of 18 bits
		c.parts = append(c.parts, byte(sizes), byte(sizes>>8), byte(sizes>>16), byte(sizes>>24), byte(sizes>>32))
		c.parts = append(c.parts, coded...)
		c.parts = append(c.parts, 0) // sequences
	}
}

// withoutFrame takes the frame's header out of b, where it begins at start,
// and makes its last block one that others follow.
func withoutFrame(b []byte, start int) []byte {
	descriptor := b[start+4]
	size := 5 + [...]int{0, 2, 4, 8}[descriptor>>6]
	if single := descriptor&0x20 != 0; !single || descriptor>>6 == 0 {
		size++ // of the window, or of the content
	}
	b = append(b[:start], b[start+size:]...)
	for at := start; ; {
		head := int(b[at]) | int(b[at+1])<<8 | int(b[at+2])<<16
		if head&1 != 0 {
			b[at] &^= 1
			return b
		}
		if kind := head >> 1 & 3; kind == 1 {
			at += 3 + 1
		} else {
			at += 3 + head>>3
		}
	}
}

// decompress returns the size bytes that src holds, in space if they fit.
func decompress(codec format.CompressionCodec, space, src []byte, size int) ([]byte, error) {
	if size < 0 || size > maxPageBytes || size/mostShrunk > len(src) {
		return nil, fmt.Errorf("%d bytes cannot be a page of %d", len(src), size)
	}
	var out []byte
	var err error
	switch codec {
	case format.Uncompressed:
		out = src
	case format.Zstd:
		if cap(space) < size {
			space = make([]byte, size)
		}
		out, err = zstdDecoder().DecodeAll(src, space[:0:size])
	case format.Snappy:
		if n, err := s2.DecodedLen(src); err != nil || n != size {
			return nil, fmt.Errorf("a page is not the %d bytes of its header", size)
		}
		out, err = s2.Decode(space[:0], src)
	default:
		err = fmt.Errorf("codec %v is not supported", codec)
	}
	if err == nil && len(out) != size {
		err = fmt.Errorf("a page is %d bytes, its header says %d", len(out), size)
	}
	return out, err
}

// supported reports whether decompress knows the codec.
func supported(codec format.CompressionCodec) bool {
	return codec == format.Uncompressed || codec == format.Zstd || codec == format.Snappy
}
