package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/bucket/buckettest"
	"github.com/company/k8s-resource-monitor/internal/bucket/open"
	"github.com/company/k8s-resource-monitor/test/s3"
)

// lake is the bucket of these tests; each takes a prefix of its own.
const lake = "lake"

func gateway(t *testing.T) s3.Gateway {
	t.Helper()
	g := s3.StartGateway(t, "127.0.0.1")
	g.CreateBucket(t, lake)
	g.Setenv(t, g.Endpoint)
	return g
}

func openAt(t *testing.T, url string, log *slog.Logger) bucket.Bucket {
	t.Helper()
	b, err := open.Bucket(t.Context(), url, log)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fresh opens a new prefix of the bucket at each call.
func fresh(t *testing.T) func(*testing.T) string {
	t.Helper()
	var n atomic.Int64
	return func(*testing.T) string { return fmt.Sprintf("s3://%s/run-%d/p?path_style=true", lake, n.Add(1)) }
}

func TestConformance(t *testing.T) {
	gateway(t)
	next := fresh(t)
	buckettest.Conformance(t, func(t *testing.T) bucket.Bucket { return openAt(t, next(t), nil) })
}

// A stream that fails leaves no parts, for which the bucket's owner would pay.
func TestStreamLeavesNoParts(t *testing.T) {
	g := gateway(t)
	b := openAt(t, "s3://"+lake+"/p?path_style=true", nil)
	ctx, cancel := context.WithCancel(t.Context())
	failed := errors.New("no more")
	for _, end := range []func() error{func() error { return failed }, func() error { cancel(); return nil }} {
		_, err := b.PutStream(ctx, "x.parquet", func(w io.Writer) error {
			if _, err := w.Write(make([]byte, 20<<20)); err != nil {
				return err
			}
			uploads, err := g.Client().ListMultipartUploads(t.Context(), &awss3.ListMultipartUploadsInput{Bucket: aws.String(lake)})
			if err != nil || len(uploads.Uploads) != 1 {
				t.Errorf("%d uploads while it is written, %v; want one", len(uploads.Uploads), err)
			}
			return end()
		})
		if !errors.Is(err, failed) && !errors.Is(err, context.Canceled) {
			t.Errorf("PutStream: %v", err)
		}
	}
	uploads, err := g.Client().ListMultipartUploads(t.Context(), &awss3.ListMultipartUploadsInput{Bucket: aws.String(lake)})
	if err != nil || len(uploads.Uploads) > 0 {
		t.Errorf("%d unfinished uploads, %v; want none", len(uploads.Uploads), err)
	}
}

// Two clients of one prefix: what the conditions promise holds between
// processes.
func TestConformanceTwoClients(t *testing.T) {
	gateway(t)
	next := fresh(t)
	buckettest.Conformance(t, func(t *testing.T) bucket.Bucket {
		url := next(t)
		return buckettest.Alternate(openAt(t, url, nil), openAt(t, url, nil))
	})
}

// Without a prefix, the bucket's own root is the bucket.
func TestWithoutPrefix(t *testing.T) {
	gateway(t)
	b := openAt(t, "s3://"+lake+"?path_style=true", nil)
	if _, err := b.Put(t.Context(), "raw/v1/x.parquet", []byte("x"), bucket.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	for info, err := range b.List(t.Context(), "raw/") {
		if err != nil || info.Name != "raw/v1/x.parquet" {
			t.Errorf("listed %+v, %v", info, err)
		}
	}
}

// proxy stands before the gateway and gives each request to change, which may
// answer it (true) or alter it. The Host stays, because the signature covers it.
func proxy(t *testing.T, g s3.Gateway, change func(http.ResponseWriter, *http.Request) bool) string {
	t.Helper()
	target, err := url.Parse(g.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !change(w, r) {
			forward.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// resign signs the request anew after its headers were changed.
func resign(t *testing.T, g s3.Gateway, r *http.Request) {
	t.Helper()
	r.Header.Del("Authorization")
	signed := r.Clone(r.Context())
	signed.URL.Scheme, signed.URL.Host = "http", r.Host
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		t.Error(err)
	}
	keys := aws.Credentials{AccessKeyID: g.AccessKey, SecretAccessKey: g.SecretKey}
	err = v4.NewSigner().SignHTTP(r.Context(), keys, signed, r.Header.Get("X-Amz-Content-Sha256"), "s3", "us-east-1", at,
		func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	if err != nil {
		t.Error(err)
	}
	r.Header.Set("Authorization", signed.Header.Get("Authorization"))
}

// A store that ignores the conditions of a Put is found out, and the
// conditions hold all the same within the process.
func TestStoreThatIgnoresConditions(t *testing.T) {
	g := gateway(t)
	var ignored atomic.Int64
	endpoint := proxy(t, g, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut && (r.Header.Get("If-Match") != "" || r.Header.Get("If-None-Match") != "") {
			ignored.Add(1)
			r.Header.Del("If-Match")
			r.Header.Del("If-None-Match")
			resign(t, g, r)
		}
		return false
	})
	g.Setenv(t, endpoint)
	next := fresh(t)
	var log bytes.Buffer
	buckets := 0
	buckettest.Conformance(t, func(t *testing.T) bucket.Bucket {
		buckets++
		return openAt(t, next(t), slog.New(slog.NewTextHandler(&log, nil)))
	})
	warnings := strings.Count(log.String(), "level=WARN msg=\"the store ignores the conditions of a Put")
	if warnings == 0 || warnings > buckets {
		t.Errorf("%d warnings of %d buckets, want at most one for each:\n%s", warnings, buckets, log.String())
	}
	// Two Puts of a probe for each bucket that warned, and none afterwards.
	if int(ignored.Load()) != 2*warnings {
		t.Errorf("%d conditions sent to a store that ignores them, want %d", ignored.Load(), 2*warnings)
	}
}

// A store without DeleteObjects gets its deletions one by one.
func TestStoreWithoutDeleteObjects(t *testing.T) {
	g := gateway(t)
	var batches, singles atomic.Int64
	endpoint := proxy(t, g, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodDelete {
			singles.Add(1)
		}
		if r.Method != http.MethodPost || !r.URL.Query().Has("delete") {
			return false
		}
		batches.Add(1)
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusNotImplemented)
		io.WriteString(w, `<Error><Code>NotImplemented</Code><Message>no such operation</Message></Error>`)
		return true
	})
	g.Setenv(t, endpoint)
	b := openAt(t, "s3://"+lake+"?path_style=true", nil)
	for range 2 {
		names := []string{"a", "b", "c"}
		for _, name := range names {
			if _, err := b.Put(t.Context(), name, nil, bucket.PutOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Delete(t.Context(), names...); err != nil {
			t.Fatal(err)
		}
		for info := range b.List(t.Context(), "") {
			t.Errorf("%s is left", info.Name)
		}
	}
	if singles.Load() != 6 {
		t.Errorf("%d single deletions, want 6", singles.Load())
	}
	if n := batches.Load(); n != 1 {
		t.Errorf("DeleteObjects was asked for %d times, want only at the first Delete", n)
	}
}

// The page's files are read over plain HTTP as they were put: with their type,
// and gzip-encoded.
func TestPublicRead(t *testing.T) {
	g := gateway(t)
	g.Publish(t, lake, "p/site/")
	b := openAt(t, "s3://"+lake+"/p?path_style=true", nil)
	body := strings.Repeat(`{"a":1}`, 1000)
	for _, name := range []string{"site/clusters.json", "state/x.json"} {
		if _, err := b.Put(t.Context(), name, []byte(body), bucket.PutOptions{Gzip: true, CacheControl: "no-cache"}); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) *http.Response {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.Endpoint+"/"+lake+"/p/"+name, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept-Encoding", "gzip") // ours, so the client leaves the encoding alone
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { response.Body.Close() })
		return response
	}
	public := read("site/clusters.json")
	for header, want := range map[string]string{"Content-Type": "application/json", "Content-Encoding": "gzip", "Cache-Control": "no-cache"} {
		if got := public.Header.Get(header); got != want {
			t.Errorf("%s is %q, want %q", header, got, want)
		}
	}
	if public.StatusCode != http.StatusOK || public.ContentLength >= int64(len(body)) {
		t.Errorf("status %d with %d bytes, want 200 with fewer than %d", public.StatusCode, public.ContentLength, len(body))
	}
	if private := read("state/x.json"); private.StatusCode != http.StatusForbidden {
		t.Errorf("the private object answers %d, want 403", private.StatusCode)
	}
}

// Errors say what is wrong and what to do, and never a secret.
func TestErrors(t *testing.T) {
	g := gateway(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := free.Addr().String()
	free.Close()

	const wrongSecret = "wrong-secret-key"
	for name, c := range map[string]struct {
		url, endpoint, access, secret string
		want                          string
		noBucket                      bool
	}{
		"missing bucket": {url: "s3://absent/p?path_style=true", want: "s3://absent: the bucket does not exist; create it or correct --bucket", noBucket: true},
		"wrong secret":   {secret: wrongSecret, want: "refuses the credentials (SignatureDoesNotMatch)"},
		"wrong key":      {access: "nobody", want: "No user exists with the provided access key"},
		"no server":      {endpoint: "http://" + closed, want: closed + " cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			g.Setenv(t, g.Endpoint)
			for variable, value := range map[string]string{"AWS_ENDPOINT_URL_S3": c.endpoint, "AWS_ACCESS_KEY_ID": c.access, "AWS_SECRET_ACCESS_KEY": c.secret} {
				if value != "" {
					t.Setenv(variable, value)
				}
			}
			if c.url == "" {
				c.url = "s3://" + lake + "/p?path_style=true"
			}
			b := openAt(t, c.url, nil)
			_, getErr := b.Get(t.Context(), "a")
			_, putErr := b.Put(t.Context(), "a", nil, bucket.PutOptions{})
			_, ifErr := b.Put(t.Context(), "a", nil, bucket.PutOptions{IfNoneMatch: true})
			var listErr error
			for _, listErr = range b.List(t.Context(), "") {
			}
			for op, err := range map[string]error{"Get": getErr, "Put": putErr, "Put if": ifErr, "List": listErr,
				"Delete": b.Delete(t.Context(), "a"), "Delete many": b.Delete(t.Context(), "a", "b")} {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s: %v\nwant: %s", op, err, c.want)
					continue
				}
				if errors.Is(err, bucket.ErrNotExist) || errors.Is(err, bucket.ErrPrecondition) ||
					errors.Is(err, bucket.ErrNoBucket) != c.noBucket {
					t.Errorf("%s: %v is the wrong kind of error", op, err)
				}
				if strings.Contains(err.Error(), g.SecretKey) || strings.Contains(err.Error(), wrongSecret) {
					t.Errorf("%s tells the secret: %v", op, err)
				}
			}
		})
	}
}
