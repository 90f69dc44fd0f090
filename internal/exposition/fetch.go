package exposition

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
)

// MaxBodyBytes bounds an answer after decompression. A busy model server
// answers with some 100 KB.
const MaxBodyBytes = 16 << 20

// StatusError is an answer other than 200.
type StatusError struct{ Code int }

func (e *StatusError) Error() string {
	return fmt.Sprintf("HTTP %d %s", e.Code, http.StatusText(e.Code))
}

// Fetch gets a Prometheus endpoint and returns the body, decompressed. The
// context bounds the whole exchange, and a body over MaxBodyBytes is an error.
// An answer other than 200 is a *StatusError. Errors do not repeat the URL.
func Fetch(ctx context.Context, client *http.Client, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, withoutURL(err)
	}
	req.Header.Set("Accept", "text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0;q=0.5, */*;q=0.1")
	// Asked for by hand, so that the limit counts what comes out of it.
	req.Header.Set("Accept-Encoding", "gzip")
	req.Header.Set("User-Agent", "k8s-monitor")
	resp, err := client.Do(req)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, &StatusError{resp.StatusCode}
	}
	body, expect := io.Reader(resp.Body), resp.ContentLength
	if resp.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(resp.Body); err != nil {
			return nil, fmt.Errorf("gzip body: %w", err)
		}
		expect = -1
	}
	return readBounded(body, expect)
}

// readBounded reads to the end, growing from the expected size; -1: unknown.
func readBounded(r io.Reader, expect int64) ([]byte, error) {
	const usual, most = 64 << 10, 1 << 20
	if expect < 0 {
		expect = usual
	}
	body := make([]byte, 0, min(expect+bytes.MinRead, most)) // with room to see the end
	for {
		if len(body) == cap(body) {
			body = slices.Grow(body, cap(body))
		}
		n, err := r.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case len(body) > MaxBodyBytes:
			return nil, fmt.Errorf("the body is larger than %d MiB", MaxBodyBytes>>20)
		case err == io.EOF:
			return body, nil
		case err != nil:
			return nil, fmt.Errorf("reading the body: %w", err)
		}
	}
}

// withoutURL takes off the method and URL that the client puts before an
// error: the caller knows them, and a URL may hold credentials.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
