package alert

import (
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/usage"
	"github.com/company/k8s-resource-monitor/internal/yamlfile"
)

// BenchmarkEvaluate is the rules that ship, on one pod.
func BenchmarkEvaluate(b *testing.B) {
	rules, err := Rules(yamlfile.Value{})
	if err != nil {
		b.Fatal(err)
	}
	var pods []usage.Pod
	for i := range 6000 {
		pods = append(pods, fleetPod(i, minute(0)))
	}
	nodes := []usage.Node{node(nodeOf(0), true)}
	e := newEvaluation(&Job{Cluster: "c", Rules: rules, Thresholds: thresholds80}, state{})
	s := e.begin(minute(0), 30*time.Second, nodes, nil, nil)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.pod(&pods[i%len(pods)], usage.Opt[string]{})
	}
}
