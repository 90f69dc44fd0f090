package kube

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Half of what a sample reads are PodMetrics, so they are read without the
// types of k8s.io/metrics, whose quantities cost more than all the rest.

// Field numbers of PodMetrics and NodeMetrics and of what they hold, from
// generated.proto in k8s.io/metrics.
const (
	metricsMetadata   = 1
	metricsTimestamp  = 2
	metricsContainers = 4 // of PodMetrics
	metricsUsage      = 4 // of NodeMetrics
	containerUsage    = 2
	metadataName      = 1
	metadataNamespace = 3
	entryKey          = 1
	entryValue        = 2
	quantityText      = 1
)

// kindOfMetrics says which of the two an item is.
type kindOfMetrics bool

const (
	ofPod  kindOfMetrics = true
	ofNode kindOfMetrics = false
)

// readMetrics reads a PodMetrics or a NodeMetrics.
func readMetrics(i item, kind kindOfMetrics) (r reading, err error) {
	if i.json {
		err = r.readJSON(i.bytes, kind)
	} else {
		err = r.read(i.bytes, kind)
	}
	if err != nil {
		return r, fmt.Errorf("decoding metrics of %s/%s: %w", r.namespace, r.name, err)
	}
	return r, nil
}

func (r *reading) read(m []byte, kind kindOfMetrics) error {
	lists := resourceList{}
	err := eachField(m, func(number int64, value []byte) error {
		switch {
		case number == metricsMetadata:
			return eachField(value, func(number int64, value []byte) error {
				switch number {
				case metadataName:
					r.name = string(value)
				case metadataNamespace:
					r.namespace = string(value)
				}
				return nil
			})
		case number == metricsTimestamp:
			var t metav1.Time
			err := t.Unmarshal(value)
			r.at = t.Time
			return err
		case number == metricsUsage && kind == ofNode:
			return lists.entry(value)
		case number == metricsContainers && kind == ofPod:
			list := resourceList{}
			err := eachField(value, func(number int64, value []byte) error {
				if number == containerUsage {
					return list.entry(value)
				}
				return nil
			})
			r.add(list)
			return err
		}
		return nil
	})
	if kind == ofNode {
		r.add(lists)
	}
	return err
}

func (r *reading) readJSON(b []byte, kind kindOfMetrics) error {
	var m struct {
		Metadata   struct{ Namespace, Name string }
		Timestamp  metav1.Time
		Usage      map[string]quantity
		Containers []struct{ Usage map[string]quantity }
	}
	err := json.Unmarshal(b, &m)
	r.namespace, r.name, r.at = m.Metadata.Namespace, m.Metadata.Name, m.Timestamp.Time
	if err != nil {
		return err
	}
	add := func(usage map[string]quantity) error {
		list := resourceList{}
		for name, text := range usage {
			if err := list.set([]byte(name), text); err != nil {
				return err
			}
		}
		r.add(list)
		return nil
	}
	if kind == ofNode {
		return add(m.Usage)
	}
	for _, c := range m.Containers {
		if err := add(c.Usage); err != nil {
			return err
		}
	}
	return nil
}

// quantity is one in JSON: a string, or a bare number.
type quantity []byte

// UnmarshalJSON takes the quotes off.
func (q *quantity) UnmarshalJSON(b []byte) error {
	*q = append((*q)[:0], bytes.Trim(b, `"`)...)
	return nil
}

// resourceList is what one container or node uses.
type resourceList struct {
	nanocores, bytes int64
	cpu, memory      bool // the list names it
}

func (r *reading) add(l resourceList) {
	r.lists++
	r.nanocores += l.nanocores
	r.bytes += l.bytes
	r.noCPU, r.noMemory = r.noCPU || !l.cpu, r.noMemory || !l.memory
}

// entry reads an entry of a map from resource names to quantities.
func (l *resourceList) entry(m []byte) error {
	var key, text []byte
	err := eachField(m, func(number int64, value []byte) error {
		switch number {
		case entryKey:
			key = value
		case entryValue:
			return eachField(value, func(number int64, value []byte) error {
				if number == quantityText {
					text = value
				}
				return nil
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return l.set(key, text)
}

func (l *resourceList) set(name, quantity []byte) (err error) {
	switch string(name) {
	case "cpu":
		l.cpu = true
		l.nanocores, err = scaled(quantity, resource.Nano) // cores → nanocores
	case "memory":
		l.memory = true
		l.bytes, err = scaled(quantity, 0) // bytes
	}
	return err
}

// suffixes are those that metrics-server and kubelets write: the binary ones
// as a shift, the decimal ones as powers of ten.
var suffixes = map[string]struct{ shift, power int }{
	"": {}, "n": {power: -9}, "u": {power: -6}, "m": {power: -3}, "k": {power: 3}, "M": {power: 6}, "G": {power: 9},
	"Ki": {shift: 10}, "Mi": {shift: 20}, "Gi": {shift: 30}, "Ti": {shift: 40},
}

// hugeExponent matches quantities that the library would compute with for
// hours, alone or as a value in JSON: their exponents have more than three
// digits.
var hugeExponent = regexp.MustCompile(`(^|[:"\s])[+-]?[0-9.]+[eE][+-]?[0-9]{4,}($|[",}\]\s])`)

var errHugeExponent = errors.New("a quantity has an exponent of more than three digits")

// scaled reads a quantity in units of the scale, rounded up. Plain digits with
// a usual suffix are read here, all else by the library.
func scaled(text []byte, scale resource.Scale) (int64, error) {
	n, digits := int64(0), 0
	for digits < len(text) && digits < 15 && '0' <= text[digits] && text[digits] <= '9' {
		n = 10*n + int64(text[digits]-'0')
		digits++
	}
	s, known := suffixes[string(text[digits:])]
	power := s.power - int(scale)
	if known && digits > 0 && power >= 0 && (s.shift == 0 || scale == 0) {
		limit := int64(1) << (62 - s.shift)
		for ; power > 0 && n < limit/10; power-- {
			n *= 10
		}
		if power == 0 && n < limit {
			return n << s.shift, nil
		}
	}
	if hugeExponent.Match(text) {
		return 0, errHugeExponent
	}
	q, err := resource.ParseQuantity(string(text))
	return q.ScaledValue(scale), err
}

// eachField calls visit with each field of a message, empty values of numbers
// among them.
func eachField(m []byte, visit func(number int64, value []byte) error) error {
	for len(m) > 0 {
		number, value, rest, err := field(m)
		if err == nil {
			err = visit(number, value)
		}
		if err != nil {
			return err
		}
		m = rest
	}
	return nil
}
