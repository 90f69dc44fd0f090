package sim

import (
	"compress/gzip"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

// continueFor is how long a list can be continued, in seconds.
const continueFor = 300

// API is the cluster's API server at the instants that now gives: read-only,
// in JSON and protobuf, whole or in pages.
func (c *Cluster) API(now func() time.Time) http.Handler {
	mux := http.NewServeMux()
	for _, k := range c.kinds {
		root := "/apis/" + k.group + "/" + k.version + "/"
		if k.group == "" {
			root = "/api/" + k.version + "/"
		}
		get := func(w http.ResponseWriter, r *http.Request) { c.answer(w, r, k, now().Unix()) }
		mux.HandleFunc("GET "+root+k.resource, get)
		if k.namespaced {
			mux.HandleFunc("GET "+root+"namespaces/{namespace}/"+k.resource, get)
			mux.HandleFunc("GET "+root+"namespaces/{namespace}/"+k.resource+"/{name}", get)
		} else {
			mux.HandleFunc("GET "+root+k.resource+"/{name}", get)
		}
	}
	c.discovery(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token := "Bearer " + c.cfg.Token; c.cfg.Token != "" && subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte(token)) != 1 {
			fail(w, http.StatusUnauthorized, metav1.StatusReasonUnauthorized, "Unauthorized")
			return
		}
		if r.Method != http.MethodGet || r.URL.Query().Get("watch") == "true" || r.URL.Query().Get("watch") == "1" {
			fail(w, http.StatusMethodNotAllowed, metav1.StatusReasonMethodNotAllowed, "the simulated cluster can be read, and neither changed nor watched")
			return
		}
		if _, pattern := mux.Handler(r); pattern == "" {
			fail(w, http.StatusNotFound, metav1.StatusReasonNotFound, "the server could not find the requested resource")
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// fail writes a Status, as the API server does.
func fail(w http.ResponseWriter, code int, reason metav1.StatusReason, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status: metav1.StatusFailure, Code: int32(code), Reason: reason, Message: message})
}

// position is where a list is continued: the instant that its first page
// showed, and how many items were shown.
type position struct {
	At     int64 `json:"at"`
	Offset int   `json:"offset"`
}

func (p position) token() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"at":%d,"offset":%d}`, p.At, p.Offset))
}

// answer serves one object, or a list of them.
func (c *Cluster) answer(w http.ResponseWriter, r *http.Request, k *kind, now int64) {
	query := r.URL.Query()
	at := position{At: now}
	if token := query.Get("continue"); token != "" {
		body, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil || json.Unmarshal(body, &at) != nil || at.Offset < 0 {
			fail(w, http.StatusBadRequest, metav1.StatusReasonBadRequest, "continue key is not valid")
			return
		}
		if now-at.At > continueFor {
			fail(w, http.StatusGone, metav1.StatusReasonExpired, "The provided continue parameter is too old to display a consistent list result.")
			return
		}
	}
	accept := r.Header.Get("Accept")
	asJSON := !strings.Contains(accept, "application/vnd.kubernetes.protobuf")
	partial := strings.Contains(accept, "as=PartialObjectMetadata")
	wanted, err := selection(r, query.Get("labelSelector"), query.Get("fieldSelector"))
	if err != nil {
		fail(w, http.StatusBadRequest, metav1.StatusReasonBadRequest, err.Error())
		return
	}
	items := k.items(c, at.At)
	selected := items[:0]
	for _, i := range items {
		if wanted(i) {
			selected = append(selected, i)
		}
	}
	if name := r.PathValue("name"); name != "" {
		if len(selected) == 0 {
			fail(w, http.StatusNotFound, metav1.StatusReasonNotFound, fmt.Sprintf("%s %q not found", k.resource, name))
			return
		}
		c.write(w, r, asJSON, func() ([]byte, error) { return c.one(k, selected[0], asJSON) })
		return
	}
	meta := metav1.ListMeta{ResourceVersion: version(at.At)}
	page := selected[min(at.Offset, len(selected)):]
	if limit, _ := strconv.Atoi(query.Get("limit")); limit > 0 && len(page) > limit {
		rest := int64(len(page) - limit)
		page = page[:limit]
		meta.Continue, meta.RemainingItemCount = position{at.At, at.Offset + limit}.token(), &rest
	}
	c.write(w, r, asJSON, func() ([]byte, error) {
		apiVersion, kind := k.apiVersion(), k.kind+"List"
		if partial {
			apiVersion, kind = "meta.k8s.io/v1", "PartialObjectMetadataList"
		}
		encoded := make([][]byte, len(page))
		for i := range page {
			if partial {
				o := page[i].object()
				page[i] = item{object: func() object { return metadataOf(o, k) }}
			}
			var err error
			if encoded[i], err = c.encode(page[i], asJSON); err != nil {
				return nil, err
			}
		}
		return list(apiVersion, kind, meta, encoded, asJSON)
	})
}

// metadataOf is an object's metadata alone.
func metadataOf(o object, k *kind) *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{Kind: k.kind, APIVersion: k.apiVersion()}, ObjectMeta: metav1.ObjectMeta{
		Name: o.GetName(), Namespace: o.GetNamespace(), UID: o.GetUID(), ResourceVersion: o.GetResourceVersion(),
		CreationTimestamp: o.GetCreationTimestamp(), Labels: o.GetLabels(), Annotations: o.GetAnnotations(), OwnerReferences: o.GetOwnerReferences()}}
}

// one is a single object with its type.
func (c *Cluster) one(k *kind, i item, asJSON bool) ([]byte, error) {
	body, err := c.encode(i, asJSON)
	if err != nil || !asJSON {
		return protobufBody(k.apiVersion(), k.kind, body), err
	}
	return append([]byte(`{"kind":"`+k.kind+`","apiVersion":"`+k.apiVersion()+`",`), body[1:]...), nil
}

// selection is the filter that a request asks for.
func selection(r *http.Request, byLabel, byField string) (func(item) bool, error) {
	label, err := labels.Parse(byLabel)
	if err != nil {
		return nil, err
	}
	field, err := fields.ParseSelector(byField)
	if err != nil {
		return nil, err
	}
	namespace, name := r.PathValue("namespace"), r.PathValue("name")
	return func(i item) bool {
		if namespace != "" && i.namespace != namespace || name != "" && i.name != name {
			return false
		}
		if !field.Empty() {
			set := fields.Set{"metadata.name": i.name, "metadata.namespace": i.namespace}
			if s, ok := i.owner.(*slot); ok && s.node != nil {
				set["spec.nodeName"] = s.node.name
			}
			if !field.Matches(set) {
				return false
			}
		}
		return label.Empty() || label.Matches(labels.Set(i.object().GetLabels()))
	}, nil
}

// write sends a body, compressed where that is accepted and worth it.
func (c *Cluster) write(w http.ResponseWriter, r *http.Request, asJSON bool, make func() ([]byte, error)) {
	body, err := make()
	if err != nil {
		fail(w, http.StatusInternalServerError, metav1.StatusReasonInternalError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/vnd.kubernetes.protobuf")
	if asJSON {
		w.Header().Set("Content-Type", "application/json")
	}
	// The API server compresses from 128 KiB on, at the fastest level.
	if len(body) < 128<<10 || !c.compresses || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Write(body)
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed) // the level is a valid one
	z.Write(body)
	z.Close()
}

// discovery serves what clients ask to learn which resources there are.
func (c *Cluster) discovery(mux *http.ServeMux) {
	answer := func(path string, v any) {
		body, err := json.Marshal(v)
		if err != nil {
			panic("discovery documents are plain data: " + err.Error())
		}
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Write(body)
		})
	}
	lists := map[string]*metav1.APIResourceList{}
	groups := metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}}
	for _, k := range c.kinds {
		l := lists[k.apiVersion()]
		if l == nil {
			l = &metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: k.apiVersion()}
			lists[k.apiVersion()] = l
			if k.group != "" {
				v := metav1.GroupVersionForDiscovery{GroupVersion: k.apiVersion(), Version: k.version}
				groups.Groups = append(groups.Groups, metav1.APIGroup{Name: k.group, Versions: []metav1.GroupVersionForDiscovery{v}, PreferredVersion: v})
			}
		}
		l.APIResources = append(l.APIResources, metav1.APIResource{Name: k.resource, SingularName: strings.ToLower(k.kind), Namespaced: k.namespaced, Kind: k.kind, Verbs: metav1.Verbs{"get", "list"}})
	}
	for name, l := range lists {
		if name == "v1" {
			answer("/api/v1", l)
			continue
		}
		answer("/apis/"+name, l)
	}
	answer("/api", metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"}})
	answer("/apis", groups)
	answer("/version", map[string]string{"major": "1", "minor": "34", "gitVersion": "v1.34.2", "platform": "linux/amd64"})
	answer("/livez", "ok")
	answer("/readyz", "ok")
}
