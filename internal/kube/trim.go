package kube

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/company/k8s-resource-monitor/internal/kube/wire"
)

// What is read of pods, nodes, and ReplicaSets and Jobs. The rest, which is most
// of them (managed fields, volumes, probes, images of a node), is cut off before
// anything is decoded; and with it what changes though nothing happens, as a
// node's heartbeat does, so that the memo knows the object again.
var (
	conditionFields = wire.Fields{"type": nil, "status": nil, "reason": nil}
	containerFields = wire.Fields{"name": nil, "image": nil, "command": nil, "args": nil, "ports": nil,
		"env": nil, "resources": nil, "restartPolicy": nil}
	statusFields = wire.Fields{"name": nil, "state": {
		"waiting": {"reason": nil}, "running": {}, "terminated": {"exitCode": nil, "reason": nil},
	}, "restartCount": nil, "allocatedResources": nil, "resources": nil}

	podTrimmer = wire.NewTrimmer[corev1.Pod](wire.Fields{
		"metadata": {"name": nil, "namespace": nil, "uid": nil, "creationTimestamp": nil,
			"labels": nil, "annotations": nil, "ownerReferences": nil},
		"spec": {"containers": containerFields, "nodeName": nil, "hostNetwork": nil,
			"initContainers": containerFields, "overhead": nil, "resourceClaims": nil, "resources": nil},
		"status": {"phase": nil, "conditions": conditionFields, "reason": nil, "podIP": nil, "startTime": nil,
			"containerStatuses": statusFields, "initContainerStatuses": statusFields, "resourceClaimStatuses": nil,
			"allocatedResources": nil, "resources": nil},
	})
	nodeTrimmer = wire.NewTrimmer[corev1.Node](wire.Fields{
		"metadata": {"name": nil, "creationTimestamp": nil, "labels": nil},
		"spec":     {"unschedulable": nil},
		"status": {"capacity": nil, "allocatable": nil, "conditions": {"type": nil, "status": nil},
			"nodeInfo": {"kubeletVersion": nil}},
	})
	ownedTrimmer = wire.NewTrimmer[metav1.PartialObjectMetadata](wire.Fields{
		"metadata": {"name": nil, "uid": nil, "ownerReferences": {"kind": nil, "name": nil, "controller": nil}},
	})
)
