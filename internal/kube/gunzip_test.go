package kube

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
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

// answering is a transport that gives one answer.
type answering struct {
	answer http.Response
	asked  *http.Request
	closed bool
}

func (a *answering) RoundTrip(r *http.Request) (*http.Response, error) {
	a.asked = r
	return &a.answer, nil
}

func (a *answering) Close() error { a.closed = true; return nil }

func TestGunzipTransport(t *testing.T) {
	var packed strings.Builder
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, "text")
	_ = z.Close()
	for _, test := range []struct {
		encoding, body, want string
		fails                bool
	}{
		{"gzip", packed.String(), "text", false},
		{"gzip", packed.String() + packed.String(), "texttext", false},
		{"gzip", "text", "", true},
		{"gzip", "", "", false}, // of HEAD, or 204
		{"", "text", "text", false},
		{"br", "text", "text", false},
	} {
		a := &answering{}
		a.answer.Header = http.Header{"Content-Encoding": {test.encoding}, "Content-Length": {"7"}}
		a.answer.Body = struct {
			io.Reader
			io.Closer
		}{strings.NewReader(test.body), a}
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		answer, err := gunzip{a}.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(answer.Body)
		if string(got) != test.want || (err != nil) != test.fails {
			t.Errorf("%+v: %q, %v", test, got, err)
		}
		if _, again := answer.Body.Read(make([]byte, 8)); test.fails && again != err {
			t.Errorf("%+v: %v after %v", test, again, err)
		}
		if unpacked := answer.Header.Get("Content-Encoding") == "" && answer.Uncompressed; unpacked != (test.encoding == "gzip") {
			t.Errorf("%+v: headers %v, uncompressed %v", test, answer.Header, answer.Uncompressed)
		}
		_ = answer.Body.Close()
		if !a.closed || a.asked.Header.Get("Accept-Encoding") != "gzip" || request.Header.Get("Accept-Encoding") != "" {
			t.Errorf("%+v: closed %v, asked %v of %v", test, a.closed, a.asked.Header, request.Header)
		}
	}
}

// A kubeconfig that wants no compression gets none. client-go minds it over TLS.
func TestDisableCompression(t *testing.T) {
	for option, want := range map[string]string{"true": "", "false": "gzip"} {
		asked := make(chan string, 1)
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked <- r.Header.Get("Accept-Encoding")
			w.WriteHeader(http.StatusNotFound)
		}))
		defer server.Close()
		file := writeKubeconfig(t, server.URL)
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(string(body), "cluster: {server", "cluster: {insecure-skip-tls-verify: true, disable-compression: "+option+", server", 1)
		if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Open(file, "v1.2.3")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Pod(t.Context(), "n", "p") // there is none
		if got := <-asked; got != want {
			t.Errorf("disable-compression %s: Accept-Encoding %q, want %q", option, got, want)
		}
	}
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
