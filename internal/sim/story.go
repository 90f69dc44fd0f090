package sim

// phase is where a pod is in its life.
type phase uint8

const (
	gone        phase = iota // does not exist
	unscheduled              // Pending, no node has room
	loading                  // Running, not ready
	ready                    // Running and ready
	backoff                  // Running, its container waits in CrashLoopBackOff
	succeeded                // ended
)

// state is one pod of a slot at one instant; times are Unix seconds. Two
// instants with equal name and changed have the same object, to the byte.
type state struct {
	phase    phase
	away     bool  // its node does not answer
	inc      int64 // which of the slot's pods: its names and uid follow from it
	created  int64
	started  int64 // of the container that runs, or ran last
	ready    int64 // when that container became ready
	ended    int64 // when the container before it ended, or the pod
	restarts int32
	changed  int64
	until    int64 // the first later instant at which it may differ
}

// story is how the pods of a slot come and go.
type story uint8

const (
	steady  story = iota // one pod that stays
	rollout              // replaced each day by a new ReplicaSet's pod
	restart              // its container dies and starts again each day
	crash                // created anew each day, never gets through loading
	pending              // created anew each day, never scheduled
	batch                // a Job's pod of a CronJob: runs, succeeds, is kept for three runs
)

// Hours of the story, in seconds after midnight UTC. Those that a curve has to
// know lie on its knots.
const (
	awayAt     = 12000 // 03:20
	awayFor    = 2400
	restartAt  = 19920 // 05:32
	crashAt    = 22200 // 06:10
	pendingAt  = 24000 // 06:40
	rolloutAt  = 36000 // 10:00, each replica 8 minutes after the one before
	rolloutGap = 480
	loadFor    = 240 // a server loads its weights
	bootFor    = 12  // anything else starts
	crashEvery = 400 // load, run out of memory, wait
	crashAfter = 80
	history    = 3 // finished Jobs that a CronJob keeps
)

// never is later than any instant that is asked about.
const never = 1 << 40

// last returns the index and the instant of the last occurrence, at or before
// t, of what happens every period seconds.
func last(t, offset, period int64) (index, at int64) {
	index = (t - offset) / period
	if (t-offset)%period < 0 {
		index--
	}
	return index, index*period + offset
}

// at returns the slot's pod at Unix second t.
func (s *slot) at(t int64) state {
	st := state{created: s.created, phase: ready, until: never}
	load := int64(bootFor)
	if s.w.engine != nil {
		load = loadFor
	}
	switch s.w.story {
	case rollout:
		st.inc, st.created = last(t, rolloutAt+int64(s.index)*rolloutGap, day)
		st.until = st.created + day
	case crash:
		st.inc, st.created = last(t, crashAt, day)
		return s.crashing(st, t)
	case pending:
		st.inc, st.created = last(t, pendingAt, day)
		st.phase, st.changed, st.until = unscheduled, st.created, st.created+day
		return st
	case batch:
		return s.batched(t)
	}
	if t < st.created {
		return state{until: st.created}
	}
	st.started = st.created + 4
	if s.w.story == restart {
		n, at := last(t, restartAt, day)
		first, _ := last(st.created, restartAt, day)
		if st.restarts = int32(n - first); st.restarts > 0 {
			st.started, st.ended = at+2, at
		}
		st.until = at + day
	}
	st.changed = max(st.started-4, st.ended)
	st.ready = st.changed + load
	if t < st.ready {
		st.phase, st.until = loading, min(st.until, st.ready)
	} else {
		st.changed = st.ready
	}
	return s.reach(st, t)
}

// reach lays the absence of the pod's node over its state.
func (s *slot) reach(st state, t int64) state {
	away, since, until := s.node.awayAt(t)
	st.until = min(st.until, until)
	if since >= st.created {
		st.changed = max(st.changed, since)
		st.away = away
	}
	return st
}

// awayAt reports whether the node does not answer at t, since when that is so,
// and until when.
func (n *node) awayAt(t int64) (away bool, since, until int64) {
	if !n.leaves {
		return false, 0, never
	}
	_, at := last(t, awayAt, day)
	if t < at+awayFor {
		return true, at, at + awayFor
	}
	return false, at + awayFor, at + day
}

func (s *slot) crashing(st state, t int64) state {
	n, at := last(t, st.created, crashEvery)
	next := st.created + day
	st.restarts, st.started = int32(n), at+4
	if n > 0 {
		st.ended = at - crashEvery + crashAfter
	}
	st.phase, st.changed, st.until = loading, at, min(next, at+crashAfter)
	if t >= at+crashAfter {
		st.phase, st.ended, st.changed, st.until = backoff, at+crashAfter, at+crashAfter, min(next, at+crashEvery)
	}
	st.ready = never
	return st
}

// batched is the slot's pod of a CronJob: run number k belongs to slot
// k mod history, so each slot shows its run until the third one after it.
func (s *slot) batched(t int64) state {
	every := s.w.every
	k, _ := last(t, s.w.offset, every)
	k -= ((k-int64(s.index))%history + history) % history
	at := k*every + s.w.offset
	st := state{inc: k, created: at, started: at + 4, ready: at + bootFor, until: at + history*every}
	if at < s.created {
		return state{until: st.until}
	}
	st.ended = at + s.w.runs
	switch {
	case t < st.ready:
		st.phase, st.changed, st.until = loading, at, st.ready
	case t < st.ended:
		st.phase, st.changed, st.until = ready, st.ready, st.ended
	default:
		st.phase, st.changed = succeeded, st.ended
	}
	if st.phase != succeeded {
		st.ended = 0
	}
	return st
}

// interruptions are the daily windows in which the slot can do no work.
func (s *slot) interruptions() (off []window, only *window) {
	if s.node != nil && s.node.leaves {
		off = append(off, window{awayAt, awayAt + awayFor})
	}
	switch s.w.story {
	case rollout:
		at := rolloutAt + int64(s.index)*rolloutGap
		off = append(off, window{at, at + loadFor})
	case restart:
		off = append(off, window{restartAt, restartAt + loadFor})
	case batch:
		only = &window{s.w.offset, s.w.offset + s.w.runs}
	}
	return off, only
}

// holds reports whether a pod in this state occupies its devices.
func (st state) holds() bool {
	return st.phase == loading || st.phase == ready || st.phase == backoff
}

// runs reports whether its container runs and its node answers.
func (st state) runs() bool {
	return (st.phase == loading || st.phase == ready) && !st.away
}

// works returns the work that the pod has done since its container was ready.
func (s *slot) works(st state, t float64) work {
	w := s.curve.between(float64(st.ready), t)
	w.busy, w.slow, w.queue = w.busy*s.share, w.slow*s.share, w.queue*s.share
	return w
}

// loadAt is what the pod does now: nothing unless it is ready and reachable.
func (s *slot) loadAt(st state, t float64) load {
	if st.phase != ready || st.away {
		return load{}
	}
	l := s.curve.at(t)
	return load{l.demand * s.share, l.busy * s.share}
}
