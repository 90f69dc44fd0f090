package alert

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"go.yaml.in/yaml/v3"
)

//go:embed rules.yaml
var defaultRules []byte

// Rule is one checked rule. rules.yaml says what each key means.
type Rule struct {
	Name     string
	On       string // "pod", "node", "gpu", "model" or "snapshot"
	When     string // CEL
	Clear    string // CEL; "": the alert ends as soon as When is false
	For      For
	Severity string // "INFO", "WARNING" or "CRITICAL"
	Summary  string // words with {column} in them

	kind        *kind
	when, clear cel.Program // clear is nil where Clear is ""
}

// For is how long a rule must hold before it fires: both are to be reached.
type For struct {
	Duration time.Duration
	Samples  int // instants at which it held, at least 1
}

// longestFor is the longest For.Duration: rows are read back that far, and raw
// rows may be kept no longer than two days.
const longestFor = 24 * time.Hour

// severities, in rising order.
var severities = []string{"INFO", "WARNING", "CRITICAL"}

// Rules returns the rules that apply where the configuration gives the rules in
// body: the default rules, each replaced by one of body of the same name, and then
// the others of body. Errors are those of ParseRules.
func Rules(file string, body []byte) ([]Rule, error) {
	rules, err := ParseRules("rules.yaml", defaultRules)
	if err != nil {
		return nil, err
	}
	own, err := ParseRules(file, body)
	if err != nil {
		return nil, err
	}
	for _, r := range own {
		if i := slices.IndexFunc(rules, func(d Rule) bool { return d.Name == r.Name }); i >= 0 {
			rules[i] = r
		} else {
			rules = append(rules, r)
		}
	}
	return rules, nil
}

// ParseRules reads a YAML list of rules. Whatever is wrong with it — a key, a
// type, an expression, a column — is an error that names the file, the line and
// the rule; all faults are reported together.
func ParseRules(file string, body []byte) ([]Rule, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(body))
	var document, extra yaml.Node
	err := decoder.Decode(&document)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s", file, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := decoder.Decode(&extra); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: the rules go on after the first YAML document; keep one list", file)
	}
	kinds, err := newKinds()
	if err != nil {
		return nil, err
	}
	p := parser{file: file, kinds: kinds}
	list := document.Content[0]
	if list.Kind != yaml.SequenceNode {
		if list.Tag == "!!null" {
			return nil, nil
		}
		p.fault(list.Line, "rules are a list, each starting with - name:")
		return nil, p.err()
	}
	var rules []Rule
	for _, item := range list.Content {
		r := p.rule(item)
		if slices.ContainsFunc(rules, func(o Rule) bool { return o.Name == r.Name && r.Name != "" }) {
			p.fault(item.Line, "there are two rules of this name")
		}
		rules = append(rules, r)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	return rules, nil
}

// parser collects the faults of one file.
type parser struct {
	file   string
	kinds  map[string]*kind
	name   string // of the rule being read, "" before it is known
	faults []fault
}

type fault struct {
	line int
	text string
}

// err is all faults, in the order of their lines; nil if there are none.
func (p *parser) err() error {
	slices.SortStableFunc(p.faults, func(a, b fault) int { return a.line - b.line })
	var errs []error
	for _, f := range p.faults {
		errs = append(errs, errors.New(f.text))
	}
	return errors.Join(errs...)
}

func (p *parser) fault(line int, format string, args ...any) {
	where := fmt.Sprintf("%s:%d: ", p.file, line)
	if p.name != "" {
		where += "rule " + p.name + ": "
	}
	p.faults = append(p.faults, fault{line, where + fmt.Sprintf(format, args...)})
}

var namePattern = regexp.MustCompile(`^[a-zA-Z0-9][-a-zA-Z0-9]{0,62}$`)

