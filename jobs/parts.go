package main

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/bucket/open"
	"github.com/company/k8s-resource-monitor/internal/config"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/jobs/alert"
	"github.com/company/k8s-resource-monitor/jobs/alert/notify"
	"github.com/company/k8s-resource-monitor/jobs/prune"
	"github.com/company/k8s-resource-monitor/jobs/rollup"
	"github.com/company/k8s-resource-monitor/jobs/rollup/hour"
	"github.com/company/k8s-resource-monitor/jobs/rollup/publish"
	"github.com/company/k8s-resource-monitor/jobs/snapshot"
	"github.com/company/k8s-resource-monitor/site"
)

// parts makes the jobs from the settings. The commands add the bucket to each, and the cluster to a snapshot.
type parts struct {
	*program
	settings config.Config
}

// parts reads the settings.
func (p *program) parts(f *flags) (parts, error) {
	c, err := f.settings()
	return parts{p, c}, err
}

// bucketURL is the URL of the bucket in the settings.
func (p parts) bucketURL() (bucket.URL, error) {
	if p.settings.Bucket == "" {
		return bucket.URL{}, wrongf("no bucket: set --bucket, %s or bucket in the settings to s3://NAME/PREFIX or file:///DIR",
			variable("bucket"))
	}
	return bucket.ParseURL(p.settings.Bucket)
}

// bucket opens the bucket in the settings.
func (p parts) bucket(ctx context.Context) (bucket.Bucket, error) {
	if _, err := p.bucketURL(); err != nil {
		return nil, err
	}
	return open.Bucket(ctx, p.settings.Bucket, p.log)
}

func (p parts) snapshot() snapshot.Job {
	return snapshot.Job{
		HTTP:          &http.Client{Transport: &http.Transport{MaxIdleConns: 256, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute}},
		Cluster:       p.settings.Cluster,
		Namespaces:    p.settings.Namespaces,
		Interval:      p.settings.Collection.Interval,
		SamplesPerRun: p.settings.Collection.SamplesPerRun(),
		Version:       programVersion(),
		Log:           p.log,
		Now:           p.now,
		Wait:          wait,
	}
}

func (p parts) rollup() (rollup.Job, error) {
	files, names, err := site.Files()
	if err != nil {
		return rollup.Job{}, err
	}
	return rollup.Job{
		Cluster:      p.settings.Cluster,
		Interval:     p.settings.Collection.Interval,
		RawRetention: p.settings.Retention.Raw,
		Prices: hour.Prices{
			GPUHour:       p.settings.Prices.GPUHour,
			CPUCoreHour:   p.settings.Prices.CPUCoreHour,
			MemoryGiBHour: p.settings.Prices.MemoryGiBHour,
		},
		Currency:       p.settings.Prices.Currency,
		Thresholds:     p.thresholds(),
		ProgramVersion: programVersion(),
		Site:           publish.SiteFiles{FS: files, Names: names},
		Log:            p.log,
	}, nil
}

// alert is the job with a channel that prints its messages; the command replaces it by the channels that have a secret.
func (p parts) alert() (alert.Job, error) {
	rules, err := alert.Rules(p.settings.Alerts.Rules)
	if err != nil {
		return alert.Job{}, configError{err}
	}
	return alert.Job{
		Cluster:    p.settings.Cluster,
		Rules:      rules,
		Thresholds: p.thresholds(),
		Channels:   []notify.Channel{notify.Printer{Out: p.stdout}},
		SiteURL:    p.settings.Alerts.SiteURL,
		Log:        p.log,
	}, nil
}

func (p parts) prune() prune.Job {
	return prune.Job{
		Cluster: p.settings.Cluster,
		Policy:  prune.Policy(p.settings.Retention),
		Out:     io.Discard, // the log has the totals
		Log:     p.log,
	}
}

func (p parts) thresholds() report.Thresholds {
	t := p.settings.Thresholds
	return report.Thresholds{CPUPercent: t.CPU, MemoryPercent: t.Memory, GPUPercent: t.GPU}
}

// wait returns at the time until, by the clock of this machine, or when the context ends.
func wait(ctx context.Context, until time.Time) error {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
