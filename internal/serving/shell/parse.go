package shell

import (
	"cmp"
	"errors"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Bounds on a text that is given to the parser, which recurses for everything
// that nests and has no bound of its own: 200 kB of open parentheses overflow
// the stack, and that ends the process. Within these bounds its stack stays
// below 40 MB. The scripts of real pods have some kB and some dozen brackets.
const (
	maxScript   = 64 << 10
	maxBrackets = 2000
)

var errTooLarge = errors.New("the script is too long or has too many brackets")

// parse returns the statements before the first syntax error, which a shell runs
// too before it finds the error. A here-document whose delimiter is missing ends
// with the text, as in a shell.
func parse(text string) ([]*syntax.Stmt, error) {
	statements, err := parseOnce(text)
	var failed syntax.ParseError
	if errors.As(err, &failed) {
		_, delimiter, ok := strings.Cut(failed.Text, "unclosed here-document `")
		if ok {
			return parseOnce(text + "\n" + strings.TrimSuffix(delimiter, "`") + "\n")
		}
	}
	return statements, err
}

func parseOnce(text string) ([]*syntax.Stmt, error) {
	brackets := 0
	for _, c := range []byte(text) {
		if c == '(' || c == '[' || c == '{' {
			brackets++
		}
	}
	if len(text) > maxScript || brackets > maxBrackets {
		return nil, errTooLarge
	}
	var statements []*syntax.Stmt
	var failed error
	// The loop must not end at an error: the iterator may yield once more.
	for statement, err := range syntax.NewParser().StmtsSeq(strings.NewReader(text)) {
		if failed = cmp.Or(failed, err); failed == nil {
			statements = append(statements, statement)
		}
	}
	return statements, failed
}
