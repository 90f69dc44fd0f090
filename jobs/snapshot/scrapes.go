package snapshot

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/company/k8s-resource-monitor/internal/gpu"
	"github.com/company/k8s-resource-monitor/internal/serving"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// maxScrapes bounds the exporters and engines that are asked at once.
const maxScrapes = 64

// scrapeTime bounds the scrapes of one sample together from when the cluster
// was read, so that a network that swallows them all does not eat the next
// sample's time.
const scrapeTime = 20 * time.Second

// errScrapeTime is why a scrape that was due after scrapeTime was not made.
var errScrapeTime = errors.New("the scrapes of this sample took too long together: " +
	"many targets do not answer, so a NetworkPolicy may keep the monitor out")

// scrapes are the questions to exporters and engines of one sample. They are
// asked while the API server still lists pods, which of a large cluster takes
// seconds.
type scrapes struct {
	job       *Job
	ts        time.Time
	ctx       context.Context
	cancel    context.CancelCauseFunc
	exporters map[gpu.Exporter]*answer[[]usage.GPU]
	engines   map[*usage.PodDetail]*answer[usage.Engine]

	running sync.WaitGroup
	mu      sync.Mutex
	due     []func() // that nobody asks yet
	askers  int      // at most maxScrapes
}

// answer is what a target said, or why it did not.
type answer[T any] struct {
	said T
	err  error
}

func (j *Job) newScrapes(ctx context.Context, ts time.Time) *scrapes {
	s := &scrapes{job: j, ts: ts, exporters: map[gpu.Exporter]*answer[[]usage.GPU]{}, engines: map[*usage.PodDetail]*answer[usage.Engine]{}}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	return s
}

// add asks the pod, if it is an exporter or an engine, now or when others have
// answered. It is called by one goroutine, waits for no answer, and asks no one
// twice. Of two exporters on a node it asks both: which of them counts is known
// when all are.
func (s *scrapes) add(d *usage.PodDetail) {
	if id, ok := s.job.engines[d]; ok {
		ask(s, s.engines, d, func() (usage.Engine, error) { return serving.Scrape(s.ctx, s.job.HTTP, d, id, s.ts) })
		return
	}
	if s.job.NoExporters {
		return
	}
	for _, e := range gpu.Exporters([]*usage.PodDetail{d}) {
		ask(s, s.exporters, e, func() ([]usage.GPU, error) { return gpu.Scrape(s.ctx, s.job.HTTP, e, s.ts) })
	}
}

func ask[K comparable, T any](s *scrapes, answers map[K]*answer[T], whom K, question func() (T, error)) {
	if answers[whom] != nil {
		return
	}
	a := &answer[T]{}
	answers[whom] = a
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due = append(s.due, func() {
		if a.said, a.err = question(); a.err != nil && context.Cause(s.ctx) == errScrapeTime {
			a.err = errScrapeTime // what cut this one off says nothing of the target
		}
	})
	if s.askers < maxScrapes {
		s.askers++
		s.running.Go(s.askAll)
	}
}

// askAll asks until nobody is due.
func (s *scrapes) askAll() {
	for {
		s.mu.Lock()
		if len(s.due) == 0 {
			s.askers--
			s.mu.Unlock()
			return
		}
		question := s.due[0]
		s.due = s.due[1:]
		s.mu.Unlock()
		question()
	}
}

// wait returns when all have answered, or the time that they still have is over.
func (s *scrapes) wait(limit time.Duration) {
	timer := time.AfterFunc(limit, func() { s.cancel(errScrapeTime) })
	defer timer.Stop()
	s.running.Wait()
	s.cancel(nil)
}

// giveUp ends all scrapes: what they would have been part of has failed.
func (s *scrapes) giveUp() {
	s.cancel(nil)
	s.running.Wait()
}

// answers are what the exporters and engines among the targets said, in the
// order of nodes and pods, and who of them said nothing.
func (s *scrapes) answers(nodes []usage.Node, targets []*usage.PodDetail) (gpus []usage.GPU, engines []usage.Engine, gaps []usage.Gap) {
	var exporters []gpu.Exporter
	if !s.job.NoExporters {
		exporters = gpu.Exporters(targets)
	}
	found := 0
	for _, a := range s.exporters {
		found += len(a.said)
	}
	gpus = make([]usage.GPU, 0, found)
	scraped := make(map[string]bool, len(exporters))
	for _, e := range exporters {
		a := s.exporters[e]
		if a == nil {
			continue
		}
		scraped[e.Node] = true
		if a.err != nil {
			gaps = append(gaps, usage.Gap{Source: e.Source(), Target: e.Node, Reason: a.err.Error()})
		}
		gpus = append(gpus, a.said...)
	}
	for _, n := range nodes {
		if !s.job.NoExporters && n.GPUAllocatable > 0 && n.Ready && !scraped[n.Node] {
			gaps = append(gaps, gpu.NoExporter(n.Node))
		}
	}
	for _, d := range targets {
		switch a := s.engines[d]; {
		case a == nil:
		case a.err != nil:
			gaps = append(gaps, usage.Gap{Source: "engine", Target: d.Row.Namespace + "/" + d.Row.Pod, Reason: a.err.Error()})
		default:
			engines = append(engines, a.said)
		}
	}
	return gpus, engines, gaps
}
