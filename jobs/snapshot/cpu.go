package snapshot

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/kube"
	"github.com/company/k8s-resource-monitor/internal/layout"
)

// cpuName is the object that carries the kubelets' counters from run to run.
func (j *Job) cpuName() string {
	return layout.Object{Tier: layout.State, Path: "snapshot", Cluster: j.Cluster}.Name()
}

// loadCPU reads the counters of the run before, unless this job took them
// itself. Without them the first sample has no CPU usage, and that is all.
func (j *Job) loadCPU(ctx context.Context) {
	if j.cpu.Nodes != nil {
		return
	}
	o, err := j.Bucket.Get(ctx, j.cpuName())
	var cpu kube.CPUCounters
	if err == nil {
		err = json.Unmarshal(o.Body, &cpu)
	}
	switch {
	case err == nil:
		j.cpu = cpu
	case !errors.Is(err, bucket.ErrNotExist):
		j.Log.Warn("what kubelets had counted before is unreadable: the first sample has no CPU usage", "object", j.cpuName(), "err", err)
	}
}

func (j *Job) saveCPU(ctx context.Context) error {
	body, err := json.Marshal(j.cpu) // maps are written in order of keys
	if err != nil {
		return err
	}
	_, err = j.Bucket.Put(ctx, j.cpuName(), body, bucket.PutOptions{Gzip: true})
	return err
}
