package sim

import (
	"cmp"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// expiry is how long, in seconds of the simulation, a list may be continued.
const expiry = 300

// API is the API server at the instants that now returns. It answers reads of
// the kinds in kinds.go and discovery; see the package comment for what it
// does not do. A list is continued from the instant of its first page.
func (c *Cluster) API(now func() time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if want := "Bearer " + c.cfg.Token; c.cfg.Token != "" && subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte(want)) == 0 {
			fail(w, errors.NewUnauthorized("a valid bearer token is required"))
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			fail(w, errors.NewMethodNotSupported(schema.GroupResource{Resource: r.URL.Path}, r.Method))
			return
		}
		if err := c.serve(w, r, now().Unix()); err != nil {
			fail(w, err)
		}
	})
}

// fail answers with the Status of a refusal.
func fail(w http.ResponseWriter, err *errors.StatusError) {
	status := err.Status()
	status.Kind, status.APIVersion = "Status", "v1"
	answer(w, int(status.Code), status)
}

// answer writes a document as JSON.
func answer(w http.ResponseWriter, code int, document any) {
	b, err := json.Marshal(document)
	if err != nil {
		panic(err) // a document of ours
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(append(b, '\n')) // the reader may have gone
}

// serve finds what a path names: [api/v1 | apis/GROUP/VERSION] [namespaces/NS]
// RESOURCE [NAME].
func (c *Cluster) serve(w http.ResponseWriter, r *http.Request, now int64) *errors.StatusError {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	notFound := errors.NewGenericServerResponse(http.StatusNotFound, "get", schema.GroupResource{}, "", "the server could not find the requested resource", 0, true)
	group, version := "", ""
	switch {
	case len(parts) >= 3 && parts[0] == "api":
		version, parts = parts[1], parts[2:]
	case len(parts) >= 4 && parts[0] == "apis":
		group, version, parts = parts[1], parts[2], parts[3:]
	default:
		if document := c.discover(parts); document != nil {
			answer(w, http.StatusOK, document)
			return nil
		}
		if len(parts) == 1 && slices.Contains([]string{"livez", "readyz", "healthz"}, parts[0]) {
			_, _ = io.WriteString(w, "ok")
			return nil
		}
		return notFound
	}
	namespace := ""
	if len(parts) >= 3 && parts[0] == "namespaces" {
		namespace, parts = parts[1], parts[2:]
	}
	k := c.kind(group, version, parts[0])
	if k == nil || len(parts) > 2 || namespace != "" && !k.namespaced {
		return notFound
	}
	if len(parts) == 2 {
		return c.get(w, r, k, namespace, parts[1], now)
	}
	return c.list(w, r, k, namespace, now)
}

func (c *Cluster) kind(group, version, plural string) *kind {
	for _, k := range c.kinds {
		if k.group == group && k.version == version && k.plural == plural {
			return k
		}
	}
	return nil
}

// source is the kind whose objects are listed: usage is of pods or nodes.
func (c *Cluster) source(k *kind) *kind {
	if k.usage != nil {
		return c.kind("", "v1", k.of)
	}
	return k
}

// negotiate picks the first format of the Accept header that there is. Tables
// are never among them, so kubectl draws its own.
func negotiate(accept, list string) (format, bool) {
	for part := range strings.SplitSeq(cmp.Or(accept, "*/*"), ",") {
		media, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		f := jsonFull
		switch strings.TrimSpace(media) {
		case "application/json", "application/*", "*/*":
		case "application/vnd.kubernetes.protobuf":
			f = proto
		default:
			continue
		}
		as := ""
		for param := range strings.SplitSeq(params, ";") {
			if name, value, _ := strings.Cut(strings.TrimSpace(param), "="); name == "as" {
				as = value
			}
		}
		switch as {
		case "":
			return f, true
		case "PartialObjectMetadata" + list:
			return f + jsonMeta, true
		}
	}
	return 0, false
}

func notAcceptable() *errors.StatusError {
	return errors.NewGenericServerResponse(http.StatusNotAcceptable, "get", schema.GroupResource{}, "",
		"only application/json and application/vnd.kubernetes.protobuf are served", 0, true)
}

func (c *Cluster) get(w http.ResponseWriter, r *http.Request, k *kind, namespace, name string, now int64) *errors.StatusError {
	f, ok := negotiate(r.Header.Get("Accept"), "")
	if !ok {
		return notAcceptable()
	}
	e := c.snapshot(c.source(k), now).find(namespace, name)
	if e == nil || k.usage != nil && !e.measures(now) {
		return errors.NewNotFound(schema.GroupResource{Group: k.group, Resource: k.plural}, name)
	}
	w.Header().Set("Content-Type", f.contentType())
	borrow(func(buf []byte) []byte {
		buf = c.single(buf, k, e, now, f)
		_, _ = w.Write(buf) // the reader may have gone
		return buf
	})
	return nil
}

// next is a continue token: the instant of the list, and the last object that
// was sent.
type next struct {
	At        int64  `json:"rv"`
	Namespace string `json:"ns,omitempty"`
	Name      string `json:"name"`
}

func (c *Cluster) list(w http.ResponseWriter, r *http.Request, k *kind, namespace string, now int64) *errors.StatusError {
	q := r.URL.Query()
	f, ok := negotiate(r.Header.Get("Accept"), "List")
	if !ok {
		return notAcceptable()
	}
	if watch := q.Get("watch"); watch != "" && watch != "false" && watch != "0" {
		return errors.NewMethodNotSupported(schema.GroupResource{Group: k.group, Resource: k.plural}, "watch")
	}
	limit, err := strconv.Atoi(cmp.Or(q.Get("limit"), "0"))
	if err != nil {
		return errors.NewBadRequest("limit is not a number")
	}
	if q.Get("resourceVersion") == "0" || k.usage != nil {
		limit = 0 // as the watch cache answers, and metrics-server
	}
	var after next
	if token := q.Get("continue"); token != "" {
		b, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil || json.Unmarshal(b, &after) != nil || after.At > now {
			return errors.NewBadRequest("continue key is not valid")
		}
		if now-after.At > expiry {
			return errors.NewResourceExpired("The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.")
		}
		now = after.At
	}
	labelled, err := labels.Parse(q.Get("labelSelector"))
	if err != nil {
		return errors.NewBadRequest("unable to parse labelSelector: " + err.Error())
	}
	having, err := fields.ParseSelector(q.Get("fieldSelector"))
	if err != nil {
		return errors.NewBadRequest("unable to parse fieldSelector: " + err.Error())
	}
	for _, want := range having.Requirements() {
		if _, ok := (&entry{slot: &slot{}}).field(want.Field); !ok || k.plural != "pods" && !strings.HasPrefix(want.Field, "metadata.") {
			return errors.NewBadRequest("field label not supported: " + want.Field)
		}
	}

	s := c.snapshot(c.source(k), now)
	p := &page{kind: k, at: now, entries: s.entries, meta: metav1.ListMeta{ResourceVersion: version(now)}}
	filtered := namespace != "" || !labelled.Empty() || !having.Empty() || k.usage != nil
	if filtered {
		p.entries = nil
		for _, e := range s.entries {
			if (namespace == "" || e.namespace == namespace) && matches(having, e) && (labelled.Empty() || labelled.Matches(labels.Set(e.labels()))) && (k.usage == nil || e.measures(now)) {
				p.entries = append(p.entries, e)
			}
		}
	}
	if after.Name != "" {
		from, found := slices.BinarySearchFunc(p.entries, after, func(e *entry, n next) int { return e.compare(n.Namespace, n.Name) })
		if found {
			from++
		}
		p.entries = p.entries[from:]
	}
	if limit > 0 && limit < len(p.entries) {
		if left := int64(len(p.entries) - limit); labelled.Empty() && having.Empty() {
			p.meta.RemainingItemCount = &left
		}
		p.entries = p.entries[:limit]
		lastSent := p.entries[limit-1]
		token, err := json.Marshal(next{now, lastSent.namespace, lastSent.name})
		if err != nil {
			panic(err) // strings and a number
		}
		p.meta.Continue = base64.RawURLEncoding.EncodeToString(token)
	}
	if !filtered && len(p.entries) == len(s.entries) && c.keep {
		p.chunks = s.chunks
	}
	c.write(w, r, p, f)
	return nil
}

func matches(having fields.Selector, e *entry) bool {
	for _, want := range having.Requirements() {
		value, _ := e.field(want.Field)
		if (value == want.Value) == (want.Operator == "!=") {
			return false
		}
	}
	return true
}
