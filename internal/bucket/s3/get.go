package s3

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/company/k8s-resource-monitor/internal/bucket"
)

// Get implements bucket.Bucket.
func (b *store) Get(ctx context.Context, name string) (bucket.Object, error) {
	var o bucket.Object
	err := bucket.CheckCall(ctx, name)
	if err == nil {
		err = b.get(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: b.key(name)}, func(out *s3.GetObjectOutput) (err error) {
			o.ETag = plainETag(out.ETag)
			o.Body, err = readBody(out)
			return err
		})
	}
	if err != nil {
		return bucket.Object{}, b.fail(ctx, "get", name, err)
	}
	return o, nil
}

// GetRange implements bucket.Bucket.
func (b *store) GetRange(ctx context.Context, name string, r bucket.Range) (bucket.Part, error) {
	var p bucket.Part
	err := cmp.Or(bucket.CheckCall(ctx, name), r.Check())
	if err == nil {
		in := &s3.GetObjectInput{Bucket: &b.name, Key: b.key(name), Range: aws.String(rangeHeader(r))}
		read := func(out *s3.GetObjectOutput) (err error) {
			p, err = readPart(out, r)
			return err
		}
		if err = b.get(ctx, in, read); status(err) == http.StatusRequestedRangeNotSatisfiable {
			in.Range = nil // the range begins after the object's end: only the whole object tells its size
			err = b.get(ctx, in, read)
		}
	}
	if err == nil && r.IfMatch != "" && r.IfMatch != p.ETag {
		err = bucket.ErrPrecondition
	}
	if err != nil {
		return bucket.Part{}, b.fail(ctx, "get", name, err)
	}
	return p, nil
}

// get requests an object and reads the answer. It tries again if the body breaks off, which the SDK does not do.
func (b *store) get(ctx context.Context, in *s3.GetObjectInput, read func(*s3.GetObjectOutput) error) error {
	for attempt := 1; ; attempt++ {
		out, err := b.client.GetObject(ctx, in)
		if err != nil {
			return err
		}
		err = read(out)
		out.Body.Close()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || attempt == getAttempts {
			return fmt.Errorf("read the body: %w", err)
		}
	}
}

// readBody decodes what Put has encoded. A proxy may have decoded it already and left the header, so the body's first
// bytes must be those of gzip too.
func readBody(out *s3.GetObjectOutput) ([]byte, error) {
	body, err := io.ReadAll(out.Body)
	if err != nil || !encoded(out) || !bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		return body, err
	}
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func encoded(out *s3.GetObjectOutput) bool {
	return strings.Contains(aws.ToString(out.ContentEncoding), "gzip")
}

// rangeHeader is the range as a Range header.
func rangeHeader(r bucket.Range) string {
	if r.Last > 0 {
		return fmt.Sprintf("bytes=-%d", r.Last)
	}
	return fmt.Sprintf("bytes=%d-%d", r.Start, r.Start+r.Bytes-1)
}

// readPart takes the range from the answer, which is the whole object if the store does not support ranges.
func readPart(out *s3.GetObjectOutput, r bucket.Range) (bucket.Part, error) {
	p := bucket.Part{ETag: plainETag(out.ETag)}
	if encoded(out) {
		return p, errors.New("the object is stored gzip-encoded, and a part of it cannot be decoded; get the whole object")
	}
	if out.ContentRange == nil {
		body, err := io.ReadAll(out.Body)
		p.Size = int64(len(body))
		start, end := r.Within(p.Size)
		p.Body = bytes.Clone(body[start:end])
		return p, err
	}
	var first, last int64
	_, err := fmt.Sscanf(*out.ContentRange, "bytes %d-%d/%d", &first, &last, &p.Size)
	if start, end := r.Within(p.Size); err != nil || first != start || last+1 != end {
		return p, fmt.Errorf("the store answers %s with %q", rangeHeader(r), *out.ContentRange)
	}
	p.Body = make([]byte, last+1-first)
	_, err = io.ReadFull(out.Body, p.Body)
	return p, err
}
