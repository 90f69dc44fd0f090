package api

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	build "k8s.io/apimachinery/pkg/version"
)

// discover answers the paths by which clients learn what there is, nil for
// others.
func (c *Server) discover(path []string) any {
	groups := &metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}}
	resources := map[string]*metav1.APIResourceList{}
	for _, k := range c.kinds {
		gv := metav1.GroupVersionForDiscovery{GroupVersion: k.groupVersion(), Version: k.Version}
		if resources[gv.GroupVersion] == nil {
			resources[gv.GroupVersion] = &metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"},
				GroupVersion: gv.GroupVersion}
			if k.Group != "" {
				groups.Groups = append(groups.Groups, metav1.APIGroup{Name: k.Group, Versions: []metav1.GroupVersionForDiscovery{gv},
					PreferredVersion: gv})
			}
		}
		list := resources[gv.GroupVersion]
		list.APIResources = append(list.APIResources, metav1.APIResource{Name: k.Plural, SingularName: k.Singular, Namespaced: k.Namespaced,
			Kind: k.Name, Verbs: metav1.Verbs{"get", "list"}, ShortNames: k.Short})
	}
	switch len(path) {
	case 1:
		switch path[0] {
		case "api":
			return &metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"},
				ServerAddressByClientCIDRs: []metav1.ServerAddressByClientCIDR{}}
		case "apis":
			return groups
		case "version":
			return &build.Info{Major: "1", Minor: "34", GitVersion: "v1.34.2", GitTreeState: "clean", GoVersion: "go1.24.9", Compiler: "gc",
				Platform: "linux/amd64"}
		}
	case 2:
		if path[0] == "api" && resources[path[1]] != nil {
			return resources[path[1]]
		}
		for i := range groups.Groups {
			if g := &groups.Groups[i]; path[0] == "apis" && g.Name == path[1] {
				g.TypeMeta = metav1.TypeMeta{Kind: "APIGroup", APIVersion: "v1"}
				return g
			}
		}
	case 3:
		if path[0] == "apis" && resources[path[1]+"/"+path[2]] != nil {
			return resources[path[1]+"/"+path[2]]
		}
	}
	return nil
}
