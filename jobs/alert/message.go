package alert

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/slack-go/slack"
)

// Limits of one message. Slack refuses more than 50 blocks, a header above 150
// characters, a section above 3,000, and somewhere above 13,000 in all.
const (
	topSubjects  = 10
	mostGroups   = 45
	headerLimit  = 150
	sectionLimit = 3000
	lineLimit    = 250
	titleLimit   = 120
	totalLimit   = 8500 // the rest is for the fallback text
)

// digest is what one run has to tell.
type digest struct {
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

// newDigest groups transitions by rule: what fires before what is resolved,
// the worst first.
func newDigest(cluster, siteURL string, at time.Time, transitions []alert) digest {
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
	d := digest{cluster: cluster, siteURL: siteURL, at: at}
	for _, g := range byRule {
		slices.SortFunc(g.alerts, compareFiring)
		d.groups = append(d.groups, *g)
	}
	slices.SortFunc(d.groups, func(a, b group) int {
		if a.resolved != b.resolved {
			return map[bool]int{false: -1, true: 1}[a.resolved]
		}
		return cmp.Or(slices.Index(severities, b.severity)-slices.Index(severities, a.severity), strings.Compare(a.rule, b.rule))
	})
	return d
}

// title is the message in one line.
func (d digest) title() string {
	var firing, resolved int
	for _, g := range d.groups {
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
	return d.cluster + ": " + strings.Join(parts, ", ")
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

// text is the digest for a terminal.
func (d digest) text() string {
	var b strings.Builder
	fmt.Fprintln(&b, plain(d.title()))
	for _, g := range d.groups {
		fmt.Fprintln(&b, plain(g.title()))
		for _, a := range g.alerts[:min(topSubjects, len(g.alerts))] {
			fmt.Fprintf(&b, "  %s  %s\n", plain(a.name()), plain(a.words()))
		}
		if more := len(g.alerts) - topSubjects; more > 0 {
			fmt.Fprintf(&b, "  and %d more\n", more)
		}
	}
	if d.siteURL != "" {
		fmt.Fprintln(&b, "report: "+plain(d.siteURL))
	}
	return b.String()
}

// slack is the digest as a message: a header, a section a rule, and where it
// comes from. What does not fit is counted instead of shown.
func (d digest) slack() *slack.WebhookMessage {
	title := clip(plain(d.title()), headerLimit)
	blocks := []slack.Block{slack.NewHeaderBlock(slack.NewTextBlockObject(slack.PlainTextType, title, false, false))}
	fallback := escape(title)
	total := utf8.RuneCountInString(title)
	for i, g := range d.groups {
		if i == mostGroups {
			blocks = append(blocks, section(fmt.Sprintf("and %d more rules", len(d.groups)-mostGroups)))
			break
		}
		text := g.mrkdwn(topSubjects)
		if n := utf8.RuneCountInString(text); n > sectionLimit || total+n > totalLimit-titleLimit*(len(d.groups)-i) {
			text = g.mrkdwn(0) // its title alone
		}
		total += utf8.RuneCountInString(text)
		blocks = append(blocks, section(text))
		if i < topSubjects {
			fallback += "\n" + escape(g.title())
		}
	}
	footer := fmt.Sprintf("k8s-monitor · cluster %s · %s", escape(d.cluster), d.at.UTC().Format("2006-01-02 15:04 UTC"))
	if link := linkTo(d.siteURL); link != "" {
		footer += " · <" + link + "|Open report>"
	}
	blocks = append(blocks, slack.NewContextBlock("", mrkdwn(footer)))
	return &slack.WebhookMessage{Text: fallback, Blocks: &slack.Blocks{BlockSet: blocks}}
}

var icons = map[string]string{"CRITICAL": "🔴", "WARNING": "🟠", "INFO": "🔵"}

// mrkdwn shows at most top subjects.
func (g group) mrkdwn(top int) string {
	icon := icons[g.severity]
	if g.resolved {
		icon = "✅"
	}
	text := icon + " *" + escape(g.title()) + "*"
	shown := g.alerts[:min(top, len(g.alerts))]
	for _, a := range shown {
		// Escaping after clipping, so that no entity is cut in two.
		text += "\n• `" + escape(clip(plain(a.name()), lineLimit/2)) + "` " + escape(clip(plain(a.words()), lineLimit/2))
	}
	if more := len(g.alerts) - len(shown); more > 0 && top > 0 {
		text += fmt.Sprintf("\nand %d more", more)
	}
	return text
}

func section(text string) slack.Block { return slack.NewSectionBlock(mrkdwn(text), nil, nil) }

// mrkdwn is verbatim: Slack is not to turn names that look like hosts or
// channels into links.
func mrkdwn(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, text, false, true)
}

// escaped are the characters that mean something in Slack's markup. Those that
// have no escape become look-alikes: a name is not to switch bold on.
var escaped = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;",
	"*", "∗", "_", "ˍ", "~", "∼", "`", "ˋ")

func escape(s string) string { return escaped.Replace(s) }

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

// linkTo is an address that cannot end Slack's link markup, "" if raw is none.
func linkTo(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return strings.NewReplacer("&", "&amp;", "<", "%3C", ">", "%3E", "|", "%7C").Replace(u.String())
}
