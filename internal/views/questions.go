package views

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
)

//go:embed questions/*.sql
var files embed.FS

// Question is a query over the views that every dialect accepts. It works with hours of UTC, so the session's time zone
// must be UTC; the statements of Lake.SQL set it.
type Question struct {
	Name string
	Asks string // the question in words
	SQL  string // one statement with its semicolon, after a comment with Asks
}

// QuestionNames are the names of all questions, in alphabetical order: a file questions/NAME.sql is a question.
var QuestionNames = questionNames()

func questionNames() []string {
	entries, err := files.ReadDir("questions")
	if err != nil {
		panic(err) // the folder is embedded
	}
	var names []string
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), path.Ext(entry.Name())))
	}
	return names
}

// Ask returns the question of that name. The error for an unknown name lists the known ones.
func Ask(name string) (Question, error) {
	if !slices.Contains(QuestionNames, name) {
		return Question{}, fmt.Errorf("no question %q: there are %s", name, strings.Join(QuestionNames, ", "))
	}
	body, err := files.ReadFile("questions/" + name + ".sql")
	if err != nil {
		return Question{}, err
	}
	asks, _, _ := strings.Cut(strings.TrimPrefix(string(body), "-- "), "\n")
	return Question{Name: name, Asks: asks, SQL: string(body)}, nil
}
