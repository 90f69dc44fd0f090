package shell

import (
	"maps"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// value returns the value of a variable or positional parameter; ok is false if
// it is unknown.
func (r *reader) value(name string) (value string, ok bool) {
	if n, err := strconv.Atoi(name); err == nil {
		if n >= 0 && n < len(r.args) && (n == 0 || r.loops == 0) {
			return r.args[n], true
		}
		// In a loop that shifts, $1 may be any of them.
		return "", r.loops == 0 && len(r.args) > 0
	}
	if value, ok = r.vars[name]; ok || !syntax.ValidName(name) {
		return value, ok
	}
	return r.env(name)
}

// list returns the elements of $@, $* or an array; ok is false for others.
func (r *reader) list(name string) (list []string, ok bool) {
	if name == "@" || name == "*" {
		return r.args[min(1, len(r.args)):], true
	}
	list, ok = r.lists[name]
	return list, ok
}

// assign sets a variable, or adds to it. If the assignment may not run, the
// value is unknown afterwards, unless it was the same before.
func (r *reader) assign(name, value string, adds bool) {
	old, had := r.value(name)
	unknown := "${" + name + "}"
	if adds {
		if value = old + value; !had {
			value = unknown + value
		}
		r.budget -= len(value)
	}
	if r.maybe && (!had || old != value) {
		value = unknown
	}
	if r.vars == nil {
		r.vars = map[string]string{}
	}
	r.vars[name] = value
	delete(r.lists, name)
}

// assignments makes the assignments of a command or a declaration.
func (r *reader) assignments(list []*syntax.Assign) {
	for _, a := range list {
		switch {
		case a.Naked && a.Name == nil: // an option, or words that hold assignments
			for _, word := range r.fields([]*syntax.Word{a.Value}) {
				r.assignWord(word)
			}
		case a.Naked:
		case a.Array != nil:
			r.assignList(a)
		case a.Index != nil:
			r.assign(a.Name.Value, "${"+a.Name.Value+"}", false)
		default:
			r.assign(a.Name.Value, r.literal(a.Value), a.Append)
		}
	}
}

// assignWord assigns a word if it is NAME=VALUE.
func (r *reader) assignWord(word string) {
	if name, value, ok := strings.Cut(word, "="); ok && syntax.ValidName(name) {
		r.assign(name, value, false)
	}
}

func (r *reader) assignList(a *syntax.Assign) {
	name := a.Name.Value
	var list []string
	if a.Append {
		list = append(list, r.lists[name]...)
	}
	for _, element := range a.Array.Elems {
		if element.Index != nil || element.Value == nil {
			r.assign(name, "${"+name+"}", false)
			return
		}
		list = append(list, r.fields([]*syntax.Word{element.Value})...)
	}
	if r.lists == nil {
		r.lists = map[string][]string{}
	}
	r.lists[name] = list
}

// scope begins a part of a script whose assignments undo takes back.
func (r *reader) scope() (undo func()) {
	vars, lists := maps.Clone(r.vars), maps.Clone(r.lists)
	r.budget -= len(vars) + len(lists)
	return func() { r.vars, r.lists = vars, lists }
}
