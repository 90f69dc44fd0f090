package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// invoke runs the program with arguments and environment variables, and returns the exit code and what it printed. The
// variable stdin is its standard input.
func invoke(t *testing.T, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	code = run(t.Context(), args, func(key string) string { return env[key] }, strings.NewReader(env["stdin"]), &out, &log)
	return code, out.String(), log.String()
}

func write(t *testing.T, name, body string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestExitCodes(t *testing.T) {
	dir := "file://" + t.TempDir()
	good := write(t, "good.yaml", "cluster: from-file\nbucket: "+dir+"\n")
	wrongKey := write(t, "wrong.yaml", "cluster: a\ncollection:\n  intervall: 30s\n")
	wrongRule := write(t, "rule.yaml",
		"alerts:\n  rules:\n    - name: hot\n      on: pod\n      when: cpu_percnt > 1.0\n      severity: WARNING\n      summary: hot\n")
	oneSample := write(t, "one.yaml", "collection: {interval: 1m}\n") // else the run waits for the second
	unreachable := write(t, "kubeconfig", `{apiVersion: v1, kind: Config, current-context: c,
		clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}], users: [{name: u, user: {token: t}}],
		contexts: [{name: c, context: {cluster: c, user: u}}]}`)

	tests := []struct {
		name string
		env  map[string]string
		args []string
		code int
		says string // part of the one error
	}{
		{"version", nil, []string{"version"}, 0, ""},
		{"help", nil, []string{"--help"}, 0, ""},
		{"help of a command", nil, []string{"snapshot", "--help"}, 0, ""},
		{"no command", nil, nil, 2, "expected one of"},
		{"unknown command", nil, []string{"snapshoot"}, 2, `did you mean \"snapshot\"`},
		{"unknown flag", nil, []string{"snapshot", "--clutser", "a"}, 2, "unknown flag --clutser"},
		{"bad at", nil, []string{"snapshot", "--at", "yesterday"}, 2, "--at: must be a time such as 2026-01-31T10:00:00Z"},
		{"bad at by variable", map[string]string{"K8S_MONITOR_AT": "yesterday"}, []string{"prune"}, 2, "--at: must be a time"},
		{"no settings file", nil, []string{"prune", "--config", "/nonexistent.yaml"}, 2, "--config: open /nonexistent.yaml: no such file"},
		{"wrong key", nil, []string{"prune", "--config", wrongKey}, 2,
			"wrong.yaml:3: collection.intervall: unknown key; did you mean collection.interval?"},
		{"wrong key by variable", map[string]string{"K8S_MONITOR_CONFIG": wrongKey}, []string{"snapshot"}, 2, "wrong.yaml:3:"},
		{"wrong rule", nil, []string{"alert", "--config", wrongRule, "--bucket", dir}, 2, "rule.yaml:5"},
		{"bad cluster", nil, []string{"prune", "--bucket", dir, "--cluster", "Prod"}, 2, `--cluster: \"Prod\" cannot be the name of a cluster`},
		{"bad bucket", nil, []string{"prune", "--bucket", "ftp://x"}, 2, `unknown scheme \"ftp\"; want s3 or file`},
		{"no bucket", nil, []string{"snapshot"}, 2, "no bucket: set --bucket, K8S_MONITOR_BUCKET or bucket in the settings"},
		{"bad kubeconfig", nil, []string{"snapshot", "--bucket", dir, "--kubeconfig", "/nonexistent"}, 2, "/nonexistent"},
		{"unreachable API server", nil, []string{"snapshot", "--config", oneSample, "--bucket", dir, "--kubeconfig", unreachable}, 1,
			"127.0.0.1:1"},
		{"to without from", nil, []string{"rollup", "--bucket", dir, "--to", "2026-01-31T10:00:00Z"}, 2, "--to: needs --from"},
		{"from after to", nil, []string{"rollup", "--bucket", dir, "--from", "2026-01-31T10:00:00Z", "--at", "2026-01-31T09:00:00Z"}, 2,
			"is not before"},
		{"two webhooks", map[string]string{"SLACK_WEBHOOK_URL": "https://x", "SLACK_WEBHOOK_URL_FILE": "/x"}, []string{"alert",
			"--config", good}, 2, "both SLACK_WEBHOOK_URL and SLACK_WEBHOOK_URL_FILE are set"},
		{"bad webhook", map[string]string{"SLACK_WEBHOOK_URL": "S3CRET"}, []string{"alert", "--config", good}, 2,
			"the Slack webhook is not an https URL"},
		{"no days", nil, []string{"demo", "--days=-1"}, 2, "--days: -1 is not between 0 and 60"},
		{"prune of nothing", nil, []string{"prune", "--config", good}, 0, ""},
		{"alert on nothing", nil, []string{"alert", "--config", good, "--dry-run"}, 0, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			code, _, stderr := invoke(t, test.env, test.args...)
			if code != test.code || !strings.Contains(stderr, test.says) {
				t.Errorf("exit code %d and\n%s\nwant %d and %s", code, stderr, test.code, test.says)
			}
			if strings.Contains(stderr, "S3CRET") {
				t.Errorf("a secret is in %s", stderr)
			}
			errors := 0
			for line := range strings.Lines(stderr) {
				var entry struct{ Level, Msg string }
				if err := json.Unmarshal([]byte(line), &entry); err != nil {
					t.Errorf("not a line of JSON: %s", line)
				}
				if entry.Level == "ERROR" {
					errors++
				}
			}
			if want := min(code, 1); errors != want {
				t.Errorf("%d errors are logged, want %d:\n%s", errors, want, stderr)
			}
		})
	}
}

