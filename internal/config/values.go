package config

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// text reads a string.
func text(to *string, check func(string) error) reader {
	return func(_ *loader, n *yaml.Node) error {
		s, err := scalar(n, "!!str", "text; put it in quotes")
		if err == nil {
			err = check(s)
		}
		if err == nil {
			*to = s
		}
		return err
	}
}

// names reads a list of Kubernetes names, and sorts it.
func names(to *[]string) reader {
	return func(_ *loader, n *yaml.Node) error {
		if n.Kind != yaml.SequenceNode {
			return fmt.Errorf("is %s, not a list of names", kind(n))
		}
		var list []string
		for _, item := range n.Content {
			name, err := scalar(item, "!!str", "a name; put it in quotes")
			if err != nil {
				return err
			}
			if !layout.ValidName(name) {
				return fmt.Errorf("%q is not a name that a namespace can have", name)
			}
			list = append(list, name)
		}
		slices.Sort(list)
		*to = slices.Compact(list)
		return nil
	}
}

// duration reads a length of time, such as 30s, 48h or 7d.
func duration(to *time.Duration, check func(time.Duration) error) reader {
	return func(_ *loader, n *yaml.Node) error {
		s, err := scalar(n, "!!str", "a duration such as 30s, 48h or 7d")
		if err != nil {
			return err
		}
		d, err := parseDuration(s)
		if err != nil {
			return err
		}
		if err := check(d); err != nil {
			return err
		}
		*to = d
		return nil
	}
}

// parseDuration reads what time.ParseDuration reads, or a whole number of days.
func parseDuration(s string) (time.Duration, error) {
	const longestDays = 36_500
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 32); err == nil && n <= longestDays {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	} else if d, err := time.ParseDuration(s); err == nil && d <= longestDays*24*time.Hour {
		return d, nil
	}
	return 0, fmt.Errorf("%q is not a duration such as 30s, 48h or 7d", s)
}

// number reads a number.
func number(to *float64, check func(float64) error) reader {
	return func(_ *loader, n *yaml.Node) error {
		v, err := float(n, check)
		if err == nil {
			*to = v
		}
		return err
	}
}

// optional reads a number that has no default.
func optional(to *usage.Opt[float64], check func(float64) error) reader {
	return func(_ *loader, n *yaml.Node) error {
		v, err := float(n, check)
		if err == nil {
			*to = usage.Some(v)
		}
		return err
	}
}

// prices reads a price for each name.
func prices(to *map[string]float64) reader {
	return func(_ *loader, n *yaml.Node) error {
		if n.Kind != yaml.MappingNode {
			return fmt.Errorf("is %s, not lines of PRODUCT: PRICE", kind(n))
		}
		byName := map[string]float64{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			product := n.Content[i].Value
			v, err := float(n.Content[i+1], price)
			if err != nil {
				return fmt.Errorf("%s: %w", product, err)
			}
			if _, twice := byName[product]; twice {
				return fmt.Errorf("%s: is set twice; keep one", product)
			}
			byName[product] = v
		}
		*to = byName
		return nil
	}
}

// source keeps a list as it is written, on the lines on which it is written.
func source(to *[]byte) reader {
	return func(l *loader, n *yaml.Node) error {
		if n.Kind != yaml.SequenceNode {
			return fmt.Errorf("is %s, not a list", kind(n))
		}
		if n.Style&yaml.FlowStyle != 0 {
			if len(n.Content) == 0 {
				*to = []byte("[]\n")
				return nil
			}
			return errors.New("write the list with a line of its own for each item, starting with -")
		}
		lines := bytes.SplitAfter(l.body, []byte("\n"))
		end := len(lines)
		if l.end > 0 {
			end = l.end
		}
		first := lines[n.Line-1][n.Column-1:] // a block list has only blanks before it on its line
		*to = slices.Concat(bytes.Repeat([]byte("\n"), n.Line-1), bytes.Repeat([]byte(" "), n.Column-1),
			first, bytes.Join(lines[n.Line:end], nil))
		return nil
	}
}

func float(n *yaml.Node, check func(float64) error) (float64, error) {
	const wanted = "a number, without quotes and unit"
	var v float64
	if n.ShortTag() != "!!int" && n.ShortTag() != "!!float" || n.Decode(&v) != nil {
		return 0, fmt.Errorf("is %s, not %s", kind(n), wanted)
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, errors.New("is not a finite number")
	}
	return v, check(v)
}

func scalar(n *yaml.Node, tag, wanted string) (string, error) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != tag {
		return "", fmt.Errorf("is %s, not %s", kind(n), wanted)
	}
	return n.Value, nil
}

func clusterName(s string) error {
	if !layout.ValidCluster(s) {
		return fmt.Errorf("%q cannot name a cluster: use at most 63 lower-case letters, digits, '-' and '.', and no name of a file of the site", s)
	}
	return nil
}

// bucketURL checks only what must not be passed on: the grammar of the URL
// belongs to the package that opens it.
func bucketURL(s string) error {
	if !strings.Contains(s, "://") {
		return fmt.Errorf("%q is not a bucket's URL: write s3://NAME/PREFIX or file:///DIR", s)
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

func price(v float64) error {
	if v < 0 {
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
