package views

import (
	"fmt"

	"github.com/company/k8s-resource-monitor/internal/activity"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// gpuStates is the name of the view that has activity.Of for each pod and sample. It is apart from the view of pods,
// so that questions which do not ask for the state do not read the engines.
const gpuStates = "pod_gpu_states"

// gpuStatesBody is the query of that view, the same in every dialect. A window reads the counters of the reading before.
// It is cut at midnight, so that a question about some days opens the objects of these days alone; the first reading of
// a day therefore has no reading before it.
func gpuStatesBody(qualifier string) string {
	before := "OVER (PARTITION BY cluster, dt, pod_uid ORDER BY ts)"
	grown := func(counter string) string {
		return fmt.Sprintf("CASE WHEN %[1]s < %[1]s_before THEN %[1]s ELSE %[1]s - %[1]s_before END AS %[1]s", counter)
	}
	return fmt.Sprintf(`WITH readings AS (
  SELECT cluster, dt, hh, ts, namespace, pod, pod_uid, requests_running,
         prompt_tokens_total AS prompt, lag(prompt_tokens_total) %[3]s AS prompt_before,
         generation_tokens_total AS generation, lag(generation_tokens_total) %[3]s AS generation_before
  FROM %[1]s%[2]s
), increases AS (
  SELECT cluster, dt, hh, ts, namespace, pod, pod_uid, requests_running,
         %[4]s,
         %[5]s
  FROM readings
), engine_work AS (
  SELECT cluster, dt, hh, ts, namespace, pod, pod_uid,
         CASE WHEN coalesce(requests_running, prompt, generation) IS NOT NULL THEN
           coalesce(requests_running, 0) > 0 OR coalesce(prompt, 0) + coalesce(generation, 0) > 0 END AS works
  FROM increases
`, qualifier, store.Engines.Name(), before, grown("prompt"), grown("generation")) + fmt.Sprintf(`), replicas AS (
  SELECT pods.cluster, pods.dt, pods.hh, pods.ts, pods.namespace, pods.pod, pods.pod_uid, pods.node, pods.owner_kind, pods.owner,
         pods.phase, pods.ready, pods.engine, pods.model, pods.replica_group, pods.gpu_request, pods.gpu_util_percent,
         work.works, CASE WHEN pods.replica_group IS NOT NULL THEN bool_or(work.works)
           OVER (PARTITION BY pods.cluster, pods.dt, pods.hh, pods.ts, pods.namespace, pods.replica_group) END AS replica_works
  FROM %[1]s%[2]s AS pods
  LEFT JOIN engine_work AS work ON work.cluster = pods.cluster AND work.dt = pods.dt AND work.hh = pods.hh AND work.ts = pods.ts
    AND work.namespace = pods.namespace AND work.pod = pods.pod AND work.pod_uid = pods.pod_uid
)
SELECT cluster, dt, hh, ts, namespace, pod, pod_uid, node, owner_kind, owner, phase, ready, engine, model, replica_group,
       gpu_request, gpu_util_percent,
       CASE WHEN gpu_request <= 0 OR node IS NULL OR phase IN ('%[3]s', '%[4]s') THEN NULL
            WHEN NOT ready THEN '%[5]s'
            WHEN coalesce(works, replica_works) THEN '%[6]s'
            WHEN NOT coalesce(works, replica_works) THEN '%[7]s'
            WHEN gpu_util_percent > %[9]d THEN '%[6]s'
            WHEN gpu_util_percent <= %[9]d THEN '%[7]s'
            ELSE '%[8]s' END AS gpu_state
FROM replicas`, qualifier, store.Pods.Name(), usage.PhaseSucceeded, usage.PhaseFailed,
		activity.Loading, activity.Active, activity.IdleHeld, activity.Unknown, usage.BusyPercent)
}
