package buckettest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/bucket"
)

// conditions: if a condition is not met, nothing is written and the error is ErrPrecondition.
func conditions(t *testing.T, b bucket.Bucket) {
	refuse := func(body string, options bucket.PutOptions) {
		t.Helper()
		if _, err := b.Put(t.Context(), "state/x", []byte(body), options); !errors.Is(err, bucket.ErrPrecondition) {
			t.Errorf("Put with %+v: %v, want ErrPrecondition", options, err)
		}
	}
	refuse("0", bucket.PutOptions{IfMatch: strings.Repeat("0", 32)})
	if _, err := b.Get(t.Context(), "state/x"); !errors.Is(err, bucket.ErrNotExist) {
		t.Errorf("a refused Put wrote the object: %v", err)
	}
	first := put(t, b, "state/x", []byte("1"), bucket.PutOptions{IfNoneMatch: true})
	refuse("2", bucket.PutOptions{IfNoneMatch: true})
	second := put(t, b, "state/x", []byte("3"), bucket.PutOptions{IfMatch: first})
	refuse("4", bucket.PutOptions{IfMatch: first})
	refuse("5", bucket.PutOptions{IfMatch: second, IfNoneMatch: true})
	o := get(t, b, "state/x")
	if string(o.Body) != "3" || o.ETag != second {
		t.Errorf("the object is %q with ETag %q, want 3 with %q", o.Body, o.ETag, second)
	}
	put(t, b, "state/x", []byte("6"), bucket.PutOptions{IfMatch: o.ETag})
	if got := names(list(t, b, "")); !slices.Equal(got, []string{"state/x"}) {
		t.Errorf("the bucket lists %q, want only state/x", got)
	}
	if err := b.Delete(t.Context(), "state/x"); err != nil {
		t.Fatal(err)
	}
	refuse("7", bucket.PutOptions{IfMatch: o.ETag})
	put(t, b, "state/x", []byte("8"), bucket.PutOptions{IfNoneMatch: true})
}

// compareAndSwap: when several goroutines read, increment and conditionally write a counter, no increment is lost.
func compareAndSwap(t *testing.T, b bucket.Bucket) {
	const workers, each = 8, 5
	put(t, b, "counter", []byte("0"), bucket.PutOptions{})
	parallel(t, workers, func(int) error {
		for done := 0; done < each; {
			o, err := b.Get(t.Context(), "counter")
			if err != nil {
				return err
			}
			n, err := strconv.Atoi(string(o.Body))
			if err != nil {
				return err
			}
			_, err = b.Put(t.Context(), "counter", []byte(strconv.Itoa(n+1)), bucket.PutOptions{IfMatch: o.ETag})
			switch {
			case err == nil:
				done++
			case !errors.Is(err, bucket.ErrPrecondition):
				return err
			}
		}
		return nil
	})
	if o := get(t, b, "counter"); string(o.Body) != strconv.Itoa(workers*each) {
		t.Errorf("the counter is %s after %d increases", o.Body, workers*each)
	}
}

// oneCreator: of several goroutines that create the same object, exactly one succeeds.
func oneCreator(t *testing.T, b bucket.Bucket) {
	var mu sync.Mutex
	var created []string
	parallel(t, 8, func(worker int) error {
		body := strconv.Itoa(worker)
		_, err := b.Put(t.Context(), "new/object", []byte(body), bucket.PutOptions{IfNoneMatch: true})
		if errors.Is(err, bucket.ErrPrecondition) {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		created = append(created, body)
		return err
	})
	if o := get(t, b, "new/object"); len(created) != 1 || string(o.Body) != created[0] {
		t.Errorf("created by %q, content of %q; want one and the same", created, o.Body)
	}
}

// wholeObjects: while others write, list and delete, a reader sees the old bytes or the new ones, never a mixture.
func wholeObjects(t *testing.T, b bucket.Bucket) {
	const size = 100_000
	put(t, b, "x/whole", bytes.Repeat([]byte{'a'}, size), bucket.PutOptions{})
	parallel(t, 8, func(worker int) error {
		for range 5 {
			if worker < 3 {
				if _, err := b.Put(t.Context(), "x/whole", bytes.Repeat([]byte{byte('a' + worker)}, size), bucket.PutOptions{}); err != nil {
					return err
				}
				other := fmt.Sprintf("x/%d/y", worker)
				if _, err := b.Put(t.Context(), other, nil, bucket.PutOptions{}); err != nil {
					return err
				}
				if err := b.Delete(t.Context(), other); err != nil {
					return err
				}
				continue
			}
			o, err := b.Get(t.Context(), "x/whole")
			if err != nil {
				return err
			}
			if len(o.Body) != size || bytes.Count(o.Body, o.Body[:1]) != size {
				return fmt.Errorf("%d bytes, of which %d are %q", len(o.Body), bytes.Count(o.Body, o.Body[:1]), o.Body[0])
			}
			for _, err := range b.List(t.Context(), "x/") {
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// parallel runs the workers and reports their errors.
func parallel(t *testing.T, workers int, run func(worker int) error) {
	t.Helper()
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			if err := run(worker); err != nil {
				t.Errorf("worker %d: %v", worker, err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
}
