package cmdline

import "strings"

// Environment is a container's variables as far as the specification gives their
// values: literal ones, and references to fields of the pod.
type Environment struct {
	vars   map[string]string
	ofPod  func(name string) string
	budget int // bytes that references may still unfold to
	depth  int // of values that refer to values
}

// Bounds on what the references of one container may unfold to.
const (
	envBytes      = 256 << 10
	maxReferences = 8
)

// NewEnvironment returns the environment with these literal variables. ofPod gives
// the value of variables that come from the pod itself, "" if it is not known.
func NewEnvironment(vars map[string]string, ofPod func(name string) string) *Environment {
	return &Environment{vars: vars, ofPod: ofPod, budget: envBytes}
}

// Lookup returns the value of a variable; ok is false if it is not known.
func (e *Environment) Lookup(name string) (value string, ok bool) {
	if value, ok = e.vars[name]; ok && e.budget > 0 {
		return e.Expand(value), true
	}
	value = e.ofPod(name)
	return value, value != ""
}

// Expand resolves the $(NAME) references that the kubelet resolves in command,
// args and values. $$ stands for a dollar sign; a reference to what is not in
// the specification stays as it is written.
func (e *Environment) Expand(text string) string {
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
			if value, ok := e.Lookup(name); ok && e.budget > len(value) {
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
