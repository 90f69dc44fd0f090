package kube

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// owner is a workload.
type owner struct{ kind, name string }

// resolveOwners names the workload above each pod's ReplicaSet or Job: its
// Deployment, Rollout, CronJob or whatever controls it, or the ReplicaSet or
// Job itself where nothing does. What was found out once is remembered by UID;
// the collections are listed, metadata alone, only while some pod's controller
// is unknown. One that stays unknown is the owner itself, and asked for again
// with the next sample: guessing a Deployment from a ReplicaSet's name would be
// wrong for ReplicaSets that other controllers made.
func (c *Client) resolveOwners(ctx context.Context, namespaces []string, pods []*Pod) (gaps []usage.Gap) {
	wanted := map[string]map[types.UID]bool{}
	known := make(map[types.UID]owner, len(c.owners)) // those that a pod still refers to
	var last *shared
	for _, p := range pods {
		above := p.shared.above
		if above.Kind == "" || p.shared == last { // siblings stand together
			continue
		}
		last = p.shared
		if o, ok := c.owners[above.UID]; ok {
			known[above.UID] = o
		} else {
			if wanted[above.Kind] == nil {
				wanted[above.Kind] = map[types.UID]bool{}
			}
			wanted[above.Kind][above.UID] = true
		}
	}
	for _, above := range [...]struct {
		kind string
		list collection
	}{{"ReplicaSet", replicaSets}, {"Job", batchJobs}} {
		if wanted[above.kind] == nil {
			continue
		}
		for _, namespace := range namespaces {
			if err := c.listOwners(ctx, above.list, namespace, wanted[above.kind], known); err != nil {
				gaps = append(gaps, ownersGap(above.list, err))
			}
		}
	}
	c.owners = known
	for _, p := range pods {
		if p.shared.named {
			continue
		}
		if o, ok := known[p.shared.above.UID]; ok && o != (owner{}) {
			p.shared.OwnerKind, p.shared.Owner, p.shared.named = usage.Some(o.kind), usage.Some(o.name), true
		}
	}
	return slices.Compact(gaps)
}

// listOwners adds to known who controls each wanted object: the zero owner if
// nobody does.
func (c *Client) listOwners(ctx context.Context, kind collection, namespace string, wanted map[types.UID]bool,
	known map[types.UID]owner) error {
	nothing := func() {} // what an expired list said of owners stays true
	return c.list(ctx, kind, namespace, nothing, func(item []byte) error {
		var object metav1.PartialObjectMetadata
		if err := decode(item, &object); err != nil {
			return err
		}
		if !wanted[object.UID] {
			return nil
		}
		o := owner{}
		if controller := metav1.GetControllerOfNoCopy(&object); controller != nil {
			o = owner{controller.Kind, intern(controller.Name)}
		}
		known[object.UID] = o
		return nil
	})
}

func ownersGap(kind collection, err error) usage.Gap {
	reason := err.Error()
	if apierrors.IsForbidden(err) {
		reason = fmt.Sprintf("pods are named by their %s: the account may not list them: add the rule "+
			"{apiGroups: [%s], resources: [%s], verbs: [get, list]} to its ClusterRole: %v", kind.resource, kind.group, kind.resource, err)
	}
	return usage.Gap{Source: "owners", Target: kind.String(), Reason: reason}
}
