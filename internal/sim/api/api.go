// Package api is the API server of a simulated cluster: get and list of the kinds
// of package objects and of usage in metrics.k8s.io, in JSON and protobuf, whole
// or PartialObjectMetadata, with selectors, pages and gzip. Caches hold encoded
// objects and change no answer.
//
// What it does not do: it is read-only, has no watch, no Table output and no
// OpenAPI documents.
package api

import (
	"cmp"
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
	"github.com/company/k8s-resource-monitor/internal/sim/objects"
)

// expiry is how long, in seconds of the simulation, a list may be continued.
const expiry = 300

// Server is the API server of a cluster.
type Server struct {
	*cluster.Cluster
	kinds []*kind
	keep  bool // small enough to remember encoded objects
}

// keepPods is the largest cluster, in pods, whose encoded objects stay in
// memory (about 10 KB a pod); a larger one encodes them for each request.
const keepPods = 10_000

// NewServer returns the API server of a cluster.
func NewServer(c *cluster.Cluster) *Server {
	return &Server{c, kinds(), len(c.Slots) <= keepPods}
}

// Handler answers at the instants that now returns. A list is continued from the
// instant of its first page.
func (c *Server) Handler(now func() time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, want := r.Header.Get("Authorization"), "Bearer "+c.Config.Token
		if c.Config.Token != "" && subtle.ConstantTimeCompare([]byte(given), []byte(want)) == 0 {
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

// fail answers with a Status.
func fail(w http.ResponseWriter, err *errors.StatusError) {
	status := err.Status()
	status.Kind, status.APIVersion = "Status", "v1"
	answer(w, int(status.Code), status)
}

// answer writes a document as JSON.
func answer(w http.ResponseWriter, code int, document any) {
	b, err := json.Marshal(document)
	if err != nil {
		panic(err) // documents of this package can be encoded
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(append(b, '\n')) // the reader may have gone
}

// serve finds what a path names: [api/v1 | apis/GROUP/VERSION] [namespaces/NS]
// RESOURCE [NAME].
func (c *Server) serve(w http.ResponseWriter, r *http.Request, now int64) *errors.StatusError {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	notFound := errors.NewGenericServerResponse(http.StatusNotFound, "get", schema.GroupResource{}, "",
		"the server could not find the requested resource", 0, true)
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
	if k == nil || len(parts) > 2 || namespace != "" && !k.Namespaced {
		return notFound
	}
	if len(parts) == 2 {
		return c.get(w, r, k, namespace, parts[1], now)
	}
	return c.list(w, r, k, namespace, now)
}

func (c *Server) kind(group, version, plural string) *kind {
	for _, k := range c.kinds {
		if k.Group == group && k.Version == version && k.Plural == plural {
			return k
		}
	}
	return nil
}

// source is the kind whose objects are listed: usage is of pods or nodes.
func (c *Server) source(k *kind) *kind {
	if k.usage != nil {
		return c.kind("", "v1", k.of)
	}
	return k
}

// negotiate picks the first supported format of the Accept header. Table is not
// supported, so kubectl formats its own tables.
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

func (c *Server) get(w http.ResponseWriter, r *http.Request, k *kind, namespace, name string, now int64) *errors.StatusError {
	f, ok := negotiate(r.Header.Get("Accept"), "")
	if !ok {
		return notAcceptable()
	}
	e := c.snapshot(c.source(k), now).find(namespace, name)
	if e == nil || k.usage != nil && !e.measures(now) {
		return errors.NewNotFound(schema.GroupResource{Group: k.Group, Resource: k.Plural}, name)
	}
	w.Header().Set("Content-Type", f.contentType())
	borrow(func(buf []byte) []byte {
		buf = c.single(buf, k, e, now, f)
		_, _ = w.Write(buf) // the reader may have gone
		return buf
	})
	return nil
}

func (c *Server) list(w http.ResponseWriter, r *http.Request, k *kind, namespace string, now int64) *errors.StatusError {
	l, refusal := parseList(r, k, namespace, now)
	if refusal != nil {
		return refusal
	}
	s := c.snapshot(c.source(k), l.at)
	p := &page{kind: k, at: l.at, entries: s.entries, meta: metav1.ListMeta{ResourceVersion: objects.Version(l.at)}}
	filtered := l.selects() || k.usage != nil
	if filtered {
		p.entries = nil
		for _, e := range s.entries {
			if l.matches(e) && (k.usage == nil || e.measures(l.at)) {
				p.entries = append(p.entries, e)
			}
		}
	}
	p.cut(&l)
	if !filtered && len(p.entries) == len(s.entries) && c.keep {
		p.chunks = s.chunks
	}
	c.write(w, r, p, l.format)
	return nil
}

// cut drops what earlier pages had and what is above the limit, and sets the
// continue token.
func (p *page) cut(l *listQuery) {
	if l.after.Name != "" {
		from, found := slices.BinarySearchFunc(p.entries, l.after, func(e *entry, n next) int { return e.compare(n.Namespace, n.Name) })
		if found {
			from++
		}
		p.entries = p.entries[from:]
	}
	if l.limit == 0 || l.limit >= len(p.entries) {
		return
	}
	if left := int64(len(p.entries) - l.limit); l.labels.Empty() && l.fields.Empty() {
		p.meta.RemainingItemCount = &left
	}
	p.entries = p.entries[:l.limit]
	sent := p.entries[l.limit-1]
	p.meta.Continue = next{l.at, sent.Namespace, sent.Name}.token()
}
