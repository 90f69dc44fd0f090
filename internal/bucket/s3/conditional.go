package s3

import (
	"context"
	"crypto/rand"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/company/k8s-resource-monitor/internal/bucket"
)

// probeName is the object with which conditional Puts are tried out. List hides it, as its last segment begins with
// a dot. It is never deleted: one process could delete it while another tests with it, and a job may lack the
// permission to delete.
const probeName = "state/.conditional-put"

// writeID is the metadata key under which a write stores its random ID. The SDK repeats a request whose answer was
// lost; if the repetition fails because the first one has succeeded, the ID in the store shows it.
const writeID = "write-id"

// conditions caches whether the store keeps the conditions of a Put. The lock is held while the store is probed, and
// while an object is compared and written in a store that does not keep conditions.
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

// putIf is Put with a condition. Some stores accept the condition and ignore it, so the first conditional Put of a
// process probes the store. Where conditions are ignored, the ETag is read first and compared here; this is safe
// within this process only, so there may be one writing process at a time.
func (b *store) putIf(ctx context.Context, name string, in *s3.PutObjectInput, body []byte, options bucket.PutOptions) (string, error) {
	if options.IfMatch != "" && options.IfNoneMatch {
		return "", bucket.ErrPrecondition
	}
	kept, err := b.keepsConditions(ctx)
	if err != nil {
		return "", err
	}
	if !kept {
		return b.putCompared(ctx, name, in, body, options)
	}
	id := rand.Text()
	in.Metadata = map[string]string{writeID: id}
	etag, err := b.putWith(ctx, in, body, options)
	if !refused(err, options) {
		return etag, err
	}
	etag, mine, err := b.wroteIt(ctx, name, id)
	if err == nil && !mine {
		err = bucket.ErrPrecondition
	}
	return etag, err
}

// putCompared is Put with a condition that is checked here, because the store ignores conditions.
func (b *store) putCompared(ctx context.Context, name string, in *s3.PutObjectInput, body []byte,
	options bucket.PutOptions) (string, error) {
	if err := b.conditions.lock(ctx); err != nil {
		return "", err
	}
	defer b.conditions.unlock()
	now, err := b.head(ctx, name)
	if err != nil {
		return "", err
	}
	if !options.Allow(plainETag(now.ETag)) {
		return "", bucket.ErrPrecondition
	}
	return b.put(ctx, in, body)
}

// putWith sends the conditions to the store.
func (b *store) putWith(ctx context.Context, in *s3.PutObjectInput, body []byte, options bucket.PutOptions) (string, error) {
	if options.IfMatch != "" {
		in.IfMatch = aws.String(`"` + options.IfMatch + `"`)
	}
	if options.IfNoneMatch {
		in.IfNoneMatch = aws.String("*")
	}
	return b.put(ctx, in, body)
}

// wroteIt reports whether the object in the store was made by the write with this ID, and returns its ETag. It is
// asked after a refusal, which is also the answer to a repeated request whose first try succeeded.
func (b *store) wroteIt(ctx context.Context, name, id string) (etag string, mine bool, err error) {
	now, err := b.head(ctx, name)
	if err != nil || now.Metadata[writeID] != id {
		return "", false, err
	}
	return plainETag(now.ETag), true, nil
}

// head returns the object's headers; if there is no such object, the ETag is nil.
func (b *store) head(ctx context.Context, name string) (*s3.HeadObjectOutput, error) {
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: b.key(name)})
	if absent(err) {
		return &s3.HeadObjectOutput{}, nil
	}
	return out, err
}

// keepsConditions probes the store once; an error is not cached.
func (b *store) keepsConditions(ctx context.Context) (bool, error) {
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

// probe reports whether the store refuses to create an object that exists, and to replace an object whose ETag
// differs from the expected one.
func (b *store) probe(ctx context.Context) (bool, error) {
	refuses := func(options bucket.PutOptions) (bool, error) {
		in := &s3.PutObjectInput{Bucket: &b.name, Key: b.key(probeName), ContentType: aws.String(bucket.ContentType(".txt"))}
		_, err := b.putWith(ctx, in, []byte("Written to find out whether this store keeps the conditions of a Put.\n"), options)
		switch code := errorCode(err); {
		case err == nil, code == "NotImplemented", code == "InvalidArgument":
			return false, nil
		case refused(err, options):
			return true, nil
		}
		return false, err
	}
	create, replace := bucket.PutOptions{IfNoneMatch: true}, bucket.PutOptions{IfMatch: "00000000000000000000000000000000"}
	kept, err := refuses(create)
	if err == nil && !kept { // the first try has just created it: try again
		kept, err = refuses(create)
	}
	if err == nil && kept {
		kept, err = refuses(replace)
	}
	return kept, err
}
