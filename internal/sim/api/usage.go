package api

import (
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
)

func podUsage(dst []byte, e *entry, t int64, f format, keep bool) []byte {
	list, n, at, window := e.Slot.Usage(e.State, t)
	dst = e.usageHead(dst, f, at, keep)
	if f == jsonMeta || f == protoMeta {
		return dst
	}
	dst = appendWindow(dst, f, at, window)
	if f == proto {
		for _, m := range list[:n] {
			var scratch [160]byte
			dst = field(dst, 4, appendProto(m, field(scratch[:0], 1, m.Name), 2))
		}
		return dst
	}
	dst = append(dst, `,"containers":[`...)
	for i, m := range list[:n] {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, `{"name":"`...), m.Name...), `",`...)
		dst = append(appendJSON(m, dst), '}')
	}
	return append(dst, "]}"...)
}

func nodeUsage(dst []byte, e *entry, t int64, f format, keep bool) []byte {
	m, _, at, window := e.Node.Usage(t)
	dst = e.usageHead(dst, f, at, keep)
	if f == jsonMeta || f == protoMeta {
		return dst
	}
	dst = appendWindow(dst, f, at, window)
	if f == proto {
		return appendProto(m, dst, 4)
	}
	return append(appendJSON(m, append(dst, ',')), '}')
}

// measures reports whether there is usage of the entry at t.
func (e *entry) measures(t int64) bool {
	n := 0
	if e.Slot != nil {
		_, n, _, _ = e.Slot.Usage(e.State, t)
	} else if e.Node != nil {
		if away, _, _ := e.Node.AwayAt(t); !away {
			n = 1
		}
	}
	return n > 0
}

// usageHead writes the metadata of the usage: name, labels and, as metrics-server
// does, the current time as creationTimestamp. All but the time is cached.
func (e *entry) usageHead(dst []byte, f format, at int64, keep bool) []byte {
	which := 0
	if f.proto() {
		which = 1
	}
	head := e.head[which].Load()
	if head == nil {
		b := e.newHead(f)
		head = &b
		if keep {
			e.head[which].Store(head)
		}
	}
	split := int(binary.LittleEndian.Uint32(*head))
	rest := (*head)[4:]
	if f.proto() {
		dst = append(dst, rest[:split]...)
		dst = appendTime(dst, at)
		return append(dst, rest[split:]...)
	}
	if f == jsonMeta {
		dst = append(dst, `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1",`...)
	} else {
		dst = append(dst, '{')
	}
	dst = append(dst, rest[:split]...)
	dst = time.Unix(at, 0).UTC().AppendFormat(dst, time.RFC3339)
	dst = append(dst, rest[split:]...)
	if f == jsonMeta {
		dst = append(dst, '}')
	}
	return dst
}

// newHead is the metadata without its creation time: four bytes with the offset
// where the time belongs, then the rest.
func (e *entry) newHead(f format) []byte {
	labels := e.labels()
	out := make([]byte, 4)
	if !f.proto() {
		encoded, err := json.Marshal(labels)
		if err != nil {
			panic(err) // a map of strings
		}
		out = append(out, `"metadata":{"name":"`+e.Name+`",`...)
		if e.Namespace != "" {
			out = append(out, `"namespace":"`+e.Namespace+`",`...)
		}
		out = append(out, `"creationTimestamp":"`...)
		binary.LittleEndian.PutUint32(out, uint32(len(out)-4))
		return append(append(append(out, `","labels":`...), encoded...), '}')
	}
	meta := field(nil, 1, e.Name)
	if e.Namespace != "" {
		meta = field(meta, 3, e.Namespace)
	}
	before := len(meta) + 2 // and the field's tag and length
	var after []byte
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		after = field(after, 11, field(field(nil, 1, name), 2, labels[name]))
	}
	out = append(out, 1<<3|2)
	out = binary.AppendUvarint(out, uint64(before+timeLen+len(after)))
	out = append(append(out, meta...), 8<<3|2, timeLen)
	binary.LittleEndian.PutUint32(out, uint32(len(out)-4))
	return append(out, after...)
}

// timeLen is the length of a metav1.Time between 1978 and 3058.
const timeLen = 8

func appendTime(dst []byte, unix int64) []byte {
	dst = append(dst, 1<<3)
	dst = binary.AppendUvarint(dst, uint64(unix))
	return append(dst, 2<<3, 0)
}

func appendWindow(dst []byte, f format, at, window int64) []byte {
	if f == proto {
		dst = appendTime(append(dst, 2<<3|2, timeLen), at)
		var scratch [12]byte
		return field(dst, 3, binary.AppendUvarint(append(scratch[:0], 1<<3), uint64(window*int64(time.Millisecond))))
	}
	dst = append(dst, `,"timestamp":"`...)
	dst = time.Unix(at, 0).UTC().AppendFormat(dst, time.RFC3339)
	dst = append(dst, `","window":"`...)
	return append(secondsString(dst, window), '"')
}

// appendProto appends the usage as entries of the map with the given field number.
func appendProto(m cluster.Measurement, dst []byte, number int) []byte {
	add := func(name string, value int64, unit string) {
		var digits, quantity, pair [48]byte
		q := field(quantity[:0], 1, append(strconv.AppendInt(digits[:0], value, 10), unit...))
		dst = field(dst, number, field(field(pair[:0], 1, name), 2, q))
	}
	add("cpu", m.Nanocore, "n")
	add("memory", m.Kibibyte, "Ki")
	return dst
}

func appendJSON(m cluster.Measurement, dst []byte) []byte {
	dst = append(dst, `"usage":{"cpu":"`...)
	dst = strconv.AppendInt(dst, m.Nanocore, 10)
	dst = append(dst, `n","memory":"`...)
	dst = strconv.AppendInt(dst, m.Kibibyte, 10)
	return append(dst, `Ki"}`...)
}
