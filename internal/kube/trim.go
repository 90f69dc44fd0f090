package kube

import "encoding/binary"

// What is read of pods, nodes, and ReplicaSets and Jobs. The rest, which is most
// of them (managed fields, volumes, probes, images of a node), is cut off before
// anything is decoded; and with it what changes though nothing happens, as a
// node's heartbeat does, so that the memo knows the object again.
var (
	conditionFields = fields{{1, "type"}: nil, {2, "status"}: nil, {5, "reason"}: nil}
	containerFields = fields{{1, "name"}: nil, {2, "image"}: nil, {3, "command"}: nil, {4, "args"}: nil, {6, "ports"}: nil,
		{7, "env"}: nil, {8, "resources"}: nil, {24, "restartPolicy"}: nil}
	statusFields = fields{{1, "name"}: nil, {2, "state"}: {
		{1, "waiting"}: {{1, "reason"}: nil}, {2, "running"}: {}, {3, "terminated"}: {{1, "exitCode"}: nil, {3, "reason"}: nil},
	}, {5, "restartCount"}: nil, {10, "allocatedResources"}: nil, {11, "resources"}: nil}

	podTrimmer = newTrimmer(fields{
		{1, "metadata"}: {{1, "name"}: nil, {3, "namespace"}: nil, {5, "uid"}: nil, {8, "creationTimestamp"}: nil,
			{11, "labels"}: nil, {12, "annotations"}: nil, {13, "ownerReferences"}: nil},
		{2, "spec"}: {{2, "containers"}: containerFields, {10, "nodeName"}: nil, {11, "hostNetwork"}: nil,
			{20, "initContainers"}: containerFields, {32, "overhead"}: nil, {39, "resourceClaims"}: nil, {40, "resources"}: nil},
		{3, "status"}: {{1, "phase"}: nil, {2, "conditions"}: conditionFields, {4, "reason"}: nil, {6, "podIP"}: nil, {7, "startTime"}: nil,
			{8, "containerStatuses"}: statusFields, {10, "initContainerStatuses"}: statusFields, {15, "resourceClaimStatuses"}: nil,
			{19, "allocatedResources"}: nil, {20, "resources"}: nil},
	})
	nodeTrimmer = newTrimmer(fields{
		{1, "metadata"}: {{1, "name"}: nil, {8, "creationTimestamp"}: nil, {11, "labels"}: nil},
		{2, "spec"}:     {{4, "unschedulable"}: nil},
		{3, "status"}: {{1, "capacity"}: nil, {2, "allocatable"}: nil, {4, "conditions"}: {{1, "type"}: nil, {2, "status"}: nil},
			{7, "nodeInfo"}: {{7, "kubeletVersion"}: nil}},
	})
	ownedTrimmer = newTrimmer(fields{
		{1, "metadata"}: {{1, "name"}: nil, {5, "uid"}: nil, {13, "ownerReferences"}: {{1, "kind"}: nil, {3, "name"}: nil, {6, "controller"}: nil}},
	})
)

// trim appends the item to dst, reduced to the fields.
func (t *trimmer) trim(dst []byte, i item) ([]byte, error) {
	if i.json {
		return t.trimJSON(dst, &cursor{text: i.bytes}), nil
	}
	return t.trimProtobuf(dst, i.bytes)
}

func (t *trimmer) trimProtobuf(dst, message []byte) ([]byte, error) {
	for len(message) > 0 {
		number, value, rest, err := field(message)
		if err != nil {
			return dst, err
		}
		whole := message[:len(message)-len(rest)]
		message = rest
		if number >= 64 || t.kept>>number&1 == 0 {
			continue
		}
		inner, delimited := t.inner[number], whole[0]&7 == 2
		if inner == nil || !delimited {
			dst = append(dst, whole...)
			continue
		}
		// The value's length becomes known after it, so it keeps the room that it
		// had: protobuf allows a varint to have bytes that add nothing.
		head := whole[:len(whole)-len(value)]
		_, key := binary.Uvarint(head)
		dst = append(dst, head...)
		end := len(dst)
		if dst, err = inner.trimProtobuf(dst, value); err != nil {
			return dst, err
		}
		length := dst[end-len(head)+key : end]
		for i, n := 0, len(dst)-end; i < len(length); i, n = i+1, n>>7 {
			length[i] = byte(n) | 0x80
		}
		length[len(length)-1] &^= 0x80
	}
	return dst, nil
}

// trimJSON appends the value that comes next. Members of odd names are left to
// the decoder, and so is a name that is there twice.
func (t *trimmer) trimJSON(dst []byte, c *cursor) []byte {
	first := c.first()
	if t == nil || first != '{' && first != '[' {
		return append(dst, c.value()...)
	}
	dst = append(dst, first)
	start := len(dst)
	for c.enter(); c.more(); {
		inner := t
		if first == '{' {
			name := c.name()
			number := t.find(name)
			if number == unread {
				c.value()
				continue
			}
			if len(dst) > start {
				dst = append(dst, ',')
			}
			dst = append(append(append(dst, '"'), name...), '"', ':')
			if inner = nil; number != odd {
				inner = t.inner[number]
			}
		} else if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = inner.trimJSON(dst, c)
	}
	return append(dst, first+2) // in ASCII, what closes is the next but one
}
