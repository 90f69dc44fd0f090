package s3

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

	"github.com/company/k8s-resource-monitor/internal/bucket"
)

const (
	// partBytes is the size of a part, which is held in memory until it is sent. S3 wants parts of at least 5 MiB,
	// and at most 10,000 of them.
	partBytes = 8 << 20
	// abortTimeout is how long the removal of a failed upload's parts may take.
	abortTimeout = 10 * time.Second
)

// PutStream implements bucket.Bucket. It holds one part of 8 MiB in memory.
func (b *store) PutStream(ctx context.Context, name string, write func(io.Writer) error) (string, error) {
	if err := bucket.CheckCall(ctx, name); err != nil {
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

// upload is an object that is being written: by one Put if it fits in one part, otherwise by a multipart upload.
type upload struct {
	b    *store
	ctx  context.Context
	name string

	id      string // of the multipart upload; "" until the first part is sent
	writeID string // see the constant of this name
	parts   []types.CompletedPart
	buffer  []byte // not sent yet
	noParts bool   // the store has no multipart uploads: the object is held in memory and sent by one Put
	err     error
}

// Write implements io.Writer.
func (u *upload) Write(p []byte) (n int, err error) {
	for len(p) > n && u.err == nil {
		if len(u.buffer) >= partBytes && !u.noParts {
			u.err = u.sendPart()
			continue
		}
		more := p[n:]
		if !u.noParts {
			more = more[:min(len(more), partBytes-len(u.buffer))]
		}
		u.buffer = append(u.buffer, more...)
		n += len(more)
	}
	return n, u.err
}

// sendPart sends the buffer as the next part.
func (u *upload) sendPart() error {
	if u.id == "" {
		u.writeID = rand.Text()
		out, err := u.b.client.CreateMultipartUpload(u.ctx, &s3.CreateMultipartUploadInput{Bucket: &u.b.name, Key: u.b.key(u.name),
			ContentType: aws.String(bucket.ContentType(u.name)), Metadata: map[string]string{writeID: u.writeID}})
		switch errorCode(err) {
		case "NotImplemented", "MethodNotAllowed":
			u.b.log.InfoContext(u.ctx, "the store has no multipart uploads; holding the object in memory", "bucket", u.b.name, "object", u.name)
			u.noParts = true
			return nil
		}
		if err != nil {
			return err
		}
		u.id = aws.ToString(out.UploadId)
	}
	number := aws.Int32(int32(len(u.parts)) + 1)
	out, err := u.b.client.UploadPart(u.ctx, &s3.UploadPartInput{Bucket: &u.b.name, Key: u.b.key(u.name), UploadId: &u.id,
		PartNumber: number, Body: bytes.NewReader(u.buffer)})
	if err != nil {
		return err
	}
	u.parts = append(u.parts, types.CompletedPart{ETag: out.ETag, PartNumber: number})
	u.buffer = u.buffer[:0]
	return nil
}

// finish makes the object visible.
func (u *upload) finish() (etag string, err error) {
	if u.id == "" {
		in := &s3.PutObjectInput{Bucket: &u.b.name, Key: u.b.key(u.name), ContentType: aws.String(bucket.ContentType(u.name))}
		return u.b.put(u.ctx, in, u.buffer)
	}
	if err := u.sendPart(); err != nil {
		return "", err
	}
	out, err := u.b.client.CompleteMultipartUpload(u.ctx, &s3.CompleteMultipartUploadInput{Bucket: &u.b.name, Key: u.b.key(u.name),
		UploadId: &u.id, MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts}})
	switch {
	case err == nil:
		etag = plainETag(out.ETag)
	case errorCode(err) == "NoSuchUpload": // perhaps because an earlier try, whose answer was lost, has completed it
		written, mine, headErr := u.b.wroteIt(u.ctx, u.name, u.writeID)
		if headErr != nil || !mine {
			return "", err
		}
		etag = written
	default:
		return "", err
	}
	u.id = ""
	return etag, nil
}

// abort removes the parts of an upload that was not finished, also when the context has ended.
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