func (p *parser) rule(n *yaml.Node) Rule {
	p.name = ""
	r := Rule{For: For{Samples: 1}}
	keys := p.mapping(n, "name", "on", "when", "clear", "for", "severity", "summary")
	if keys == nil {
		return r
	}
	if name := p.text(keys["name"], "name"); !namePattern.MatchString(name) {
		p.fault(n.Line, "name: give each rule a name of at most 63 letters, digits and '-'")
	} else {
		r.Name, p.name = name, name
	}
	for _, required := range []string{"on", "when", "severity", "summary"} {
		if keys[required] == nil {
			p.fault(n.Line, "%s is missing", required)
		}
	}
	if r.Severity = p.text(keys["severity"], "severity"); r.Severity != "" && !slices.Contains(severities, r.Severity) {
		p.fault(keys["severity"].Line, "severity: %q is none of %s", r.Severity, strings.Join(severities, ", "))
	}
	if keys["for"] != nil {
		r.For = p.holding(keys["for"])
	}
	if r.On = p.text(keys["on"], "on"); r.On == "" {
		return r
	}
	if r.kind = p.kinds[r.On]; r.kind == nil {
		p.fault(keys["on"].Line, "on: %q is none of pod, node, gpu, model, snapshot", r.On)
		return r
	}
	r.When, r.when = p.expression(r.kind, keys["when"], "when")
	r.Clear, r.clear = p.expression(r.kind, keys["clear"], "clear")
	r.Summary = p.text(keys["summary"], "summary")
	for _, name := range placeholders(r.Summary) {
		if _, column := r.kind.columns[name]; !column && !slices.Contains(thresholds, name) {
			p.fault(keys["summary"].Line, "summary: {%s} is no column of a %s and no threshold", name, r.On)
		}
	}
	return r
}

// mapping returns the values of a mapping by key, nil if it is none.
func (p *parser) mapping(n *yaml.Node, known ...string) map[string]*yaml.Node {
	if n.Kind != yaml.MappingNode {
		p.fault(n.Line, "lines of key: value are expected here, with the keys %s", strings.Join(known, ", "))
		return nil
	}
	values := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Value == "name" && value.Kind == yaml.ScalarNode && namePattern.MatchString(value.Value):
			p.name = value.Value // so that faults before it say whose they are
		case !slices.Contains(known, key.Value):
			p.fault(key.Line, "unknown key %q; the keys are %s", key.Value, strings.Join(known, ", "))
		}
		if values[key.Value] != nil {
			p.fault(key.Line, "%s is set twice", key.Value)
		}
		values[key.Value] = value
	}
	return values
}

// text reads a string; a key that is not there is "".
func (p *parser) text(n *yaml.Node, key string) string {
	switch {
	case n == nil:
		return ""
	case n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str":
		p.fault(n.Line, "%s: is not text; put it in quotes", key)
		return ""
	case strings.TrimSpace(n.Value) == "":
		p.fault(n.Line, "%s: is empty", key)
	}
	return n.Value
}

// holding reads {duration, samples}.
func (p *parser) holding(n *yaml.Node) For {
	f := For{Samples: 1}
	keys := p.mapping(n, "duration", "samples")
	if d := keys["duration"]; d != nil {
		var err error
		if f.Duration, err = time.ParseDuration(d.Value); err != nil || f.Duration < 0 || f.Duration > longestFor {
			p.fault(d.Line, "for: duration: %q is not a time between 0s and %v, such as 10m", d.Value, longestFor)
		}
	}
	if s := keys["samples"]; s != nil {
		var err error
		if f.Samples, err = strconv.Atoi(s.Value); err != nil || f.Samples < 1 {
			p.fault(s.Line, "for: samples: %q is not a whole number of at least 1", s.Value)
		}
	}
	return f
}

// expression compiles a CEL expression that must be true or false.
func (p *parser) expression(k *kind, n *yaml.Node, key string) (string, cel.Program) {
	source := p.text(n, key)
	if strings.TrimSpace(source) == "" {
		return "", nil
	}
	ast, issues := k.env.Compile(source)
	if issues.Err() != nil {
		for _, e := range issues.Errors() {
			p.fault(n.Line, "%s: %s (at character %d of the expression)", key, e.Message, e.Location.Column()+1)
		}
		return source, nil
	}
	if ast.OutputType() != cel.BoolType {
		p.fault(n.Line, "%s: gives %v, not true or false", key, ast.OutputType())
		return source, nil
	}
	program, err := k.env.Program(ast)
	if err != nil {
		p.fault(n.Line, "%s: %v", key, err)
	}
	return source, program
}
