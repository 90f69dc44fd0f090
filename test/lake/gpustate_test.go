package lake

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/activity"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// The view's gpu_state is that of internal/activity, for every combination of what a pod and its engine can report in two
// samples, for pods alone and in a replica.
func TestViewsSayActivitysStates(t *testing.T) {
	dir := t.TempDir()
	instants := []time.Time{day.Add(time.Minute), day.Add(2 * time.Minute)}
	absent := usage.Opt[int64]{}
	counters := []usage.Opt[int64]{absent, usage.Some[int64](10), usage.Some[int64](30)}
	utils := []usage.Opt[float64]{{}, usage.Some(float64(usage.BusyPercent)), usage.Some(usage.BusyPercent + 0.1)}

	base := usage.Pod{Namespace: "n", Node: usage.Some("a"), Phase: "Running", Ready: true, GPURequest: 1}
	var holders []usage.Pod
	for _, change := range []func(*usage.Pod){
		func(*usage.Pod) {},
		func(p *usage.Pod) { p.Ready = false },
		func(p *usage.Pod) { p.GPURequest = 0 },
		func(p *usage.Pod) { p.Node = usage.Opt[string]{} },
		func(p *usage.Pod) { p.Phase = usage.PhaseSucceeded },
		func(p *usage.Pod) { p.Phase = usage.PhaseFailed },
	} {
		for _, util := range utils {
			p := base
			p.GPUUtilPercent = util
			change(&p)
			holders = append(holders, p)
		}
	}
	pods, engines := make([][]usage.Pod, len(instants)), make([][]usage.Engine, len(instants))
	n := 0
	add := func(p usage.Pod, running, before, now, prompt usage.Opt[int64]) {
		p.Pod = fmt.Sprintf("p%05d", n)
		p.PodUID = "uid-" + p.Pod
		n++
		for i, at := range instants {
			p.TS = at
			pods[i] = append(pods[i], p)
			e := usage.Engine{TS: at, Namespace: p.Namespace, Pod: p.Pod, PodUID: p.PodUID, RequestsRunning: running,
				GenerationTokensTotal: []usage.Opt[int64]{before, now}[i], PromptTokensTotal: prompt}
			if running.Present() || before.Present() || now.Present() {
				engines[i] = append(engines[i], e)
			}
		}
	}
	for _, running := range []usage.Opt[int64]{absent, usage.Some[int64](0), usage.Some[int64](2)} {
		for _, before := range counters {
			for _, now := range counters {
				for _, prompt := range counters[:2] {
					for i, p := range holders {
						add(p, running, before, now, prompt)
						if i < len(utils) {
							p.ReplicaGroup = usage.Some(fmt.Sprintf("group-%d", n))
							add(p, running, before, now, prompt)
							add(p, absent, absent, absent, absent) // its replica's engine counts
							add(p, usage.Some[int64](0), absent, absent, absent)
						}
					}
				}
			}
		}
	}
	var want []string
	readings, seen := activity.Readings{}, map[string]int{}
	for i, at := range instants {
		working := map[string]usage.Opt[bool]{}
		for k := range engines[i] {
			working[engines[i][k].PodUID] = readings.Read(&engines[i][k]).Working
		}
		states := activity.OfAll(pods[i], func(uid string) usage.Opt[bool] { return working[uid] })
		for k := range pods[i] {
			state := states[pods[i][k].Name()].String()
			want = append(want, fmt.Sprintf("%s %d %s", pods[i][k].Pod, i, state))
			seen[state]++
		}
		put(t, dir, store.Pods, layout.Raw, "prod", at.Sub(day), pods[i]...)
		put(t, dir, store.Engines, layout.Raw, "prod", at.Sub(day), engines[i]...)
	}
	for _, state := range append(activity.States[:], activity.HoldsNone) {
		if seen[state.String()] < 10 {
			t.Errorf("only %d pods are %q", seen[state.String()], state)
		}
	}
	slices.Sort(want)
	got := listed(t, openViews(t, dir, ""), `SELECT pod || ' ' || (date_part('minute', ts) - 1) || ' ' || coalesce(gpu_state, '')
		FROM pod_gpu_states ORDER BY 1`)
	slices.Sort(got)
	wrong := 0
	for i := range want {
		if i < len(got) && got[i] != want[i] {
			if wrong++; wrong <= 5 {
				t.Errorf("the view says %q, activity says %q", got[i], want[i])
			}
		}
	}
	if wrong > 0 || len(got) != len(want) {
		t.Errorf("%d of %d states differ; the view has %d rows", wrong, len(want), len(got))
	}
}

// Over an hour in which every sample lasts as long as the next, the samples of a pod in a state add up to the GPU-hours of
// that state in the hourly table.
func TestViewsAddUpToGPUHours(t *testing.T) {
	dir, _ := filled(t)
	db := openViews(t, dir, "")
	got := listed(
		t,
		db,
		`SELECT s.gpu_state || ' ' || count(*) FROM pod_gpu_states s GROUP BY s.gpu_state HAVING s.gpu_state IS NOT NULL ORDER BY 1`,
	)
	if len(got) < 3 {
		t.Errorf("the demo's states are %q", got)
	}
	for _, state := range activity.States {
		wrong := listed(t, db, fmt.Sprintf(`SELECT h.pod || ' ' || h.gpu_hours_%[1]s || ' ' || v.gpus FROM hourly_pods h
			JOIN (SELECT dt, hh, pod_uid, sum(gpu_request) FILTER (gpu_state = '%[1]s') AS gpus, count(*) AS samples, min(gpu_request) AS least,
				max(gpu_request) AS most FROM pod_gpu_states GROUP BY ALL) v ON v.dt = h.dt AND v.hh = strftime(h.hour, '%%H') AND v.pod_uid = h.pod_uid
			WHERE v.samples = 120 AND h.samples = 120 AND v.hh != '00' AND most > 0
				AND abs(coalesce(h.gpu_hours_%[1]s, 0) * 120 - coalesce(v.gpus, 0)) > most LIMIT 3`, state))
		if len(wrong) > 0 {
			t.Errorf("%s: %q", state, wrong)
		}
	}
}
