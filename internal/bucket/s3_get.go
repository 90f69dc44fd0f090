package bucket

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
)

func (b *s3Bucket) Get(ctx context.Context, name string) (Object, error) {
	var o Object
	err := begin(ctx, name)
	if err == nil {
		err = b.get(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: b.key(name)}, func(out *s3.GetObjectOutput) (err error) {
			o.ETag = plainETag(out.ETag)
			o.Body, err = readBody(out)
			return err
		})
	}
	if err != nil {
		return Object{}, b.fail(ctx, "get", name, err)
	}
	return o, nil
}

func (b *s3Bucket) GetRange(ctx context.Context, name string, r Range) (Part, error) {
	var p Part
	err := cmp.Or(begin(ctx, name), r.check())
	if err == nil {
		in := &s3.GetObjectInput{Bucket: &b.name, Key: b.key(name), Range: aws.String(r.header())}
		read := func(out *s3.GetObjectOutput) (err error) {
			p, err = readPart(out, r)
			return err
		}
		if err = b.get(ctx, in, read); status(err) == http.StatusRequestedRangeNotSatisfiable {
			in.Range = nil // there is nothing in it; what the object's size is, the whole object says
			err = b.get(ctx, in, read)
		}
	}
	if err == nil && r.IfMatch != "" && r.IfMatch != p.ETag {
		err = ErrPrecondition
	}
	if err != nil {
		return Part{}, b.fail(ctx, "get", name, err)
	}
	return p, nil
}

// get asks for an object and reads the answer, again if its body breaks off,
// which the SDK does not retry.
func (b *s3Bucket) get(ctx context.Context, in *s3.GetObjectInput, read func(*s3.GetObjectOutput) error) error {
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

// readBody undoes the encoding of Put. A proxy may have undone it already and
// left the header, so the content's first bytes must say gzip too.
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

// header is the range as HTTP asks for it.
func (r Range) header() string {
	if r.Last > 0 {
		return fmt.Sprintf("bytes=-%d", r.Last)
	}
	return fmt.Sprintf("bytes=%d-%d", r.Start, r.Start+r.Bytes-1)
}

// readPart takes the range from the answer, which is the whole object where
// the store does not know ranges.
func readPart(out *s3.GetObjectOutput, r Range) (Part, error) {
	p := Part{ETag: plainETag(out.ETag)}
	if encoded(out) {
		return p, errors.New("a part of an object that is stored gzip-encoded is of no use; get the whole")
	}
	if out.ContentRange == nil {
		body, err := io.ReadAll(out.Body)
		p.Size = int64(len(body))
		start, end := r.of(p.Size)
		p.Body = bytes.Clone(body[start:end])
		return p, err
	}
	var first, last int64
	_, err := fmt.Sscanf(*out.ContentRange, "bytes %d-%d/%d", &first, &last, &p.Size)
	if start, end := r.of(p.Size); err != nil || first != start || last+1 != end {
		return p, fmt.Errorf("the store answers %s with %q", r.header(), *out.ContentRange)
	}
	p.Body = make([]byte, last+1-first)
	_, err = io.ReadFull(out.Body, p.Body)
	return p, err
}
