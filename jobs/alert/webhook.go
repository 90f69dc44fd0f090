package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"
)

// Poster delivers a message. An error means that it may not have arrived, and
// that the next run is to send it again; ErrRefused says that this cannot help.
type Poster interface {
	Post(ctx context.Context, message *slack.WebhookMessage) error
}

// ErrRefused is a message or address that Slack does not take.
//
//lint:ignore ST1005 Slack is a name
var ErrRefused = errors.New("Slack refused the message")

// Webhook posts to a Slack incoming webhook. Its URL is a secret: it stands in
// no error and no log, and the value prints without it.
type Webhook struct {
	url    string
	client *http.Client
	sleep  func(ctx context.Context, d time.Duration) error
}

const (
	postTimeout  = 15 * time.Second
	mostAttempts = 5
	longestWait  = 2 * time.Minute // that Retry-After may ask for at a time
)

// NewWebhook returns a poster to the URL that Slack gave for one channel.
func NewWebhook(address string) (*Webhook, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("the Slack webhook is not an https URL: copy it whole from the app's page Incoming Webhooks")
	}
	return &Webhook{
		url: u.String(),
		client: &http.Client{Timeout: postTimeout, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // the secret is for this host alone
		}},
		sleep: sleep,
	}, nil
}

// String, GoString and LogValue print a webhook without its URL.
func (*Webhook) String() string { return "Slack webhook" }

// GoString is String for %#v.
func (w *Webhook) GoString() string { return w.String() }

// LogValue is String for logs.
func (w *Webhook) LogValue() slog.Value { return slog.StringValue(w.String()) }

// Post delivers the message. While Slack asks to wait, it waits, as far as
// the context's deadline allows.
func (w *Webhook) Post(ctx context.Context, message *slack.WebhookMessage) error {
	body, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("encode the Slack message: %w", err)
	}
	for attempt := 1; ; attempt++ {
		wait, err := w.post(ctx, body)
		if err == nil {
			return nil
		}
		deadline, limited := ctx.Deadline()
		if wait < 0 || wait > longestWait || attempt == mostAttempts || limited && time.Until(deadline) < wait {
			return err
		}
		if w.sleep(ctx, wait) != nil {
			return err
		}
	}
}

// post tries once. On an error, wait is how long Slack asks to wait before the
// next try; -1: a try at once is of no use.
func (w *Webhook) post(ctx context.Context, body []byte) (wait time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return -1, errors.New("the Slack webhook is not a URL that can be posted to")
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := w.client.Do(req)
	if err != nil {
		return -1, fmt.Errorf("post to Slack: %w; the next run sends again", w.redact(err))
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1024))
	if err != nil {
		return -1, fmt.Errorf("read Slack's answer: %w; the next run sends again", w.redact(err))
	}
	switch code := reason(answer); {
	case resp.StatusCode == http.StatusOK && string(bytes.TrimSpace(answer)) == "ok":
		return 0, nil
	case resp.StatusCode == http.StatusTooManyRequests:
		seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		if err != nil || seconds < 0 {
			seconds = 1
		}
		return time.Duration(seconds) * time.Second,
			fmt.Errorf("post to Slack: too many messages, it asks to wait %d s; the next run sends again", seconds)
	case resp.StatusCode >= 500:
		return -1, fmt.Errorf("post to Slack: HTTP %d %s; the next run sends again", resp.StatusCode, code)
	default:
		return -1, fmt.Errorf("%w: HTTP %d %s%s", ErrRefused, resp.StatusCode, code, remedies[code])
	}
}

// remedies say what to do about Slack's answers.
var remedies = map[string]string{
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

var reasonPattern = regexp.MustCompile(`^[a-z_]{1,64}$`)

// reason is Slack's word for an error. Anything else is not repeated: a
// proxy's page may quote the URL.
func reason(answer []byte) string {
	if word := bytes.TrimSpace(answer); reasonPattern.Match(word) {
		return string(word)
	}
	return "with an answer that is not Slack's"
}

// redact strips the URL that net/http puts in its errors.
func (w *Webhook) redact(err error) error {
	if e := (*url.Error)(nil); errors.As(err, &e) {
		err = e.Err
	}
	if u, parseErr := url.Parse(w.url); parseErr != nil || len(u.Path) > 1 && strings.Contains(err.Error(), u.Path) {
		return errors.New("it cannot be reached (the reason names the secret URL and is withheld)")
	}
	return err
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
