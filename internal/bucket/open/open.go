// Package open opens the bucket that a URL names. It is apart from package bucket, so that a store can be a package
// of its own that imports the interface.
package open

import (
	"context"
	"log/slog"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/bucket/s3"
)

// Bucket returns the bucket at the URL, whose grammar bucket.ParseURL documents; a wrong URL is a *bucket.URLError.
// It sends nothing to the store: the first call on the bucket tells whether it exists and whether the credentials
// suffice. The log may be nil.
func Bucket(ctx context.Context, rawURL string, log *slog.Logger) (bucket.Bucket, error) {
	u, err := bucket.ParseURL(rawURL)
	if err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if u.Scheme == "file" {
		return bucket.Dir(u.Path), nil
	}
	return s3.Open(ctx, u, log)
}
