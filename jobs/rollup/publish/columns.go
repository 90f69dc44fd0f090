package publish

import (
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

const (
	podsInOneObject = 20_000 // up to which all pods are one object
	podsInAChunk    = 10_000 // about which a larger cluster's pods are cut
)

// podChunks cuts the pods where a namespace ends; a namespace that is larger
// than a chunk is cut within.
func (v *view) podChunks() [][]usage.Pod {
	if len(v.pods) == 0 {
		return nil
	}
	if len(v.pods) <= podsInOneObject {
		return [][]usage.Pod{v.pods}
	}
	var chunks [][]usage.Pod
	start, boundary := 0, 0
	for i := 1; i <= len(v.pods); i++ {
		if i == len(v.pods) {
			return append(chunks, v.pods[start:])
		}
		if v.pods[i].Namespace != v.pods[i-1].Namespace {
			boundary = i
		}
		if i-start >= podsInAChunk {
			cut := i
			if boundary > start {
				cut = boundary
			}
			chunks = append(chunks, v.pods[start:cut])
			start = cut
		}
	}
	return chunks
}

func (v *view) podsData(stamp report.Stamp, rows []usage.Pod) report.PodsData {
	// Documents hold what a pod's columns need, so that the page and the API
	// cannot disagree.
	docs := make([]report.Pod, len(rows))
	for i := range rows {
		docs[i] = v.podDocument(&rows[i])
	}
	data := report.PodsData{Stamp: stamp, Count: len(docs)}
	fillColumns(&data, docs)
	return data
}

func (v *view) gpusData(stamp report.Stamp) report.GPUsData {
	data := report.GPUsData{Stamp: stamp, Count: len(v.gpus), State: v.gpuStates()}
	fillColumns(&data, v.gpus)
	return data
}

func (v *view) gpuMap(stamp report.Stamp) report.GPUMap {
	data := report.GPUMap{Stamp: stamp, Count: len(v.gpus), State: v.gpuStates()}
	fillColumns(&data, v.gpus)
	return data
}

// gpuStates is what each GPU does, null where no pod holds it.
func (v *view) gpuStates() report.Strings {
	states := newDictionary(len(v.gpus))
	for i := range v.gpus {
		namespace, held := v.gpus[i].Namespace.Get()
		pod, _ := v.gpus[i].Pod.Get()
		if !held {
			states.addOpt(usage.Opt[string]{})
			continue
		}
		states.addOpt(v.stateName(usage.PodName{Namespace: namespace, Pod: pod}))
	}
	return states.column
}
