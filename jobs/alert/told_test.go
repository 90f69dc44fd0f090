package alert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/usage"
	"github.com/company/k8s-resource-monitor/jobs/alert/notify"
)

// A failed post is made good by the next run, and does not keep the rest from
// being recorded.
func TestPostFails(t *testing.T) {
	w := newWorld(t, cpuRule)
	for i := range 4 {
		w.snapshot(minute(i), usage.Sample{Pods: []usage.Pod{pod("vllm-0", 90)}})
	}
	w.channel.err = errors.New("HTTP 400 invalid_payload")
	result, err := w.job.Run(t.Context(), minute(3))
	if !errors.Is(err, notify.ErrRefused) || err.Error() != "slack refused the message: HTTP 400 invalid_payload" ||
		result != (Result{Firing: 1, New: 1}) || len(w.alerts().Firing) != 1 {
		t.Fatalf("%+v, %v, %+v", result, err, w.alerts())
	}
	w.channel.err = nil
	if posted := w.run(minute(3)); !strings.HasPrefix(posted, "c: 1 firing") {
		t.Errorf("the next run posts %q", posted)
	}
	if posted := w.run(minute(3)); posted != "" {
		t.Errorf("and the one after it %q", posted)
	}
}

// Each channel is told of each beginning and end once, whatever becomes of the others.
func TestChannelsAreToldApart(t *testing.T) {
	w := newWorld(t, cpuRule)
	teams := &channel{name: "teams", retry: true, err: errors.New("HTTP 503")}
	w.job.Channels = append(w.job.Channels, teams)
	for i, cpu := range []int64{90, 90, 90, 90, 90, 50} {
		w.snapshot(minute(i), usage.Sample{Pods: []usage.Pod{pod("vllm-0", cpu)}})
	}
	if _, err := w.job.Run(t.Context(), minute(3)); err == nil || errors.Is(err, notify.ErrRefused) ||
		err.Error() != "post to teams: HTTP 503; the next run sends again" {
		t.Errorf("error %v", err)
	}
	if got := w.channel.titles(); !strings.HasPrefix(got, "c: 1 firing") {
		t.Errorf("slack is told %q", got)
	}
	teams.err = nil
	if got := w.run(minute(4)); got != "" {
		t.Errorf("slack is told %q again", got)
	}
	if got := teams.titles(); !strings.HasPrefix(got, "c: 1 firing") {
		t.Errorf("teams is told %q", got)
	}
	late := &channel{name: "late"} // it was not there when the alert fired, and is not told that it ended
	w.job.Channels = append(w.job.Channels, late)
	if got := w.run(minute(5)); !strings.HasPrefix(got, "c: 1 resolved") || !strings.HasPrefix(teams.titles(), "c: 1 resolved") ||
		late.titles() != "" {
		t.Errorf("slack is told %q", got)
	}
}

// meddler is a bucket in which Put of the state fails in some way.
type meddler struct {
	bucket.Bucket
	put func(name string) error
}

func (m *meddler) Put(ctx context.Context, name string, body []byte, o bucket.PutOptions) (string, error) {
	if err := m.put(name); err != nil {
		return "", err
	}
	return m.Bucket.Put(ctx, name, body, o)
}

func (m *meddler) PutStream(ctx context.Context, name string, write func(io.Writer) error) (string, error) {
	if err := m.put(name); err != nil {
		return "", err
	}
	return m.Bucket.PutStream(ctx, name, write)
}

// A run that dies between posting and recording posts again: at least once.
func TestCrashBetweenPostAndRecord(t *testing.T) {
	w := newWorld(t, cpuRule)
	for i := range 4 {
		w.snapshot(minute(i), usage.Sample{Pods: []usage.Pod{pod("vllm-0", 90)}})
	}
	crash := errors.New("killed")
	w.job.Bucket = &meddler{w.b, func(name string) error {
		if strings.HasPrefix(name, "state/") {
			return crash
		}
		return nil
	}}
	if _, err := w.job.Run(t.Context(), minute(3)); !errors.Is(err, crash) {
		t.Fatal(err)
	}
	if posted := w.channel.titles(); !strings.HasPrefix(posted, "c: 1 firing") {
		t.Fatalf("the first run posts %q", posted)
	}
	w.job.Bucket = w.b
	if posted := w.run(minute(3)); !strings.HasPrefix(posted, "c: 1 firing") {
		t.Errorf("the second run posts %q", posted)
	}
	if posted := w.run(minute(4)); posted != "" {
		t.Errorf("the third run posts %q", posted)
	}
}

