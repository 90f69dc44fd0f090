package kube

import "encoding/binary"

// fields are the fields of a protobuf message that are read, each with what is
// read of it: nil is the whole of it. Numbers are those of generated.proto in
// k8s.io/api and k8s.io/apimachinery, which never change.
type fields map[int]fields

// What is read of a pod and of a node. The rest, which is most of them
// (managed fields, volumes, probes, images of a node), is cut off before
// anything is decoded; and with it what changes though nothing happens, as a
// node's heartbeat does, so that the memo knows the object again.
var (
	// type, status, reason
	conditionFields = fields{1: nil, 2: nil, 5: nil}
	// name, image, command, args, ports, env, resources, restartPolicy
	containerFields = fields{1: nil, 2: nil, 3: nil, 4: nil, 6: nil, 7: nil, 8: nil, 24: nil}
	// name, state (waiting.reason, running, terminated.exitCode and reason), restartCount
	statusFields = fields{1: nil, 2: {1: {1: nil}, 2: {}, 3: {1: nil, 3: nil}}, 5: nil}

	podTrimmer = newTrimmer(fields{
		// name, namespace, uid, creationTimestamp, labels, annotations, ownerReferences
		1: {1: nil, 3: nil, 5: nil, 8: nil, 11: nil, 12: nil, 13: nil},
		// containers, nodeName, hostNetwork, initContainers, overhead, resourceClaims, resources
		2: {2: containerFields, 10: nil, 11: nil, 20: containerFields, 32: nil, 39: nil, 40: nil},
		// phase, conditions, reason, podIP, startTime, statuses of containers and init containers, resourceClaimStatuses
		3: {1: nil, 2: conditionFields, 4: nil, 6: nil, 7: nil, 8: statusFields, 10: statusFields, 15: nil},
	})
	nodeTrimmer = newTrimmer(fields{
		// name, creationTimestamp, labels
		1: {1: nil, 8: nil, 11: nil},
		// unschedulable
		2: {4: nil},
		// capacity, allocatable, conditions, nodeInfo.kubeletVersion
		3: {1: nil, 2: nil, 4: {1: nil, 2: nil}, 7: {7: nil}},
	})
)

// trimmer is fields in a form that is quick to look up.
type trimmer struct {
	kept  uint64 // bit n: field n
	inner [64]*trimmer
}

func newTrimmer(f fields) *trimmer {
	t := &trimmer{}
	for number, inner := range f {
		t.kept |= 1 << number
		if inner != nil {
			t.inner[number] = newTrimmer(inner)
		}
	}
	return t
}

// trim appends the message to dst, reduced to the fields.
func (t *trimmer) trim(dst, message []byte) ([]byte, error) {
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
		if dst, err = inner.trim(dst, value); err != nil {
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
