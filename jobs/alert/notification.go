package alert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/company/k8s-resource-monitor/jobs/alert/notify"
)

// newNotification groups transitions by rule: what fires before what is resolved,
// the worst first.
func newNotification(cluster, siteURL string, at time.Time, transitions []alert) notify.Notification {
	slices.SortFunc(transitions, compareTold)
	n := notify.Notification{Cluster: cluster, SiteURL: siteURL, At: at}
	for _, a := range transitions {
		resolved := a.ResolvedAt.Present()
		last := len(n.Groups) - 1
		if last < 0 || n.Groups[last].Rule != a.Rule || n.Groups[last].Severity != a.Severity || n.Groups[last].Resolved != resolved {
			n.Groups = append(n.Groups, notify.Group{Rule: a.Rule, Severity: a.Severity, Resolved: resolved})
			last++
		}
		g := &n.Groups[last]
		g.Alerts = append(g.Alerts, notify.Alert{Subject: a.subject.words(), Words: a.words()})
	}
	return n
}

// compareTold orders as a notification tells it: what fires before what is
// resolved, then by severity, rule and age.
func compareTold(a, b alert) int {
	if resolved := a.ResolvedAt.Present(); resolved != b.ResolvedAt.Present() {
		if resolved {
			return 1
		}
		return -1
	}
	return cmp.Or(slices.Index(severities, b.Severity)-slices.Index(severities, a.Severity),
		strings.Compare(a.Rule, b.Rule), compareFiring(a, b))
}

// words is the subject as people call it.
func (s subject) words() string {
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
