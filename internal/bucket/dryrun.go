package bucket

import (
	"context"
	"fmt"
	"sync"
)

// DryRun returns a bucket that reads from b and withholds every write: it
// calls report with "put" or "delete" and the object's name instead, one call
// at a time. Put returns an ETag as if it had written; conditions are taken to
// hold.
func DryRun(b Bucket, report func(op, name string)) Bucket {
	return &dryRun{Bucket: b, report: report}
}

type dryRun struct {
	Bucket
	mu     sync.Mutex
	report func(op, name string)
}

func (d *dryRun) Put(ctx context.Context, name string, body []byte, _ PutOptions) (string, error) {
	if err := d.withhold(ctx, "put", name); err != nil {
		return "", err
	}
	return contentETag(body), nil
}

func (d *dryRun) Delete(ctx context.Context, names ...string) error {
	return d.withhold(ctx, "delete", names...)
}

func (d *dryRun) withhold(ctx context.Context, op string, names ...string) error {
	if err := begin(ctx, names...); err != nil {
		return fmt.Errorf("%s %q (dry run): %w", op, names, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range names {
		d.report(op, name)
	}
	return nil
}
