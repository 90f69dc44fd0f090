package shell

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

// engines recognizes the programs that the tests look for.
func engines(argv []string) bool {
	return len(argv) > 1 && argv[0] == "vllm" && argv[1] == "serve" ||
		len(argv) > 2 && strings.HasPrefix(argv[0], "python") && argv[1] == "-m" && argv[2] == "vllm"
}

// lines renders commands with semicolons between them, brackets around words
// with blanks, and a question mark before those that may not run.
func lines(commands []Command) string {
	var b strings.Builder
	for i, c := range commands {
		if i > 0 {
			b.WriteString("; ")
		}
		if c.Maybe {
			b.WriteString("? ")
		}
		for j, w := range c.Argv {
			if j > 0 {
				b.WriteByte(' ')
			}
			if w == "" || strings.ContainsAny(w, " ;?[") {
				w = "[" + w + "]"
			}
			b.WriteString(w)
		}
	}
	return b.String()
}

func lookup(env map[string]string) Lookup {
	return func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	}
}

func TestCommands(t *testing.T) {
	env := lookup(map[string]string{"A": "a", "TWO": "x  y", "EMPTY": "", "MODEL": "Org/Name-8B", "RANK": "1", "ROLE": "worker"})
	for _, test := range []struct{ script, want string }{
		// Words, quotes and separators.
		{"", ""},
		{"a b c", "a b c"},
		{"a;b\nc&&d|e&f", "a; b; c; d; e; f"},
		{`a 'b c' "d e" f\ g`, "a [b c] [d e] [f g]"},
		{`a '' ""`, "a [] []"},
		{`a "b \"c\" \\ \x \$A"`, `a [b "c" \ \x $A]`},
		{"a \\\n b", "a b"},
		{"a # b; c\nd a#b", "a; d a#b"},
		{"a \\", "a \\"},
		{"a $'b c' $\"d\"", "a [b c] d"},
		{"(a; B=1; b $B); c $B", "a; b 1; c $B"},
		// Redirections.
		{"a > /dev/null 2>&1 <in >>out b", "a b"},
		{"a &>log &", "a"},
		{"a > >(tee log) 2>&1", "a"},
		{"a <(b) c", "a $(b) c"},
		{"a|&b", "a; b"},
		{"exec > >(tee log); a", "a"},
		// Variables.
		{`a $A "$A" '$A' ${A} x$A.y`, "a a a $A a xa.y"},
		{`a $TWO "$TWO" $EMPTY "$EMPTY"`, "a x y [x  y] []"},
		{`a $NONE ${NONE} ${NONE:-d} ${A:-d}`, "a $NONE ${NONE} d a"},
		{"B=1; a $B; B=2 b $B; c $B", "a 1; b 1; c 1"},
		{`a "$(b ")")" $(c ')' \)) d`, `a [$(b ")")] [$(c ')' \))] d`},
		{"export B=1 C=2\na $B$C", "a 12"},
		{"declare -r B=1; readonly C=2; B+=3; a $B$C", "a 132"},
		{"a $(b; c $(d)) `e f` $((1+2))", "a [$(b; c $(d))] [`e f`] $((1+2))"},
		{"a $ $$ $1 $9", "a $ $$ one"},
		{`a "$@" $2 $0`, "a one [two words] two words bash"},
		{`a ${NONE:-$A} ${NONE:-${NONE2:-$A}} "${NONE-"d e"}" ${EMPTY-d} ${EMPTY:-d}`, "a a a [d e] d"},
		{": ${B:=$A}; a $B ${A:+set} ${NONE:+set} ${A:?wanted}", "a a set a"},
		{`a ${MODEL##*/} ${MODEL%%/*} ${MODEL#Org/} ${MODEL%-8B} ${MODEL#*x} ${MODEL//[a]/b}`,
			"a Name-8B Org Name-8B Org/Name Org/Name-8B Org/Nbme-8B"},
		{`a ${MODEL/r/R} ${MODEL//\//--} ${MODEL//a} ${MODEL,,} ${MODEL^^} ${NONE//a/b}`,
			"a ORg/Name-8B Org--Name-8B Org/Nme-8B org/name-8b ORG/NAME-8B ${NONE//a/b}"},
		{`B=(x "y z" $A); B+=(w); a "${B[@]}" ${B[0]} $B`, "a x [y z] a w x x"},
		{`B="$NONE -v $A"; a $B`, "a $NONE -v a"},
		{`B=$(c d); a $B "$B"`, "a [$(c d)] [$(c d)]"},
		{`B=$B$B; a $B`, "a $B$B"},
		{`a ${MODEL:4:4} ${#A} ${MODEL#*/[MN]} ${MODEL@U} ${NONE:0:1}`, "a Name 1 ame-8B ${MODEL@U} ${NONE:0:1}"},
		{`B='x "y z" {'; a $B`, `a x "y z" {`},
		{`B=($(c d) e); a ${B[@]} "${B[*]}"`, "a [$(c d)] e [$(c d) e]"},
		{"a ~ ~root {1,2} *.py", "a ~ ~root {1,2} *.py"},
		{`export "B=$A" -n; a $B`, "a a"},
		// Conditions.
		{"if a; then b; else c; fi", "a; ? b; ? c"},
		{`if [ "$RANK" = 0 ]; then b; elif [ $RANK -eq 1 ]; then c; else d; fi; e`, "c; e"},
		{`if [[ $NONE == 0 ]]; then B=1; else B=2; fi; a $B`, "a ${B}"},
		{`if [ -z "$A" ]; then B=1; else B=2; fi; a $B`, "a 2"},
		{`[ -z "$A" ] && A=default; [ -n "$A" ] || A=other; a $A`, "a a"},
		{"a || b && c", "a; ? b; c"},
		{"true || a; false && b; ! true || c", "c"},
		{`if [ "$RANK" != 1 ]; then if x; then y; fi; fi; z`, "z"},
		{`if [[ "$A" == "a" && "$B" == "b" ]]; then c; fi`, "? c"},
		{`if [[ $A == [a-c]* ]]; then b; fi; if [[ ! $NONE -gt 1 ]] || [[ -n $A ]]; then c; fi; if [[ $A != a ]]; then d; fi`, "b; c"},
		{`[[ ! -n $A && -n $A ]] || b; [[ ( x || ( y && "" ) ) && ! ( "" ) ]] || c`, "? b"},
		{"if (( RANK > 0 )); then b; else c; fi", "? b; ? c"},
		{"while false; do a; done; until true; do b; done; until c; do d; done", "c; d"},
		{`case "$ROLE" in leader) a;; work*|x) b; c;; *) d;; esac; e`, "b; c; e"},
		{"case $NONE in\n (1)\n a ;;\n *) b ;;\nesac", "? a; ? b"},
		{"while ! a; do { b; }; done", "a; b"},
		{"for X in 1 2; do a $X; done", "a 1"},
		{"while [ $# -gt 0 ]; do case $1 in -m) M=$2; shift 2;; esac; done; a $M", "a ${M}"},
		{"shift; a $1; set -- x y; b $@", "a two words; b x y"},
		// What runs something else.
		{`eval "a $A"; eval 'a' "b;c"`, "a a; a b; c"},
		{`bash -c "sh -c 'a b'"`, "a b"},
		{`sh -c 'exec "$0" "$@"' a b c`, "a b c"},
		{"bash start.sh x", "start.sh x"},
		{"exec env -u X A=1 vllm serve m", "vllm serve m"},
		{"exec -a name a; command -v b; nohup c; time d", "a; c; d"},
		{"B=1 bash -c 'a $B'; env B=2 sh -c 'a $B'; a $B", "a 1; a 2; a $B"},
		{"timeout -k 5 60 sleep 1", "timeout -k 5 60 sleep 1"},
		{"su - user -c 'a b'; env -S 'c d'; su user -s /bin/bash -c e", "a b; c d; e"},
		{"torchrun --nproc 2 -m vllm x; python3 -m torch.distributed.run -m vllm y", "python -m vllm x; python -m vllm y"},
		{"ray symmetric-run --x y -- vllm serve m", "vllm serve m"},
		{"ray start --head", "ray start --head"},
		{"/docker-entrypoint vllm serve m; x.sh vllm serve n; pgrep -f vllm serve", "vllm serve m; vllm serve n; pgrep -f vllm serve"},
		{"gpu-run 0,1 -- vllm serve m; kubectl exec x -- vllm serve n", "vllm serve m; kubectl exec x -- vllm serve n"},
		// Functions.
		{"f() { a \"$1\"; }\nf x; f y", "a x; a y"},
		{"function f {\n if a; then { b; }; fi\n}\nc; f", "c; a; ? b"},
		{"f() { f; f; }; f", ""},
		{"f() { a; ", ""},
		{"main() { exec a \"$@\"; }; main \"$@\"", "a one [two words]"},
		// Here-documents.
		{"cat <<EOF\nvllm serve no\nEOF\na", "cat; a"},
		{"cat <<'E' > /tmp/r.sh && chmod +x /tmp/r.sh\na $A\nE\n/tmp/r.sh x; source r.sh", "cat; chmod +x /tmp/r.sh; a a; a a"},
		{"cat <<-\\E | sh\n\t\ta $A\n\tE", "cat; a a"},
		{"cat > r.sh <<-E\n\ta \\$1 $A\n\tE\nbash r.sh x", "cat; a x a"},
		{"bash <<E\na b\nE\nc", "a b; c"},
		{"bash -s -- x <<'E'\na $1\nE", "a x"},
		{"bash <<< 'a b'", "a b"},
		{"cat <<E | sh\na b\nE\nc", "cat; a b; c"},
		{"tee r.sh <<E >/dev/null; sh r.sh\na\nE", "tee r.sh; a"},
		{"a <<X <<Y b\n1\nX\n2\nY\nc", "a b; c"},
		{"a <<X", "a"},
		{"echo 'a b' > r.sh; echo c >> r.sh; . ./r.sh", "echo [a b]; echo c; a b; c"},
		{"printf 'a\\nb\\n' | bash", `printf a\nb\n; a; b`},
		{"python3 - <<E\nimport vllm; vllm serve\nE\na", "python3 -; a"},
		// What cannot be parsed: a shell runs the lines before it.
		{"a 'open", ""},
		{"a\nb \"open", "a"},
		{"a; b\nif c\n", "a; b"},
		{"a\nb ${", "a"},
		{"c\na <<X\nb", "c; a"},
		{"sh <<X\na b", "a b"},
	} {
		got := Commands([]string{"bash", "-c", test.script, "bash", "one", "two words"}, env, engines)
		if lines(got) != test.want {
			t.Errorf("%q:\n got %s\nwant %s", test.script, lines(got), test.want)
		}
	}
}

