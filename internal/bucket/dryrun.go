package bucket

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"sync"
)

// DryRun returns a bucket that reads from b and does not write: instead it calls report with "put" or "delete" and the
// object's name, one call at a time. Put and PutStream return an ETag as if they had written, and take their conditions
// as met.
func DryRun(b Bucket, report func(op, name string)) Bucket {
	return &dryRun{Bucket: b, report: report}
}

// dryRun implements Bucket.
type dryRun struct {
	Bucket
	mu     sync.Mutex
	report func(op, name string)
}

// Put implements Bucket.
func (d *dryRun) Put(ctx context.Context, name string, body []byte, _ PutOptions) (string, error) {
	if err := d.withhold(ctx, "put", name); err != nil {
		return "", err
	}
	return contentETag(body), nil
}

// PutStream implements Bucket.
func (d *dryRun) PutStream(ctx context.Context, name string, write func(io.Writer) error) (string, error) {
	if err := CheckCall(ctx, name); err != nil {
		return "", d.fail("put", err, name)
	}
	sum := sha256.New()
	if err := write(&contextWriter{ctx, sum}); err != nil {
		return "", d.fail("put", err, name)
	}
	return sumETag(sum), d.withhold(ctx, "put", name)
}

// Delete implements Bucket.
func (d *dryRun) Delete(ctx context.Context, names ...string) error {
	return d.withhold(ctx, "delete", names...)
}

func (d *dryRun) withhold(ctx context.Context, op string, names ...string) error {
	if err := CheckCall(ctx, names...); err != nil {
		return d.fail(op, err, names...)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range names {
		d.report(op, name)
	}
	return nil
}

func (d *dryRun) fail(op string, err error, names ...string) error {
	return fmt.Errorf("%s %q (dry run): %w", op, names, err)
}
