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
	thresholds  = slices.Sorted(maps.Keys(thresholdNames(report.Thresholds{})))
	placeholder = regexp.MustCompile(`\{([^{}]*)\}`)
)

// placeholders are the names in braces of a summary, in order.
func placeholders(summary string) []string {
	var names []string
	for _, m := range placeholder.FindAllStringSubmatch(summary, -1) {
		names = append(names, m[1])
	}
	return names
}

// summarise fills a rule's summary from a row, and returns the first number
// that it names: the alert's value.
func summarise(rule *Rule, r row) (string, usage.Opt[float64]) {
	var value usage.Opt[float64]
	for _, name := range placeholders(rule.Summary) {
		if _, isThreshold := r.thresholds[name]; isThreshold {
			continue
		}
		switch v := r.get(name).(type) {
		case int64:
			value = usage.Some(float64(v))
		case float64:
			value = usage.Some(v)
		}
		if value.Present() {
			break
		}
	}
	text := placeholder.ReplaceAllStringFunc(rule.Summary, func(m string) string {
		name := m[1 : len(m)-1]
		return words(name, r.get(name))
	})
	return strings.Join(strings.Fields(text), " "), value
}

// words writes a value with the unit that its column's name ends in.
func words(name string, v any) string {
	switch v := v.(type) {
	case nil:
		return "?"
	case int64:
		return number(name, float64(v))
	case float64:
		return number(name, v)
	case time.Time:
		return v.UTC().Format("2006-01-02 15:04 UTC")
	case string:
		if strings.HasSuffix(name, "_basis") {
			return basisWords(usage.Basis(v))
		}
		return v
	default:
		return fmt.Sprint(v)
	}
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
