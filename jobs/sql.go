package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/views"
)

type sqlCommand struct {
	exits
	Dialect  string `arg:"" enum:"duckdb,athena,trino" help:"The dialect: duckdb, athena or trino."`
	Question string `placeholder:"NAME" help:"Print a question over the views instead of the views: ${questions}."`
}

// Run prints SQL and changes nothing. The only object that it may read is the site's list of clusters, for Athena.
func (c *sqlCommand) Run(ctx context.Context, p *program, f *flags) error {
	dialect := views.Dialect(c.Dialect)
	if c.Question != "" {
		q, err := views.Ask(c.Question)
		if err != nil {
			return configError{fmt.Errorf("--question: %w", err)}
		}
		_, err = io.WriteString(p.stdout, q.SQL)
		return err
	}
	parts, err := p.parts(f)
	if err != nil {
		return err
	}
	url, err := parts.bucketURL()
	if err != nil {
		return err
	}
	lake := views.Lake{Bucket: url, Cluster: f.Cluster, Keep: parts.settings.Retention,
		Endpoint: cmp.Or(p.env("AWS_ENDPOINT_URL_S3"), p.env("AWS_ENDPOINT_URL"))}
	if dialect == views.Athena && url.Scheme == "s3" && f.Cluster == "" {
		if lake.Clusters, err = parts.clusters(ctx); err != nil {
			return err
		}
	}
	out, err := lake.SQL(dialect)
	if err != nil {
		return configError{err}
	}
	_, err = io.WriteString(p.stdout, out)
	return err
}

// clusters are the names in the site's list of clusters; none before the first rollup.
func (p parts) clusters(ctx context.Context) (names []string, err error) {
	b, err := p.bucket(ctx)
	if err != nil {
		return nil, err
	}
	name := layout.Object{Tier: layout.Site, Path: "clusters.json"}.Name()
	object, err := b.Get(ctx, name)
	if errors.Is(err, bucket.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w; with --cluster NAME this list is not needed", err)
	}
	var list report.Clusters
	if err := json.Unmarshal(object.Body, &list); err != nil {
		return nil, fmt.Errorf("%s: %w; with --cluster NAME this list is not needed", name, err)
	}
	for _, entry := range list.Clusters {
		if !layout.ValidCluster(entry.Name) {
			return nil, fmt.Errorf("%s: %q cannot be the name of a cluster; with --cluster NAME this list is not needed", name, entry.Name)
		}
		names = append(names, entry.Name)
	}
	return names, nil
}
