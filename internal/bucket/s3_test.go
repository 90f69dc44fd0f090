package bucket_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/bucket"
)

const (
	probePath = "/lake/p/state/.conditional-put"
	secret    = "hunter2"
)

// store opens s3://lake/p on a server that answers as the test says. The whole
// protocol is held against a real server elsewhere; here are the answers that
// it does not give on demand.
func store(t *testing.T, answer http.HandlerFunc) bucket.Bucket {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_S3": server.URL, "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": secret,
		"AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_REGION": "", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_MAX_ATTEMPTS": "2",
	} {
		t.Setenv(name, value)
	}
	b, err := bucket.Open(t.Context(), "s3://lake/p?path_style=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, message)
}

func pack(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, s)
	w.Close()
	return b.String()
}

func TestS3GetDecodes(t *testing.T) {
	packed := pack("content")
	for name, c := range map[string]struct{ header, body, want string }{
		"encoded":                       {"gzip", packed, "content"},
		"encoded and sent in chunks":    {"aws-chunked,gzip", packed, "content"},
		"decoded on the way":            {"", "content", "content"},
		"decoded, but the header stays": {"gzip", "content", "content"},
		"an archive":                    {"", packed, packed},
	} {
		t.Run(name, func(t *testing.T) {
			b := store(t, func(w http.ResponseWriter, r *http.Request) {
				if c.header != "" {
					w.Header().Set("Content-Encoding", c.header)
				}
				w.Header().Set("ETag", `"e"`)
				io.WriteString(w, c.body)
			})
			o, err := b.Get(t.Context(), "x.json")
			if err != nil || string(o.Body) != c.want || o.ETag != "e" {
				t.Errorf("got %q with ETag %q, %v; want %q with e", o.Body, o.ETag, err, c.want)
			}
		})
	}
}

// A body that breaks off is asked for again, and never taken for the whole.
func TestS3GetBrokenBody(t *testing.T) {
	for name, c := range map[string]struct {
		breaks int64
		works  bool
	}{"once": {1, true}, "always": {100, false}} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int64
			b := store(t, func(w http.ResponseWriter, r *http.Request) {
				if calls.Add(1) <= c.breaks {
					w.Header().Set("Content-Length", "7")
					io.WriteString(w, "cont")
					return
				}
				io.WriteString(w, "content")
			})
			o, err := b.Get(t.Context(), "x")
			if (err == nil) != c.works || c.works && string(o.Body) != "content" {
				t.Errorf("got %q, %v", o.Body, err)
			}
		})
	}
}

func TestS3PutHeaders(t *testing.T) {
	var got http.Header
	b := store(t, func(w http.ResponseWriter, r *http.Request) { got = r.Header.Clone(); w.Header().Set("ETag", `"e"`) })
	for name, want := range map[string]string{
		"raw/v1/pods/x.parquet": "application/vnd.apache.parquet",
		"site/index.html":       "text/html; charset=utf-8",
		"site/assets/a.1b2.js":  "text/javascript; charset=utf-8",
		"site/assets/f.woff2":   "font/woff2",
		"site/clusters.json":    "application/json",
		"site/metrics":          "text/plain; charset=utf-8",
		"site/x.unheard-of":     "application/octet-stream",
	} {
		if _, err := b.Put(t.Context(), name, []byte("x"), bucket.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		if got.Get("Content-Type") != want {
			t.Errorf("%s has the type %q, want %q", name, got.Get("Content-Type"), want)
		}
		for header := range got {
			if strings.HasPrefix(header, "X-Amz-Checksum") || header == "X-Amz-Trailer" || header == "Content-Encoding" || header == "If-Match" || header == "If-None-Match" {
				t.Errorf("a plain Put sends %s, which some stores refuse", header)
			}
		}
	}
	options := bucket.PutOptions{ContentType: "text/x", CacheControl: "no-cache", Gzip: true}
	if _, err := b.Put(t.Context(), "site/x", []byte("x"), options); err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]string{"Content-Type": "text/x", "Cache-Control": "no-cache", "Content-Encoding": "gzip"} {
		if got.Get(header) != want {
			t.Errorf("%s is %q, want %q", header, got.Get(header), want)
		}
	}
}

// conditional answers the probe like a store that keeps conditions, and leaves
// the rest to answer.
func conditional(answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == probePath {
			refuse(w, http.StatusPreconditionFailed, "PreconditionFailed", "")
			return
		}
		answer(w, r)
	}
}

// A conditional Put whose answer is lost is sent again and then meets its own
// change. That is a success; meeting the change of another is not.
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

// The answers by which stores refuse a condition are one error, and a conflict
// is tried again first.
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

// A failed probe is an error of that Put, and the next one probes again.
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
	if _, err := b.Put(t.Context(), "x", nil, bucket.PutOptions{IfNoneMatch: true}); err == nil || !strings.Contains(err.Error(), "s3:PutObject") {
		t.Errorf("Put: %v, want the missing permission", err)
	}
	denied.Store(false)
	if _, err := b.Put(t.Context(), "x", nil, bucket.PutOptions{IfNoneMatch: true}); err != nil {
		t.Error(err)
	}
}

