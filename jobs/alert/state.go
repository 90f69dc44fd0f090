package alert

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

const (
	stateVersion       = 2
	oldestStateVersion = 1 // of which `sent` is a text, see sentBy

	keepResolved     = 30 * 24 * time.Hour
	keepResolvedMost = 1000             // alerts; the oldest go first
	keepUntold       = 2 * keepResolved // an end that a channel is yet to be told of
)

// state is the job's private object. It is all that a run remembers.
type state struct {
	Version         int       `json:"version"`
	Cluster         string    `json:"cluster"`
	At              time.Time `json:"at"`        // the newest run
	SampledAt       time.Time `json:"sampledAt"` // the newest instant that was evaluated; zero: none yet
	IntervalSeconds int       `json:"intervalSeconds"`
	Active          []alert   `json:"active"`   // pending and firing, by fingerprint
	Resolved        []alert   `json:"resolved"` // newest first
}

// alert is one rule on one subject, from the first sample at which it held.
type alert struct {
	Fingerprint string `json:"fingerprint"`
	Rule        string `json:"rule"`
	Severity    string `json:"severity"`
	subject
	PendingSince time.Time            `json:"pendingSince"`
	LastHeld     time.Time            `json:"lastHeld"`    // the newest instant at which it held
	SamplesSeen  int                  `json:"samplesSeen"` // at which it held
	FiringSince  usage.Opt[time.Time] `json:"firingSince"`
	ResolvedAt   usage.Opt[time.Time] `json:"resolvedAt"`
	LastValue    usage.Opt[float64]   `json:"lastValue"`
	Summary      string               `json:"summary"`
	Sentence     string               `json:"sentence,omitempty"` // see report.Alert
	Values       []report.AlertValue  `json:"values,omitempty"`   // what Summary names, in its order
	Sent         sentBy               `json:"sent"`

	visited time.Time // the instant of the last row of the subject
	rule    *Rule     // whose Values describe is to word; nil: Summary is up to date
}

// sentBy is what each channel was last told of an alert, by the channel's name.
type sentBy map[string]string

const (
	sentFiring   = "firing"
	sentResolved = "resolved"
)

// UnmarshalJSON also reads version 1, which had one text: what Slack was told.
func (s *sentBy) UnmarshalJSON(body []byte) error {
	var slack string
	if json.Unmarshal(body, &slack) != nil {
		return json.Unmarshal(body, (*map[string]string)(s))
	}
	if slack != "" {
		*s = sentBy{"slack": slack} // the Name of the channel
	}
	return nil
}

// untold reports whether an alert began or ended since a channel was last told.
// One that ended before the channel was told of it is not told.
func (a *alert) untold(channel string) bool {
	if a.ResolvedAt.Present() {
		return a.Sent[channel] == sentFiring
	}
	return a.FiringSince.Present() && a.Sent[channel] == ""
}

// tell records that a channel was told that the alert began or ended.
func (a *alert) tell(channel string) {
	if a.Sent == nil {
		a.Sent = sentBy{}
	}
	a.Sent[channel] = sentFiring
	if a.ResolvedAt.Present() {
		a.Sent[channel] = sentResolved
	}
}

// transition names an alert's beginning or its end, as a channel is told it.
func (a *alert) transition(channel string) string {
	return fmt.Sprint(channel, " ", a.Fingerprint, " ", at(a.FiringSince).Unix(), " ", a.ResolvedAt.Present())
}

// subject is whom an alert is about.
type subject struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"` // a GPU's is its UUID
	Node      string `json:"node"`
	Model     string `json:"model"`
}

// fingerprint identifies a rule on a subject. Neither the value nor the node
// of a pod is part of it.
func (k key) fingerprint(cluster string) string {
	text, _ := json.Marshal([]string{k.rule, cluster, k.namespace, k.kind, k.name}) // strings always marshal
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:12])
}

func stateName(cluster string) string {
	return layout.Object{Tier: layout.State, Path: "alert", Cluster: cluster}.Name()
}

