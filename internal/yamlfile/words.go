package yamlfile

import (
	"reflect"
	"strings"

	"go.yaml.in/yaml/v4"
)

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// kind names what a value is, for errors.
func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "lines of key: value"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!timestamp":
		return "a date"
	case "!!null":
		return "nothing"
	case "!!str":
		return "text"
	}
	return "tagged " + n.ShortTag()
}

// keysOf are the keys of a struct's fields, by the fields' positions.
func keysOf(t reflect.Type) []string {
	keys := make([]string, t.NumField())
	for i := range keys {
		keys[i] = t.Field(i).Tag.Get("yaml")
	}
	return keys
}

// Keys are the paths of all keys that can be set in a struct of type T, as "thresholds.cpu".
func Keys[T any]() []string { return paths(reflect.TypeFor[T](), "") }

func paths(t reflect.Type, prefix string) []string {
	var all []string
	for i, key := range keysOf(t) {
		if f := t.Field(i).Type; f.Kind() == reflect.Struct && f.NumField() > 0 && f.Field(0).Tag.Get("yaml") != "" {
			all = append(all, paths(f, prefix+key+".")...)
		} else {
			all = append(all, prefix+key)
		}
	}
	return all
}

// meant ends the fault about an unknown key: with the key that was meant, if
// one here is written nearly the same or one of another section is called so,
// else with those that there are.
func meant(root reflect.Type, path, key string, keys []string) string {
	best, distance := "", 3
	for _, known := range paths(root, "") {
		if _, name, _ := strings.Cut(known, "."); strings.EqualFold(name, key) {
			best, distance = known, 0
		}
	}
	for _, name := range keys {
		if d := edits(strings.ToLower(name), strings.ToLower(key)); d < distance && d < len(name) {
			best, distance = strings.TrimSuffix(path, key)+name, d
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	return "the keys here are " + strings.Join(keys, ", ")
}

// edits is how many letters to insert, delete or replace to get from a to b.
func edits(a, b string) int {
	if max(len(a), len(b)) > 64 {
		return 64 // no key is that long
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
