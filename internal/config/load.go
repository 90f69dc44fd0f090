package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// Load reads the body of a configuration file; file is its name in errors. A
// key that is not set, or is set to nothing, keeps its default. The error
// holds every fault of the file, one a line, and never a value that looks like
// a secret.
func Load(file string, body []byte) (Config, error) {
	c := Default()
	l := &loader{file: file, body: body}
	l.settings = settings(&c)
	root, err := l.parse()
	if err != nil {
		return Config{}, err
	}
	if root != nil {
		l.refuseSecrets(root)
		if l.faults == nil { // else a fault below could quote what is refused here
			l.section("", root)
		}
	}
	if l.faults != nil {
		return Config{}, errors.Join(l.faults...)
	}
	return c, nil
}

// loader is one Load under way.
type loader struct {
	file     string
	body     []byte
	settings map[string]reader
	faults   []error
	end      int // line on which the value being read ends, 0: the file's last
}

// reader stores the value of one key. Its error says what is wrong with it,
// without naming the place.
type reader func(l *loader, value *yaml.Node) error

// fault adds one fault, on one line whatever the file holds.
func (l *loader) fault(line int, format string, args ...any) {
	text := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, fmt.Sprintf(format, args...))
	l.faults = append(l.faults, fmt.Errorf("%s:%d: %s", l.file, line, text))
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// parse returns the mapping at the root of the file, nil if the file is empty.
func (l *loader) parse() (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(l.body))
	var document, more yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		line := "1"
		if m := yamlLine.FindStringSubmatch(err.Error()); m != nil && m[1] != "" {
			line = m[1]
		}
		return nil, fmt.Errorf("%s:%s: not YAML: %s", l.file, line, yamlLine.ReplaceAllString(err.Error(), ""))
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s:%d: the file goes on after its first document; keep one", l.file, max(1, more.Line))
	}
	root := document.Content[0]
	if isNull(root) {
		return nil, nil
	}
	return root, nil
}

// section reads the keys of one mapping; path is "" or ends in a dot.
func (l *loader) section(path string, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		l.fault(n.Line, "%s: is %s, not a list of key: value lines", orFile(strings.TrimSuffix(path, ".")), kind(n))
		return
	}
	outer := l.end
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if l.end = outer; i+2 < len(n.Content) {
			l.end = n.Content[i+2].Line - 1
		}
		name := path + key.Value
		read, isSetting := l.settings[name]
		switch {
		case seen[name]:
			l.fault(key.Line, "%s: is set twice; keep one", name)
		case isSetting && isNull(value):
		case isSetting:
			if err := read(l, value); err != nil {
				l.fault(value.Line, "%s: %v", name, err)
			}
		case !l.isSection(name):
			l.fault(key.Line, "%s: unknown key%s", name, l.meant(path, key.Value))
		case !isNull(value):
			l.section(name+".", value)
		}
		seen[name] = true
	}
	l.end = outer
}

func (l *loader) isSection(name string) bool {
	for key := range l.settings {
		if strings.HasPrefix(key, name+".") {
			return true
		}
	}
	return false
}

// meant is "; did you mean …?" where the key is written nearly like one of the
// same section, or is one of another section.
func (l *loader) meant(path, key string) string {
	best, distance := "", 3
	for _, known := range slices.Sorted(maps.Keys(l.settings)) {
		if rest, ok := strings.CutPrefix(known, path); ok {
			name, _, _ := strings.Cut(rest, ".")
			if d := edits(strings.ToLower(name), strings.ToLower(key)); d < distance && d < len(name) {
				best, distance = path+name, d
			}
		}
		if _, name, _ := strings.Cut(known, "."); strings.EqualFold(name, key) {
			best, distance = known, 0
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", best)
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

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// kind names what a value is, in the words of an error.
func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a list of key: value lines"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	switch n.ShortTag() {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!timestamp":
		return "a date"
	}
	return "text"
}

func orFile(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}