// A store that says that it has no conditions gets none.
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

func TestS3DeleteReportsEachKey(t *testing.T) {
	answer := `<DeleteResult>
		<Error><Key>p/a</Key><Code>NoSuchKey</Code></Error>
		<Error><Key>p/b</Key><Code>AccessDenied</Code><Message>no</Message></Error>
		<Error><Key>p/c</Key><Code>InternalError</Code><Message>no</Message></Error></DeleteResult>`
	b := store(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, answer) })
	err := b.Delete(t.Context(), "a", "b", "c", "d")
	for _, want := range []string{"s3://lake/p/b", "s3:DeleteObject", "1 more of 4"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Delete: %v, want %q in it", err, want)
		}
	}
	answer = `<DeleteResult><Error><Key>p/a</Key><Code>NoSuchKey</Code></Error></DeleteResult>`
	if err := b.Delete(t.Context(), "a", "b"); err != nil {
		t.Errorf("Delete of a missing object: %v", err)
	}
}

func TestS3List(t *testing.T) {
	page := func(keys ...string) string {
		s := "<ListBucketResult>"
		for _, key := range keys {
			s += "<Contents><Key>" + key + "</Key><ETag>&quot;e&quot;</ETag><Size>1</Size></Contents>"
		}
		return s + "</ListBucketResult>"
	}
	for name, c := range map[string]struct {
		page string
		want []string
		err  string
	}{
		"what is no object is passed over": {page("p/", "p/a", "p/b/", "p/b/c", "p/state/.conditional-put"), []string{"a", "b/c"}, ""},
		"another order is an error":        {page("p/a/b", "p/a-b"), []string{"a/b"}, "byte order"},
	} {
		t.Run(name, func(t *testing.T) {
			b := store(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, c.page) })
			var got []string
			var last error
			for info, err := range b.List(t.Context(), "") {
				if last = err; err == nil {
					got = append(got, info.Name)
				}
			}
			if !slices.Equal(got, c.want) || (last == nil) != (c.err == "") || last != nil && !strings.Contains(last.Error(), c.err) {
				t.Errorf("listed %q, %v; want %q, %q", got, last, c.want, c.err)
			}
		})
	}
}

// Every error names the object and what helps, and no answer of a store can
// make it tell a secret.
func TestS3Errors(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		code   string
		want   map[string]string // by operation
	}{
		"denied": {403, "AccessDenied", map[string]string{
			"get": "s3:GetObject", "put": "s3:PutObject", "list": "s3:ListBucket", "delete": "s3:DeleteObject"}},
		"bad signature": {403, "SignatureDoesNotMatch", map[string]string{"get": "refuses the credentials", "list": "refuses the credentials"}},
		"unknown key":   {403, "InvalidAccessKeyId", map[string]string{"put": "refuses the credentials (InvalidAccessKeyId)"}},
		"region":        {301, "PermanentRedirect", map[string]string{"get": "another region, eu-west-1", "put": "?region="}},
		"broken":        {500, "InternalError", map[string]string{"get": "InternalError, status 500", "delete": "InternalError, status 500"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := store(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Amz-Bucket-Region", "eu-west-1")
				message := "StringToSign " + secret
				if c.status >= 500 {
					message = "we failed"
				}
				refuse(w, c.status, c.code, message)
			})
			_, getErr := b.Get(t.Context(), "some/x")
			_, putErr := b.Put(t.Context(), "some/x", nil, bucket.PutOptions{})
			var listErr error
			for _, listErr = range b.List(t.Context(), "some/x") {
			}
			got := map[string]error{"get": getErr, "put": putErr, "list": listErr, "delete": b.Delete(t.Context(), "some/x")}
			for op, err := range got {
				if err == nil || !strings.Contains(err.Error(), op+" s3://lake/p/some/x") || !strings.Contains(err.Error(), c.want[op]) {
					t.Errorf("%s: %v, want %q in it", op, err, c.want[op])
				} else if strings.Contains(err.Error(), secret) || errors.Is(err, bucket.ErrNotExist) {
					t.Errorf("%s: %v tells a secret or looks like a missing object", op, err)
				}
			}
		})
	}
}

// A store that does not answer is left when the context ends.
func TestS3ContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b := store(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if _, err := b.Get(ctx, "x"); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "s3://lake/p/x") {
		t.Errorf("Get: %v, want context.Canceled", err)
	}
}

func TestS3WithoutCredentials(t *testing.T) {
	b := store(t, func(http.ResponseWriter, *http.Request) {})
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	b, err := bucket.Open(t.Context(), "s3://lake/p?path_style=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Get(t.Context(), "x"); err == nil || !strings.Contains(err.Error(), "no usable credentials; set AWS_ACCESS_KEY_ID") {
		t.Errorf("Get: %v, want what is to be set", err)
	}
}