func TestInlineScript(t *testing.T) {
	for text, want := range map[string][]string{
		"-c S":                   {"S", "sh"},
		"-c S name a b":          {"S", "name", "a", "b"},
		"-lc S":                  {"S", "sh"},
		"-e -u -o pipefail -c S": {"S", "sh"},
		"-euo pipefail -c S":     {"S", "sh"},
		"-ceuo pipefail S":       {"S", "sh"},
		"--login -c S":           {"S", "sh"},
		"+x -c -- S":             {"S", "sh"},
		"-c":                     nil,
		"start.sh -c S":          nil,
		"":                       nil,
	} {
		script, args, ok := inlineScript(strings.Fields("sh " + text))
		got := append([]string{script}, args...)
		if !ok {
			got = nil
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// The parser recurses without a bound of its own: an overflow of its stack
// would end the process.
func TestParseRefuses(t *testing.T) {
	for name, script := range map[string]string{
		"brackets":  "`$((" + strings.Repeat("(", maxScript/2),
		"commands":  strings.Repeat("$(", maxScript/2-10),
		"indexes":   "a" + strings.Repeat("[a", maxBrackets+1),
		"long text": strings.Repeat("a\n", maxScript/2+1),
	} {
		if statements, err := parse(script); !errors.Is(err, errTooLarge) || statements != nil {
			t.Errorf("%s: %d statements, error %v", name, len(statements), err)
		}
	}
	if statements, err := parse(strings.Repeat("f() {\n [ $(a) ]\n}\n", maxBrackets/4)); err != nil || len(statements) != maxBrackets/4 {
		t.Errorf("within the bounds: %d statements, error %v", len(statements), err)
	}
}

// Scripts that would keep a shell busy for hours, or take all memory, are read
// within the bounds.
func TestBounds(t *testing.T) {
	const n = 30_000
	fill := func(text string) string { return strings.Repeat(text, 60_000/len(text)) }
	for name, script := range map[string]string{
		"doubling":       "A=xxxxxxxx; " + strings.Repeat("A=$A$A; ", 100) + "a $A",
		"adding":         strings.Repeat("A+=$A; ", 1000) + "a $A",
		"array":          "A=(x); " + strings.Repeat(`A+=("${A[@]}" "${A[@]}"); `, 1000),
		"empty array":    "A=(); " + fill(`"${A[@]}"`),
		"eval":           fill("eval ") + "a",
		"exec":           fill("exec ") + "a",
		"env":            fill("env ") + "a",
		"functions":      "f() { g; g; g; g; }; g() { f; f; f; f; }; f",
		"open braces":    fill("${"),
		"nested":         strings.Repeat("${A:-", maxBrackets) + strings.Repeat("}", maxBrackets),
		"parentheses":    fill("$("),
		"backquotes":     fill("` "),
		"documents":      "a " + fill("<<X ") + "\n",
		"documents 2":    fill("a <<X\n"),
		"file":           "echo x > f; " + strings.Repeat("cat f >> f; echo y >> f;", 2000),
		"file grows":     "echo x > f; " + fill("echo yyyyyyyyyyyyyyyyyyyyyyyy >> f; "),
		"pipes":          fill("a|"),
		"file runs":      "echo 'f; f; f; f' > f; f",
		"if":             fill("if a; then "),
		"case":           fill("case a in "),
		"case patterns":  "case a in " + fill("*a*|"),
		"function":       fill("f() { "),
		"trim":           "A=" + strings.Repeat("x", n) + "; " + strings.Repeat("a ${A##*y}; ", 1000),
		"replacement":    "A=" + strings.Repeat("x", n) + "; a ${A//x/" + strings.Repeat("y", n) + "}",
		"long pattern":   "A=" + strings.Repeat("x", n) + "; a ${A##" + strings.Repeat("*x", n/3) + "y}",
		"case pattern":   "case " + strings.Repeat("x", n) + " in " + strings.Repeat("*x", n/3) + "y) a;; esac",
		"keywords":       fill("while "),
		"negations":      "[[ " + fill("! "),
		"questions":      "a $((" + fill("a?"),
		"braces":         fill("{1..9999}"),
		"subshells":      strings.Repeat("(", maxBrackets) + "a" + strings.Repeat(")", maxBrackets),
		"replacements":   "A=" + strings.Repeat("x", 400) + "; a" + strings.Repeat(" ${A//x/$A}", maxBrackets/2),
		"scopes":         strings.Repeat("V_$A=1; ", 3000) + strings.Repeat("(A=1 a);", maxBrackets/2),
		"launcher words": "numactl " + fill("python -u "),
	} {
		if len(script) >= maxScript {
			t.Errorf("%s: too long to be read", name)
		}
		commands := Commands([]string{"bash", "-c", script}, lookup(nil), engines)
		size := 0
		for _, c := range commands {
			for _, w := range c.Argv {
				size += len(w) + 1
			}
		}
		if size > 2*maxBytes+len(script) {
			t.Errorf("%s: %d bytes", name, size)
		}
	}
}

// FuzzCommands checks that no script hangs, panics or unfolds without bound.
func FuzzCommands(f *testing.F) {
	seeds, err := os.ReadFile("shell_test.go") // its own scripts, and a text full of quotes
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(seeds)) {
		var script, want string
		if n, _ := fmt.Sscanf(strings.TrimSpace(line), "{%q, %q},", &script, &want); n == 2 {
			f.Add(script, "x")
		}
	}
	f.Add(`A=$A$A$A; B=$A$A$A; eval "$B$B$B"`, "x")
	f.Add(`eval eval eval 'eval "$@"'`, "bash -c 'eval $@'")
	f.Fuzz(func(t *testing.T, script, arg string) {
		env := lookup(map[string]string{"A": arg, "B": "$A"})
		size := 0
		for _, c := range Commands([]string{"bash", "-c", script, "bash", arg}, env, engines) {
			if len(c.Argv) == 0 {
				t.Error("an empty command")
			}
			for _, word := range c.Argv {
				size += len(word)
			}
		}
		if size > 2*maxBytes+len(script)+len(arg) {
			t.Errorf("%d bytes out of %d", size, len(script)+len(arg))
		}
	})
}
