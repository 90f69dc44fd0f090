package bucket_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/bucket/buckettest"
)

func TestMem(t *testing.T) {
	buckettest.Conformance(t, func(*testing.T) bucket.Bucket { return bucket.Mem() })
}

func TestDir(t *testing.T) {
	buckettest.Conformance(t, func(t *testing.T) bucket.Bucket {
		return bucket.Dir(filepath.Join(t.TempDir(), "made", "on demand"))
	})
}

// Two values that share a directory are like two processes: each has its own lock.
func TestDirTwoWriters(t *testing.T) {
	buckettest.Conformance(t, func(t *testing.T) bucket.Bucket {
		root := t.TempDir()
		return buckettest.Alternate(bucket.Dir(root), bucket.Dir(root))
	})
}

func TestDirHiddenFilesAreNotObjects(t *testing.T) {
	root := t.TempDir()
	b := bucket.Dir(root)
	if _, err := b.Put(t.Context(), "a/b", []byte("{}"), bucket.PutOptions{Gzip: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Put(t.Context(), "a/b", nil, bucket.PutOptions{IfNoneMatch: true}); !errors.Is(err, bucket.ErrPrecondition) {
		t.Fatal(err)
	}
	for _, name := range []string{".tmp/unfinished", ".DS_Store", "a/.hidden", ".git/config"} {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if _, err := b.PutStream(t.Context(), "a/b", func(w io.Writer) error {
			io.WriteString(w,
				"half")
			return io.ErrUnexpectedEOF
		}); err == nil {
			t.Fatal("a broken stream is an object")
		}
	}
	if got := list(t, b); !slices.Equal(got, []string{"a/b"}) {
		t.Errorf("listed %q, want a/b", got)
	}
	if plain, err := os.ReadFile(filepath.Join(root, "a", "b")); err != nil || string(plain) != "{}" {
		t.Errorf("the file holds %q, %v; want the content itself", plain, err)
	}
	if entries, err := os.ReadDir(filepath.Join(root, ".tmp")); err != nil || len(entries) != 2 {
		t.Errorf("%v, %v in .tmp; want the lock and the leftover", entries, err)
	}
}

// The ETag of a file that was read before is not computed again, once its modification time identifies its content.
func TestDirRangeOfOldFile(t *testing.T) {
	root := t.TempDir()
	b, file := bucket.Dir(root), filepath.Join(root, "x")
	write := func(content string, at time.Time) {
		t.Helper()
		if _, err := b.Put(t.Context(), "x", []byte(content), bucket.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Now().Add(-time.Hour)
	write("first", at)
	first, err := b.GetRange(t.Context(), "x", bucket.Range{Last: 1})
	if err != nil {
		t.Fatal(err)
	}
	for i, start := range []int64{0, 2, 4} {
		if p, err := b.GetRange(t.Context(), "x", bucket.Range{Start: start, Bytes: 1, IfMatch: first.ETag}); err != nil ||
			p.Body[0] != "frt"[i] {
			t.Errorf("%q, %v", p.Body, err)
		}
	}
	write("other", at.Add(time.Nanosecond))
	if _, err := b.GetRange(t.Context(), "x", bucket.Range{Last: 1, IfMatch: first.ETag}); !errors.Is(err, bucket.ErrPrecondition) {
		t.Errorf("another file of the same size: %v", err)
	}
}

func TestDirDeleteRemovesEmptyFolders(t *testing.T) {
	root := t.TempDir()
	b := bucket.Dir(root)
	for _, name := range []string{"x/y/z", "x/w"} {
		if _, err := b.Put(t.Context(), name, nil, bucket.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Delete(t.Context(), "x/y/z"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "x", "y")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the empty folder stays: %v", err)
	}
	if got := list(t, b); !slices.Equal(got, []string{"x/w"}) {
		t.Errorf("listed %q, want x/w", got)
	}
}

// A root that cannot be read is an error, not an empty bucket.
func TestDirUnreadable(t *testing.T) {
	root := filepath.Join(t.TempDir(), strings.Repeat("n", 300))
	for _, err := range bucket.Dir(root).List(t.Context(), "") {
		if err == nil {
			t.Fatal("listed an object")
		}
		return
	}
	t.Error("an unreadable directory lists as an empty one")
}

func TestDirReadsDoNotMakeIt(t *testing.T) {
	root := filepath.Join(t.TempDir(), "absent")
	b := bucket.Dir(root)
	if got := list(t, b); len(got) != 0 {
		t.Errorf("listed %q", got)
	}
	if err := b.Delete(t.Context(), "x"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(root); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory was made: %v", err)
	}
}

func TestDryRun(t *testing.T) {
	real := bucket.Mem()
	if _, err := real.Put(t.Context(), "old", []byte("old"), bucket.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	var withheld []string
	dry := bucket.DryRun(real, func(op, name string) { withheld = append(withheld, op+" "+name) })
	etag, err := dry.Put(t.Context(), "new", []byte("new"), bucket.PutOptions{})
	if err != nil || etag == "" {
		t.Errorf("Put: %q, %v", etag, err)
	}
	streamed, err := dry.PutStream(t.Context(), "stream", func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err })
	if err != nil || streamed != etag {
		t.Errorf("PutStream: %q, %v; want %q as of Put", streamed, err, etag)
	}
	if _, err := dry.PutStream(t.Context(), "broken", func(io.Writer) error { return io.ErrUnexpectedEOF }); !errors.Is(err,
		io.ErrUnexpectedEOF) {
		t.Errorf("PutStream: %v", err)
	}
	if err := dry.Delete(t.Context(), "old", "older"); err != nil {
		t.Error(err)
	}
	if _, err := dry.Put(t.Context(), "../x", nil, bucket.PutOptions{}); err == nil {
		t.Error("an invalid name is accepted")
	}
	if want := []string{"put new", "put stream", "delete old", "delete older"}; !slices.Equal(withheld, want) {
		t.Errorf("withheld %q, want %q", withheld, want)
	}
	if got := list(t, dry); !slices.Equal(got, []string{"old"}) {
		t.Errorf("the bucket holds %q, want old", got)
	}
}

func list(t *testing.T, b bucket.Bucket) []string {
	t.Helper()
	var names []string
	for info, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, info.Name)
	}
	return names
}
