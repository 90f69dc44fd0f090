package notify

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// topSubjects is how many subjects of a rule a message names; the rest is counted.
const topSubjects = 10

// Notification is what one run has to tell a channel: the alerts that began and
// ended, by rule.
type Notification struct {
	Cluster string
	At      time.Time
	SiteURL string  // of the report, which is linked; "": no link
	Groups  []Group // in the order in which they are to be told
}

// Group is the alerts of one rule that began, or that ended.
type Group struct {
	Rule     string
	Severity string // "INFO", "WARNING" or "CRITICAL"
	Resolved bool
	Alerts   []Alert // in the order in which they are to be told
}

// Alert is one subject of a rule. Names and labels in it were written by
// strangers: a channel escapes them.
type Alert struct {
	Subject string // such as "namespace/pod"
	Words   string // what is the matter, or that it is over
}

// Title is the message in one line.
func (n Notification) Title() string {
	var firing, resolved int
	for _, g := range n.Groups {
		if g.Resolved {
			resolved += len(g.Alerts)
		} else {
			firing += len(g.Alerts)
		}
	}
	var parts []string
	if firing > 0 {
		parts = append(parts, fmt.Sprintf("%d firing", firing))
	}
	if resolved > 0 {
		parts = append(parts, fmt.Sprintf("%d resolved", resolved))
	}
	return n.Cluster + ": " + strings.Join(parts, ", ")
}

// Title is the group in one line.
func (g Group) Title() string {
	word := g.Severity
	if g.Resolved {
		word = "RESOLVED"
	}
	return fmt.Sprintf("%s %s (%d)", word, g.Rule, len(g.Alerts))
}

// text is the notification for a terminal.
func (n Notification) text() string {
	var b strings.Builder
	fmt.Fprintln(&b, plain(n.Title()))
	for _, g := range n.Groups {
		fmt.Fprintln(&b, plain(g.Title()))
		for _, a := range g.Alerts[:min(topSubjects, len(g.Alerts))] {
			fmt.Fprintf(&b, "  %s  %s\n", plain(a.Subject), plain(a.Words))
		}
		if more := len(g.Alerts) - topSubjects; more > 0 {
			fmt.Fprintf(&b, "  and %d more\n", more)
		}
	}
	if n.SiteURL != "" {
		fmt.Fprintln(&b, "report: "+plain(n.SiteURL))
	}
	return b.String()
}

// plain makes s one line of visible characters: names and labels are written
// by strangers.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
}

// clip cuts s to at most n characters.
func clip(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return string(runes[:n-1]) + "…"
}
