package serving

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

func TestSimpleCommands(t *testing.T) {
	env := map[string]string{"A": "a", "TWO": "x  y", "EMPTY": ""}
	for script, want := range map[string][][]string{
		"":                                        nil,
		"a b c":                                   {{"a", "b", "c"}},
		"a;b\nc&&d||e|f&g":                        {{"a"}, {"b"}, {"c"}, {"d"}, {"e"}, {"f"}, {"g"}},
		`a 'b c' "d e" f\ g`:                      {{"a", "b c", "d e", "f g"}},
		`a '' ""`:                                 {{"a", "", ""}},
		`a "b \"c\" \\ \x \$A"`:                   {{"a", `b "c" \ \x $A`}},
		"a \\\n b":                                {{"a", "b"}},
		"a # b; c\nd a#b":                         {{"a"}, {"d", "a#b"}},
		"a > /dev/null 2>&1 <in >>out b":          {{"a", "b"}},
		"a &>log &":                               {{"a"}},
		`a $A "$A" '$A' ${A} x$A.y`:               {{"a", "a", "a", "$A", "a", "xa.y"}},
		`a $TWO "$TWO" $EMPTY "$EMPTY"`:           {{"a", "x", "y", "x  y", ""}},
		`a $NONE ${NONE} ${NONE:-d} ${A:-d}`:      {{"a", "$NONE", "${NONE}", "d", "a"}},
		"B=1; a $B; B=2 b $B":                     {{"a", "1"}, {"b", "1"}},
		"export B=1 C=2\na $B$C":                  {{"a", "12"}},
		"a $(b; c $(d)) `e f` $((1+2))":           {{"a", "$(b; c $(d))", "`e f`", "$((1+2))"}},
		"a $ $$ $1 $9 ${":                         {{"a", "$", "$$", "one", "${"}},
		`a "$@" $2`:                               {{"a", "one", "two words", "two", "words"}},
		"if a; then b; else c; fi":                {{"a"}, {"b"}, {"c"}},
		"while ! a; do { b; }; done":              {{"a"}, {"b"}},
		"(a; b)":                                  {{"a"}, {"b"}},
		`eval "a $A"; eval 'a' "b;c"`:             {{"a", "a"}, {"a", "b"}, {"c"}},
		`bash -c "sh -c 'a b'"`:                   {{"a", "b"}},
		"bash start.sh x":                         {{"start.sh", "x"}},
		"exec env -u X A=1 vllm serve m":          {{"vllm", "serve", "m"}},
		"timeout -k 5 60 sleep 1":                 {{"timeout", "-k", "5", "60", "sleep", "1"}},
		"ray symmetric-run --x y -- vllm serve m": {{"vllm", "serve", "m"}},
		"ray start --head":                        {{"ray", "start", "--head"}},
		"a 'open":                                 {{"a", "open"}},
		`a "open`:                                 {{"a", "open"}},
		"a \\":                                    {{"a"}},
	} {
		got := simpleCommands([]string{"bash", "-c", script, "bash", "one", "two words"}, env)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\n got %q\nwant %q", script, got, want)
		}
	}
	if len(env) != 3 {
		t.Errorf("a script changed the pod's variables: %v", env)
	}
}

func TestInlineScript(t *testing.T) {
	for text, want := range map[string][]string{
		"-c S":                   {"S"},
		"-c S name a b":          {"S", "a", "b"},
		"-lc S":                  {"S"},
		"-e -u -o pipefail -c S": {"S"},
		"-euo pipefail -c S":     {"S"},
		"-ceuo pipefail S":       {"S"},
		"--login -c S":           {"S"},
		"+x -c -- S":             {"S"},
		"-c":                     nil,
		"start.sh -c S":          nil,
		"":                       nil,
	} {
		script, args, ok := inlineScript(strings.Fields(text))
		got := append([]string{script}, args...)
		if !ok {
			got = nil
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestExpandRefs(t *testing.T) {
	env := map[string]string{"A": "a", "B": "$(A)"}
	for text, want := range map[string]string{
		"x": "x", "$(A)": "a", "x$(A)$(A)y": "xaay", "$$(A)": "$(A)", "$(NONE)": "$(NONE)", "$(A": "$(A", "$": "$", "$A": "$A", "$(B)": "$(A)", "$()": "$()",
	} {
		if got := expandRefs(text, env); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// FuzzShell checks that no script hangs, panics or unfolds without bound.
func FuzzShell(f *testing.F) {
	for _, c := range podCases(f) {
		for _, container := range c.Containers {
			if n := len(container.Command); n > 0 {
				f.Add(container.Command[n-1], strings.Join(container.Args, " "))
			}
		}
	}
	f.Add(`A=$A$A$A; B=$A$A$A; eval "$B$B$B"`, "x")
	f.Add(`eval eval eval 'eval "$@"'`, "bash -c 'eval $@'")
	f.Fuzz(func(t *testing.T, script, arg string) {
		env := map[string]string{"A": arg, "B": "$A"}
		size := 0
		for _, argv := range simpleCommands([]string{"bash", "-c", script, "bash", arg}, env) {
			if len(argv) == 0 {
				t.Error("an empty command")
			}
			for _, word := range argv {
				size += len(word)
			}
		}
		if size > maxScriptBytes+len(script)+len(arg) {
			t.Errorf("%d bytes out of %d", size, len(script)+len(arg))
		}
		d := &usage.PodDetail{Containers: []usage.Container{{Name: "c", Image: "vllm/vllm-openai", Command: []string{"sh", "-c", script}, Args: []string{arg}, Env: env}}}
		id := Identify(d)
		if (id.Engine == usage.NoEngine) == id.IdentifiedBy.Present() {
			text, _ := json.Marshal(id)
			t.Errorf("identity contradicts itself: %s", text)
		}
	})
}
