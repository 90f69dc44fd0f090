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
	"github.com/company/k8s-resource-monitor/internal/serving/metrics"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// ScrapeTimeout bounds one engine's answer. A server that is busy with its
// event loop answers late, and a snapshot does not wait for it.
const ScrapeTimeout = 5 * time.Second

// Target returns the URL of the engine's metrics; ok is false where there is none:
// no server, a worker without an API, a server on a Unix socket, a pod that does
// not run. A pod that runs and is not ready is a target, though it may refuse while
// it loads.
func Target(d *usage.PodDetail, id Identity) (url string, ok bool) {
	if id.MetricsPort == 0 || d.IP == "" || d.Row.Phase != "Running" {
		return "", false
	}
	return id.Scheme + "://" + net.JoinHostPort(d.IP, strconv.Itoa(int(id.MetricsPort))) + "/metrics", true
}

// Scrape reads the engine's metrics into a row for the instant at. The row names
// the engine by its metrics, which differs from the identity's where an image or a
// command was misleading. An error is the reason of a gap: what happened and how to
// fix it.
func Scrape(ctx context.Context, client *http.Client, d *usage.PodDetail, id Identity, at time.Time) (usage.Engine, error) {
	url, ok := Target(d, id)
	if !ok {
		return usage.Engine{}, errors.New("the pod has no metrics endpoint: no address, not running, a worker without an API, or a server on " +
			"a Unix socket")
	}
	ctx, cancel := context.WithTimeout(ctx, ScrapeTimeout)
	defer cancel()
	body, err := exposition.Fetch(ctx, client, url)
	if err != nil {
		return usage.Engine{}, fmt.Errorf("%s: %w%s", url, err, remedy(err, id))
	}
	e, err := Parse(body, id.Engine)
	for _, other := range engines {
		if !errors.Is(err, metrics.ErrAbsent) {
			break
		}
		if corrected, otherErr := Parse(body, other.name); otherErr == nil {
			e, err = corrected, nil
		}
	}
	if err != nil {
		return usage.Engine{}, fmt.Errorf("%s: %w", url, err)
	}
	e.TS, e.Namespace, e.Pod, e.PodUID = at, d.Row.Namespace, d.Row.Pod, d.Row.PodUID
	return e, nil
}

// remedy says what to do about a failed request, "" if that is not known.
func remedy(err error, id Identity) string {
	var status *exposition.StatusError
	var timeout net.Error
	switch {
	case errors.As(err, &status) && status.Code == http.StatusNotFound:
		if e := engineNamed(id.Engine); e != nil && e.notFound != "" {
			return e.notFound
		}
		return "; name the metrics port with the pod annotation prometheus.io/port"
	case errors.As(err, &status) && (status.Code == http.StatusUnauthorized || status.Code == http.StatusForbidden):
		return "; leave /metrics open for the monitor, or name another port with the pod annotation prometheus.io/port"
	case errors.As(err, &status) && status.Code >= 500:
		return "; the server's own log says why"
	case errors.As(err, &status):
		return ""
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("; nothing listens on port %d: the server is starting, or its port has to be named with the pod annotation "+
			"prometheus.io/port", id.MetricsPort)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("; no answer within %v: the server is stalled, or a NetworkPolicy keeps the monitor out", ScrapeTimeout)
	}
	return ""
}

// Parse reads the body of an engine's metrics endpoint as metrics.Reader does,
// and fills in the engine. A body without any metric of it is an error.
func Parse(body []byte, engine string) (usage.Engine, error) {
	e := engineNamed(engine)
	if e == nil {
		return usage.Engine{}, fmt.Errorf("no metrics are known for engine %q", engine)
	}
	row, err := e.metrics.Read(body)
	switch {
	case errors.Is(err, metrics.ErrAbsent):
		return usage.Engine{}, fmt.Errorf("%w; start the server %s, or name its port with the pod annotation prometheus.io/port",
			err, e.metricsHint)
	case err != nil:
		return usage.Engine{}, err
	}
	row.Engine = engine
	return row, nil
}
