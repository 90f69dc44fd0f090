package bucket

import (
	"context"
	"crypto/rand"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// probeName is where conditions are tried out. It is hidden, so List does not
// show it. It stays: if each process removed it, one could remove it under the
// other's test, and a job may lack the permission to delete.
const probeName = "state/.conditional-put"

// writeID is the metadata that tells a conditional Put, whose answer was lost
// and which was sent again, that the change that it meets is its own.
const writeID = "write-id"

// conditions remembers what the store makes of conditional Puts. Its lock is
// held by the one goroutine that probes, or that writes where the store does
// not help.
type conditions struct {
	held        chan struct{} // a mutex that obeys a context
	kept, known bool
}

func (c *conditions) lock(ctx context.Context) error {
	select {
	case c.held <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *conditions) unlock() { <-c.held }

// putIf is Put with a condition. Some stores take the condition and ignore it,
// without a word; so the first such Put of a process finds out. On those
// stores the object's ETag is read first, which is safe within this process
// but not between several: there may be only one writer at a time.
func (b *s3Bucket) putIf(ctx context.Context, name string, in *s3.PutObjectInput, body []byte, options PutOptions) (string, error) {
	if options.IfMatch != "" && options.IfNoneMatch {
		return "", ErrPrecondition
	}
	kept, err := b.keepsConditions(ctx)
	if err != nil {
		return "", err
	}
	if !kept {
		return b.putChecked(ctx, name, in, body, options)
	}
	id := rand.Text()
	in.Metadata = map[string]string{writeID: id}
	etag, err := b.putWith(ctx, in, body, options)
	if !refused(err, options) {
		return etag, err
	}
	now, err := b.head(ctx, name)
	if err != nil {
		return "", err
	}
	if now.Metadata[writeID] == id {
		return plainETag(now.ETag), nil
	}
	return "", ErrPrecondition
}

// putChecked is Put with a condition where the store does not help.
func (b *s3Bucket) putChecked(ctx context.Context, name string, in *s3.PutObjectInput, body []byte, options PutOptions) (string, error) {
	if err := b.conditions.lock(ctx); err != nil {
		return "", err
	}
	defer b.conditions.unlock()
	now, err := b.head(ctx, name)
	if err != nil {
		return "", err
	}
	if !options.hold(plainETag(now.ETag)) {
		return "", ErrPrecondition
	}
	return b.put(ctx, in, body)
}

// putWith sends the conditions to the store.
func (b *s3Bucket) putWith(ctx context.Context, in *s3.PutObjectInput, body []byte, options PutOptions) (string, error) {
	if options.IfMatch != "" {
		in.IfMatch = aws.String(`"` + options.IfMatch + `"`)
	}
	if options.IfNoneMatch {
		in.IfNoneMatch = aws.String("*")
	}
	return b.put(ctx, in, body)
}

// head asks what there is; an object that is not there has no ETag.
func (b *s3Bucket) head(ctx context.Context, name string) (*s3.HeadObjectOutput, error) {
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: b.key(name)})
	if absent(err) {
		return &s3.HeadObjectOutput{}, nil
	}
	return out, err
}

// keepsConditions finds out once; an error is not remembered.
func (b *s3Bucket) keepsConditions(ctx context.Context) (bool, error) {
	if err := b.conditions.lock(ctx); err != nil {
		return false, err
	}
	defer b.conditions.unlock()
	if b.conditions.known {
		return b.conditions.kept, nil
	}
	kept, err := b.probe(ctx)
	if err != nil {
		return false, err
	}
	if !kept {
		b.log.WarnContext(ctx, "the store ignores the conditions of a Put; let only one process at a time write to it", "bucket", b.name)
	}
	b.conditions.kept, b.conditions.known = kept, true
	return kept, nil
}

// probe reports whether the store refuses what it ought to: to create an
// object that is there, and to replace one that is not the one expected.
func (b *s3Bucket) probe(ctx context.Context) (bool, error) {
	refuses := func(options PutOptions) (bool, error) {
		in := &s3.PutObjectInput{Bucket: &b.name, Key: b.key(probeName), ContentType: aws.String(contentType(".txt"))}
		_, err := b.putWith(ctx, in, []byte("Written to find out whether this store keeps the conditions of a Put.\n"), options)
		switch code := errorCode(err); {
		case err == nil, code == "NotImplemented", code == "InvalidArgument":
			return false, nil
		case refused(err, options):
			return true, nil
		}
		return false, err
	}
	create, replace := PutOptions{IfNoneMatch: true}, PutOptions{IfMatch: "00000000000000000000000000000000"}
	kept, err := refuses(create)
	if err == nil && !kept { // perhaps it was not there
		kept, err = refuses(create)
	}
	if err == nil && kept {
		kept, err = refuses(replace)
	}
	return kept, err
}
