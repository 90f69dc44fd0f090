package cluster

// Phase is the stage of a pod's life.
type Phase uint8

const (
	Gone        Phase = iota // does not exist
	Unscheduled              // Pending, no node has room
	Loading                  // Running, not ready
	Ready                    // Running and ready
	Backoff                  // Running, its container waits in CrashLoopBackOff
	Succeeded                // ended
)

// State is one pod of a slot at one instant; times are Unix seconds. Two
// instants with equal name and changed have the same object, to the byte.
type State struct {
	Phase       Phase
	Away        bool  // its node does not answer
	Incarnation int64 // which of the slot's pods: its names and uid follow from it
	CreatedAt   int64
	StartedAt   int64 // of the container that runs, or ran last
	ReadyAt     int64 // when that container became ready
	EndedAt     int64 // when the container before it ended, or the pod
	Restarts    int32
	ChangedAt   int64
	Until       int64 // the first later instant at which it may differ
}

// Story is the life cycle of a slot's pods.
type Story uint8

const (
	Steady  Story = iota // one pod that stays
	Rollout              // replaced each day by a new ReplicaSet's pod
	Restart              // its container dies and starts again each day
	Crash                // created anew each day, never gets through loading
	Pending              // created anew each day, never scheduled
	Batch                // a Job's pod of a CronJob: runs, succeeds, is kept for three runs
)

// When things happen each day, in seconds after midnight UTC. Those that
// interrupt a load curve are multiples of the curve's step.
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
	CrashAfter = 80
	History    = 3 // finished Jobs that a CronJob keeps
)

// Never is later than any instant that may be requested.
const Never = 1 << 40

// Last returns the index and the instant of the last occurrence, at or before
// t, of what happens every period seconds.
func Last(t, offset, period int64) (index, at int64) {
	index = (t - offset) / period
	if (t-offset)%period < 0 {
		index--
	}
	return index, index*period + offset
}

// At returns the slot's pod at Unix second t.
func (s *Slot) At(t int64) State {
	st := State{CreatedAt: s.created, Phase: Ready, Until: Never}
	load := int64(bootFor)
	if s.Workload.Engine != nil {
		load = loadFor
	}
	switch s.Workload.Story {
	case Rollout:
		st.Incarnation, st.CreatedAt = Last(t, rolloutAt+int64(s.Index)*rolloutGap, Day)
		st.Until = st.CreatedAt + Day
	case Crash:
		st.Incarnation, st.CreatedAt = Last(t, crashAt, Day)
		return s.crashing(st, t)
	case Pending:
		st.Incarnation, st.CreatedAt = Last(t, pendingAt, Day)
		st.Phase, st.ChangedAt, st.Until = Unscheduled, st.CreatedAt, st.CreatedAt+Day
		return st
	case Batch:
		return s.batched(t)
	}
	if t < st.CreatedAt {
		return State{Until: st.CreatedAt}
	}
	st.StartedAt = st.CreatedAt + 4
	if s.Workload.Story == Restart {
		n, at := Last(t, restartAt, Day)
		first, _ := Last(st.CreatedAt, restartAt, Day)
		if st.Restarts = int32(n - first); st.Restarts > 0 {
			st.StartedAt, st.EndedAt = at+2, at
		}
		st.Until = at + Day
	}
	st.ChangedAt = max(st.StartedAt-4, st.EndedAt)
	st.ReadyAt = st.ChangedAt + load
	if t < st.ReadyAt {
		st.Phase, st.Until = Loading, min(st.Until, st.ReadyAt)
	} else {
		st.ChangedAt = st.ReadyAt
	}
	return s.reach(st, t)
}

// reach marks the pod as away while its node is unreachable.
func (s *Slot) reach(st State, t int64) State {
	away, since, until := s.Node.AwayAt(t)
	st.Until = min(st.Until, until)
	if since >= st.CreatedAt {
		st.ChangedAt = max(st.ChangedAt, since)
		st.Away = away
	}
	return st
}

// AwayAt reports whether the node does not answer at t, since when that is so,
// and until when.
func (n *Node) AwayAt(t int64) (away bool, since, until int64) {
	if !n.Leaves {
		return false, 0, Never
	}
	_, at := Last(t, awayAt, Day)
	if t < at+awayFor {
		return true, at, at + awayFor
	}
	return false, at + awayFor, at + Day
}

func (s *Slot) crashing(st State, t int64) State {
	n, at := Last(t, st.CreatedAt, crashEvery)
	next := st.CreatedAt + Day
	st.Restarts, st.StartedAt = int32(n), at+4
	if n > 0 {
		st.EndedAt = at - crashEvery + CrashAfter
	}
	st.Phase, st.ChangedAt, st.Until = Loading, at, min(next, at+CrashAfter)
	if t >= at+CrashAfter {
		st.Phase, st.EndedAt, st.ChangedAt, st.Until = Backoff, at+CrashAfter, at+CrashAfter, min(next, at+crashEvery)
	}
	st.ReadyAt = Never
	return st
}

// batched is the slot's pod of a CronJob: run number k belongs to slot
// k mod history, so each slot shows its run until the third one after it.
func (s *Slot) batched(t int64) State {
	every := s.Workload.Every
	k, _ := Last(t, s.Workload.Offset, every)
	k -= ((k-int64(s.Index))%History + History) % History
	at := k*every + s.Workload.Offset
	st := State{Incarnation: k, CreatedAt: at, StartedAt: at + 4, ReadyAt: at + bootFor, Until: at + History*every}
	if at < s.created {
		return State{Until: st.Until}
	}
	st.EndedAt = at + s.Workload.runs
	switch {
	case t < st.ReadyAt:
		st.Phase, st.ChangedAt, st.Until = Loading, at, st.ReadyAt
	case t < st.EndedAt:
		st.Phase, st.ChangedAt, st.Until = Ready, st.ReadyAt, st.EndedAt
	default:
		st.Phase, st.ChangedAt = Succeeded, st.EndedAt
	}
	if st.Phase != Succeeded {
		st.EndedAt = 0
	}
	return st
}

// interruptions are the daily windows in which the slot can do no work.
func (s *Slot) interruptions() (off []window, only *window) {
	if s.Node != nil && s.Node.Leaves {
		off = append(off, window{awayAt, awayAt + awayFor})
	}
	switch s.Workload.Story {
	case Rollout:
		at := rolloutAt + int64(s.Index)*rolloutGap
		off = append(off, window{at, at + loadFor})
	case Restart:
		off = append(off, window{restartAt, restartAt + loadFor})
	case Batch:
		only = &window{s.Workload.Offset, s.Workload.Offset + s.Workload.runs}
	}
	return off, only
}

// holds reports whether a pod in this state occupies its devices.
func (st State) holds() bool {
	return st.Phase == Loading || st.Phase == Ready || st.Phase == Backoff
}

// Runs reports whether its container runs and its node answers.
func (st State) Runs() bool {
	return (st.Phase == Loading || st.Phase == Ready) && !st.Away
}

// works returns the work that the pod has done since its container was ready.
func (s *Slot) works(st State, t float64) work {
	w := s.Curve.Between(float64(st.ReadyAt), t)
	w.Busy, w.slow, w.queue = w.Busy*s.Share, w.slow*s.Share, w.queue*s.Share
	return w
}

// loadAt is what the pod does now: nothing unless it is ready and reachable.
func (s *Slot) loadAt(st State, t float64) load {
	if st.Phase != Ready || st.Away {
		return load{}
	}
	l := s.Curve.at(t)
	return load{l.demand * s.Share, l.busy * s.Share}
}
