package exposition

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// zipped writes n bytes of a metric's text, compressed.
func zipped(w io.Writer, n int) {
	z := gzip.NewWriter(w)
	line := bytes.Repeat([]byte("a 1\n"), 1024)
	for n > 0 {
		n -= len(line)
		z.Write(line)
	}
	z.Close()
}

func TestFetch(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/plain", func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("Accept"), "text/plain;version=0.0.4") {
			t.Errorf("Accept: %s", r.Header.Get("Accept"))
		}
		io.WriteString(w, "a 1\n")
	})
	mux.HandleFunc("/gzip", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("Accept-Encoding: %s", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		zipped(w, 4096)
	})
	mux.HandleFunc("/full", func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, MaxBodyBytes)) })
	mux.HandleFunc("/over", func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, MaxBodyBytes+1)) })
	mux.HandleFunc("/bomb", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		zipped(w, 2*MaxBodyBytes)
	})
	mux.HandleFunc("/broken-gzip", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		io.WriteString(w, "a 1\n")
	})
	mux.HandleFunc("/short", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "a 1\n")
	})
	mux.HandleFunc("/empty", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/500", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 500) })
	server := httptest.NewServer(mux)
	defer server.Close()

	for path, want := range map[string]struct {
		bytes int
		err   string
	}{
		"/plain":       {4, ""},
		"/gzip":        {4096, ""},
		"/full":        {MaxBodyBytes, ""},
		"/empty":       {0, ""},
		"/over":        {0, "the body is larger than 16 MiB"},
		"/bomb":        {0, "the body is larger than 16 MiB"},
		"/broken-gzip": {0, "gzip body"},
		"/short":       {0, "reading the body: unexpected EOF"},
		"/500":         {0, "HTTP 500 Internal Server Error"},
		"/missing":     {0, "HTTP 404 Not Found"},
	} {
		body, err := Fetch(context.Background(), server.Client(), server.URL+path)
		if len(body) != want.bytes || (err == nil) != (want.err == "") || err != nil && !strings.Contains(err.Error(), want.err) {
			t.Errorf("%s: %d bytes, error %v; want %d, %q", path, len(body), err, want.bytes, want.err)
		}
	}
}

// TestFetchErrors checks that errors can be told apart and do not repeat the
// address, which may hold credentials.
func TestFetchErrors(t *testing.T) {
	released := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-released
		}
		http.NotFound(w, r)
	}))
	defer server.Close()
	defer close(released)
	var status *StatusError
	if _, err := Fetch(context.Background(), server.Client(), server.URL); !errors.As(err, &status) || status.Code != 404 {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	address := strings.Replace(server.URL, "http://", "http://user:secret@", 1) + "/slow"
	_, err := Fetch(ctx, server.Client(), address)
	if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "/slow") {
		t.Errorf("error %v", err)
	}
	if _, err = Fetch(context.Background(), server.Client(), "http://secret\n"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v", err)
	}
}
