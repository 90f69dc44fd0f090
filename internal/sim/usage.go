package sim

import (
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"
)

// metrics.k8s.io, written by hand: 150 objects that change every 15 seconds.

// resolution is how often usage is measured, in seconds; each node has its own
// phase.
const resolution = 15

// measurement is one container's usage, or a node's.
type measurement struct {
	name     string // container
	nanocore int64
	kibibyte int64
}

// measured is the instant of the latest measurement on a node at t and its
// window in milliseconds.
func (n *node) measured(t int64) (at, window int64) {
	_, at = last(t, int64(n.index%resolution), resolution)
	return at, 10_000 + int64(hash(uint64(n.index), uint64(at))%10_000)
}

// usageOf is the usage of a slot's pod at a Unix second: between what it needs
// idle and what it needs at full load, with noise in its CPU; loading weights
// takes a few cores. Memory stays for some minutes and then moves by pages, and
// follows the load in steps, as allocators take it and give it back.
func (s *slot) usageOf(st state, at int64) (nanocores, kibibytes int64) {
	w, l := s.w, s.loadAt(st, float64(at))
	noise := 0.94 + 0.12*unit(hash(s.id, uint64(at)))
	milli := float64(w.cpuUse[0]) + float64(w.cpuUse[1]-w.cpuUse[0])*l.demand
	if st.phase == loading && w.engine != nil {
		milli += 2600
	}
	if w.cpu[1] > 0 {
		milli = min(milli, 0.99*float64(w.cpu[1])/noise)
	}
	mem := float64(w.memUse[0]) + float64(w.memUse[1]-w.memUse[0])*l.busy
	const step, page, stays = 1024, 4, 300 // KiB, KiB, seconds
	steps := int64(mem*0.995*1024) / step
	pages := unit(hash(s.id, uint64((at+int64(s.id%stays))/stays))) * mem * 0.01 * 1024 / page
	return int64(milli * noise * 1e6), steps*step + int64(pages)*page
}

// usage are the pod's measurements at t, none where metrics-server has none:
// the pod does not run, its node does not answer, or it is younger than the
// measurement.
func (s *slot) usage(st state, t int64) (measured [2]measurement, count int, at, window int64) {
	if s.node == nil || !st.runs() {
		return measured, 0, 0, 0
	}
	if at, window = s.node.measured(t); at < st.started+10 {
		return measured, 0, 0, 0
	}
	cpu, mem := s.usageOf(st, at)
	for i, name := range s.w.containerNames() {
		if i == 1 { // a sidecar works a tenth as much
			cpu, mem = cpu/10, 40<<10
		}
		measured[i] = measurement{name, cpu, mem}
		count++
	}
	return measured, count, at, window
}

// usage adds up its pods and what the system needs.
func (n *node) usage(t int64) (m measurement, count int, at, window int64) {
	if away, _, _ := n.awayAt(t); away {
		return m, 0, 0, 0
	}
	at, window = n.measured(t)
	m.nanocore, m.kibibyte = 180e6, 1600<<10
	for _, s := range n.slots {
		if st := s.at(at); st.runs() {
			cpu, mem := s.usageOf(st, at)
			m.nanocore, m.kibibyte = m.nanocore+cpu, m.kibibyte+mem
		}
	}
	m.nanocore = min(m.nanocore, n.cores()*1e9)
	return m, 1, at, window
}

func podUsage(c *Cluster, dst []byte, e *entry, t int64, f format) []byte {
	list, n, at, window := e.slot.usage(e.st, t)
	dst = e.usageHead(dst, f, at, c.keep)
	if f == jsonMeta || f == protoMeta {
		return dst
	}
	dst = appendWindow(dst, f, at, window)
	if f == proto {
		for _, m := range list[:n] {
			var scratch [160]byte
			dst = field(dst, 4, m.proto(field(scratch[:0], 1, m.name), 2))
		}
		return dst
	}
	dst = append(dst, `,"containers":[`...)
	for i, m := range list[:n] {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, `{"name":"`...), m.name...), `",`...)
		dst = append(m.json(dst), '}')
	}
	return append(dst, "]}"...)
}

func nodeUsage(c *Cluster, dst []byte, e *entry, t int64, f format) []byte {
	m, _, at, window := e.node.usage(t)
	dst = e.usageHead(dst, f, at, c.keep)
	if f == jsonMeta || f == protoMeta {
		return dst
	}
	dst = appendWindow(dst, f, at, window)
	if f == proto {
		return m.proto(dst, 4)
	}
	return append(m.json(append(dst, ',')), '}')
}

// measures reports whether there is usage of the entry at t.
func (e *entry) measures(t int64) bool {
	n := 0
	if e.slot != nil {
		_, n, _, _ = e.slot.usage(e.st, t)
	} else if e.node != nil {
		if away, _, _ := e.node.awayAt(t); !away {
			n = 1
		}
	}
	return n > 0
}

// usageHead writes the metadata of the usage: name, labels and, as
// metrics-server has it, the present as its creation. What does not change is
// remembered with a hole for the time.
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

// newHead is the metadata with its creation time left out: the offset of the
// hole in four bytes, then what stands around it.
func (e *entry) newHead(f format) []byte {
	labels := e.labels()
	out := make([]byte, 4)
	if !f.proto() {
		encoded, err := json.Marshal(labels)
		if err != nil {
			panic(err) // a map of strings
		}
		out = append(out, `"metadata":{"name":"`+e.name+`",`...)
		if e.namespace != "" {
			out = append(out, `"namespace":"`+e.namespace+`",`...)
		}
		out = append(out, `"creationTimestamp":"`...)
		binary.LittleEndian.PutUint32(out, uint32(len(out)-4))
		return append(append(append(out, `","labels":`...), encoded...), '}')
	}
	meta := field(nil, 1, e.name)
	if e.namespace != "" {
		meta = field(meta, 3, e.namespace)
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

// proto appends the usage as entries of the map with the given field number.
func (m measurement) proto(dst []byte, number int) []byte {
	add := func(name string, value int64, unit string) {
		var digits, quantity, pair [48]byte
		q := field(quantity[:0], 1, append(strconv.AppendInt(digits[:0], value, 10), unit...))
		dst = field(dst, number, field(field(pair[:0], 1, name), 2, q))
	}
	add("cpu", m.nanocore, "n")
	add("memory", m.kibibyte, "Ki")
	return dst
}

func (m measurement) json(dst []byte) []byte {
	dst = append(dst, `"usage":{"cpu":"`...)
	dst = strconv.AppendInt(dst, m.nanocore, 10)
	dst = append(dst, `n","memory":"`...)
	dst = strconv.AppendInt(dst, m.kibibyte, 10)
	return append(dst, `Ki"}`...)
}
