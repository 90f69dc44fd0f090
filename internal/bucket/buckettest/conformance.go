// Package buckettest tests implementations of bucket.Bucket: Conformance checks every promise of the interface, and
// nothing that only one implementation promises. It also has buckets that fail or die at a given change, for tests of
// jobs.
package buckettest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/bucket"
)

// Many is a number of objects that is more than a page of S3's listings and a batch of its deletions, both 1,000.
const Many = 1100

// Conformance checks the promises of bucket.Bucket on the buckets that open returns. Each call of open must return a new
// and empty one.
func Conformance(t *testing.T, open func(t *testing.T) bucket.Bucket) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, b bucket.Bucket)
	}{
		{"RoundTrip", roundTrip},
		{"Gzip", gzipRoundTrip},
		{"Ranges", ranges},
		{"RangeIfMatch", rangeIfMatch},
		{"Stream", stream},
		{"StreamFails", streamFails},
		{"NotExist", notExist},
		{"InvalidNames", invalidNames},
		{"Order", order},
		{"Pages", pages},
		{"ListStopsEarly", listStopsEarly},
		{"Conditions", conditions},
		{"CompareAndSwap", compareAndSwap},
		{"OneCreator", oneCreator},
		{"WholeObjects", wholeObjects},
		{"Cancelled", cancelled},
		{"ErrorsNameTheObject", errorsNameTheObject},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

func put(t *testing.T, b bucket.Bucket, name string, body []byte, options bucket.PutOptions) string {
	t.Helper()
	etag, err := b.Put(t.Context(), name, body, options)
	if err != nil {
		t.Fatal(err)
	}
	if etag == "" {
		t.Fatalf("Put(%q) returned no ETag", name)
	}
	return etag
}

func get(t *testing.T, b bucket.Bucket, name string) bucket.Object {
	t.Helper()
	o, err := b.Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func list(t *testing.T, b bucket.Bucket, prefix string) []bucket.Info {
	t.Helper()
	var infos []bucket.Info
	for info, err := range b.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		infos = append(infos, info)
	}
	return infos
}

func names(infos []bucket.Info) []string {
	out := make([]string, len(infos))
	for i, info := range infos {
		out[i] = info.Name
	}
	return out
}

// roundTrip: Get returns what the latest Put has written, and Put, Get and List agree on the ETag.
func roundTrip(t *testing.T, b bucket.Bucket) {
	large := make([]byte, 5<<20)
	rand.NewChaCha8([32]byte{1}).Read(large)
	for _, body := range [][]byte{[]byte("first"), {}, large, []byte("second"), []byte("\x1f\x8bnot gzip")} {
		etag := put(t, b, "folder/object.parquet", body, bucket.PutOptions{})
		o := get(t, b, "folder/object.parquet")
		if !bytes.Equal(o.Body, body) {
			t.Errorf("got %d bytes back of %d", len(o.Body), len(body))
		}
		infos := list(t, b, "folder/")
		if len(infos) != 1 || infos[0].Name != "folder/object.parquet" || infos[0].Bytes != int64(len(body)) || infos[0].Modified.IsZero() {
			t.Fatalf("List gives %+v for one object of %d bytes", infos, len(body))
		}
		if o.ETag != etag || infos[0].ETag != etag {
			t.Errorf("ETags differ: Put %q, Get %q, List %q", etag, o.ETag, infos[0].ETag)
		}
	}
	a := put(t, b, "folder/object.parquet", []byte("a"), bucket.PutOptions{})
	if z := put(t, b, "folder/object.parquet", []byte("z"), bucket.PutOptions{}); a == z {
		t.Errorf("two contents have one ETag, %q", a)
	}
	// The caller may reuse its buffer, and may change the body that it got.
	buffer := []byte("keep")
	put(t, b, "copied", buffer, bucket.PutOptions{})
	copy(buffer, "lost")
	copy(get(t, b, "copied").Body, "lost")
	if o := get(t, b, "copied"); string(o.Body) != "keep" {
		t.Errorf("the bucket shares memory with its caller: %q", o.Body)
	}
}

// gzipRoundTrip: Get returns the same with Gzip as without, and the same content has the same ETag again.
func gzipRoundTrip(t *testing.T, b bucket.Bucket) {
	options := bucket.PutOptions{Gzip: true, CacheControl: "no-cache"}
	for _, body := range [][]byte{{}, []byte(strings.Repeat(`{"a":1}`, 10_000))} {
		etag := put(t, b, "report.json", body, options)
		o := get(t, b, "report.json")
		if !bytes.Equal(o.Body, body) {
			t.Errorf("got %d bytes back of %d", len(o.Body), len(body))
		}
		infos := list(t, b, "report.json")
		if len(infos) != 1 || infos[0].ETag != etag || o.ETag != etag {
			t.Errorf("ETags differ: Put %q, Get %q, List %+v", etag, o.ETag, infos)
		}
		if again := put(t, b, "report.json", body, options); again != etag {
			t.Errorf("the same content has the ETags %q and %q", etag, again)
		}
		options.IfMatch = etag
		put(t, b, "report.json", body, options)
		options.IfMatch = ""
	}
}

// notExist: Get of an object that does not exist returns ErrNotExist, also if the name is that of a folder, or goes
// through a file. Delete of such an object is no error.
func notExist(t *testing.T, b bucket.Bucket) {
	missing := []string{"absent", "absent/below", "a", "a/b/below", "a/c"}
	check := func() {
		t.Helper()
		for _, name := range missing {
			if _, err := b.Get(t.Context(), name); !errors.Is(err, bucket.ErrNotExist) {
				t.Errorf("Get(%q): %v, want ErrNotExist", name, err)
			}
			if _, err := b.GetRange(t.Context(), name, bucket.Range{Last: 1}); !errors.Is(err, bucket.ErrNotExist) {
				t.Errorf("GetRange(%q): %v, want ErrNotExist", name, err)
			}
		}
		if err := b.Delete(t.Context(), missing...); err != nil {
			t.Errorf("Delete of missing objects: %v", err)
		}
		if err := b.Delete(t.Context(), missing[0]); err != nil {
			t.Errorf("Delete of a missing object: %v", err)
		}
	}
	check()
	if infos := list(t, b, ""); len(infos) != 0 {
		t.Errorf("an empty bucket lists %v", names(infos))
	}
	put(t, b, "a/b", []byte("stays"), bucket.PutOptions{})
	check()
	if o := get(t, b, "a/b"); string(o.Body) != "stays" {
		t.Errorf("a/b is now %q", o.Body)
	}
	if err := b.Delete(t.Context()); err != nil {
		t.Errorf("Delete of nothing: %v", err)
	}
	if err := b.Delete(t.Context(), "absent", "a/b"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Get(t.Context(), "a/b"); !errors.Is(err, bucket.ErrNotExist) {
		t.Errorf("Get after Delete: %v, want ErrNotExist", err)
	}
	put(t, b, "a/b", []byte("back"), bucket.PutOptions{IfNoneMatch: true})
}

// invalidNames: a name that is not valid is an error, and nothing is done.
func invalidNames(t *testing.T, b bucket.Bucket) {
	put(t, b, "valid", nil, bucket.PutOptions{})
	for _, name := range []string{"", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/.", "../a", ".hidden", "a/.hidden",
		`a\b`, "a\nb", "a\x00b", "a\xff", strings.Repeat("a", 1025)} {
		if _, err := b.Put(t.Context(), name, nil, bucket.PutOptions{}); err == nil {
			t.Errorf("Put(%q) succeeds", name)
		}
		if _, err := b.PutStream(t.Context(), name, nothing); err == nil {
			t.Errorf("PutStream(%q) succeeds", name)
		}
		if _, err := b.GetRange(t.Context(), name, bucket.Range{Last: 1}); err == nil || errors.Is(err, bucket.ErrNotExist) {
			t.Errorf("GetRange(%q): %v, want an error that is not ErrNotExist", name, err)
		}
		if _, err := b.Get(t.Context(), name); err == nil || errors.Is(err, bucket.ErrNotExist) {
			t.Errorf("Get(%q): %v, want an error that is not ErrNotExist", name, err)
		}
		if err := b.Delete(t.Context(), "valid", name); err == nil {
			t.Errorf("Delete(%q) succeeds", name)
		}
	}
	if got := names(list(t, b, "")); !slices.Equal(got, []string{"valid"}) {
		t.Errorf("the bucket holds %q, want only valid", got)
	}
}

// order: List yields names in byte order, and a prefix need not end with a slash.
func order(t *testing.T, b bucket.Bucket) {
	all := []string{"a b", "a+b", "a-b", "a-b.c/d", "a.b", "a/b", "a/b-c", "a/c/d", "a/c0", "a0", "a=1/hh=00/x", "aZ", "a_b", "ab/c",
		"aé", "b"}
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(len(all)) {
		put(t, b, all[i], []byte(all[i]), bucket.PutOptions{})
	}
	for _, prefix := range []string{"", "a", "a/", "a/c", "a/c/", "a/c/d", "a-b", "a=1/hh", "aé", "b", "b/", "c", "a/c/d/e", "../", "/"} {
		var want []string
		for _, name := range all {
			if strings.HasPrefix(name, prefix) {
				want = append(want, name)
			}
		}
		if got := names(list(t, b, prefix)); !slices.Equal(got, want) {
			t.Errorf("List(%q):\n got %q\nwant %q", prefix, got, want)
		}
	}
	for _, name := range all {
		if o := get(t, b, name); string(o.Body) != name {
			t.Errorf("Get(%q) = %q", name, o.Body)
		}
	}
}

// pages: more objects than fit in a page of any store are listed once each, in order, and deleted in one call.
func pages(t *testing.T, b bucket.Bucket) {
	want := make([]string, Many)
	parallel(t, 16, func(worker int) error {
		for i := worker; i < Many; i += 16 {
			want[i] = fmt.Sprintf("p/%02d-x/%04d", i/100, i)
			if _, err := b.Put(t.Context(), want[i], nil, bucket.PutOptions{}); err != nil {
				return err
			}
		}
		return nil
	})
	put(t, b, "q", nil, bucket.PutOptions{})
	if got := names(list(t, b, "p")); !slices.Equal(got, want) {
		t.Errorf("%d names listed, or in another order; want %d", len(got), Many)
	}
	if err := b.Delete(t.Context(), want...); err != nil {
		t.Fatal(err)
	}
	if got := names(list(t, b, "")); !slices.Equal(got, []string{"q"}) {
		t.Errorf("%d objects left after Delete, want only q", len(got))
	}
}

// listStopsEarly: the caller may leave the loop early, and may change the bucket inside it.
func listStopsEarly(t *testing.T, b bucket.Bucket) {
	for _, name := range []string{"a/1", "a/2", "b/1"} {
		put(t, b, name, nil, bucket.PutOptions{})
	}
	seen := 0
	for info, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Delete(t.Context(), info.Name); err != nil {
			t.Fatal(err)
		}
		if seen++; seen == 2 {
			break
		}
	}
	if got := names(list(t, b, "")); !slices.Equal(got, []string{"b/1"}) {
		t.Errorf("left: %q, want b/1", got)
	}
}

// cancelled: all methods obey their context, and after a cancelled Put the old content is still there.
func cancelled(t *testing.T, b bucket.Bucket) {
	put(t, b, "old", []byte("old"), bucket.PutOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, getErr := b.Get(ctx, "old")
	_, putErr := b.Put(ctx, "old", []byte("new"), bucket.PutOptions{})
	_, ifErr := b.Put(ctx, "new", []byte("new"), bucket.PutOptions{IfNoneMatch: true})
	_, rangeErr := b.GetRange(ctx, "old", bucket.Range{Last: 1})
	_, streamErr := b.PutStream(ctx, "old", nothing)
	yields := 0
	var listErr error
	for _, listErr = range b.List(ctx, "") {
		yields++
	}
	for op, err := range map[string]error{"Get": getErr, "Put": putErr, "Put if": ifErr,
		"GetRange": rangeErr, "PutStream": streamErr, "Delete": b.Delete(ctx, "old"), "List": listErr} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", op, err)
		}
	}
	if yields != 1 {
		t.Errorf("List yields %d times with a cancelled context, want its one error", yields)
	}
	if got := names(list(t, b, "")); !slices.Equal(got, []string{"old"}) || string(get(t, b, "old").Body) != "old" {
		t.Errorf("the bucket changed: %q", got)
	}
}

// errorsNameTheObject: every error names the bucket and the object.
func errorsNameTheObject(t *testing.T, b bucket.Bucket) {
	_, getErr := b.Get(t.Context(), "some/object")
	_, putErr := b.Put(t.Context(), "some/object", nil, bucket.PutOptions{IfMatch: strings.Repeat("0", 32)})
	_, rangeErr := b.GetRange(t.Context(), "some/object", bucket.Range{Last: 1})
	_, streamErr := b.PutStream(t.Context(), "some/object", func(io.Writer) error { return errors.New("no more") })
	for op, err := range map[string]error{"Get": getErr, "Put": putErr, "GetRange": rangeErr, "PutStream": streamErr} {
		if err == nil || !strings.Contains(err.Error(), "some/object") {
			t.Errorf("%s: %v does not name the object", op, err)
		}
	}
}
