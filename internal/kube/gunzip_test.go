package kube

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// zipped is the fake, with all that it answers compressed, but for what is cut off.
func zipped(t *testing.T, f *fakeAPI, cut int) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("%s is asked for with Accept-Encoding %q", r.URL, r.Header.Get("Accept-Encoding"))
		}
		answer := httptest.NewRecorder()
		f.serve(answer, r)
		var body strings.Builder
		z := gzip.NewWriter(&body)
		_, _ = io.Copy(z, answer.Body)
		_ = z.Close()
		for key, values := range answer.Header() {
			w.Header()[key] = values
		}
		w.Header().Del("Content-Length")
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(answer.Code)
		_, _ = io.WriteString(w, body.String()[:body.Len()-min(cut, body.Len())])
	}))
	t.Cleanup(server.Close)
	c, err := Open(writeKubeconfig(t, server.URL), "v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestGunzip(t *testing.T) {
	f := smallCluster(t)
	want, err := f.open(t).Sample(t.Context(), Query{Inspect: nothing})
	if err != nil {
		t.Fatal(err)
	}
	got, err := zipped(t, f, 0).Sample(t.Context(), Query{Inspect: nothing})
	if err != nil {
		t.Fatal(err)
	}
	rows := func(c *Cluster) (s string) {
		for _, p := range c.Pods {
			s += fmt.Sprintln(p.Row())
		}
		return s + fmt.Sprintln(c.Usage, c.Nodes, c.Gaps)
	}
	if rows(got) != rows(want) {
		t.Errorf("compressed:\n%s\nas it is:\n%s", rows(got), rows(want))
	}
	f.fail["/api/v1/pods"] = 403
	if _, err := zipped(t, f, 0).Sample(t.Context(), Query{Inspect: nothing}); err == nil || !strings.Contains(err.Error(), "lacks the verb list on pods") {
		t.Errorf("of a compressed refusal: %v", err)
	}
}

func TestGunzipCut(t *testing.T) {
	for _, cut := range []int{1, 9, 40, 1 << 20} {
		_, err := zipped(t, smallCluster(t), cut).Sample(t.Context(), Query{Inspect: nothing})
		if err == nil || !strings.Contains(err.Error(), "listing ") {
			t.Errorf("without its last %d bytes: %v", cut, err)
		}
	}
}