// readState returns the stored state with its bytes and ETag; a cluster that has
// none gets an empty one and the ETag "".
func readState(ctx context.Context, b bucket.Bucket, cluster string) (state, bucket.Object, error) {
	name := stateName(cluster)
	object, err := b.Get(ctx, name)
	if errors.Is(err, bucket.ErrNotExist) {
		return state{Version: stateVersion, Cluster: cluster}, bucket.Object{}, nil
	}
	if err != nil {
		return state{}, object, fmt.Errorf("read the state of alerts: %w", err)
	}
	var s state
	if err := json.Unmarshal(object.Body, &s); err != nil {
		return s, object, fmt.Errorf("%s is damaged: %w; delete it, and alerts that still fire are posted anew", name, err)
	}
	if s.Version < oldestStateVersion || s.Version > stateVersion || s.Cluster != cluster {
		return s, object, fmt.Errorf("%s is of version %d and cluster %q, not version %d and cluster %q: "+
			"run the program that wrote it, or delete it", name, s.Version, s.Cluster, stateVersion, cluster)
	}
	s.Version = stateVersion
	return s, object, nil
}

// writeState replaces the state that was read as old, unless nothing changed.
// If someone else wrote in between, the error is bucket.ErrPrecondition.
func writeState(ctx context.Context, b bucket.Bucket, s state, old bucket.Object) error {
	s.tidy()
	body, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return fmt.Errorf("encode the state of alerts: %w", err)
	}
	if bytes.Equal(body, old.Body) {
		return nil
	}
	_, err = b.Put(ctx, stateName(s.Cluster), body, bucket.PutOptions{
		CacheControl: "no-store", IfMatch: old.ETag, IfNoneMatch: old.ETag == "",
	})
	if err != nil {
		return fmt.Errorf("write the state of alerts: %w", err)
	}
	return nil
}

// tidy orders the alerts and forgets those that were resolved long ago, except
// ones whose end is yet to be posted.
func (s *state) tidy() {
	slices.SortFunc(s.Active, func(a, b alert) int { return strings.Compare(a.Fingerprint, b.Fingerprint) })
	slices.SortFunc(s.Resolved, func(a, b alert) int {
		return cmp.Or(at(b.ResolvedAt).Compare(at(a.ResolvedAt)), strings.Compare(a.Fingerprint, b.Fingerprint),
			a.PendingSince.Compare(b.PendingSince))
	})
	kept := 0
	s.Resolved = slices.DeleteFunc(s.Resolved, func(a alert) bool {
		age, untold := s.At.Sub(at(a.ResolvedAt)), slices.Contains(slices.Collect(maps.Values(a.Sent)), sentFiring)
		if untold && age <= keepUntold || kept < keepResolvedMost && age <= keepResolved {
			kept++
			return false
		}
		return true
	})
}

// all are the active and the resolved alerts.
func (s *state) all() []*alert {
	var all []*alert
	for i := range s.Active {
		all = append(all, &s.Active[i])
	}
	for i := range s.Resolved {
		all = append(all, &s.Resolved[i])
	}
	return all
}

// at is the time in o, zero where absent.
func at(o usage.Opt[time.Time]) time.Time {
	t, _ := o.Get()
	return t
}

// firing are the active alerts that fire.
func (s *state) firing() []alert {
	var firing []alert
	for _, a := range s.Active {
		if a.FiringSince.Present() {
			firing = append(firing, a)
		}
	}
	return firing
}

// document is alerts.json: it depends on the state alone.
func (s *state) document() report.Alerts {
	s.tidy()
	doc := report.Alerts{
		Stamp:  report.Stamp{Version: report.Version, Cluster: s.Cluster, GeneratedAt: s.At.UTC(), SampledAt: s.SampledAt.UTC()},
		Firing: []report.Alert{}, Resolved: []report.Alert{},
	}
	firing := s.firing()
	slices.SortFunc(firing, compareFiring)
	for _, a := range firing {
		doc.Firing = append(doc.Firing, a.public())
	}
	for _, a := range s.Resolved {
		doc.Resolved = append(doc.Resolved, a.public())
	}
	return doc
}

// compareFiring orders by severity, the worst first, then age, the oldest first.
func compareFiring(a, b alert) int {
	return cmp.Or(slices.Index(severities, b.Severity)-slices.Index(severities, a.Severity),
		a.PendingSince.Compare(b.PendingSince), strings.Compare(a.Rule, b.Rule),
		strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
}

func (a alert) public() report.Alert {
	return report.Alert{
		Rule: a.Rule, Severity: a.Severity, Kind: a.Kind, Namespace: a.Namespace, Name: a.Name, Node: a.Node,
		Model: a.Model, Summary: a.Summary, Sentence: a.Sentence, Values: append([]report.AlertValue{}, a.Values...),
		Value: a.LastValue, Since: a.PendingSince.UTC(), ResolvedAt: a.ResolvedAt,
	}
}
