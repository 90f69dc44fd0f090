package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/company/k8s-resource-monitor/internal/kube"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/serving"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

type identifyCommand struct {
	exits
	Files []string `arg:"" optional:"" name:"file" help:"${identify_help}"`
}

// identifyHelp is the text of identifyCommand's argument, which is too long for a tag.
var identifyHelp = kong.Vars{"identify_help": "Files with pods as kubectl get pods -o json or -o yaml prints them, or " +
	"NAMESPACE/POD for a pod of the cluster; - or nothing reads the standard input."}

// identified is the JSON line for a pod.
type identified struct {
	Namespace    string            `json:"namespace"`
	Pod          string            `json:"pod"`
	Engine       string            `json:"engine"`
	Model        usage.Opt[string] `json:"model"`
	ModelPath    usage.Opt[string] `json:"model_path"`
	Role         usage.Opt[string] `json:"role"`
	ReplicaGroup usage.Opt[string] `json:"replica_group"`
	MetricsPort  usage.Opt[int32]  `json:"metrics_port"`
	IsAPIServer  bool              `json:"is_api_server"`
	IdentifiedBy []string          `json:"identified_by"`
}

// Run prints a line for each pod. It reads everything before it prints anything, so an error leaves no part of the output.
func (c *identifyCommand) Run(ctx context.Context, p *program, f *flags) error {
	if len(c.Files) == 0 {
		c.Files = []string{"-"}
	}
	var out bytes.Buffer
	lines := json.NewEncoder(&out)
	for _, from := range c.Files {
		pods, err := p.readPods(ctx, f, from)
		if err != nil {
			return err
		}
		for _, d := range pods {
			id := serving.Identify(d)
			err := lines.Encode(identified{
				Namespace: d.Row.Namespace, Pod: d.Row.Pod, Engine: id.Engine, Model: id.Model, ModelPath: id.ModelPath,
				Role: id.Role, ReplicaGroup: id.ReplicaGroup, MetricsPort: usage.SomeUnless(id.MetricsPort, 0),
				IsAPIServer: id.IsAPIServer, IdentifiedBy: append([]string{}, id.Evidence...),
			})
			if err != nil {
				return err
			}
		}
	}
	_, err := out.WriteTo(p.stdout)
	return err
}

// readPods reads the pods in a file or the standard input. If from is not a file and has the form NAMESPACE/POD, it reads
// that pod from the cluster.
func (p *program) readPods(ctx context.Context, f *flags, from string) ([]*usage.PodDetail, error) {
	if from == "-" {
		body, err := io.ReadAll(p.stdin)
		if err != nil {
			return nil, err
		}
		return parsePods("standard input", body)
	}
	body, err := os.ReadFile(from)
	namespace, name, _ := strings.Cut(from, "/")
	if errors.Is(err, fs.ErrNotExist) && layout.ValidName(namespace) && layout.ValidName(name) {
		cluster, err := kube.Open(f.Kubeconfig, programVersion())
		if err != nil {
			return nil, configError{fmt.Errorf("%s is not a file, and there is no cluster to read it from: %w", from, err)}
		}
		d, err := cluster.Pod(ctx, namespace, name)
		return []*usage.PodDetail{d}, err
	}
	if err != nil {
		return nil, configError{err}
	}
	return parsePods(from, body)
}

// place is a position in a parser's error: a line, counted from 1, or an offset in bytes.
var place = regexp.MustCompile(`\b(line|offset) (\d+): `)

// parsePods reads the documents in body one by one, so that an error can tell the line in the whole text.
func parsePods(name string, body []byte) (pods []*usage.PodDetail, err error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, wrongf("%s is empty; pass pods as kubectl get pods -o json prints them", name)
	}
	for line := 1; len(body) > 0; {
		document := body
		if end := bytes.Index(body, []byte("\n---")); end >= 0 {
			document = body[:end+1]
		}
		body = body[len(document):]
		read, err := kube.ReadPods(bytes.NewReader(document))
		if err != nil {
			text := strings.TrimPrefix(err.Error(), "document 1: ")
			if at := place.FindStringSubmatch(text); at != nil {
				text = strings.Replace(text, at[0], "", 1)
				n, _ := strconv.Atoi(at[2]) // digits
				if at[1] == "offset" {
					n = 1 + bytes.Count(document[:min(n, len(document))], []byte("\n"))
				}
				line += n - 1
			}
			return nil, configError{fmt.Errorf("%s:%d: %s", name, line, text)}
		}
		pods = append(pods, read...)
		line += bytes.Count(document, []byte("\n"))
	}
	return pods, nil
}