// Someone else writes the state while we post: we read it again, redo our
// work on it, and do not post twice.
func TestConflict(t *testing.T) {
	w := newWorld(t, cpuRule)
	for i := range 4 {
		w.snapshot(minute(i), usage.Sample{Pods: []usage.Pod{pod("vllm-0", 90)}})
	}
	w.run(minute(0))
	conflicts := 0
	w.job.Bucket = &meddler{w.b, func(name string) error {
		if strings.HasPrefix(name, "state/") && conflicts == 0 {
			conflicts++
			other := newWorld(t, cpuRule)
			other.job.Bucket = w.b
			other.run(minute(2))
		}
		return nil
	}}
	result, err := w.job.Run(t.Context(), minute(3))
	if err != nil || conflicts != 1 || result != (Result{Firing: 1, New: 1, Posted: 1}) {
		t.Errorf("%+v, %v, %d conflicts", result, err, conflicts)
	}
	if titles := w.channel.titles(); strings.Count(titles, "firing") != 1 {
		t.Errorf("posted %q", titles)
	}

	w.job.Bucket = &meddler{w.b, func(name string) error {
		if strings.HasPrefix(name, "state/") {
			return bucket.ErrPrecondition
		}
		return nil
	}}
	if _, err := w.job.Run(t.Context(), minute(4)); !errors.Is(err, bucket.ErrPrecondition) {
		t.Errorf("a conflict without end gives %v", err)
	}
}

func TestDryRun(t *testing.T) {
	w := newWorld(t, cpuRule)
	for i := range 4 {
		w.snapshot(minute(i), usage.Sample{Pods: []usage.Pod{pod("vllm-0", 91)}})
	}
	before := w.contents()
	var out bytes.Buffer
	w.job.Bucket, w.job.Channels = bucket.DryRun(w.b, func(string, string) {}), []notify.Channel{notify.Printer{Out: &out}}
	result, err := w.job.Run(t.Context(), minute(3))
	const want = "c: 1 firing\nWARNING cpu (1)\n  chat/vllm-0  CPU 91 % of limit 4 cores, since 10:00 UTC\n"
	if err != nil || out.String() != want || result.Posted != 1 {
		t.Errorf("%+v, %v, prints\n%swant\n%s", result, err, out.String(), want)
	}
	if w.contents() != before {
		t.Error("a dry run writes")
	}
}

// A whole run against a service that fails, then refuses, then takes.
func TestRunPostsThroughSlack(t *testing.T) {
	const secretPath = "/services/T000/B000/sEcReTsEcReT"
	answers := []string{"503 ", "404 no_service", "200 ok"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var status int
		var body string
		_, _ = fmt.Sscan(answers[0], &status, &body)
		answers = answers[1:]
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	defer server.Close()
	w := newWorld(t, cpuRule)
	var log bytes.Buffer
	w.job.Log = slog.New(slog.NewJSONHandler(&log, nil))
	for i := range 4 {
		w.snapshot(minute(i), usage.Sample{Pods: []usage.Pod{pod("vllm-0", 90)}})
	}
	var err error
	w.job.Channels, err = notify.Channels(func(name string) (string, error) {
		return map[string]string{"SLACK_WEBHOOK_URL": server.URL + secretPath}[name], nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, refused := range []bool{false, true} {
		_, err := w.job.Run(t.Context(), minute(3))
		if err == nil || errors.Is(err, notify.ErrRefused) != refused || strings.Contains(err.Error(), "sEcReT") {
			t.Errorf("run %d: %v", i, err)
		}
	}
	result, err := w.job.Run(t.Context(), minute(3))
	if err != nil || result.Posted != 1 || len(answers) != 0 {
		t.Errorf("%+v, %v, %d answers are left", result, err, len(answers))
	}
	if strings.Contains(log.String()+w.contents(), "sEcReT") || strings.Count(log.String(), `"msg":"alert"`) != 3 {
		t.Error(log.String())
	}
}
