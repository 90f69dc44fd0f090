package s3_test

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/bucket"
)

// conditional answers the probe as a store that keeps conditions, and passes all other requests to answer.
func conditional(answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == probePath {
			refuse(w, http.StatusPreconditionFailed, "PreconditionFailed", "")
			return
		}
		answer(w, r)
	}
}

// A conditional Put whose answer was lost is sent again, and is then refused because of its own change. That is a success;
// if the object is another's, it is not.
func TestS3ConditionalPutWithLostAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		other bool
		want  error
	}{"its own change": {false, nil}, "another's change": {true, bucket.ErrPrecondition}} {
		t.Run(name, func(t *testing.T) {
			var puts atomic.Int64
			var written atomic.Value
			b := store(t, conditional(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodHead {
					id := written.Load().(string)
					if c.other {
						id = "another"
					}
					w.Header().Set("X-Amz-Meta-Write-Id", id)
					w.Header().Set("ETag", `"new"`)
					return
				}
				if puts.Add(1) == 1 {
					written.Store(r.Header.Get("X-Amz-Meta-Write-Id"))
					refuse(w, http.StatusServiceUnavailable, "ServiceUnavailable", "")
					return
				}
				refuse(w, http.StatusPreconditionFailed, "PreconditionFailed", "")
			}))
			etag, err := b.Put(t.Context(), "x", nil, bucket.PutOptions{IfMatch: "old"})
			if !errors.Is(err, c.want) || err == nil && etag != "new" {
				t.Errorf("Put gives %q, %v; want new, %v", etag, err, c.want)
			}
			if puts.Load() != 2 {
				t.Errorf("%d Puts, want 2", puts.Load())
			}
		})
	}
}

// Whatever a store answers to refuse a condition, the error is ErrPrecondition. A conflict is tried again first.
func TestS3Refusals(t *testing.T) {
	match, none := bucket.PutOptions{IfMatch: "old"}, bucket.PutOptions{IfNoneMatch: true}
	for name, c := range map[string]struct {
		status  int
		code    string
		options bucket.PutOptions
		puts    int64
		want    error
	}{
		"412":               {412, "PreconditionFailed", match, 1, bucket.ErrPrecondition},
		"409":               {409, "ConditionalRequestConflict", none, 2, bucket.ErrPrecondition},
		"304":               {304, "", none, 1, bucket.ErrPrecondition},
		"404 on If-Match":   {404, "NoSuchKey", match, 1, bucket.ErrPrecondition},
		"no bucket":         {404, "NoSuchBucket", match, 1, bucket.ErrNoBucket},
		"404 on no grounds": {404, "NoSuchUpload", match, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var puts atomic.Int64
			b := store(t, conditional(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPut {
					puts.Add(1)
					refuse(w, c.status, c.code, "")
					return
				}
				w.WriteHeader(http.StatusNotFound)
			}))
			_, err := b.Put(t.Context(), "x", nil, c.options)
			if err == nil || c.want != nil && !errors.Is(err, c.want) || c.want == nil && errors.Is(err, bucket.ErrPrecondition) {
				t.Errorf("Put: %v, want %v", err, c.want)
			}
			if puts.Load() != c.puts {
				t.Errorf("%d Puts, want %d", puts.Load(), c.puts)
			}
		})
	}
}

// If the probe fails, that Put fails, and the next one probes again.
func TestS3ProbeFails(t *testing.T) {
	var denied atomic.Bool
	denied.Store(true)
	b := store(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case denied.Load():
			refuse(w, http.StatusForbidden, "AccessDenied", "")
		case r.URL.Path == probePath:
			refuse(w, http.StatusPreconditionFailed, "PreconditionFailed", "")
		default:
			w.Header().Set("ETag", `"e"`)
		}
	})
	if _, err := b.Put(t.Context(), "x", nil, bucket.PutOptions{IfNoneMatch: true}); err == nil || !strings.Contains(err.Error(),
		"s3:PutObject") {
		t.Errorf("Put: %v, want the missing permission", err)
	}
	denied.Store(false)
	if _, err := b.Put(t.Context(), "x", nil, bucket.PutOptions{IfNoneMatch: true}); err != nil {
		t.Error(err)
	}
}

// If the store answers that it has no conditions, they are checked here.
func TestS3ConditionsNotImplemented(t *testing.T) {
	b := store(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("If-None-Match") != "" || r.Header.Get("If-Match") != "":
			refuse(w, http.StatusNotImplemented, "NotImplemented", "")
		case r.Method == http.MethodHead:
			w.Header().Set("ETag", `"there"`)
		default:
			w.Header().Set("ETag", `"new"`)
		}
	})
	if etag, err := b.Put(t.Context(), "x", nil, bucket.PutOptions{IfMatch: "there"}); err != nil || etag != "new" {
		t.Errorf("Put: %q, %v", etag, err)
	}
	for _, options := range []bucket.PutOptions{{IfNoneMatch: true}, {IfMatch: "gone"}} {
		if _, err := b.Put(t.Context(), "x", nil, options); !errors.Is(err, bucket.ErrPrecondition) {
			t.Errorf("Put with %+v: %v, want ErrPrecondition", options, err)
		}
	}
}
