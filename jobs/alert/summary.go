package alert

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

var (
	limitNames  = slices.Sorted(maps.Keys(limits(report.Thresholds{})))
	placeholder = regexp.MustCompile(`\{([^{}]*)\}`)
)

// placeholders are the names in braces of a summary, in order, each once.
func placeholders(summary string) []string {
	var names []string
	for _, m := range placeholder.FindAllStringSubmatch(summary, -1) {
		if !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	return names
}

// values appends the named values of the row, each once.
func (v *view) values(names []string, to []report.AlertValue) []report.AlertValue {
	for _, name := range names {
		value := report.AlertValue{Name: name}
		switch got := v.cells[name].get().(type) {
		case int64:
			value.Number = usage.Some(float64(got))
		case float64:
			value.Number = usage.Some(got)
		case string:
			value.Text = usage.Some(got)
		case bool:
			value.Text = usage.Some(strconv.FormatBool(got))
		case time.Time:
			value.Text = usage.Some(got.UTC().Format("2006-01-02 15:04 UTC"))
		}
		to = append(to, value)
	}
	return to
}

// summarise fills a summary with values, and returns the first number of them
// that is not a limit: the alert's value.
func summarise(summary string, values []report.AlertValue) (string, usage.Opt[float64]) {
	var first usage.Opt[float64]
	inWords := map[string]string{}
	for _, v := range values {
		inWords[v.Name] = words(v)
		if !first.Present() && !slices.Contains(limitNames, v.Name) {
			first = v.Number
		}
	}
	text := placeholder.ReplaceAllStringFunc(summary, func(m string) string { return inWords[m[1:len(m)-1]] })
	return strings.Join(strings.Fields(text), " "), first
}

// words writes a value, a number with the unit that its column's name ends in.
func words(v report.AlertValue) string {
	if n, ok := v.Number.Get(); ok {
		return number(v.Name, n)
	}
	text, ok := v.Text.Get()
	switch {
	case !ok:
		return "?"
	case strings.HasSuffix(v.Name, "_basis"):
		return basisWords(usage.Basis(text))
	}
	return text
}

// basisWords is a basis as people read it in a message; expressions, JSON and SQL know its name.
func basisWords(b usage.Basis) string {
	if b == usage.OfNode {
		return "node's allocatable"
	}
	return string(b)
}

func number(name string, v float64) string {
	switch {
	case strings.HasSuffix(name, "_percent") || strings.HasPrefix(name, "thresholds."):
		return decimal(v) + " %"
	case strings.HasSuffix(name, "_millicores") && v == 1000:
		return "1 core"
	case strings.HasSuffix(name, "_millicores"):
		return decimal(v/1000) + " cores"
	case strings.HasSuffix(name, "_bytes"):
		unit := 0
		for ; v >= 1024 && unit < 4; unit++ {
			v /= 1024
		}
		return decimal(v) + " " + []string{"B", "KiB", "MiB", "GiB", "TiB"}[unit]
	case strings.HasSuffix(name, "_seconds"):
		return lasting(time.Duration(v * float64(time.Second)))
	}
	return decimal(v)
}

// decimal rounds to one digit after the point, or two significant ones below 1.
func decimal(v float64) string {
	if math.Abs(v) < 1 {
		return strconv.FormatFloat(v, 'g', 2, 64)
	}
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

// lasting writes a duration in the largest two units.
func lasting(d time.Duration) string {
	d = d.Round(time.Second)
	if d < 2*time.Minute {
		return fmt.Sprintf("%d s", d/time.Second)
	}
	days, hours, minutes := d/(24*time.Hour), d/time.Hour%24, d/time.Minute%60
	switch {
	case days > 0:
		return fmt.Sprintf("%d d %d h", days, hours)
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes)
	}
	return fmt.Sprintf("%d min", minutes)
}
