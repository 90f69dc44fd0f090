package s3_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/bucket"
)

// GetRange returns the range that was asked for or an error, however the store answers.
func TestS3GetRange(t *testing.T) {
	middle, last := bucket.Range{Start: 2, Bytes: 3}, bucket.Range{Last: 4}
	for name, c := range map[string]struct {
		r                       bucket.Range
		status                  int
		header, encoding, body  string
		want, wantHeader, wrong string
	}{
		"a part":         {r: middle, status: 206, header: "bytes 2-4/10", body: "234", want: "234", wantHeader: "bytes=2-4"},
		"the end":        {r: last, status: 206, header: "bytes 6-9/10", body: "6789", want: "6789", wantHeader: "bytes=-4"},
		"no ranges":      {r: middle, status: 200, body: "0123456789", want: "234"},
		"no ranges, end": {r: last, status: 200, body: "0123456789", want: "6789"},
		"another part":   {r: middle, status: 206, header: "bytes 0-2/10", body: "012", wrong: `bytes=2-4 with "bytes 0-2/10"`},
		"a larger part":  {r: last, status: 206, header: "bytes 5-9/10", body: "56789", wrong: "bytes=-4 with"},
		"no size":        {r: middle, status: 206, header: "bytes 2-4/*", body: "234", wrong: "bytes=2-4 with"},
		"gzip-encoded":   {r: middle, status: 206, header: "bytes 2-4/10", encoding: "gzip", body: "234", wrong: "get the whole"},
		"broken off":     {r: middle, status: 206, header: "bytes 2-4/10", body: "23", wrong: "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			b := store(t, func(w http.ResponseWriter, r *http.Request) {
				if got := r.Header.Get("Range"); c.wantHeader != "" && got != c.wantHeader {
					t.Errorf("asked for %q, want %q", got, c.wantHeader)
				}
				for name, value := range map[string]string{"Content-Range": c.header, "Content-Encoding": c.encoding, "ETag": `"e"`} {
					if value != "" {
						w.Header().Set(name, value)
					}
				}
				w.WriteHeader(c.status)
				io.WriteString(w, c.body)
			})
			p, err := b.GetRange(t.Context(), "x", c.r)
			switch {
			case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)):
				t.Errorf("%v, want an error with %q", err, c.wrong)
			case c.wrong == "" && (err != nil || string(p.Body) != c.want || p.Size != 10 || p.ETag != "e"):
				t.Errorf("%q of %d with ETag %q, %v; want %q", p.Body, p.Size, p.ETag, err, c.want)
			}
		})
	}
}

// uploads is a store with one object, which it accepts in parts.
type uploads struct {
	calls  []string // in order: the method and the query's first key
	object []byte
	parts  map[string][]byte
	id     string // the object's write-id
}

func (u *uploads) call(r *http.Request) string {
	for _, key := range []string{"uploads", "partNumber", "uploadId"} {
		if r.URL.Query().Has(key) {
			return r.Method + " " + key
		}
	}
	return r.Method
}

