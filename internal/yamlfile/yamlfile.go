// Package yamlfile reads YAML files strictly: into structs, with every fault at
// its file, line and key, and with the key that was probably meant. Any valid
// YAML of one document is read: block and flow style, anchors, aliases, merge
// keys, quoted keys, multi-line strings.
//
// It knows YAML and Go types, not what a setting means. Its callers check the
// values that were read and report faults through the same Reading. It is the
// only importer of the YAML library.
package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"

	"go.yaml.in/yaml/v4"
)

// Value is a file's root or a value within it. The zero Value is one that is not there.
type Value struct {
	file string
	node *yaml.Node // without aliases and merge keys; nil: not there
}

// Parse reads the one document of a file. An empty file gives a Value that is not there.
// The error names the file and the line.
func Parse(file string, body []byte) (Value, error) {
	loader, err := yaml.NewLoader(bytes.NewReader(body))
	if err != nil {
		return Value{}, fmt.Errorf("%s:1: %w", file, err)
	}
	var document, more yaml.Node
	if err := loader.Load(&document); errors.Is(err, io.EOF) {
		return Value{file: file}, nil
	} else if err != nil {
		return Value{}, syntaxError(file, err)
	}
	if err := loader.Load(&more); err == nil {
		return Value{}, fmt.Errorf("%s:%d: the file goes on after its first YAML document; keep one", file, max(1, more.Line))
	} else if !errors.Is(err, io.EOF) {
		return Value{}, syntaxError(file, err)
	}
	if len(document.Content) == 0 {
		return Value{file: file}, nil
	}
	e := expander{file: file}
	root, err := e.expand(document.Content[0])
	if err != nil || isNull(root) {
		return Value{file: file}, err
	}
	return Value{file, root}, nil
}

func syntaxError(file string, err error) error {
	var e *yaml.LoadError
	if !errors.As(err, &e) {
		return fault{file, 1, fmt.Sprintf("not YAML: %v", err)}
	}
	text := "not YAML: " + e.Message
	if e.ContextMsg != "" && e.ContextMark.Line > 0 {
		text += fmt.Sprintf(" (%s at line %d)", e.ContextMsg, e.ContextMark.Line)
	}
	return fault{file, max(1, e.Mark.Line), text}
}

// Present reports whether the value is there.
func (v Value) Present() bool { return v.node != nil }

// Line is where the value stands, counted from 1; 0 if it is not there.
func (v Value) Line() int {
	if v.node == nil {
		return 0
	}
	return v.node.Line
}

// Fault is an error at the value's file and line.
func (v Value) Fault(format string, args ...any) error {
	return fault{v.file, max(1, v.Line()), fmt.Sprintf(format, args...)}
}

// Items are the values of a list, none if v is not there. The error, if v is
// something else, says what it is and not where.
func (v Value) Items() ([]Value, error) {
	if v.node == nil {
		return nil, nil
	}
	if v.node.Kind != yaml.SequenceNode {
		return nil, fmt.Errorf("is %s, not a list", kind(v.node))
	}
	var items []Value
	for _, n := range v.node.Content {
		items = append(items, Value{v.file, n})
	}
	return items, nil
}

// Scalars are all keys and single values below v, each with whether it is a key.
func (v Value) Scalars() iter.Seq2[Scalar, bool] {
	return func(yield func(Scalar, bool) bool) {
		if v.node != nil {
			scalars(v.file, v.node, yield)
		}
	}
}

// Scalar is a text, number or other single value as it is written, without its quotes.
type Scalar struct {
	Value
	Text string
}

func scalars(file string, n *yaml.Node, yield func(Scalar, bool) bool) bool {
	if n.Kind == yaml.ScalarNode {
		return yield(Scalar{Value{file, n}, n.Value}, false)
	}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && child.Kind == yaml.ScalarNode {
			if !yield(Scalar{Value{file, child}, child.Value}, true) {
				return false
			}
		} else if !scalars(file, child, yield) {
			return false
		}
	}
	return true
}

// mostValues of one file, after each alias has been replaced by what it stands
// for: nested aliases could otherwise grow a small file without bound.
const mostValues = 100_000

// expander replaces aliases and merge keys by what they stand for.
type expander struct {
	file   string
	values int
}

func (e *expander) expand(n *yaml.Node) (*yaml.Node, error) {
	if e.values++; e.values > mostValues {
		return nil, fault{e.file, n.Line, fmt.Sprintf("the file holds more than %d values, counting what its aliases repeat", mostValues)}
	}
	if n.Kind == yaml.AliasNode {
		value, err := e.expand(n.Alias)
		if err == nil {
			value.Line = n.Line // faults name where the value is used
		}
		return value, err
	}
	expanded := *n
	expanded.Content = nil
	if n.Kind != yaml.MappingNode {
		for _, child := range n.Content {
			c, err := e.expand(child)
			if err != nil {
				return nil, err
			}
			expanded.Content = append(expanded.Content, c)
		}
		return &expanded, nil
	}
	var merged []*yaml.Node // keys and values, of the first one merged first
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, err := e.expand(n.Content[i])
		if err != nil {
			return nil, err
		}
		value, err := e.expand(n.Content[i+1])
		if err != nil {
			return nil, err
		}
		if key.ShortTag() != "!!merge" {
			expanded.Content = append(expanded.Content, key, value)
			continue
		}
		sources := []*yaml.Node{value}
		if value.Kind == yaml.SequenceNode {
			sources = value.Content
		}
		for _, source := range sources {
			if source.Kind != yaml.MappingNode {
				return nil, fault{e.file, key.Line, fmt.Sprintf("<<: is %s, not key: value lines to take over", kind(source))}
			}
			merged = append(merged, source.Content...)
		}
	}
	expanded.Content = withMerged(expanded.Content, merged)
	return &expanded, nil
}

// withMerged adds those keys of merged that a mapping does not set itself.
func withMerged(own, merged []*yaml.Node) []*yaml.Node {
	if len(merged) == 0 {
		return own
	}
	set := map[string]bool{}
	for i := 0; i < len(own); i += 2 {
		set[own[i].Value] = true
	}
	for i := 0; i < len(merged); i += 2 {
		if !set[merged[i].Value] {
			set[merged[i].Value] = true
			own = append(own, merged[i], merged[i+1])
		}
	}
	return own
}
