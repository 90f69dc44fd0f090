package bucket

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const (
	// partBytes is what a stream holds in memory. Stores take parts of 5 MiB
	// and more, and 10,000 of them.
	partBytes = 8 << 20
	// abortTimeout is how long a stream that failed may take to leave nothing.
	abortTimeout = 10 * time.Second
)

func (b *s3Bucket) PutStream(ctx context.Context, name string, write func(io.Writer) error) (string, error) {
	if err := begin(ctx, name); err != nil {
		return "", b.fail(ctx, "put", name, err)
	}
	u := &upload{b: b, ctx: ctx, name: name}
	defer u.abort()
	if err := write(u); err != nil && u.err == nil && ctx.Err() == nil {
		return "", fmt.Errorf("put %s%s: %w", b.where(), name, err)
	}
	var etag string
	if u.err == nil {
		etag, u.err = u.finish()
	}
	if u.err != nil {
		return "", b.fail(ctx, "put", name, u.err)
	}
	return etag, nil
}

// upload is an object that is being written: by a plain Put if it fits in one
// part, else in parts of which the store makes the object at the end.
type upload struct {
	b    *s3Bucket
	ctx  context.Context
	name string

	id    string // "" until the first part is sent
	write string // this write's ID
	parts []types.CompletedPart
	rest  []byte // what is not sent
	whole bool   // the store takes no parts
	err   error
}

func (u *upload) Write(p []byte) (n int, err error) {
	for len(p) > n && u.err == nil {
		if len(u.rest) >= partBytes && !u.whole {
			u.err = u.send()
			continue
		}
		more := p[n:]
		if !u.whole {
			more = more[:min(len(more), partBytes-len(u.rest))]
		}
		u.rest = append(u.rest, more...)
		n += len(more)
	}
	return n, u.err
}

// send sends the rest as the next part.
func (u *upload) send() error {
	if u.id == "" {
		u.write = rand.Text()
		out, err := u.b.client.CreateMultipartUpload(u.ctx, &s3.CreateMultipartUploadInput{Bucket: &u.b.name, Key: u.b.key(u.name),
			ContentType: aws.String(contentType(u.name)), Metadata: map[string]string{writeID: u.write}})
		switch errorCode(err) {
		case "NotImplemented", "MethodNotAllowed":
			u.b.log.InfoContext(u.ctx, "the store takes no object in parts; holding it in memory", "bucket", u.b.name, "object", u.name)
			u.whole = true
			return nil
		}
		if err != nil {
			return err
		}
		u.id = aws.ToString(out.UploadId)
	}
	number := aws.Int32(int32(len(u.parts)) + 1)
	out, err := u.b.client.UploadPart(u.ctx, &s3.UploadPartInput{Bucket: &u.b.name, Key: u.b.key(u.name), UploadId: &u.id,
		PartNumber: number, Body: bytes.NewReader(u.rest)})
	if err != nil {
		return err
	}
	u.parts = append(u.parts, types.CompletedPart{ETag: out.ETag, PartNumber: number})
	u.rest = u.rest[:0]
	return nil
}

// finish makes the object.
func (u *upload) finish() (etag string, err error) {
	if u.id == "" {
		return u.b.put(u.ctx, &s3.PutObjectInput{Bucket: &u.b.name, Key: u.b.key(u.name), ContentType: aws.String(contentType(u.name))}, u.rest)
	}
	if err := u.send(); err != nil {
		return "", err
	}
	out, err := u.b.client.CompleteMultipartUpload(u.ctx, &s3.CompleteMultipartUploadInput{Bucket: &u.b.name, Key: u.b.key(u.name), UploadId: &u.id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts}})
	switch {
	case err == nil:
		etag = plainETag(out.ETag)
	case errorCode(err) == "NoSuchUpload":
		// The answer was lost, and sent again the request found its work done?
		now, headErr := u.b.head(u.ctx, u.name)
		if headErr != nil || now.Metadata[writeID] != u.write {
			return "", err
		}
		etag = plainETag(now.ETag)
	default:
		return "", err
	}
	u.id = ""
	return etag, nil
}

// abort leaves nothing of an upload that was not finished, also when the
// context has ended.
func (u *upload) abort() {
	if u.id == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), abortTimeout)
	defer cancel()
	_, err := u.b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &u.b.name, Key: u.b.key(u.name), UploadId: &u.id})
	if err != nil && errorCode(err) != "NoSuchUpload" {
		u.b.log.WarnContext(ctx, "the parts of an unfinished object are left in the store; let a lifecycle rule of the bucket remove them",
			"err", u.b.fail(ctx, "abort", u.name, err))
	}
}
