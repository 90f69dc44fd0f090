package shell

import (
	"slices"
	"strconv"
	"strings"
)

// condition is the status of test, [ and [[ where the text decides it.
func condition(argv []string) truth {
	if last := argv[len(argv)-1]; argv[0] == "[" || argv[0] == "[[" {
		if last != "]" && last != "]]" {
			return unknown
		}
		argv = argv[:len(argv)-1]
	} else if last == "]]" {
		return unknown
	}
	words := argv[1:]
	if len(words) > 0 && words[0] == "!" {
		return not(condition(append([]string{"test"}, words[1:]...)))
	}
	if slices.ContainsFunc(words, open) {
		return unknown
	}
	switch {
	case len(words) < 2:
		return truthOf(len(words) == 1 && words[0] != "")
	case len(words) == 2 && words[0] == "-z":
		return truthOf(words[1] == "")
	case len(words) == 2 && words[0] == "-n":
		return truthOf(words[1] != "")
	case len(words) != 3:
		return unknown
	}
	a, b := words[0], words[2]
	x, errX := strconv.Atoi(a)
	y, errY := strconv.Atoi(b)
	numbers := errX == nil && errY == nil
	switch op := words[1]; {
	case op == "=" || op == "==":
		return truthOf(a == b)
	case op == "!=":
		return truthOf(a != b)
	case numbers && op == "-eq":
		return truthOf(x == y)
	case numbers && op == "-ne":
		return truthOf(x != y)
	case numbers && op == "-lt":
		return truthOf(x < y)
	case numbers && op == "-le":
		return truthOf(x <= y)
	case numbers && op == "-gt":
		return truthOf(x > y)
	case numbers && op == "-ge":
		return truthOf(x >= y)
	}
	return unknown
}

// open reports whether something in a word is known to a running shell alone.
func open(word string) bool { return strings.ContainsAny(word, "$`") }
