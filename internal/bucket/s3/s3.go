// Package s3 is a bucket in a store that speaks the S3 protocol: AWS, MinIO, Ceph, Garage and others. Several things
// differ between these stores, and each has a fallback here: conditional Puts that are accepted and ignored, missing
// DeleteObjects, missing multipart uploads, answers without Content-Range, other status codes for a refused condition.
//
// The SDK's transfer manager is not used: it knows neither conditions nor these fallbacks, and cannot tell whether a
// repeated request whose first answer was lost has succeeded.
package s3

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/logging"
	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/bucket"
)

const (
	dialTimeout    = 5 * time.Second
	attemptTimeout = 2 * time.Minute // one request with its body; the SDK makes three attempts

	deleteBatch       = 1000 // the most that DeleteObjects takes
	deleteConcurrency = 16   // where there is no DeleteObjects
	getAttempts       = 3    // when a body breaks off, which the SDK does not retry
)

// store implements bucket.Bucket.
type store struct {
	client *s3.Client
	name   string
	prefix string // "" or ending in a slash
	log    *slog.Logger

	conditions conditions
	noBatch    atomic.Bool // the store has no DeleteObjects
}

// Open returns the bucket at a URL with the scheme s3. It sends nothing to the store. Credentials, endpoint and
// proxies come from the environment and the files that all AWS tools read.
func Open(ctx context.Context, u bucket.URL, log *slog.Logger) (bucket.Bucket, error) {
	httpClient := awshttp.NewBuildableClient().WithTimeout(attemptTimeout).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout })
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithHTTPClient(httpClient),
		config.WithLogger(logging.LoggerFunc(func(_ logging.Classification, format string, v ...any) {
			log.WarnContext(ctx, "AWS SDK: "+fmt.Sprintf(format, v...))
		})),
		config.WithRegion(u.Region),
		config.WithDefaultRegion("us-east-1"), // the name that stores with one region accept
		// Many stores refuse trailing checksums, which are the SDK's default.
		config.WithRequestChecksumCalculation(aws.RequestChecksumCalculationWhenRequired),
		config.WithResponseChecksumValidation(aws.ResponseChecksumValidationWhenRequired),
	)
	if err != nil {
		return nil, fmt.Errorf("open %s: AWS configuration: %w", u, err)
	}
	b := &store{
		client: s3.NewFromConfig(cfg, func(o *s3.Options) {
			o.UsePathStyle = u.PathStyle
			o.Retryer = retry.AddWithErrorCodes(o.Retryer, conflictCodes...)
		}),
		name:       u.Name,
		log:        log,
		conditions: conditions{held: make(chan struct{}, 1)},
	}
	if u.Prefix != "" {
		b.prefix = u.Prefix + "/"
	}
	return b, nil
}

func (b *store) key(name string) *string { return aws.String(b.prefix + name) }

// Put implements bucket.Bucket.
func (b *store) Put(ctx context.Context, name string, body []byte, options bucket.PutOptions) (string, error) {
	if err := bucket.CheckCall(ctx, name); err != nil {
		return "", b.fail(ctx, "put", name, err)
	}
	in := &s3.PutObjectInput{Bucket: &b.name, Key: b.key(name), ContentType: aws.String(bucket.ContentType(name))}
	if options.CacheControl != "" {
		in.CacheControl = &options.CacheControl
	}
	if options.Gzip {
		in.ContentEncoding = aws.String("gzip")
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed) // no name and no time in the header: same content, same bytes
		w.Write(body)                // a bytes.Buffer never fails
		w.Close()
		body = packed.Bytes()
	}
	var etag string
	var err error
	if options.IfMatch != "" || options.IfNoneMatch {
		etag, err = b.putIf(ctx, name, in, body, options)
	} else {
		etag, err = b.put(ctx, in, body)
	}
	if err != nil {
		return "", b.fail(ctx, "put", name, err)
	}
	return etag, nil
}

