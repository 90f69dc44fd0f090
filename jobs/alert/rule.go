package alert

import (
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"

	"github.com/company/k8s-resource-monitor/internal/yamlfile"
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

	kind         *kind
	when, clear  cel.Program // clear is nil where Clear is ""
	placeholders []string    // the names in Summary
	sentence     string      // the shipped rule whose Summary this is; "": words of one's own
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

// Rules returns the rules that apply where the configuration gives the list
// own: the default rules, each replaced by one of own of the same name, and then
// the others of own. Errors are those of ParseRules.
func Rules(own yamlfile.Value) ([]Rule, error) {
	rules, err := ParseRules("rules.yaml", defaultRules)
	if err != nil {
		return nil, err
	}
	added, err := readRules(own)
	if err != nil {
		return nil, err
	}
	for i := range rules {
		rules[i].sentence = rules[i].Name
	}
	for _, r := range added {
		if i := slices.IndexFunc(rules, func(d Rule) bool { return d.Name == r.Name }); i >= 0 {
			if r.Summary == rules[i].Summary {
				r.sentence = r.Name
			}
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
	list, err := yamlfile.Parse(file, body)
	if err != nil {
		return nil, err
	}
	return readRules(list)
}

func readRules(list yamlfile.Value) ([]Rule, error) {
	items, err := list.Items()
	if err != nil {
		return nil, list.Fault("rules: %v; start each rule with - name:", err)
	}
	kinds, err := newKinds()
	if err != nil {
		return nil, err
	}
	var rules []Rule
	var faults []error
	first := map[string]int{} // line of the first rule of a name
	for _, item := range items {
		rule, reading := readRule(item, kinds)
		if line, twice := first[rule.Name]; twice && rule.Name != "" {
			reading.Check("", fmt.Errorf("there is a rule of this name at line %d", line))
		} else {
			first[rule.Name] = item.Line()
		}
		rules = append(rules, rule)
		faults = append(faults, reading.Err())
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return rules, nil
}

// ruleKeys are the keys of a rule in YAML.
type ruleKeys struct {
	Name     string  `yaml:"name"`
	On       string  `yaml:"on"`
	When     string  `yaml:"when"`
	Clear    string  `yaml:"clear"`
	For      forKeys `yaml:"for"`
	Severity string  `yaml:"severity"`
	Summary  string  `yaml:"summary"`
}

type forKeys struct {
	Duration time.Duration `yaml:"duration"`
	Samples  int           `yaml:"samples"`
}

var namePattern = regexp.MustCompile(`^[a-zA-Z0-9][-a-zA-Z0-9]{0,62}$`)

// readRule reads and checks one rule; what is wrong with it stands in the Reading.
func readRule(item yamlfile.Value, kinds map[string]*kind) (Rule, *yamlfile.Reading) {
	keys := ruleKeys{For: forKeys{Samples: 1}}
	reading := item.Decode(&keys)
	reading.Of = "a rule"
	for _, required := range []string{"name", "on", "when", "severity", "summary"} {
		reading.Missing(required)
	}
	if !namePattern.MatchString(keys.Name) {
		reading.Check("name", errors.New("give each rule a name of at most 63 letters, digits and '-'"))
		keys.Name = ""
	} else {
		reading.Of = "rule " + keys.Name
	}
	if !slices.Contains(severities, keys.Severity) {
		reading.Check("severity", fmt.Errorf("%q is none of %s", keys.Severity, strings.Join(severities, ", ")))
	}
	if keys.For.Duration < 0 || keys.For.Duration > longestFor {
		reading.Check("for.duration", fmt.Errorf("%v is not between 0s and %v", keys.For.Duration, longestFor))
	}
	if keys.For.Samples < 1 {
		reading.Check("for.samples", fmt.Errorf("%d is not a whole number of at least 1", keys.For.Samples))
	}
	for _, text := range [][2]string{{"when", keys.When}, {"clear", keys.Clear}, {"summary", keys.Summary}} {
		if strings.TrimSpace(text[1]) == "" {
			reading.Check(text[0], errors.New("is empty"))
		}
	}
	rule := Rule{Name: keys.Name, On: keys.On, When: keys.When, Clear: keys.Clear, For: For(keys.For),
		Severity: keys.Severity, Summary: keys.Summary, kind: kinds[keys.On]}
	if rule.kind == nil {
		reading.Check("on", fmt.Errorf("%q is none of %s", keys.On, strings.Join(kindNames, ", ")))
		return rule, reading
	}
	var err error
	rule.when, err = rule.kind.expression(rule.When)
	reading.Check("when", err)
	rule.clear, err = rule.kind.expression(rule.Clear)
	reading.Check("clear", err)
	rule.placeholders = placeholders(rule.Summary)
	for _, name := range rule.placeholders {
		if _, known := rule.kind.columns[name]; !known {
			reading.Check("summary", fmt.Errorf("{%s} is no column of a %s and no limit", name, rule.On))
		}
	}
	return rule, reading
}

// expression compiles a CEL expression that must be true or false.
func (k *kind) expression(source string) (cel.Program, error) {
	if strings.TrimSpace(source) == "" {
		return nil, nil
	}
	ast, issues := k.env.Compile(source)
	if issues.Err() != nil {
		var errs []string
		for _, e := range issues.Errors() {
			errs = append(errs, fmt.Sprintf("%s (at character %d of the expression)", e.Message, e.Location.Column()+1))
		}
		return nil, errors.New(strings.Join(errs, "; "))
	}
	if ast.OutputType() != cel.BoolType {
		return nil, fmt.Errorf("gives %v, not true or false", ast.OutputType())
	}
	return k.env.Program(ast, cel.EvalOptions(cel.OptOptimize)) // a list of constants becomes a set
}
