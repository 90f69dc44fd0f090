package demo

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
)

// prefix is where the dashboard lies on its host.
const prefix = "/k8s-monitor/"

// Handler serves a bucket's site under /k8s-monitor/ as an object store would:
// objects of the site alone, with an ETag to revalidate, gzip where the reader
// takes it; and beside it the statistics under /hourly/, which the site's query
// page reads by ranges where a bucket lets it. Nothing else can be reached.
func Handler(b bucket.Bucket) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", http.RedirectHandler(prefix, http.StatusFound))
	mux.HandleFunc("GET "+prefix, func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, prefix)
		if name == "" || strings.HasSuffix(name, "/") {
			name += "index.html"
		}
		object, ok := layout.Parse("site/" + name)
		serveObject(w, r, b, object, ok)
	})
	mux.HandleFunc("GET /hourly/", func(w http.ResponseWriter, r *http.Request) {
		object, ok := layout.Parse(strings.TrimPrefix(r.URL.Path, "/"))
		serveObject(w, r, b, object, ok && object.Tier == layout.Hourly)
	})
	return mux
}

// serveObject answers with an object, or that there is none.
func serveObject(w http.ResponseWriter, r *http.Request, b bucket.Bucket, object layout.Object, ok bool) {
	if !ok {
		http.NotFound(w, r)
		return
	}
	name := object.Name()
	got, err := b.Get(r.Context(), name)
	if errors.Is(err, bucket.ErrNotExist) {
		http.NotFound(w, r)
		return
	}
	if err != nil {
		http.Error(w, "the bucket does not answer", http.StatusBadGateway)
		return
	}
	h := w.Header()
	h.Set("Content-Type", bucket.ContentType(name))
	h.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "site/assets/") || strings.Contains(name, "/data/") {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("Vary", "Accept-Encoding")
	h.Set("X-Content-Type-Options", "nosniff")
	body, etag := got.Body, got.ETag
	if object.Tier != layout.Hourly && r.Header.Get("Range") == "" && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body, etag = compress(body), etag+"-gzip"
	}
	h.Set("ETag", `"`+etag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

func compress(body []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(body) // a buffer takes everything
	w.Close()
	return out.Bytes()
}

// serve serves the site until the context ends.
func serve(ctx context.Context, listener net.Listener, b bucket.Bucket) error {
	server := &http.Server{Handler: Handler(b), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return ctx.Err()
}