func (b *store) put(ctx context.Context, in *s3.PutObjectInput, body []byte) (string, error) {
	in.Body = bytes.NewReader(body)
	out, err := b.client.PutObject(ctx, in)
	if err != nil {
		return "", err
	}
	return plainETag(out.ETag), nil
}

// Delete implements bucket.Bucket.
func (b *store) Delete(ctx context.Context, names ...string) error {
	if err := bucket.CheckCall(ctx, names...); err != nil {
		return b.fail(ctx, "delete", strings.Join(names, " "), err)
	}
	for len(names) > 0 {
		batch := names[:min(deleteBatch, len(names))]
		names = names[len(batch):]
		if err := b.deleteBatch(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

func (b *store) deleteBatch(ctx context.Context, names []string) error {
	if len(names) == 1 || b.noBatch.Load() {
		return b.deleteEach(ctx, names)
	}
	ids := make([]types.ObjectIdentifier, len(names))
	for i, name := range names {
		ids[i].Key = b.key(name)
	}
	out, err := b.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: &b.name, Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(true)},
	})
	switch errorCode(err) {
	case "NotImplemented", "MethodNotAllowed", "MissingContentMD5", "InvalidRequest":
		b.noBatch.Store(true)
		b.log.InfoContext(ctx, "the store has no DeleteObjects; deleting objects one by one", "bucket", b.name)
		return b.deleteEach(ctx, names)
	}
	if err != nil {
		return b.fail(ctx, "delete", names[0]+" and others", err)
	}
	var failed []types.Error
	for _, e := range out.Errors {
		if aws.ToString(e.Code) != "NoSuchKey" {
			failed = append(failed, e)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	first := strings.TrimPrefix(aws.ToString(failed[0].Key), b.prefix)
	err = b.fail(ctx, "delete", first, &keyError{code: aws.ToString(failed[0].Code), message: aws.ToString(failed[0].Message)})
	if len(failed) > 1 {
		err = fmt.Errorf("%w (and %d more of %d objects)", err, len(failed)-1, len(names))
	}
	return err
}

func (b *store) deleteEach(ctx context.Context, names []string) error {
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(deleteConcurrency)
	for _, name := range names {
		group.Go(func() error {
			_, err := b.client.DeleteObject(groupCtx, &s3.DeleteObjectInput{Bucket: &b.name, Key: b.key(name)})
			if err == nil || absent(err) {
				return nil
			}
			return b.fail(ctx, "delete", name, err)
		})
	}
	return group.Wait()
}

// List implements bucket.Bucket.
func (b *store) List(ctx context.Context, prefix string) iter.Seq2[bucket.Info, error] {
	return func(yield func(bucket.Info, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(bucket.Info{}, b.fail(ctx, "list", prefix, err))
			return
		}
		last := ""
		pages := s3.NewListObjectsV2Paginator(b.client, &s3.ListObjectsV2Input{Bucket: &b.name, Prefix: b.key(prefix)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(bucket.Info{}, b.fail(ctx, "list", prefix, err))
				return
			}
			for _, o := range page.Contents {
				name, ours := strings.CutPrefix(aws.ToString(o.Key), b.prefix)
				if !ours || !bucket.ValidName(name) {
					continue // a folder marker that some console made, or our own probe
				}
				if name <= last {
					err := errors.New("the store does not list names in byte order, as S3 does; this program cannot use it")
					yield(bucket.Info{}, b.fail(ctx, "list", prefix, err))
					return
				}
				last = name
				info := bucket.Info{Name: name, Bytes: aws.ToInt64(o.Size), ETag: plainETag(o.ETag), Modified: aws.ToTime(o.LastModified)}
				if !yield(info, nil) {
					return
				}
			}
		}
	}
}

// plainETag is the ETag without its quotes, which some stores send in one kind of answer and omit in another.
func plainETag(etag *string) string { return strings.Trim(aws.ToString(etag), `"`) }
