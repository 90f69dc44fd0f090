package config

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/usage"
	"github.com/company/k8s-resource-monitor/internal/yamlfile"
)

// Load reads the body of a settings file; file is its name in errors. A key that is not set, or has no value, keeps its
// default. The error lists every fault of the file, one a line, and never contains a value that looks like a secret.
func Load(file string, body []byte) (Config, error) {
	root, err := yamlfile.Parse(file, body)
	if err == nil {
		err = refuseSecrets(root) // before anything else, as other faults may quote a value
	}
	if err != nil {
		return Config{}, err
	}
	c := Default()
	r := root.Decode(&c)
	check(r, &c)
	if err := r.Err(); err != nil {
		return Config{}, err
	}
	slices.Sort(c.Namespaces)
	c.Namespaces = slices.Compact(c.Namespaces)
	return c, nil
}

// check adds a fault to r for each value that has the right type but is not allowed.
func check(r *yamlfile.Reading, c *Config) {
	r.Check("cluster", clusterName(c.Cluster))
	r.Check("bucket", bucketURL(c.Bucket))
	for i, name := range c.Namespaces {
		r.Check(fmt.Sprintf("namespaces[%d]", i), namespace(name))
	}
	r.Check("collection.interval", interval(c.Collection.Interval))
	r.Check("retention.raw", atLeastAnHour(c.Retention.Raw))
	r.Check("retention.samples", atLeastAnHour(c.Retention.Samples))
	r.Check("retention.hourly", atLeastAnHour(c.Retention.Hourly))
	r.Check("retention.report", atLeastAnHour(c.Retention.Report))
	r.Check("thresholds.cpu", percent(c.Thresholds.CPU))
	r.Check("thresholds.memory", percent(c.Thresholds.Memory))
	r.Check("thresholds.gpu", percent(c.Thresholds.GPU))
	r.Check("alerts.siteURL", webURL(c.Alerts.SiteURL))
	_, err := c.Alerts.Rules.Items()
	r.Check("alerts.rules", err)
	r.Check("prices.currency", currency(c.Prices.Currency))
	for _, product := range slices.Sorted(maps.Keys(c.Prices.GPUHour)) {
		r.Check("prices.gpuHour."+product, price(usage.Some(c.Prices.GPUHour[product])))
	}
	r.Check("prices.cpuCoreHour", price(c.Prices.CPUCoreHour))
	r.Check("prices.memoryGiBHour", price(c.Prices.MemoryGiBHour))
}

func clusterName(s string) error {
	if !layout.ValidCluster(s) {
		return fmt.Errorf("%q cannot be the name of a cluster: use at most 63 lower-case letters, digits, '-' and '.', "+
			"and no name of a file of the site", s)
	}
	return nil
}

// bucketURL checks only that s is a URL; bucket.ParseURL, which opens it, knows the grammar.
func bucketURL(s string) error {
	if !strings.Contains(s, "://") {
		return fmt.Errorf("%q is not a bucket's URL: write s3://NAME/PREFIX or file:///DIR", s)
	}
	return nil
}

func namespace(s string) error {
	if !layout.ValidName(s) {
		return fmt.Errorf("%q is not a name that a namespace can have", s)
	}
	return nil
}

func webURL(s string) error {
	if u, err := url.Parse(s); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("%q is not the address of a page: write https://HOST/PATH", s)
	}
	return nil
}

func interval(d time.Duration) error {
	const least, most = 10 * time.Second, 5 * time.Minute
	if d < least || d > most || time.Minute%d != 0 && d%time.Minute != 0 {
		return fmt.Errorf("%v does not fit: use 10s, 12s, 15s, 20s, 30s, or 1m to 5m in whole minutes", d)
	}
	return nil
}

func atLeastAnHour(d time.Duration) error {
	if d < time.Hour {
		return fmt.Errorf("%v is too short: keep at least 1h", d)
	}
	return nil
}

func percent(v float64) error {
	if v <= 0 || v > 100 {
		return fmt.Errorf("%v is not a percent above 0 and up to 100", v)
	}
	return nil
}

func price(p usage.Opt[float64]) error {
	if v, _ := p.Get(); v < 0 {
		return fmt.Errorf("%v is below zero; a price is not", v)
	}
	return nil
}

var currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)

func currency(s string) error {
	if !currencyCode.MatchString(s) {
		return fmt.Errorf("%q is not a currency's code of three letters, such as USD", s)
	}
	return nil
}
