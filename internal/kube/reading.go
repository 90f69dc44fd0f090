package kube

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Half of what a sample reads are PodMetrics, so they are read without the
// types of k8s.io/metrics, whose quantities cost more than all the rest.

// What is read of PodMetrics and of NodeMetrics.
var (
	metricsMetadata = fields{{1, "name"}: nil, {3, "namespace"}: nil}
	ofPod           = newTrimmer(fields{{1, "metadata"}: metricsMetadata, {2, "timestamp"}: nil, {4, "containers"}: {{2, "usage"}: nil}})
	ofNode          = newTrimmer(fields{{1, "metadata"}: metricsMetadata, {2, "timestamp"}: nil, {4, "usage"}: nil})
)

// readMetrics reads a PodMetrics or a NodeMetrics.
func readMetrics(i item, of *trimmer) (r reading, err error) {
	err = r.read(i, of)
	if err != nil && i.json {
		if i, err = asUsual(i); err == nil {
			err = r.read(i, of)
		}
	}
	if err != nil {
		return r, fmt.Errorf("decoding metrics of %s/%s: %w", r.namespace, r.name, err)
	}
	return r, nil
}

func (r *reading) read(metrics item, of *trimmer) error {
	*r = reading{at: time.Time{}.UnixMilli()}
	node := resourceList{}
	err := of.each(metrics, func(number int, value item) (err error) {
		switch number {
		case 1:
			return of.inner[1].each(value, func(number int, value item) (err error) {
				switch number {
				case 1:
					r.name, err = value.text()
				case 3:
					r.namespace, err = value.text()
				}
				return err
			})
		case 2:
			r.at, err = value.millis()
		case 4:
			if of == ofNode {
				return node.read(value)
			}
			return value.elements(func(value item) error {
				container := resourceList{}
				err := of.inner[4].each(value, func(number int, value item) error {
					if number == 2 {
						return container.read(value)
					}
					return nil
				})
				r.add(container)
				return err
			})
		}
		return err
	})
	if of == ofNode {
		r.add(node)
	}
	return err
}

// asUsual makes of JSON what each reads.
func asUsual(i item) (item, error) {
	type usage map[string]json.RawMessage
	var m struct {
		Metadata struct {
			Name      string `json:"name"`
			Namespace string `json:"namespace"`
		} `json:"metadata"`
		Timestamp  metav1.Time `json:"timestamp"`
		Usage      usage       `json:"usage"`
		Containers []struct {
			Usage usage `json:"usage"`
		} `json:"containers"`
	}
	err := json.Unmarshal(i.bytes, &m)
	if err == nil {
		i.bytes, err = json.Marshal(m)
	}
	return i, err
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

// read reads quantities by the names of their resources: in protobuf one, in
// JSON all of them.
func (l *resourceList) read(quantities item) error {
	if !quantities.json {
		var name, text []byte
		err := eachField(quantities.bytes, func(number int, value []byte) error {
			switch number {
			case 1:
				name = value
			case 2:
				return eachField(value, func(number int, value []byte) error {
					if number == 1 {
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
		return l.set(name, text)
	}
	c := cursor{text: quantities.bytes}
	if c.first() != '{' {
		return errUnusual
	}
	for c.enter(); c.more(); {
		name, quantity := c.name(), bytes.Trim(c.value(), `"`)
		if bytes.IndexByte(name, '\\') >= 0 {
			return errUnusual
		}
		if err := l.set(name, quantity); err != nil {
			return err
		}
	}
	return nil
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
