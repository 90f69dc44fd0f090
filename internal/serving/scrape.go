package serving

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/company/k8s-resource-monitor/internal/exposition"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// ScrapeTimeout bounds one engine's answer. A server that is busy with its
// event loop answers late, and a snapshot does not wait for it.
const ScrapeTimeout = 5 * time.Second

// Target returns the URL of the engine's metrics; ok is false where there is
// nothing to ask: no server, a worker without an API, a server on a Unix socket,
// a pod that does not run.
// A pod that runs and is not ready is a target, and may well refuse: it loads.
func Target(d *usage.PodDetail, id Identity) (url string, ok bool) {
	if id.MetricsPort == 0 || d.IP == "" || d.Row.Phase != "Running" {
		return "", false
	}
	return id.Scheme + "://" + net.JoinHostPort(d.IP, strconv.Itoa(int(id.MetricsPort))) + "/metrics", true
}

// Scrape reads the engine's metrics into a row for the instant at. The row names
// the engine that the metrics are of, which is another one than the identity's
// where an image or a command misled. An error is the reason of a gap: what
// happened and what mends it.
func Scrape(ctx context.Context, client *http.Client, d *usage.PodDetail, id Identity, at time.Time) (usage.Engine, error) {
	url, ok := Target(d, id)
	if !ok {
		return usage.Engine{}, errors.New("the pod has no metrics endpoint: no address, not running, a worker without an API, or a server on a Unix socket")
	}
	ctx, cancel := context.WithTimeout(ctx, ScrapeTimeout)
	defer cancel()
	body, err := exposition.Fetch(ctx, client, url)
	if err != nil {
		return usage.Engine{}, fmt.Errorf("%s: %w%s", url, err, remedy(err, id))
	}
	e, err := Parse(body, id.Engine)
	for _, other := range [...]string{usage.VLLM, usage.SGLang} {
		if !errors.Is(err, errAbsent) {
			break
		}
		if corrected, otherErr := Parse(body, other); otherErr == nil {
			e, err = corrected, nil
		}
	}
	if err != nil {
		return usage.Engine{}, fmt.Errorf("%s: %w", url, err)
	}
	e.TS, e.Namespace, e.Pod, e.PodUID = at, d.Row.Namespace, d.Row.Pod, d.Row.PodUID
	return e, nil
}

// remedy says what mends a failed request, "" where nobody can tell.
func remedy(err error, id Identity) string {
	var status *exposition.StatusError
	var timeout net.Error
	switch {
	case errors.As(err, &status) && status.Code == http.StatusNotFound && id.Engine == usage.SGLang:
		return "; start the server with --enable-metrics"
	case errors.As(err, &status) && status.Code == http.StatusNotFound:
		return "; name the metrics port with the pod annotation prometheus.io/port"
	case errors.As(err, &status) && (status.Code == http.StatusUnauthorized || status.Code == http.StatusForbidden):
		return "; leave /metrics open for the monitor, or name another port with the pod annotation prometheus.io/port"
	case errors.As(err, &status) && status.Code >= 500:
		return "; the server's own log says why"
	case errors.As(err, &status):
		return ""
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("; nothing listens on port %d: the server is starting, or its port has to be named with the pod annotation prometheus.io/port", id.MetricsPort)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("; no answer within %v: the server is stalled, or a NetworkPolicy keeps the monitor out", ScrapeTimeout)
	}
	return ""
}

// Parse reads the body of an engine's metrics endpoint. Of the row it fills
// engine, model (the name the engine reports) and the figures; what the body
// does not have, or has as NaN, an infinity or below zero, stays absent. Data-
// parallel engines are summed, their KV cache ratio is averaged. A body
// without any metric of the engine is an error.
func Parse(body []byte, engine string) (usage.Engine, error) {
	m, ok := metricsOf[engine]
	if !ok {
		return usage.Engine{}, fmt.Errorf("no metrics are known for engine %q", engine)
	}
	e := usage.Engine{Engine: engine}
	var t [columns]tally
	err := exposition.Read(body, wanted[engine], func(to slot, s *exposition.Sample) {
		if len(s.Label("priority")) > 0 {
			return // SGLang splits a queue by priority beside its total
		}
		if !e.Model.Present() {
			e.Model = usage.SomeUnless(string(s.Label("model_name")), "")
		}
		t[to.column].add(to.rank, s.Label("dp_rank"), copyRank(s), s.Value)
	})
	if err != nil {
		return usage.Engine{}, err
	}
	seen := false
	for i := range t {
		seen = seen || len(t[i].shards) > 0
	}
	if !seen {
		return usage.Engine{}, fmt.Errorf("%w%s; %s", errAbsent, m.prefixes[0], missing[engine])
	}
	e.RequestsRunning = t[requestsRunning].count()
	e.RequestsWaiting = t[requestsWaiting].count()
	e.KVCacheUsageRatio = t[kvCacheUsageRatio].mean()
	e.PromptTokensTotal = t[promptTokens].count()
	e.GenerationTokensTotal = t[generationTokens].count()
	e.RequestsTotal = t[requests].count()
	e.PreemptionsTotal = t[preemptions].count()
	e.PrefixCacheQueriesTotal = t[prefixCacheQueries].count()
	e.PrefixCacheHitsTotal = t[prefixCacheHits].count()
	e.TTFTSecondsSum, e.TTFTSecondsCount = t[ttftSum].sum(), t[ttftCount].count()
	e.InterTokenSecondsSum, e.InterTokenSecondsCount = t[interTokenSum].sum(), t[interTokenCount].count()
	e.E2ESecondsSum, e.E2ESecondsCount = t[e2eSum].sum(), t[e2eCount].count()
	if engine == usage.SGLang && e.PrefixCacheHitsTotal.Present() {
		e.PrefixCacheQueriesTotal = e.PromptTokensTotal // every prompt token is looked up
	}
	return e, nil
}

// errAbsent begins the error of a body without any metric of the engine.
var errAbsent = errors.New("no metric begins with ")

// missing says why an engine that answers may have no metrics.
var missing = map[string]string{
	usage.VLLM:   "start the server without --disable-log-stats, or name its port with the pod annotation prometheus.io/port",
	usage.SGLang: "start the server with --enable-metrics, or name its port with the pod annotation prometheus.io/port",
}

// copyRank orders the ranks that report copies of one figure; -1 without.
func copyRank(s *exposition.Sample) int64 {
	rank := int64(-1)
	for _, label := range [...]string{"pp_rank", "tp_rank", "moe_ep_rank"} {
		if v := s.Label(label); len(v) > 0 {
			n, err := strconv.ParseUint(string(v), 10, 16)
			if err == nil {
				rank = max(rank, 0)<<16 | int64(n)
			}
		}
	}
	return rank
}
