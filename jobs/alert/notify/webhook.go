package notify

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
	"strconv"
	"strings"
	"time"
)

// webhook posts JSON to a URL that is a secret: it stands in no error and no
// log, and the value prints without it.
type webhook struct {
	service string // whose webhook it is, for people
	url     string
	client  *http.Client
	sleep   func(ctx context.Context, d time.Duration) error
}

const (
	postTimeout  = 15 * time.Second
	mostAttempts = 5
	longestWait  = 2 * time.Minute // that Retry-After may ask for at a time
)

func newWebhook(service, address string) (*webhook, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("the %s webhook is not an https URL", service)
	}
	return &webhook{
		service: service,
		url:     u.String(),
		client: &http.Client{Timeout: postTimeout, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // the secret is for this host alone
		}},
		sleep: sleep,
	}, nil
}

// String, GoString and LogValue print a webhook without its URL.
func (w *webhook) String() string { return w.service + " webhook" }

// GoString is String for %#v.
func (w *webhook) GoString() string { return w.String() }

// LogValue is String for logs.
func (w *webhook) LogValue() slog.Value { return slog.StringValue(w.String()) }

// post delivers a message; meaning says what the service's answer means. While
// the service asks to wait, it waits, as far as the context's deadline allows.
// retry and err are those of Channel.Notify.
func (w *webhook) post(ctx context.Context, message any, meaning func(status int, body []byte) (bool, error)) (retry bool, err error) {
	body, err := json.Marshal(message)
	if err != nil {
		return false, fmt.Errorf("encode the message: %w", err)
	}
	for attempt := 1; ; attempt++ {
		status, wait, answer, err := w.send(ctx, body)
		if err != nil {
			return true, err
		}
		if status != http.StatusTooManyRequests {
			return meaning(status, answer)
		}
		deadline, limited := ctx.Deadline()
		if wait > longestWait || attempt == mostAttempts || limited && time.Until(deadline) < wait || w.sleep(ctx, wait) != nil {
			return true, fmt.Errorf("too many messages, it asks to wait %d s", wait/time.Second)
		}
	}
}

// send posts once. wait is how long the service asks to wait, if its answer is
// that there are too many messages.
func (w *webhook) send(ctx context.Context, body []byte) (status int, wait time.Duration, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return 0, 0, nil, w.redact(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := w.client.Do(req)
	if err != nil {
		return 0, 0, nil, w.redact(err)
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, 1024))
	if err != nil {
		return 0, 0, nil, w.redact(err)
	}
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		seconds = 1
	}
	return resp.StatusCode, time.Duration(seconds) * time.Second, answer, nil
}

// redact strips the URL that net/http puts in its errors.
func (w *webhook) redact(err error) error {
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
