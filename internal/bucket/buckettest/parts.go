package buckettest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/bucket"
)

// ranges: a part is that part of the content, without the bytes beyond the content's end.
func ranges(t *testing.T, b bucket.Bucket) {
	for _, content := range []string{"0123456789", "", "\x1f\x8bnot gzip"} {
		etag, size := put(t, b, "x.parquet", []byte(content), bucket.PutOptions{}), int64(len(content))
		for _, r := range []bucket.Range{{Bytes: 1}, {Bytes: 10}, {Bytes: 4, Start: 3}, {Bytes: 1, Start: 9}, {Bytes: 7, Start: 9},
			{Bytes: 1, Start: 10},
			{Bytes: 5, Start: 99}, {Bytes: math.MaxInt32, Start: 2}, {Last: 1}, {Last: 4}, {Last: 10}, {Last: 64 << 10}} {
			start, end := min(r.Start, size), min(r.Start+r.Bytes, size)
			if r.Last > 0 {
				start, end = max(0, size-r.Last), size
			}
			for _, r.IfMatch = range []string{"", etag} {
				p, err := b.GetRange(t.Context(), "x.parquet", r)
				if want := content[start:end]; err != nil || string(p.Body) != want || p.ETag != etag || p.Size != size {
					t.Errorf("GetRange of %q, %+v: %q of %d with ETag %q, %v; want %q with %q", content, r, p.Body, p.Size, p.ETag, err, want, etag)
				}
			}
		}
	}
	for _, r := range []bucket.Range{{}, {Start: -1, Bytes: 1}, {Bytes: -1}, {Last: -1}, {Start: 1}, {Start: 1, Bytes: 1, Last: 1}} {
		if _, err := b.GetRange(t.Context(), "x.parquet", r); err == nil || errors.Is(err, bucket.ErrNotExist) {
			t.Errorf("GetRange(%+v): %v, want an error", r, err)
		}
	}
}

// rangeIfMatch: a part of another version of the object is refused.
func rangeIfMatch(t *testing.T, b bucket.Bucket) {
	const name = "x.parquet"
	put(t, b, name, []byte("first"), bucket.PutOptions{})
	read := func(r bucket.Range) (bucket.Part, error) { return b.GetRange(t.Context(), name, r) }
	first, err := read(bucket.Range{Last: 2})
	if err != nil {
		t.Fatal(err)
	}
	put(t, b, name, []byte("other"), bucket.PutOptions{}) // as long, and hardly later
	for _, r := range []bucket.Range{{Bytes: 3, IfMatch: first.ETag}, {Last: 3, IfMatch: first.ETag}, {Start: 9, Bytes: 3,
		IfMatch: first.ETag}} {
		if p, err := read(r); !errors.Is(err, bucket.ErrPrecondition) || len(p.Body) > 0 {
			t.Errorf("GetRange of a replaced object, %+v: %q, %v; want ErrPrecondition", r, p.Body, err)
		}
	}
	other, err := read(bucket.Range{Last: 2})
	if err != nil || string(other.Body) != "er" {
		t.Fatalf("%q, %v", other.Body, err)
	}
	if p, err := read(bucket.Range{Bytes: 3, IfMatch: other.ETag}); err != nil || string(p.Body) != "oth" {
		t.Errorf("%q, %v", p.Body, err)
	}
	if err := b.Delete(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	if _, err := read(bucket.Range{Bytes: 3, IfMatch: other.ETag}); !errors.Is(err, bucket.ErrNotExist) {
		t.Errorf("GetRange of a deleted object: %v, want ErrNotExist", err)
	}
}

func nothing(io.Writer) error { return nil }

// stream: the object is what was written, in however many calls, and becomes visible as a whole. The sizes are close to
// those at which an upload is cut into parts.
func stream(t *testing.T, b bucket.Bucket) {
	const part = 8 << 20
	large := make([]byte, 2*part+part/2)
	rand.NewChaCha8([32]byte{2}).Read(large)
	for _, size := range []int{0, 1, 100_000, part, part + 1, 2 * part, len(large)} {
		before, _ := b.Get(t.Context(), "folder/large.parquet")
		etag, err := b.PutStream(t.Context(), "folder/large.parquet", func(w io.Writer) error {
			piece := make([]byte, 1_000_000) // used again, as a writer may
			for rest := large[:size]; len(rest) > 0; {
				n := copy(piece, rest)
				if written, err := w.Write(piece[:n]); err != nil || written != n {
					t.Errorf("Write of %d bytes: %d, %v", n, written, err)
				}
				rest = rest[n:]
			}
			if now, _ := b.Get(t.Context(), "folder/large.parquet"); now.ETag != before.ETag {
				t.Error("the object appears before it is written")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		o, infos := get(t, b, "folder/large.parquet"), list(t, b, "folder/")
		if !bytes.Equal(o.Body, large[:size]) {
			t.Errorf("got %d bytes back of %d, or others", len(o.Body), size)
		}
		if len(infos) != 1 || infos[0].Bytes != int64(size) || etag == "" || o.ETag != etag || infos[0].ETag != etag {
			t.Errorf("%d bytes: ETag %q of PutStream, %q of Get, List %+v", size, etag, o.ETag, infos)
		}
		if size > part {
			p, err := b.GetRange(t.Context(), "folder/large.parquet", bucket.Range{Start: part - 1, Bytes: 2, IfMatch: etag})
			if err != nil || !bytes.Equal(p.Body, large[part-1:][:2]) || p.Size != int64(size) {
				t.Errorf("GetRange across two parts: %d bytes of %d, %v", len(p.Body), p.Size, err)
			}
		}
	}
}

// streamFails: after an error, or after the context has ended, the old object is still there.
func streamFails(t *testing.T, b bucket.Bucket) {
	put(t, b, "old", []byte("old"), bucket.PutOptions{})
	failed := errors.New("no more")
	ends := map[string]struct {
		end  func(cancel func()) error
		want error
	}{
		"write fails":  {func(func()) error { return failed }, failed},
		"context ends": {func(cancel func()) error { cancel(); return nil }, context.Canceled},
		"a Get in it":  {func(func()) error { _, err := b.Get(t.Context(), "none"); return err }, bucket.ErrNotExist},
	}
	for _, size := range []int{0, 100, 9 << 20} {
		for name, c := range ends {
			for _, object := range []string{"old", "new"} {
				ctx, cancel := context.WithCancel(t.Context())
				_, err := b.PutStream(ctx, object, func(w io.Writer) error {
					if _, err := w.Write(make([]byte, size)); err != nil {
						return err
					}
					return c.end(cancel)
				})
				cancel()
				if !errors.Is(err, c.want) {
					t.Errorf("%s after %d bytes: %v, want %v", name, size, err, c.want)
				}
			}
		}
	}
	if got := names(list(t, b, "")); !slices.Equal(got, []string{"old"}) || string(get(t, b, "old").Body) != "old" {
		t.Errorf("the bucket changed: %q", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := b.PutStream(ctx, "old", func(w io.Writer) error {
		cancel()
		_, err := w.Write(make([]byte, 20<<20))
		if err == nil {
			t.Error("Write succeeds after the context's end")
		}
		return nil // who overlooks it
	})
	if !errors.Is(err, context.Canceled) || string(get(t, b, "old").Body) != "old" {
		t.Errorf("an overlooked error of Write: %v, want context.Canceled", err)
	}
}
