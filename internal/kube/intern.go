package kube

import (
	"unique"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// intern keeps one copy of a string that many pods share; a decoded pod's
// strings would otherwise be as many copies as there are pods.
func intern(s string) string { return unique.Make(s).Value() }

// internDetail makes the detail of a pod that is kept share its strings with
// those of its siblings.
func internDetail(d *usage.PodDetail) {
	d.Labels, d.Annotations = internMap(d.Labels), internMap(d.Annotations)
	for i := range d.Containers {
		c := &d.Containers[i]
		c.Name, c.Image, c.Env = intern(c.Name), intern(c.Image), internMap(c.Env)
		internAll(c.Command)
		internAll(c.Args)
		for j := range c.Ports {
			c.Ports[j].Name = intern(c.Ports[j].Name)
		}
	}
}

func internAll(list []string) {
	for i, s := range list {
		list[i] = intern(s)
	}
}

func internMap(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[intern(k)] = intern(v)
	}
	return out
}
