package kube

import (
	"bufio"
	"io"
	"net/http"

	"github.com/klauspost/compress/gzip"
)

// gunzip asks for compressed answers and unpacks them as net/http does by
// itself, but with a faster reader and in larger pieces: to unpack is the
// largest part of what it costs to read a large cluster (make bench).
type gunzip struct{ http.RoundTripper }

func (t gunzip) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Accept-Encoding", "gzip")
	answer, err := t.RoundTripper.RoundTrip(r)
	if err == nil && answer.Header.Get("Content-Encoding") == "gzip" {
		answer.Header.Del("Content-Encoding")
		answer.Header.Del("Content-Length")
		answer.ContentLength, answer.Uncompressed = -1, true
		answer.Body = &unzipped{ReadCloser: answer.Body}
	}
	return answer, err
}

// pieceBytes is how much of a body is asked of the connection at once.
const pieceBytes = 64 << 10

// unzipped is a body that is unpacked as it is read.
type unzipped struct {
	io.ReadCloser
	z   *gzip.Reader // from the first Read on
	err error        // why there is none
}

func (u *unzipped) Read(p []byte) (int, error) {
	if u.z == nil && u.err == nil {
		u.z, u.err = gzip.NewReader(bufio.NewReaderSize(u.ReadCloser, pieceBytes))
	}
	if u.err != nil {
		return 0, u.err
	}
	return u.z.Read(p)
}
