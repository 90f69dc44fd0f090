// Package config holds the settings of all jobs: one YAML file, read strictly. A key that does not exist, a value of the
// wrong type and a value out of range are errors that name the file, the line and the key.
//
// Secrets are not settings. They come from the environment or from a file (see Secret), and a settings file that contains
// one is refused.
//
// The alert rules are checked by jobs/alert; here they are an unread part of the file.
package config

import (
	"time"

	"github.com/company/k8s-resource-monitor/internal/usage"
	"github.com/company/k8s-resource-monitor/internal/yamlfile"
)

// Config is every setting; the yaml tags are the keys of the file. The zero Config is not valid; start from Default.
type Config struct {
	Cluster    string     `yaml:"cluster"`    // the cluster's name in object names and on the site; layout.ValidCluster
	Bucket     string     `yaml:"bucket"`     // URL of the bucket, s3://… or file:///…; "": not set
	Namespaces []string   `yaml:"namespaces"` // the namespaces to watch, sorted; empty: all
	Collection Collection `yaml:"collection"`
	Retention  Retention  `yaml:"retention"`
	Thresholds Thresholds `yaml:"thresholds"`
	Alerts     Alerts     `yaml:"alerts"`
	Prices     Prices     `yaml:"prices"`
}

// Collection says how often the cluster is sampled.
type Collection struct {
	// Interval is the time between two samples. It divides a minute, or is one to five whole minutes.
	Interval time.Duration `yaml:"interval"`
}

// SamplesPerRun is how many samples one run of the snapshot job takes, one Interval apart. With an interval of up to a
// minute, the job runs every minute and takes the samples of that minute; with a longer one, it runs once an interval and
// takes one.
func (c Collection) SamplesPerRun() int { return max(1, int(time.Minute/c.Interval)) }

// Retention is how long each tier is kept, counted from the newest snapshot.
type Retention struct {
	Raw     time.Duration `yaml:"raw"`
	Samples time.Duration `yaml:"samples"`
	Hourly  time.Duration `yaml:"hourly"`
	Report  time.Duration `yaml:"report"`
}

// Thresholds are percents, above 0 and up to 100, from which the site marks a bar. The default alert rules use CPU and
// Memory too.
type Thresholds struct {
	CPU    float64 `yaml:"cpu"`
	Memory float64 `yaml:"memory"`
	GPU    float64 `yaml:"gpu"`
}

// Alerts are the settings of the alert job.
type Alerts struct {
	Rules   yamlfile.Value `yaml:"rules"`   // the list of rules, for alert.Rules
	SiteURL string         `yaml:"siteURL"` // where people open the site, linked from messages; "": no link
}

// Prices turn usage into cost. Cost leaves out what has no price; without any price there is no cost.
type Prices struct {
	Currency      string             `yaml:"currency"` // a code such as USD, shown and not converted
	GPUHour       map[string]float64 `yaml:"gpuHour"`  // by GPU product, per device and hour
	CPUCoreHour   usage.Opt[float64] `yaml:"cpuCoreHour"`
	MemoryGiBHour usage.Opt[float64] `yaml:"memoryGiBHour"`
}

// Default is the configuration of an empty file.
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
