package alert

import (
	"cmp"
	"fmt"
	"slices"
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
	cluster string
	at      time.Time
	siteURL string // "": no link
	groups  []group
}

// group is the alerts of one rule that began or ended.
type group struct {
	rule     string
	severity string
	resolved bool
	alerts   []alert
}

// newNotification groups transitions by rule: what fires before what is resolved,
// the worst first.
func newNotification(cluster, siteURL string, at time.Time, transitions []alert) Notification {
	type id struct {
		rule     string
		resolved bool
	}
	byRule := map[id]*group{}
	for _, a := range transitions {
		k := id{a.Rule, a.ResolvedAt.Present()}
		if byRule[k] == nil {
			byRule[k] = &group{rule: a.Rule, severity: a.Severity, resolved: k.resolved}
		}
		byRule[k].alerts = append(byRule[k].alerts, a)
	}
	n := Notification{cluster: cluster, siteURL: siteURL, at: at}
	for _, g := range byRule {
		slices.SortFunc(g.alerts, compareFiring)
		n.groups = append(n.groups, *g)
	}
	slices.SortFunc(n.groups, func(a, b group) int {
		if a.resolved != b.resolved {
			return map[bool]int{false: -1, true: 1}[a.resolved]
		}
		return cmp.Or(slices.Index(severities, b.severity)-slices.Index(severities, a.severity),
			strings.Compare(a.rule, b.rule))
	})
	return n
}

// title is the message in one line.
func (n Notification) title() string {
	var firing, resolved int
	for _, g := range n.groups {
		if g.resolved {
			resolved += len(g.alerts)
		} else {
			firing += len(g.alerts)
		}
	}
	var parts []string
	if firing > 0 {
		parts = append(parts, fmt.Sprintf("%d firing", firing))
	}
	if resolved > 0 {
		parts = append(parts, fmt.Sprintf("%d resolved", resolved))
	}
	return n.cluster + ": " + strings.Join(parts, ", ")
}

func (g group) title() string {
	word := g.severity
	if g.resolved {
		word = "RESOLVED"
	}
	return fmt.Sprintf("%s %s (%d)", word, g.rule, len(g.alerts))
}

// name is the subject as people call it.
func (s subject) name() string {
	switch {
	case s.Namespace != "":
		return s.Namespace + "/" + s.Name
	case s.Kind == onGPU:
		return s.Name + " on " + s.Node
	}
	return s.Name
}

// words says what is the matter, or that it is over.
func (a alert) words() string {
	if end, ok := a.ResolvedAt.Get(); ok {
		return fmt.Sprintf("after %s; was: %s", lasting(end.Sub(a.PendingSince)), a.Summary)
	}
	return fmt.Sprintf("%s, since %s", a.Summary, a.PendingSince.UTC().Format("15:04 UTC"))
}

// text is the notification for a terminal.
func (n Notification) text() string {
	var b strings.Builder
	fmt.Fprintln(&b, plain(n.title()))
	for _, g := range n.groups {
		fmt.Fprintln(&b, plain(g.title()))
		for _, a := range g.alerts[:min(topSubjects, len(g.alerts))] {
			fmt.Fprintf(&b, "  %s  %s\n", plain(a.name()), plain(a.words()))
		}
		if more := len(g.alerts) - topSubjects; more > 0 {
			fmt.Fprintf(&b, "  and %d more\n", more)
		}
	}
	if n.siteURL != "" {
		fmt.Fprintln(&b, "report: "+plain(n.siteURL))
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
