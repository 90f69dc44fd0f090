// Package config holds the settings of all jobs: one YAML file, read strictly.
// A key that does not exist, a value of the wrong type and a value out of range
// are errors that name the file, the line and the key; nothing is guessed.
//
// Secrets are not settings. They come from the environment or from a file (see
// Secret), and a file that holds one is refused.
//
// What a rule of an alert may say is known to jobs/alert alone; this package
// hands the rules on as they were written.
package config

import (
	"time"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Config is every setting. The zero Config is not a valid one; start from Default.
type Config struct {
	Cluster    string   // the cluster's name in object names and on the site; layout.ValidCluster
	Bucket     string   // URL of the bucket, s3://… or file:///…; "": not set
	Namespaces []string // the namespaces to watch, sorted; empty: all
	Collection Collection
	Retention  Retention
	Thresholds Thresholds
	Alerts     Alerts
	Prices     Prices
}

// Collection says how often the cluster is sampled.
type Collection struct {
	// Interval between two samples. It divides a minute, or is one to five
	// minutes and divides an hour, so that every hour has the same instants.
	Interval time.Duration
}

// SamplesPerRun is how many samples one run of the snapshot job takes, one
// Interval apart. Up to an interval of a minute the job is scheduled every
// minute and the samples of a run fill it; above, it is scheduled once an
// interval.
func (c Collection) SamplesPerRun() int { return max(1, int(time.Minute/c.Interval)) }

// Retention is how long each tier is kept, counted from the newest snapshot.
type Retention struct {
	Raw, Samples, Hourly, Report time.Duration
}

// Thresholds are percents, in (0, 100], from which the site marks a bar. CPU
// and Memory are also those of the default alert rules.
type Thresholds struct {
	CPU, Memory, GPU float64
}

// Alerts is what the alert job needs beside its secrets.
type Alerts struct {
	// Rules is the YAML list of rules, nil where the file has none. Its first
	// lines are empty: the line numbers in it are those of the whole file.
	Rules   []byte
	SiteURL string // where people open the site, linked from messages; "": no link
}

// Prices turn use into cost. A price that is absent leaves its part of the
// cost out; with none set there is no cost.
type Prices struct {
	Currency      string             // a code such as USD, shown and not converted
	GPUHour       map[string]float64 // by GPU product, per device and hour
	CPUCoreHour   usage.Opt[float64]
	MemoryGiBHour usage.Opt[float64]
}

// Default is the configuration of a file that sets nothing.
func Default() Config {
	const day = 24 * time.Hour
	return Config{
		Cluster:    "default",
		Collection: Collection{Interval: 30 * time.Second},
		Retention:  Retention{Raw: 48 * time.Hour, Samples: 7 * day, Hourly: 400 * day, Report: 400 * day},
		Thresholds: Thresholds{CPU: 80, Memory: 80, GPU: 80},
		Prices:     Prices{Currency: "USD"},
	}
}

// settings is the table of every key of the file and of what reads its value
// into c. A key with a dot is a key of a section.
func settings(c *Config) map[string]reader {
	return map[string]reader{
		"cluster":              text(&c.Cluster, clusterName),
		"bucket":               text(&c.Bucket, bucketURL),
		"namespaces":           names(&c.Namespaces),
		"collection.interval":  duration(&c.Collection.Interval, interval),
		"retention.raw":        duration(&c.Retention.Raw, atLeastAnHour),
		"retention.samples":    duration(&c.Retention.Samples, atLeastAnHour),
		"retention.hourly":     duration(&c.Retention.Hourly, atLeastAnHour),
		"retention.report":     duration(&c.Retention.Report, atLeastAnHour),
		"thresholds.cpu":       number(&c.Thresholds.CPU, percent),
		"thresholds.memory":    number(&c.Thresholds.Memory, percent),
		"thresholds.gpu":       number(&c.Thresholds.GPU, percent),
		"alerts.rules":         source(&c.Alerts.Rules),
		"alerts.siteURL":       text(&c.Alerts.SiteURL, webURL),
		"prices.currency":      text(&c.Prices.Currency, currency),
		"prices.gpuHour":       prices(&c.Prices.GPUHour),
		"prices.cpuCoreHour":   optional(&c.Prices.CPUCoreHour, price),
		"prices.memoryGiBHour": optional(&c.Prices.MemoryGiBHour, price),
	}
}
