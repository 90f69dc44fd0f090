package notify

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"
)

// slackWebhook posts to a Slack incoming webhook. The message is of slack-go's
// types. It is posted by webhook and not by slack.PostWebhookCustomHTTPContext,
// which drops the body of the answer, and with it Slack's reason and the "ok"
// that alone says that a message arrived, returns the secret URL in its errors,
// and takes a 429 without Retry-After for a refusal.
type slackWebhook struct{ *webhook }

func newSlackWebhook(address string) (Channel, error) {
	w, err := newWebhook("Slack", address)
	if err != nil {
		return nil, fmt.Errorf("%w: copy it whole from the app's page Incoming Webhooks", err)
	}
	return slackWebhook{w}, nil
}

// Name is "slack".
func (slackWebhook) Name() string { return "slack" }

// Notify posts the notification as one message.
func (s slackWebhook) Notify(ctx context.Context, n Notification) (retry bool, err error) {
	return s.post(ctx, slackMessage(n), slackAnswer)
}

// slackAnswer is what Slack's answer to a post means.
func slackAnswer(status int, body []byte) (retry bool, err error) {
	body = bytes.TrimSpace(body)
	if status == http.StatusOK && string(body) == "ok" {
		return false, nil
	}
	reason := "with an answer that is not Slack's" // a proxy's page may quote the URL
	if slackReason.Match(body) {
		reason = string(body)
	}
	if status >= http.StatusInternalServerError {
		return true, fmt.Errorf("HTTP %d %s", status, reason)
	}
	return false, fmt.Errorf("HTTP %d %s%s", status, reason, slackRemedies[reason])
}

// slackReason is the form of Slack's word for an error.
var slackReason = regexp.MustCompile(`^[a-z_]{1,64}$`)

// slackRemedies say what to do about Slack's answers.
var slackRemedies = map[string]string{
	"invalid_payload":                   ": this is a fault of k8s-monitor, please report it with the output of alert --dry-run",
	"no_text":                           ": this is a fault of k8s-monitor, please report it with the output of alert --dry-run",
	"channel_is_archived":               ": unarchive the channel, or make a webhook for another one",
	"channel_not_found":                 ": the channel is gone, make a webhook for another one",
	"action_prohibited":                 ": an administrator forbids posting to this channel",
	"posting_to_general_channel_denied": ": an administrator forbids posting to this channel",
	"no_service":                        ": the webhook was removed, make a new one",
	"no_service_id":                     ": the URL is not whole, copy it anew",
	"no_team":                           ": the URL is not whole, copy it anew",
	"invalid_token":                     ": the URL is not whole, or was revoked; copy it anew",
	"user_not_found":                    ": the user who made the webhook is gone, make a new one",
}

// Limits of one message. Slack refuses more than 50 blocks, a header above 150
// characters, a section above 3,000, and somewhere above 13,000 in all.
const (
	mostGroups   = 45
	headerLimit  = 150
	sectionLimit = 3000
	lineLimit    = 250
	titleLimit   = 120
	totalLimit   = 8500 // the rest is for the fallback text
)

// slackMessage is a header, a section a rule, and where it comes from. What does
// not fit is counted instead of shown.
func slackMessage(n Notification) *slack.WebhookMessage {
	title := clip(plain(n.Title()), headerLimit)
	blocks := []slack.Block{slack.NewHeaderBlock(slack.NewTextBlockObject(slack.PlainTextType, title, false, false))}
	fallback := escape(title)
	total := utf8.RuneCountInString(title)
	for i, g := range n.Groups {
		if i == mostGroups {
			blocks = append(blocks, section(fmt.Sprintf("and %d more rules", len(n.Groups)-mostGroups)))
			break
		}
		text := g.mrkdwn(topSubjects)
		if length := utf8.RuneCountInString(text); length > sectionLimit || total+length > totalLimit-titleLimit*(len(n.Groups)-i) {
			text = g.mrkdwn(0) // its title alone
		}
		total += utf8.RuneCountInString(text)
		blocks = append(blocks, section(text))
		if i < topSubjects {
			fallback += "\n" + escape(g.Title())
		}
	}
	footer := fmt.Sprintf("k8s-monitor · cluster %s · %s", escape(n.Cluster), n.At.UTC().Format("2006-01-02 15:04 UTC"))
	if link := linkTo(n.SiteURL); link != "" {
		footer += " · <" + link + "|Open report>"
	}
	blocks = append(blocks, slack.NewContextBlock("", mrkdwn(footer)))
	return &slack.WebhookMessage{Text: fallback, Blocks: &slack.Blocks{BlockSet: blocks}}
}

var icons = map[string]string{"CRITICAL": "🔴", "WARNING": "🟠", "INFO": "🔵"}

// mrkdwn shows at most top subjects.
func (g Group) mrkdwn(top int) string {
	icon := icons[g.Severity]
	if g.Resolved {
		icon = "✅"
	}
	text := icon + " *" + escape(g.Title()) + "*"
	shown := g.Alerts[:min(top, len(g.Alerts))]
	for _, a := range shown {
		// Escaping after clipping, so that no entity is cut in two.
		text += "\n• `" + escape(clip(plain(a.Subject), lineLimit/2)) + "` " + escape(clip(plain(a.Words), lineLimit/2))
	}
	if more := len(g.Alerts) - len(shown); more > 0 && top > 0 {
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

// linkTo is an address that cannot end Slack's link markup, "" if raw is none.
func linkTo(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return strings.NewReplacer("&", "&amp;", "<", "%3C", ">", "%3E", "|", "%7C").Replace(u.String())
}
