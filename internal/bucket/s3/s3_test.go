package s3_test

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
	"github.com/company/k8s-resource-monitor/internal/bucket/open"
)

const (
	probePath = "/lake/p/state/.conditional-put"
	secret    = "hunter2"
)

// store opens s3://lake/p on a server that answers as the test wants. test/s3 runs the whole protocol against a real
// server; the tests here need answers that it does not give on demand.
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
	b, err := open.Bucket(t.Context(), "s3://lake/p?path_style=true", nil)
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

// A body that breaks off is requested again, and never taken for the whole.
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
		"site/metrics":          "text/plain; version=0.0.4; charset=utf-8",
		"site/assets/LICENSE":   "text/plain; charset=utf-8",
		"site/x.unheard-of":     "application/octet-stream",
	} {
		if _, err := b.Put(t.Context(), name, []byte("x"), bucket.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		if got.Get("Content-Type") != want {
			t.Errorf("%s has the type %q, want %q", name, got.Get("Content-Type"), want)
		}
		for header := range got {
			refused := []string{"X-Amz-Trailer", "Content-Encoding", "If-Match", "If-None-Match"}
			if strings.HasPrefix(header, "X-Amz-Checksum") || slices.Contains(refused, header) {
				t.Errorf("a plain Put sends %s, which some stores refuse", header)
			}
		}
	}
	options := bucket.PutOptions{CacheControl: "no-cache", Gzip: true}
	if _, err := b.Put(t.Context(), "site/x.json", []byte("x"), options); err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]string{"Content-Type": "application/json", "Cache-Control": "no-cache", "Content-Encoding": "gzip"} {
		if got.Get(header) != want {
			t.Errorf("%s is %q, want %q", header, got.Get(header), want)
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

// No request has more keys than S3 accepts.
func TestS3DeleteInBatches(t *testing.T) {
	var sizes []int
	b := store(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sizes = append(sizes, bytes.Count(body, []byte("<Key>")))
		io.WriteString(w, "<DeleteResult></DeleteResult>")
	})
	names := make([]string, 2*1000+2)
	for i := range names {
		names[i] = fmt.Sprintf("x/%d", i)
	}
	if err := b.Delete(t.Context(), names...); err != nil || !slices.Equal(sizes, []int{1000, 1000, 2}) {
		t.Errorf("batches of %d, %v; want 1000, 1000, 2", sizes, err)
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

// Every error names the object and what to do, and contains no secret whatever the store answers.
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

// A call to a store that does not answer ends with the context.
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
	store(t, func(http.ResponseWriter, *http.Request) {}) // the environment of a store
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	b, err := open.Bucket(t.Context(), "s3://lake/p?path_style=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Get(t.Context(), "x"); err == nil || !strings.Contains(err.Error(), "no usable credentials; set AWS_ACCESS_KEY_ID") {
		t.Errorf("Get: %v, want what is to be set", err)
	}
}
