package store

import (
	"fmt"
	"hash/crc32"
	"sync"

	"github.com/klauspost/compress/zstd"
)

const (
	// bytesToCompress is the least that is worth a compressor's time.
	bytesToCompress = 192
	// maxPageBytes is the largest page that is read, decompressed. Data pages are
	// a few hundred KiB, dictionaries a few MiB.
	maxPageBytes = 64 << 20
	// mostShrunk bounds what zstd can make of a byte: 128 KiB of a block of four.
	mostShrunk = 128 << 10 / 4
)

var (
	zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
			zstd.WithWindowSize(64<<10), zstd.WithLowerEncoderMem(true), // a larger window finds hardly more in a page
			// Random text such as UIDs repeats nothing, and still a code for each byte saves a sixth.
			zstd.WithAllLitEntropyCompression(true))
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

// compress returns src as a zstd frame, or nil where that would not be smaller.
// The result is good until the next call.
func (s *workspace) compress(src []byte) []byte {
	if len(src) < bytesToCompress {
		return nil
	}
	if s.compressed = zstdEncoder().EncodeAll(src, s.compressed[:0]); len(s.compressed) < len(src) {
		return s.compressed
	}
	return nil
}

// checksum is the CRC-32 of a page's bytes as the file has them, without the
// header, in which it stands.
func checksum(parts ...[]byte) int32 {
	sum := uint32(0)
	for _, part := range parts {
		sum = crc32.Update(sum, crc32.IEEETable, part)
	}
	return int32(sum)
}

// decompress returns the size bytes that the zstd frame src holds, in space if
// they fit.
func decompress(space, src []byte, size int) ([]byte, error) {
	if size < 0 || size > maxPageBytes || size/mostShrunk > len(src) {
		return nil, fmt.Errorf("%d bytes cannot be a page of %d", len(src), size)
	}
	if cap(space) < size {
		space = make([]byte, size)
	}
	out, err := zstdDecoder().DecodeAll(src, space[:0:size])
	if err == nil && len(out) != size {
		err = fmt.Errorf("a page is %d bytes, its header says %d", len(out), size)
	}
	return out, err
}
