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
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
)

const secretPath = "/services/T000/B000/sEcReTsEcReT"

// answer is what the server says to one post.
type answer struct {
	status     int
	body       string
	retryAfter string
}

// webhookServer speaks the protocol of incoming webhooks: it checks the
// message as Slack does and then gives its answers in turn, "ok" after the last.
func webhookServer(t *testing.T, answers ...answer) (slackWebhook, *[]slack.WebhookMessage) {
	t.Helper()
	var received []slack.WebhookMessage
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m slack.WebhookMessage
		if r.Method != http.MethodPost || r.URL.Path != secretPath || r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, "no_service", http.StatusNotFound)
			return
		}
		if json.NewDecoder(r.Body).Decode(&m) != nil {
			http.Error(w, "invalid_payload", http.StatusBadRequest)
			return
		}
		if m.Text == "" {
			http.Error(w, "no_text", http.StatusBadRequest)
			return
		}
		a := answer{200, "ok", ""}
		if len(answers) > 0 {
			a, answers = answers[0], answers[1:]
		}
		if a.retryAfter != "" {
			w.Header().Set("Retry-After", a.retryAfter)
		}
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.body)
		if a.status == 200 && a.body == "ok" {
			received = append(received, m)
		}
	}))
	t.Cleanup(server.Close)
	return openSlack(t, server.URL+secretPath), &received
}

func openSlack(t *testing.T, address string) slackWebhook {
	t.Helper()
	hook, err := newSlackWebhook(address)
	if err != nil {
		t.Fatal(err)
	}
	return hook.(slackWebhook)
}

// assertNoSecret fails if an error shows the webhook's URL in any format, at
// any depth.
func assertNoSecret(t *testing.T, err error) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		for _, text := range []string{e.Error(), fmt.Sprintf("%+v %#v", e, e)} {
			if strings.Contains(text, "sEcReT") {
				t.Errorf("the secret is in %T: %s", e, text)
			}
		}
		if u := (*url.Error)(nil); errors.As(e, &u) {
			t.Errorf("%T holds the URL", e)
		}
	}
}

func TestPost(t *testing.T) {
	for name, test := range map[string]struct {
		answers  []answer
		waits    string
		want     string // part of the error, "": none
		refused  bool
		received int
	}{
		"ok":              {nil, "[]", "", false, 1},
		"200 is not ok":   {[]answer{{200, "no_text", ""}}, "[]", "HTTP 200 no_text", true, 0},
		"invalid payload": {[]answer{{400, "invalid_payload", ""}}, "[]", "HTTP 400 invalid_payload: this is a fault of k8s-monitor", true, 0},
		"archived":        {[]answer{{410, "channel_is_archived", ""}}, "[]", "channel_is_archived: unarchive the channel", true, 0},
		"redirect":        {[]answer{{302, "", ""}}, "[]", "HTTP 302", true, 0},
		"waits as asked":  {[]answer{{429, "", "30"}, {429, "", "1"}}, "[30s 1s]", "", false, 1},
		"no Retry-After":  {[]answer{{429, "", ""}}, "[1s]", "", false, 1},
		"waits too long":  {[]answer{{429, "", "3600"}}, "[]", "asks to wait 3600 s", false, 0},
		"waits for ever": {[]answer{{429, "", "1"}, {429, "", "2"}, {429, "", "3"}, {429, "", "4"}, {429, "", "5"}},
			"[1s 2s 3s 4s]", "asks to wait 5 s", false, 0},
		"server error": {[]answer{{503, "rollup_error", ""}}, "[]", "HTTP 503 rollup_error", false, 0},
		"a proxy's answer": {[]answer{{403, "<p>" + secretPath + " is forbidden", ""}}, "[]",
			"HTTP 403 with an answer that is not Slack's", true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			hook, received := webhookServer(t, test.answers...)
			waits := []time.Duration{}
			hook.sleep = func(_ context.Context, d time.Duration) error {
				waits = append(waits, d)
				return nil
			}
			retry, err := hook.Notify(t.Context(), Notification{Cluster: "c"})
			assertNoSecret(t, err)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if (err != nil && !retry) != test.refused || fmt.Sprint(waits) != test.waits || len(*received) != test.received {
				t.Errorf("retry %v, waits %v, received %v", retry, waits, *received)
			}
		})
	}
}

// It does not wait beyond the deadline of the run.
func TestPostDeadline(t *testing.T) {
	hook, _ := webhookServer(t, answer{429, "", "100"})
	hook.sleep = func(context.Context, time.Duration) error {
		t.Error("it waits")
		return nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if retry, err := hook.Notify(ctx, Notification{}); err == nil || !retry {
		t.Error(retry, err)
	}
}

// The message, and the secret with it, goes to no other host.
func TestPostFollowsNoRedirect(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s", r.Method, r.URL)
	}))
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL+secretPath, http.StatusTemporaryRedirect))
	defer server.Close()
	retry, err := openSlack(t, server.URL+secretPath).Notify(t.Context(), Notification{})
	if retry || err == nil {
		t.Error(retry, err)
	}
	assertNoSecret(t, err)
}

// No failure on the way shows the URL: not the net's, not the context's.
func TestNoSecretLeaks(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	for _, base := range []string{closed.URL, "http://host.invalid", "http://127.0.0.1:0", "https://127.0.0.1:1"} {
		retry, err := openSlack(t, base+secretPath).Notify(t.Context(), Notification{})
		if err == nil || !retry {
			t.Errorf("%s: retry %v, error %v", base, retry, err)
		}
		assertNoSecret(t, err)
	}
	hook, _ := webhookServer(t)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := hook.Notify(cancelled, Notification{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled gives %v", err)
	}
	assertNoSecret(t, err)

	for _, address := range []string{"", "hooks.example.com" + secretPath, "ftp://x" + secretPath, "https://%zz" + secretPath,
		"https://x:y" + secretPath} {
		_, err := newSlackWebhook(address)
		if err == nil {
			t.Errorf("%q is accepted", address)
		}
		assertNoSecret(t, err)
	}

	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	logger.Info("x", "hook", hook)
	printed := log.String() + fmt.Sprintf("%v %+v %#v %s", hook, hook, hook, hook)
	//lint:ignore SA9005 that nothing comes out is what is tested
	if body, _ := json.Marshal(hook); strings.Contains(printed+string(body), "sEcReT") {
		t.Error(printed, string(body))
	}
}
