package shell

import (
	"regexp"
	"slices"
	"strconv"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/pattern"
	"mvdan.cc/sh/v3/syntax"
)

// test returns the status of test and [. Conditions on files are unknown.
func test(argv []string) ternary {
	words := argv[1:]
	if argv[0] == "[" {
		if len(words) == 0 || words[len(words)-1] != "]" {
			return unknown
		}
		words = words[:len(words)-1]
	}
	switch {
	case len(words) > 1 && words[0] == "!":
		return test(append([]string{"test"}, words[1:]...)).not()
	case slices.ContainsFunc(words, hasUnknown):
		return unknown
	case len(words) < 2:
		return ternaryOf(len(words) == 1 && words[0] != "")
	case len(words) == 2 && words[0] == "-z":
		return ternaryOf(words[1] == "")
	case len(words) == 2 && words[0] == "-n":
		return ternaryOf(words[1] != "")
	case len(words) == 3:
		return compare(words[0], words[1], words[2])
	}
	return unknown
}

// compare returns the status of `A OPERATOR B`.
func compare(a, operator, b string) ternary {
	x, errX := strconv.Atoi(a)
	y, errY := strconv.Atoi(b)
	switch {
	case operator == "=" || operator == "==":
		return ternaryOf(a == b)
	case operator == "!=":
		return ternaryOf(a != b)
	case errX != nil || errY != nil:
		return unknown
	case operator == "-eq":
		return ternaryOf(x == y)
	case operator == "-ne":
		return ternaryOf(x != y)
	case operator == "-lt":
		return ternaryOf(x < y)
	case operator == "-le":
		return ternaryOf(x <= y)
	case operator == "-gt":
		return ternaryOf(x > y)
	case operator == "-ge":
		return ternaryOf(x >= y)
	}
	return unknown
}

// testClause returns the status of [[ … ]]. The parser ignores that ! binds
// tighter than && and && tighter than ||; where that matters it is unknown.
func (r *reader) testClause(x syntax.TestExpr) ternary {
	switch x := x.(type) {
	case *syntax.ParenTest:
		return r.testClause(x.X)
	case *syntax.Word:
		return test([]string{"test", r.literal(x)})
	case *syntax.UnaryTest:
		if x.Op == syntax.TsNot && !isList(x.X) {
			return r.testClause(x.X).not()
		}
		if word, ok := x.X.(*syntax.Word); ok {
			return test([]string{"test", x.Op.String(), r.literal(word)})
		}
	case *syntax.BinaryTest:
		y, _ := x.Y.(*syntax.BinaryTest)
		left, isWord := x.X.(*syntax.Word)
		right, _ := x.Y.(*syntax.Word)
		switch {
		case isList(x) && isList(x.Y) && x.Op != y.Op:
			return unknown
		case x.Op == syntax.AndTest:
			return min(r.testClause(x.X), r.testClause(x.Y))
		case x.Op == syntax.OrTest:
			return max(r.testClause(x.X), r.testClause(x.Y))
		case !isWord || right == nil:
			return unknown
		case x.Op == syntax.TsMatch, x.Op == syntax.TsMatchShort:
			return r.matches(r.literal(left), right)
		case x.Op == syntax.TsNoMatch:
			return r.matches(r.literal(left), right).not()
		}
		return test([]string{"test", r.literal(left), x.Op.String(), r.literal(right)})
	}
	return unknown
}

// isList reports whether an expression is one of && or ||.
func isList(x syntax.TestExpr) bool {
	binary, ok := x.(*syntax.BinaryTest)
	return ok && (binary.Op == syntax.AndTest || binary.Op == syntax.OrTest)
}

// matches tells whether a value matches the pattern that word expands to.
func (r *reader) matches(value string, word *syntax.Word) ternary {
	text, err := expand.Pattern(r.config(), &syntax.Word{Parts: r.resolve(word.Parts, inPattern)})
	if err != nil || hasUnknown(value) || hasUnknown(text) || !r.spend(len(value), len(text)) {
		return unknown
	}
	expression, err := pattern.Regexp(text, pattern.EntireString|pattern.ExtendedOperators)
	if err != nil {
		return unknown
	}
	compiled, err := regexp.Compile(expression)
	if err != nil {
		return unknown
	}
	return ternaryOf(compiled.MatchString(value))
}
