package buckettest

import (
	"context"
	"io"
	"iter"
	"sync/atomic"

	"github.com/company/k8s-resource-monitor/internal/bucket"
)

// Alternate returns a bucket that sends its calls in turn to two buckets, which are two views of the same store. What a
// test shows of it holds between two processes.
func Alternate(one, other bucket.Bucket) bucket.Bucket {
	return &alternate{views: [2]bucket.Bucket{one, other}}
}

type alternate struct {
	views [2]bucket.Bucket
	calls atomic.Uint64
}

func (a *alternate) next() bucket.Bucket { return a.views[a.calls.Add(1)%2] }

func (a *alternate) Get(ctx context.Context, name string) (bucket.Object, error) {
	return a.next().Get(ctx, name)
}

func (a *alternate) GetRange(ctx context.Context, name string, r bucket.Range) (bucket.Part, error) {
	return a.next().GetRange(ctx, name, r)
}

func (a *alternate) Put(ctx context.Context, name string, body []byte, options bucket.PutOptions) (string, error) {
	return a.next().Put(ctx, name, body, options)
}

func (a *alternate) PutStream(ctx context.Context, name string, write func(io.Writer) error) (string, error) {
	return a.next().PutStream(ctx, name, write)
}

func (a *alternate) Delete(ctx context.Context, names ...string) error {
	return a.next().Delete(ctx, names...)
}

func (a *alternate) List(ctx context.Context, prefix string) iter.Seq2[bucket.Info, error] {
	return a.next().List(ctx, prefix)
}
