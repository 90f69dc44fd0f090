package serving

import (
	"strings"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// environment is a container's variables as far as the specification gives their
// values: literal ones, and references to fields of the pod.
type environment struct {
	pod    *usage.PodDetail
	vars   map[string]string
	budget int // bytes that references may still unfold to
	depth  int // of values that refer to values
}

// Bounds on what the references of one container may unfold to.
const (
	envBytes      = 256 << 10
	maxReferences = 8
)

func (e *environment) lookup(name string) (value string, ok bool) {
	if value, ok = e.vars[name]; ok && e.budget > 0 {
		return e.expand(value), true
	}
	switch name {
	case "HOSTNAME":
		value = e.pod.Row.Pod
	case "LWS_WORKER_INDEX":
		value = e.pod.Labels[lwsWorkerIndex]
	case "LWS_GROUP_SIZE":
		value = e.pod.Annotations[lwsSize]
	}
	return value, value != ""
}

// expand resolves the $(NAME) references that the kubelet resolves in command,
// args and values. $$ stands for a dollar sign; a reference to what is not in
// the specification stays as it is written.
func (e *environment) expand(text string) string {
	if !strings.Contains(text, "$") {
		return text
	}
	if e.depth > maxReferences {
		return text
	}
	e.depth++
	e.budget -= len(text)
	defer func() { e.depth-- }()
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		rest := text[i:]
		switch {
		case strings.HasPrefix(rest, "$$"):
			i++
		case strings.HasPrefix(rest, "$("):
			name, _, closed := strings.Cut(rest[2:], ")")
			if !closed {
				return b.String() + rest
			}
			if value, ok := e.lookup(name); ok && e.budget > len(value) {
				e.budget -= len(value)
				b.WriteString(value)
				i += len(name) + 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
