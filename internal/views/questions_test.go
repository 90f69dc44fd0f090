package views

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/activity"
)

// A question is one statement, the documents show it as it is, and name all of them.
func TestQuestions(t *testing.T) {
	documents := map[string]string{}
	for _, file := range []string{"README.md", "docs/querying.md"} {
		body, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		documents[file] = string(body)
	}
	files, err := filepath.Glob("questions/*.sql")
	if err != nil || len(files) != len(QuestionNames) {
		t.Errorf("the questions are %v, and the files %q, %v", QuestionNames, files, err)
	}
	for _, name := range QuestionNames {
		q, err := Ask(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(q.Asks, "?") || !strings.HasPrefix(q.SQL, "-- "+q.Asks+"\n") ||
			strings.Count(q.SQL, ";") != 1 || !strings.HasSuffix(q.SQL, ";\n") {
			t.Errorf("%s is not one statement below what it asks:\n%s", name, q.SQL)
		}
		if !strings.Contains(documents["docs/querying.md"], "`--question "+name+"`\n\n```sql\n"+q.SQL+"```\n") {
			t.Errorf("docs/querying.md does not show %s as it is in internal/views/questions", name)
		}
	}
	list := "`" + strings.Join(QuestionNames, "`, `")
	list = list[:strings.LastIndex(list, ", `")] + " and " + list[strings.LastIndex(list, "`"):] + "`"
	if !strings.Contains(documents["README.md"], "The questions are "+list+".") {
		t.Errorf("README.md does not say: The questions are %s.", list)
	}
	// The state that a question compares with is one that there is.
	idle, err := Ask("idle-gpus")
	if err != nil || !strings.Contains(idle.SQL, "gpu_state = '"+activity.IdleHeld.String()+"'") {
		t.Errorf("idle-gpus does not ask for %q: %v\n%s", activity.IdleHeld, err, idle.SQL)
	}
	if _, err := Ask("../views"); err == nil || !strings.Contains(err.Error(), "gpu-hours, idle-gpus, memory-growth") {
		t.Errorf("an unknown question is %v", err)
	}
}
