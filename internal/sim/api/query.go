package api

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
	"github.com/company/k8s-resource-monitor/internal/sim/objects"
)

// listQuery is what a list request asks for.
type listQuery struct {
	format    format
	namespace string
	labels    labels.Selector
	fields    fields.Selector
	limit     int // 0: none
	after     next
	at        int64 // the instant of the list: now, or of the page before
}

// next is a continue token: the instant of the list, and the last object that
// was sent.
type next struct {
	At        int64  `json:"rv"`
	Namespace string `json:"ns,omitempty"`
	Name      string `json:"name"`
}

func (n next) token() string {
	b, err := json.Marshal(n)
	if err != nil {
		panic(err) // strings and a number
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseNext reads a continue token that is valid now.
func parseNext(token string, now int64) (n next, refusal *errors.StatusError) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || json.Unmarshal(b, &n) != nil || n.At > now {
		return n, errors.NewBadRequest("continue key is not valid")
	}
	if now-n.At > expiry {
		return n, errors.NewResourceExpired("The provided continue parameter is too old to display a consistent list result. " +
			"You can start a new list without the continue parameter.")
	}
	return n, nil
}

// parseList reads a list request for objects of kind k.
func parseList(r *http.Request, k *kind, namespace string, now int64) (l listQuery, refusal *errors.StatusError) {
	q := r.URL.Query()
	l = listQuery{namespace: namespace, at: now}
	var ok bool
	if l.format, ok = negotiate(r.Header.Get("Accept"), "List"); !ok {
		return l, notAcceptable()
	}
	if watch := q.Get("watch"); watch != "" && watch != "false" && watch != "0" {
		return l, errors.NewMethodNotSupported(schema.GroupResource{Group: k.Group, Resource: k.Plural}, "watch")
	}
	var err error
	if l.limit, err = strconv.Atoi(cmp.Or(q.Get("limit"), "0")); err != nil {
		return l, errors.NewBadRequest("limit is not a number")
	}
	if q.Get("resourceVersion") == "0" || k.usage != nil {
		l.limit = 0 // as the watch cache answers, and metrics-server
	}
	if token := q.Get("continue"); token != "" {
		if l.after, refusal = parseNext(token, now); refusal != nil {
			return l, refusal
		}
		l.at = l.after.At
	}
	return l, l.parseSelectors(q, k)
}

func (l *listQuery) parseSelectors(q url.Values, k *kind) *errors.StatusError {
	var err error
	if l.labels, err = labels.Parse(q.Get("labelSelector")); err != nil {
		return errors.NewBadRequest("unable to parse labelSelector: " + err.Error())
	}
	if l.fields, err = fields.ParseSelector(q.Get("fieldSelector")); err != nil {
		return errors.NewBadRequest("unable to parse fieldSelector: " + err.Error())
	}
	aPod := entry{Item: objects.Item{Slot: &cluster.Slot{}}}
	for _, want := range l.fields.Requirements() {
		_, ok := aPod.field(want.Field)
		if !ok || k.Plural != "pods" && !strings.HasPrefix(want.Field, "metadata.") {
			return errors.NewBadRequest("field label not supported: " + want.Field)
		}
	}
	return nil
}

// selects reports whether the list asks for some objects of its kind only.
func (l *listQuery) selects() bool {
	return l.namespace != "" || !l.labels.Empty() || !l.fields.Empty()
}

// matches reports whether the list asks for an object.
func (l *listQuery) matches(e *entry) bool {
	return (l.namespace == "" || e.Namespace == l.namespace) && matches(l.fields, e) &&
		(l.labels.Empty() || l.labels.Matches(labels.Set(e.labels())))
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
