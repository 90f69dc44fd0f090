package yamlfile

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v4"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Reading is one value read into a struct: where each key stands, and what is
// wrong with it.
type Reading struct {
	Of string // named in every fault, before the key; "": nothing

	value  Value
	root   reflect.Type
	at     map[string]Value // by path, as that of cpu in "thresholds.cpu"
	wrong  map[string]bool  // paths whose value could not be read
	faults []placed
}

type placed struct {
	line int
	path string
	text string
}

// fault is an error at a place of a file. It is one printable line whatever the file holds.
type fault struct {
	file string
	line int
	text string
}

func (f fault) Error() string {
	text := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, f.text)
	return fmt.Sprintf("%s:%d: %s", f.file, f.line, text)
}

// Decode reads v into the struct that into points to. The struct's yaml tags
// are the keys that may be set. A key that is not set, or is set to nothing,
// keeps the field's value. Fields may be strings, whole and other numbers,
// bools, durations (30s, 48h, 7d), usage.Opt[float64], a Value to be read
// later, and structs, lists and maps of these; another type is a panic.
func (v Value) Decode(into any) *Reading {
	r := &Reading{value: v, root: reflect.TypeOf(into).Elem(), at: map[string]Value{}, wrong: map[string]bool{}}
	if v.node != nil {
		r.at[""] = v
		r.read(v.node, "", reflect.ValueOf(into).Elem())
	}
	return r
}

// Check adds a fault at a path, such as "thresholds.cpu", or at the whole value
// for the path "", unless err is nil, the key is not set, or its value could
// not be read at all.
func (r *Reading) Check(path string, err error) {
	if v := r.at[path]; err != nil && v.Present() && !r.wrong[path] {
		r.add(v.node, path, "%v", err)
	}
}

// Missing adds a fault for a key that must be set.
func (r *Reading) Missing(path string) {
	if !r.at[path].Present() && !r.wrong[""] {
		r.add(r.value.node, path, "is missing")
	}
}

// Err is all faults, one a line, by their line in the file; nil if there are none.
func (r *Reading) Err() error {
	slices.SortStableFunc(r.faults, func(a, b placed) int { return cmp.Compare(a.line, b.line) })
	var errs []error
	for _, p := range r.faults {
		text := p.text
		if p.path == "" && r.Of == "" {
			p.path = "the file"
		}
		for _, before := range []string{p.path, r.Of} {
			if before != "" {
				text = before + ": " + text
			}
		}
		errs = append(errs, fault{r.value.file, max(1, p.line), text})
	}
	return errors.Join(errs...)
}

func (r *Reading) add(n *yaml.Node, path, format string, args ...any) {
	line := 0
	if n != nil {
		line = n.Line
	}
	r.faults = append(r.faults, placed{line, path, fmt.Sprintf(format, args...)})
}

// refuse adds a fault about the type of a value.
func (r *Reading) refuse(n *yaml.Node, path, wanted string) {
	r.wrong[path] = true
	r.add(n, path, "is %s, not %s", kind(n), wanted)
}

func (r *Reading) read(n *yaml.Node, path string, to reflect.Value) {
	switch p := to.Addr().Interface().(type) {
	case *Value:
		*p = Value{r.value.file, n}
	case *string:
		if n.ShortTag() != "!!str" {
			r.refuse(n, path, "text; put it in quotes")
			return
		}
		*p = n.Value
	case *bool:
		if n.ShortTag() != "!!bool" || n.Decode(p) != nil {
			r.refuse(n, path, "true or false")
		}
	case *int:
		if n.ShortTag() != "!!int" || n.Decode(p) != nil {
			r.refuse(n, path, "a whole number, without quotes and unit")
		}
	case *float64:
		r.number(n, path, p)
	case *usage.Opt[float64]:
		var f float64
		if r.number(n, path, &f) {
			*p = usage.Some(f)
		}
	case *time.Duration:
		r.duration(n, path, p)
	default:
		r.nested(n, path, to)
	}
}

// nested reads a struct, list or map.
func (r *Reading) nested(n *yaml.Node, path string, to reflect.Value) {
	switch to.Kind() {
	case reflect.Struct:
		keys := keysOf(to.Type())
		if n.Kind != yaml.MappingNode {
			r.refuse(n, path, "lines of key: value with the keys "+strings.Join(keys, ", "))
			return
		}
		r.pairs(n, path, func(key, value *yaml.Node, path string) {
			switch i := slices.Index(keys, key.Value); {
			case i < 0:
				r.add(key, path, "unknown key; %s", meant(r.root, path, key.Value, keys))
			case !isNull(value):
				r.at[path] = Value{r.value.file, value}
				r.read(value, path, to.Field(i))
			}
		})
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			r.refuse(n, path, "a list")
			return
		}
		list := reflect.MakeSlice(to.Type(), len(n.Content), len(n.Content))
		to.SetZero() // an empty list is nil
		for i, item := range n.Content {
			at := fmt.Sprintf("%s[%d]", path, i)
			r.at[at] = Value{r.value.file, item}
			r.read(item, at, list.Index(i))
		}
		if len(n.Content) > 0 {
			to.Set(list)
		}
	case reflect.Map:
		if n.Kind != yaml.MappingNode {
			r.refuse(n, path, "lines of NAME: value")
			return
		}
		to.Set(reflect.MakeMap(to.Type()))
		r.pairs(n, path, func(key, value *yaml.Node, path string) {
			r.at[path] = Value{r.value.file, value}
			element := reflect.New(to.Type().Elem()).Elem()
			r.read(value, path, element)
			to.SetMapIndex(reflect.ValueOf(key.Value), element)
		})
	default:
		panic(fmt.Sprintf("yamlfile: %v cannot be read from YAML", to.Type()))
	}
}

// pairs calls read with each key of a mapping, its value and its path.
func (r *Reading) pairs(n *yaml.Node, path string, read func(key, value *yaml.Node, path string)) {
	prefix := path
	if prefix != "" {
		prefix += "."
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch at := prefix + key.Value; {
		case key.Kind != yaml.ScalarNode:
			r.add(key, path, "a key here is %s, not text", kind(key))
		case seen[key.Value]:
			r.add(key, at, "is set twice; keep one")
		default:
			seen[key.Value] = true
			read(key, value, at)
		}
	}
}

func (r *Reading) number(n *yaml.Node, path string, to *float64) bool {
	var f float64
	if tag := n.ShortTag(); tag != "!!int" && tag != "!!float" || n.Decode(&f) != nil {
		r.refuse(n, path, "a number, without quotes and unit")
		return false
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		r.wrong[path] = true
		r.add(n, path, "is not a finite number")
		return false
	}
	*to = f
	return true
}

// duration reads what time.ParseDuration reads, or a whole number of days.
func (r *Reading) duration(n *yaml.Node, path string, to *time.Duration) {
	const longestDays = 36_500
	if n.ShortTag() == "!!str" {
		if days, ok := strings.CutSuffix(n.Value, "d"); ok {
			if d, err := strconv.ParseUint(days, 10, 32); err == nil && d <= longestDays {
				*to = time.Duration(d) * 24 * time.Hour
				return
			}
		} else if d, err := time.ParseDuration(n.Value); err == nil && d <= longestDays*24*time.Hour {
			*to = d
			return
		}
		r.wrong[path] = true
		r.add(n, path, "%q is not a duration such as 30s, 48h or 7d", n.Value)
		return
	}
	r.refuse(n, path, "a duration such as 30s, 48h or 7d")
}
