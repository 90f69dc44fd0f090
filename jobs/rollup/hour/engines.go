package hour

import (
	"github.com/company/k8s-resource-monitor/internal/activity"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// engineReader reads the engines beside the pods, in the same order.
type engineReader struct {
	*Aggregation
	engines *store.Merger[usage.Engine]
	rows    []usage.Engine // of the next engine; nil at the end
	points  []enginePoint  // of the engine that was read last, by instant
	dirty   bool           // points holds values
}

type enginePoint struct {
	activity.Point
	present bool
}

// of returns the points of the pod's engine by instant, nil if it has none.
// Engines of pods without rows are read and passed over.
func (r *engineReader) of(name usage.PodName) []enginePoint {
	for r.rows != nil {
		c := r.rows[0].Name().Compare(name)
		if c > 0 {
			return nil
		}
		r.read()
		if c == 0 {
			return r.points
		}
	}
	return nil
}

// rest reads the engines that come after all pods.
func (r *engineReader) rest() error {
	for r.rows != nil {
		r.read()
	}
	return r.engines.Err()
}

// read reads one engine's rows.
func (r *engineReader) read() {
	if r.dirty {
		clear(r.points)
	}
	r.dirty = true
	hint := 0
	for i := range r.rows {
		if at := r.timeline.Index(r.rows[i].TS, hint); at >= 0 {
			r.points[at] = enginePoint{r.State.engines.Read(&r.rows[i]), true}
			hint = at + 1
		}
	}
	r.rows = r.engines.Next()
}
