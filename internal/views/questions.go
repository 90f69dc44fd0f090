package views

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed questions/*.sql
var files embed.FS

// Question is one that people ask, in SQL over the views that every dialect
// takes. It reckons in UTC: a session in another zone would shift its hours.
type Question struct {
	Name string
	Asks string // in words
	SQL  string // one statement with its semicolon, below a comment that asks
}

// QuestionNames are the questions' names.
var QuestionNames = [...]string{"gpu-hours", "idle-gpus", "tokens", "memory-growth", "free-gpus"}

// Ask returns the question of that name. An unknown name is an error that
// tells the known ones.
func Ask(name string) (Question, error) {
	body, err := files.ReadFile("questions/" + name + ".sql")
	if err != nil {
		return Question{}, fmt.Errorf("no question %q: there are %s", name, strings.Join(QuestionNames[:], ", "))
	}
	asks, _, _ := strings.Cut(strings.TrimPrefix(string(body), "-- "), "\n")
	return Question{Name: name, Asks: asks, SQL: string(body)}, nil
}