// A flag overrides its variable, and the variable the settings file.
func TestPrecedence(t *testing.T) {
	file := write(t, "c.yaml", "cluster: from-file\nbucket: file:///from-file\n")
	for _, test := range []struct {
		flag, variable, want string
	}{
		{"", "", "from-file"},
		{"", "from-variable", "from-variable"},
		{"from-flag", "from-variable", "from-flag"},
	} {
		var seen string
		line := []string{"--config", file, "version"}
		if test.flag != "" {
			line = append(line, "--cluster", test.flag)
		}
		p := &program{env: func(key string) string {
			return map[string]string{"K8S_MONITOR_CLUSTER": test.variable}[key]
		}, stdout: new(bytes.Buffer), stderr: new(bytes.Buffer)}
		_, f, err := p.parse(line)
		if err != nil {
			t.Fatal(err)
		}
		c, err := f.settings()
		if seen = c.Cluster; err != nil || seen != test.want {
			t.Errorf("flag %q, variable %q: the cluster is %q, %v; want %q", test.flag, test.variable, seen, err, test.want)
		}
		if c.Bucket != "file:///from-file" {
			t.Errorf("the bucket is %q", c.Bucket)
		}
	}
}

// The help of each command states the exit codes, and of each flag its variable.
func TestHelp(t *testing.T) {
	for _, command := range []string{"snapshot", "rollup", "alert", "prune", "identify", "sql", "demo"} {
		_, stdout, _ := invoke(t, nil, command, "--help")
		words := strings.Join(strings.Fields(stdout), " ")
		for _, want := range []string{"Exit codes: 0 done", "1 failed and worth a retry", "2 wrong configuration",
			"($K8S_MONITOR_CONFIG)", "($K8S_MONITOR_BUCKET)", "($K8S_MONITOR_CLUSTER)", "($K8S_MONITOR_KUBECONFIG)", "($K8S_MONITOR_AT)"} {
			if !strings.Contains(words, want) {
				t.Errorf("the help of %s does not say %q:\n%s", command, want, stdout)
			}
		}
	}
}

// A signal ends the run with a reason and exit code 1, so that it is tried again.
func TestStopped(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var log bytes.Buffer
	code := run(ctx, []string{"prune", "--bucket", "file://" + t.TempDir()}, func(string) string { return "" }, strings.NewReader(""),
		new(bytes.Buffer), &log)
	if code != exitFailed || !strings.Contains(log.String(), "stopped by a signal") {
		t.Errorf("exit code %d and %s", code, log.String())
	}
}
