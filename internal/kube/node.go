package kube

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/company/k8s-resource-monitor/internal/kube/rows"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// decodeNode decodes a node and reduces it to its row, as far as the node
// itself tells: what pods request and use is added to a copy.
func decodeNode(item []byte) (usage.Node, error) {
	var node corev1.Node
	if err := decode(item, &node); err != nil {
		return usage.Node{}, err
	}
	return rows.Node(&node), nil
}

// addPods fills in what the pods request of each node.
func addPods(nodes []usage.Node, pods []*Pod) {
	byName := make(map[string]*usage.Node, len(nodes))
	for i := range nodes {
		byName[nodes[i].Node] = &nodes[i]
	}
	for _, p := range pods {
		n := byName[p.node.Value()]
		if n == nil || p.shared.Ended() {
			continue
		}
		cpu, _ := p.shared.CPURequestMillicores.Get() // a pod that requests none adds none
		memory, _ := p.shared.MemoryRequestBytes.Get()
		n.CPURequestedMillicores += cpu
		n.MemoryRequestedBytes += memory
		n.GPURequested += p.gpusAlone
		if p.shared.Phase == string(corev1.PodRunning) {
			n.PodsRunning++
		}
	}
}
