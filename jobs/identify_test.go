package main

import (
	"strings"
	"testing"
)

const (
	podYAML = `apiVersion: v1
kind: Pod
metadata: {name: llama-0, namespace: models}
spec:
  containers:
  - name: main
    image: vllm/vllm-openai:v0.11.0
    command: [vllm, serve, org/llama, --api-key, S3CRET, --served-model-name, "llama"]
    env: [{name: HF_TOKEN, value: S3CRET}]
`
	podJSON = `{"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "web", "namespace": "shop"},
 "spec": {"containers": [{"name": "web", "image": "nginx"}]}}`
	podLines = `{"namespace":"models","pod":"llama-0","engine":"vllm","model":"llama","model_path":"org/llama",` +
		`"role":null,"replica_group":null,` +
		`"metrics_port":8000,"is_api_server":true,"identified_by":["` + "`vllm serve` in command" + `","image vllm/vllm-openai"]}
`
	webLine = `{"namespace":"shop","pod":"web","engine":"","model":null,"model_path":null,"role":null,"replica_group":null,` +
		`"metrics_port":null,"is_api_server":false,"identified_by":[]}
`
)

func TestIdentify(t *testing.T) {
	yaml, json := write(t, "pod.yaml", podYAML), write(t, "pod.json", podJSON)
	list := `{"kind": "List", "apiVersion": "v1", "items": [` + podJSON + `, ` + podJSON + `]}`
	for name, test := range map[string]struct {
		stdin string
		args  []string
		want  string
	}{
		"YAML":               {podYAML, nil, podLines},
		"JSON behind a dash": {podJSON, []string{"-"}, webLine},
		"documents":          {"---\n" + podYAML + "--- # the second\n" + podJSON + "\n---\n", nil, podLines + webLine},
		"JSON documents":     {podJSON + podJSON, nil, webLine + webLine},
		"list":               {list, nil, webLine + webLine},
		"typed list":         {`{"kind": "PodList", "apiVersion": "v1", "items": []}`, nil, ""},
		"files":              {podJSON, []string{yaml, json, "-"}, podLines + webLine + webLine},
	} {
		code, stdout, stderr := invoke(t, map[string]string{"stdin": test.stdin}, append([]string{"identify"}, test.args...)...)
		if code != 0 || stdout != test.want || stderr != "" {
			t.Errorf("%s: exit code %d and\n%s%s\nwant\n%s", name, code, stdout, stderr, test.want)
		}
	}
}

// An error names the line, and nothing else is printed: neither the pods before it, nor anything of the wrong one.
func TestIdentifyErrors(t *testing.T) {
	for name, test := range map[string]struct{ text, says string }{
		"nothing":         {" \n", " is empty"},
		"YAML":            {podYAML + "   wrong: S3CRET\n", ":9: "},
		"second document": {podYAML + "---\na: b\n c: S3CRET\n", ":12: "},
		"kind":            {podYAML + "---\nkind: Secret\ndata: {a: S3CRET}\n", `:10: it is a \"Secret\", not a Pod`},
		"no kind":         {"a: S3CRET\n", ":1: no kind is given"},
		"JSON":            {"{\"kind\": \"Pod\",\n\"S3CRET\" 1}", ":2: "},
		"half of JSON":    {"{\"kind\": \"Pod\",\n\"metadata\": {", ": unexpected EOF"},
		"type":            {`{"kind": "Pod", "metadata": {"name": 3}}`, ":1: "},
		"text":            {"S3CRET", ":1: "},
		"list of others":  {`{"kind": "List", "items": [` + podJSON + `, {"kind": "Node"}]}`, `the list holds a \"Node\"`},
	} {
		file := write(t, "pods.txt", test.text)
		code, stdout, stderr := invoke(t, nil, "identify", file)
		if code != 2 || stdout != "" || !strings.Contains(stderr, file) || !strings.Contains(stderr, test.says) ||
			strings.Contains(stderr, "S3CRET") {
			t.Errorf("%s: exit code %d, %q and\n%swant %s", name, code, stdout, stderr, test.says)
		}
	}
	if code, _, stderr := invoke(t, nil, "identify", "/nonexistent"); code != 2 || !strings.Contains(stderr, "/nonexistent: no such file") {
		t.Errorf("exit code %d and %s", code, stderr)
	}
	if code, _, stderr := invoke(t, map[string]string{"stdin": "a: b"}, "identify"); code != 2 || !strings.Contains(stderr,
		"standard input:1: ") {
		t.Errorf("exit code %d and %s", code, stderr)
	}
}
