package serving

import "strings"

// flags are the arguments of a server. Names are without leading dashes and
// with dashes for underscores, as the engines' own parsers take both.
type flags struct {
	values     map[string]string // the first value of each; "" for a switch
	positional string            // the first argument that belongs to no flag
	leads      bool              // it is the first of all
	complete   bool              // every word is known, and none may be a model that a flag hides
	unnamed    bool              // the model depends on a value that is not known
}

// parseFlags reads --flag=value, --flag value and switches. Where a flag is
// given twice the last one counts.
func parseFlags(args []string) flags {
	f := flags{values: map[string]string{}, complete: true}
	for i := 0; i < len(args); i++ {
		f.complete = f.complete && !open(args[i])
		if args[i] == "--" {
			continue
		}
		if !isFlag(args[i]) {
			if f.positional == "" {
				f.positional, f.leads = args[i], i == 0
			}
			continue
		}
		name, value, joined := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		name = strings.ReplaceAll(name, "_", "-")
		next := i+1 < len(args) && !isFlag(args[i+1])
		switch {
		case joined:
		case isSwitch(name):
			if next && (strings.EqualFold(args[i+1], "true") || strings.EqualFold(args[i+1], "false")) {
				i++ // older versions take a word
			}
		case next:
			i++
			value = args[i]
			for listFlags[name] && i+1 < len(args) && !isFlag(args[i+1]) {
				i++
			}
			f.complete = f.complete && !open(value) && (!strings.Contains(value, "/") || strings.ContainsAny(value[:1], "/.{["))
		}
		if name != "" {
			f.values[name] = value
		}
	}
	return f
}

// isFlag tells a flag from a value, which may be a negative number.
func isFlag(word string) bool {
	return len(word) > 1 && word[0] == '-' && (word[1] < '0' || word[1] > '9') && word[1] != '.'
}

// flagKinds say which flags take how many values.
type flagKinds struct {
	switches []string // none
	values   []string // one, though a prefix of switchPrefixes says none
	lists    []string // all up to the next flag
}

// generalFlags are those that several engines or their surroundings have.
var generalFlags = flagKinds{
	switches: []string{"trust-remote-code", "verbose", "help", "h", "v", "version"},
	values:   []string{"no-proxy"},
	lists:    []string{"served-model-name", "api-key"},
}

var (
	switches   = set(collect(generalFlags.switches, func(e *engine) []string { return e.flagKinds.switches })...)
	valueFlags = set(collect(generalFlags.values, func(e *engine) []string { return e.flagKinds.values })...)
	listFlags  = set(collect(generalFlags.lists, func(e *engine) []string { return e.flagKinds.lists })...)

	// switchPrefixes begin flags that take no value.
	switchPrefixes = []string{"enable-", "disable-", "no-", "use-"}
)

// isSwitch reports whether a flag takes no value. Only behind a switch may a
// positional argument follow.
func isSwitch(name string) bool {
	if switches[name] || len(name) == 2 && name[0] == 'O' { // -O3
		return true
	}
	for _, p := range switchPrefixes {
		if strings.HasPrefix(name, p) && !valueFlags[name] {
			return true
		}
	}
	return false
}

// first returns the value of the first flag that has one a reader can use: not
// empty, and with no variable left in it.
func (f flags) first(names []string) string {
	for _, n := range names {
		if v := f.values[n]; v != "" && !open(v) {
			return v
		}
	}
	return ""
}

// has reports whether a flag is given, or for flag=value has this value.
func (f flags) has(flag string) bool {
	name, want, valued := strings.Cut(flag, "=")
	value, ok := f.values[name]
	return ok && (!valued || value == want)
}

// set reports whether the flag is given at all.
func (f flags) set(name string) bool {
	_, ok := f.values[name]
	return ok
}

// open reports whether a word contains something that only the running container
// knows.
func open(word string) bool { return strings.ContainsAny(word, "$`") }
