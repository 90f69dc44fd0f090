// Package cmdline reads the command line of a container as far as the pod's
// specification gives it: the $(NAME) references that the kubelet resolves, and
// the flags of a program. Which flags a program has is said by its caller.
package cmdline

import "strings"

// Flags are the arguments of a server. Names are without leading dashes and
// with dashes for underscores, as the engines' own parsers take both.
type Flags struct {
	Values     map[string]string // the first value of each; "" for a switch
	Positional string            // the first argument that belongs to no flag
	Leads      bool              // it is the first of all
	Complete   bool              // every word is known, and none may be a model that a flag hides
	Unnamed    bool              // the model depends on a value that is not known
}

// Kinds say which flags take how many values.
type Kinds struct {
	Switches []string // none
	Values   []string // one, though a prefix of switchPrefixes says none
	Lists    []string // all up to the next flag
}

// Parser reads the flags of programs with known kinds of flags.
type Parser struct{ switches, values, lists map[string]bool }

// NewParser returns a parser for flags of any of the kinds.
func NewParser(all ...Kinds) *Parser {
	p := &Parser{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, k := range all {
		for _, name := range k.Switches {
			p.switches[name] = true
		}
		for _, name := range k.Values {
			p.values[name] = true
		}
		for _, name := range k.Lists {
			p.lists[name] = true
		}
	}
	return p
}

// Parse reads --flag=value, --flag value and switches. Where a flag is given
// twice the last one counts.
func (p *Parser) Parse(args []string) Flags {
	f := Flags{Values: map[string]string{}, Complete: true}
	for i := 0; i < len(args); i++ {
		f.Complete = f.Complete && !Open(args[i])
		if args[i] == "--" {
			continue
		}
		if !IsFlag(args[i]) {
			if f.Positional == "" {
				f.Positional, f.Leads = args[i], i == 0
			}
			continue
		}
		name, value, joined := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		name = strings.ReplaceAll(name, "_", "-")
		next := i+1 < len(args) && !IsFlag(args[i+1])
		switch {
		case joined:
		case p.isSwitch(name):
			if next && (strings.EqualFold(args[i+1], "true") || strings.EqualFold(args[i+1], "false")) {
				i++ // older versions take a word
			}
		case next:
			i++
			value = args[i]
			for p.lists[name] && i+1 < len(args) && !IsFlag(args[i+1]) {
				i++
			}
			f.Complete = f.Complete && !Open(value) && (!strings.Contains(value, "/") || strings.ContainsAny(value[:1], "/.{["))
		}
		if name != "" {
			f.Values[name] = value
		}
	}
	return f
}

// IsFlag tells a flag from a value, which may be a negative number.
func IsFlag(word string) bool {
	return len(word) > 1 && word[0] == '-' && (word[1] < '0' || word[1] > '9') && word[1] != '.'
}

// switchPrefixes begin flags that take no value.
var switchPrefixes = []string{"enable-", "disable-", "no-", "use-"}

// isSwitch reports whether a flag takes no value. Only behind a switch may a
// positional argument follow.
func (p *Parser) isSwitch(name string) bool {
	if p.switches[name] || len(name) == 2 && name[0] == 'O' { // -O3
		return true
	}
	for _, prefix := range switchPrefixes {
		if strings.HasPrefix(name, prefix) && !p.values[name] {
			return true
		}
	}
	return false
}

// First returns the value of the first flag that has one a reader can use: not
// empty, and with no variable left in it.
func (f Flags) First(names []string) string {
	for _, n := range names {
		if v := f.Values[n]; v != "" && !Open(v) {
			return v
		}
	}
	return ""
}

// Has reports whether a flag is given, or for flag=value has this value.
func (f Flags) Has(flag string) bool {
	name, want, valued := strings.Cut(flag, "=")
	value, ok := f.Values[name]
	return ok && (!valued || value == want)
}

// Set reports whether the flag is given at all.
func (f Flags) Set(name string) bool {
	_, ok := f.Values[name]
	return ok
}

// Open reports whether a word contains something that only the running container
// knows.
func Open(word string) bool { return strings.ContainsAny(word, "$`") }
