package buckettest

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/bucket"
)

// ErrKilled is the error of every change that KillAt refuses.
var ErrKilled = errors.New("killed")

// KillAt returns a bucket that makes n changes and refuses all that come after them, as if the process that makes
// them had been killed there. Each object that is written or deleted is one change.
func KillAt(b bucket.Bucket, n int) bucket.Bucket {
	var changes atomic.Int64
	return BeforeChange(b, func(string) error {
		if changes.Add(1) > int64(n) {
			return ErrKilled
		}
		return nil
	})
}

// BeforeChange returns a bucket that calls before with the object's name before each change: an object written or
// deleted. If before returns an error, the change is not made and its error is that one. before may be called from
// several goroutines at once if the bucket is.
func BeforeChange(b bucket.Bucket, before func(name string) error) bucket.Bucket {
	return &hooked{b, before}
}

type hooked struct {
	bucket.Bucket
	before func(name string) error
}

func (h *hooked) Put(ctx context.Context, name string, body []byte, options bucket.PutOptions) (string, error) {
	if err := h.before(name); err != nil {
		return "", err
	}
	return h.Bucket.Put(ctx, name, body, options)
}

// PutStream calls before as late as possible: everything is written, but nothing is visible yet.
func (h *hooked) PutStream(ctx context.Context, name string, write func(io.Writer) error) (string, error) {
	return h.Bucket.PutStream(ctx, name, func(w io.Writer) error {
		if err := write(w); err != nil {
			return err
		}
		return h.before(name)
	})
}

// Delete removes one object at a time, so that it can be stopped between two.
func (h *hooked) Delete(ctx context.Context, names ...string) error {
	for _, name := range names {
		if err := h.before(name); err != nil {
			return err
		}
		if err := h.Bucket.Delete(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// Contents returns the content of every object in the bucket, by name.
func Contents(t testing.TB, b bucket.Bucket) map[string]string {
	t.Helper()
	contents := map[string]string{}
	for info, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		object, err := b.Get(t.Context(), info.Name)
		if err != nil {
			t.Fatal(err)
		}
		contents[info.Name] = string(object.Body)
	}
	return contents
}
