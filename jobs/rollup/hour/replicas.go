package hour

import (
	"context"

	"github.com/company/k8s-resource-monitor/internal/activity"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// readReplicas finds what the engine of each replica of several pods says, for
// those of its pods that have no engine metrics of their own. It reads the
// pods' names and groups alone.
func (a *Aggregation) readReplicas(ctx context.Context) error {
	members, err := a.readMembers(ctx)
	if err != nil || len(members) == 0 {
		return err
	}
	engines, err := a.Reader.Engines(ctx, a.Sources)
	if err != nil {
		return err
	}
	for rows := engines.Next(); rows != nil; rows = engines.Next() {
		if of := members[rows[0].Name()]; of != nil {
			a.readLeader(rows, of)
		}
	}
	return engines.Err()
}

// readMembers is the replica of each pod of a replica of several pods, by
// instant; the zero Replica where it was in none.
func (a *Aggregation) readMembers(ctx context.Context) (map[usage.PodName][]activity.Replica, error) {
	pods, err := a.Reader.Pods(ctx, a.Sources, "ts", "namespace", "pod", "replica_group")
	if err != nil {
		return nil, err
	}
	members := map[usage.PodName][]activity.Replica{}
	err = pods.Each(func(p *usage.Pod) {
		replica, ok := activity.ReplicaOf(p)
		i := a.timeline.Index(p.TS, 0)
		if !ok || i < 0 {
			return
		}
		if members[p.Name()] == nil {
			members[p.Name()] = make([]activity.Replica, a.timeline.Len())
		}
		members[p.Name()][i] = replica
	})
	return members, err
}

// readLeader adds what one pod's engine says to the pod's replicas. The rows are
// read again with their pod, so the state's readings stay as they are.
func (a *Aggregation) readLeader(rows []usage.Engine, replicas []activity.Replica) {
	readings := activity.Readings{}
	for i := range rows {
		e := &rows[i]
		at := a.timeline.Index(e.TS, 0)
		if at < 0 {
			continue
		}
		if _, known := readings[e.PodUID]; !known {
			if before, ok := a.State.engines[e.PodUID]; ok {
				readings[e.PodUID] = before
			}
		}
		working, replica := readings.Read(e).Working, replicas[at]
		if replica == (activity.Replica{}) {
			continue
		}
		a.replicas[at].Add(replica, working)
	}
}