func (u *uploads) serve(call string, w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	u.calls = append(u.calls, call)
	w.Header().Set("ETag", `"e"`)
	switch call {
	case "POST uploads":
		u.id, u.parts = r.Header.Get("X-Amz-Meta-Write-Id"), map[string][]byte{}
		io.WriteString(w, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
	case "PUT partNumber":
		u.parts[r.URL.Query().Get("partNumber")] = body
	case "POST uploadId":
		u.object = slices.Concat(u.parts["1"], u.parts["2"], u.parts["3"])
		io.WriteString(w, "<CompleteMultipartUploadResult><ETag>&quot;e-2&quot;</ETag></CompleteMultipartUploadResult>")
	case "PUT":
		u.object = body
	case "HEAD":
		w.Header().Set("X-Amz-Meta-Write-Id", u.id)
	}
}

func TestS3PutStream(t *testing.T) {
	const part = 8 << 20
	type refusal struct {
		status int
		code   string
	}
	type answers map[string][]refusal // of each call, in turn; after them, success
	for name, c := range map[string]struct {
		size    int
		refuses answers
		id      string // of the object in the end, if not this write's
		calls   string
		want    string // the error, "" for none
	}{
		"small":     {size: 100, calls: "PUT"},
		"one part":  {size: part, calls: "PUT"},
		"two parts": {size: part + 1, calls: "POST uploads, PUT partNumber, PUT partNumber, POST uploadId"},
		"no parts":  {size: part + 1, refuses: answers{"POST uploads": {{501, "NotImplemented"}}}, calls: "POST uploads, PUT"},
		"a part again": {size: part + 1, refuses: answers{"PUT partNumber": {{503, "SlowDown"}}},
			calls: "POST uploads, PUT partNumber, PUT partNumber, PUT partNumber, POST uploadId"},
		"denied": {size: part + 1, refuses: answers{"POST uploads": {{403, "AccessDenied"}}}, calls: "POST uploads", want: "s3:PutObject"},
		"a part denied": {size: part + 1, refuses: answers{"PUT partNumber": {{403, "AccessDenied"}}},
			calls: "POST uploads, PUT partNumber, DELETE uploadId", want: "s3:PutObject"},
		"errors in successes": {size: part + 1, refuses: answers{"POST uploadId": {{200, "InternalError"}, {200, "InternalError"}}},
			calls: "POST uploads, PUT partNumber, PUT partNumber, POST uploadId, POST uploadId, DELETE uploadId", want: "InternalError"},
		"a lost answer": {size: part + 1, refuses: answers{"POST uploadId": {{503, "ServiceUnavailable"}, {404, "NoSuchUpload"}}},
			calls: "POST uploads, PUT partNumber, PUT partNumber, POST uploadId, POST uploadId, HEAD"},
		"another's object": {size: part + 1, refuses: answers{"POST uploadId": {{404, "NoSuchUpload"}}}, id: "another",
			calls: "POST uploads, PUT partNumber, PUT partNumber, POST uploadId, HEAD, DELETE uploadId", want: "NoSuchUpload"},
	} {
		t.Run(name, func(t *testing.T) {
			u := &uploads{}
			b := store(t, func(w http.ResponseWriter, r *http.Request) {
				call := u.call(r)
				if left := c.refuses[call]; len(left) > 0 {
					c.refuses[call] = left[1:]
					u.serve(call, httptest.NewRecorder(), r) // and the answer is lost
					refuse(w, left[0].status, left[0].code, "")
					return
				}
				if u.serve(call, w, r); c.id != "" {
					u.id = c.id
				}
			})
			body := bytes.Repeat([]byte("0123456"), c.size/7+1)[:c.size]
			etag, err := b.PutStream(t.Context(), "x.parquet", func(w io.Writer) error {
				_, err := w.Write(body)
				return err
			})
			if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(),
				"put s3://lake/p/x.parquet: ")) {
				t.Errorf("PutStream: %v, want %q", err, c.want)
			}
			if err == nil && (!bytes.Equal(u.object, body) || etag == "") {
				t.Errorf("stored %d bytes of %d, ETag %q", len(u.object), len(body), etag)
			}
			if got := strings.Join(u.calls, ", "); got != c.calls {
				t.Errorf("calls: %s\n want: %s", got, c.calls)
			}
		})
	}
}

// An error of the function that writes is returned as it is, and not explained as one of the store.
func TestS3PutStreamOwnError(t *testing.T) {
	u := &uploads{}
	b := store(t, func(w http.ResponseWriter, r *http.Request) { u.serve(u.call(r), w, r) })
	failed := fmt.Errorf("rows out of order")
	_, err := b.PutStream(t.Context(), "x", func(w io.Writer) error {
		w.Write(make([]byte, 9<<20))
		return failed
	})
	if !errors.Is(err, failed) || err.Error() != "put s3://lake/p/x: rows out of order" || u.object != nil {
		t.Errorf("PutStream: %v", err)
	}
	if last := u.calls[len(u.calls)-1]; last != "DELETE uploadId" {
		t.Errorf("the last call is %s, want the upload's end", last)
	}
}
