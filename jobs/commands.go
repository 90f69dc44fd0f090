package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/alecthomas/kong"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/config"
	"github.com/company/k8s-resource-monitor/internal/demo"
	"github.com/company/k8s-resource-monitor/internal/gpu/nvml"
	"github.com/company/k8s-resource-monitor/internal/kube"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/jobs/alert/notify"
	"github.com/company/k8s-resource-monitor/jobs/rollup"
)

type snapshotCommand struct {
	exits
	GPUs          string `name:"gpus" enum:"dcgm,nvml,none" default:"dcgm" help:"${gpus_help}"`
	Usage         string `enum:"metrics-server,kubelet" default:"metrics-server" help:"${usage_help}"`
	Node          string `placeholder:"NAME" help:"With --gpus nvml: the name of the node on which this runs."`
	KubeletSocket string `placeholder:"FILE" default:"${kubelet_socket}" help:"${kubelet_socket_help}"`
}

// snapshotHelp are the texts of snapshotCommand's flags that are too long for a tag.
var snapshotHelp = kong.Vars{
	"gpus_help": "Where GPUs are read: dcgm, from the exporters in the cluster; nvml, from the driver on the node on which " +
		"this runs, and this run reads nothing else; none, in a cluster whose nodes each run with nvml, or without GPUs.",
	"usage_help": "Where CPU and memory usage is read: metrics-server, from metrics.k8s.io; kubelet, from each kubelet through " +
		"the API server, which is exact between samples and needs the verb get on nodes/proxy.",
	"kubelet_socket":      nvml.KubeletSocket,
	"kubelet_socket_help": "With --gpus nvml: the kubelet's pod-resources socket, which says which pod holds which GPU.",
}

// Run takes the samples of one minute. Kong calls it, as it calls Run of the other commands.
func (c *snapshotCommand) Run(ctx context.Context, p *program, f *flags) error {
	parts, err := p.parts(f)
	if err != nil {
		return err
	}
	job := parts.snapshot()
	job.NoExporters, job.Kubelets = c.GPUs != "dcgm", c.Usage == "kubelet"
	if c.GPUs == "nvml" {
		switch {
		case !nvml.Built:
			return wrongf("--gpus nvml: this program was built without cgo, which NVML needs: " +
				"build it with CGO_ENABLED=1, or use --gpus dcgm")
		case !layout.ValidName(c.Node):
			return wrongf("--node: --gpus nvml needs the name of the node on which this runs, not %q: "+
				"set %s from the field spec.nodeName", c.Node, variable("node"))
		}
		job.Node, job.KubeletSocket = c.Node, c.KubeletSocket
	}
	if job.Bucket, err = parts.bucket(ctx); err != nil {
		return err
	}
	if job.Node == "" {
		if job.Kube, err = kube.Open(f.Kubeconfig, programVersion()); err != nil {
			return configError{err}
		}
	}
	_, err = job.Run(ctx, f.at(p))
	return err
}

type rollupCommand struct {
	exits
	From   instant `placeholder:"TIME" help:"Compute all hours from this time again, also those that have not changed."`
	To     instant `placeholder:"TIME" help:"With --from: up to this time; without it, up to --at."`
	Shards int     `placeholder:"N" help:"With --from: only one of N parts, by JOB_COMPLETION_INDEX, which Indexed Jobs set."`
}

// Run computes what changed, or rebuilds a range.
func (c *rollupCommand) Run(ctx context.Context, p *program, f *flags) error {
	at, span := f.at(p), rollup.Range{From: c.From.Time, To: c.To.Time}
	switch {
	case span.From.IsZero() && !span.To.IsZero():
		return wrongf("--to: needs --from")
	case !span.From.IsZero() && span.To.IsZero():
		span.To = at
	}
	if !span.From.IsZero() && !span.From.Before(span.To) {
		return wrongf("--from: %v is not before %v", span.From, span.To)
	}
	span, err := c.shard(p, span)
	if err != nil {
		return err
	}
	parts, err := p.parts(f)
	if err != nil {
		return err
	}
	job, err := parts.rollup()
	if err != nil {
		return err
	}
	if job.Bucket, err = parts.bucket(ctx); err != nil {
		return err
	}
	job.Progress = p.rollupProgress()
	_, err = job.Run(ctx, at, span)
	return err
}

// rollupProgress writes how many hours a rollup has done into one line of a
// terminal; nil without a terminal.
func (p *program) rollupProgress() func(done, total int) {
	if !p.terminal {
		return nil
	}
	return func(done, total int) {
		fmt.Fprintf(p.stderr, "\r%d of %d hours", done, total)
		if done == total {
			fmt.Fprintln(p.stderr)
		}
	}
}

// shard returns this pod's part of the range, if it is a pod of an Indexed Job.
func (c *rollupCommand) shard(p *program, span rollup.Range) (rollup.Range, error) {
	const variable = "JOB_COMPLETION_INDEX"
	switch {
	case c.Shards == 0:
		return span, nil
	case c.Shards < 0:
		return span, wrongf("--shards: %d must be 1 or more", c.Shards)
	case span.From.IsZero():
		return span, wrongf("--shards: needs --from")
	}
	index, err := strconv.Atoi(p.env(variable))
	if err != nil || index < 0 || index >= c.Shards {
		return span, wrongf("%s: %q is not 0 to %d: an Indexed Job with as many completions as --shards sets it",
			variable, p.env(variable), c.Shards-1)
	}
	return span.Shard(index, c.Shards), nil
}

type alertCommand struct {
	exits
	DryRun bool `help:"Print the messages; post nothing and record nothing."`
}

// Run evaluates the rules, and posts what began and what ended.
func (c *alertCommand) Run(ctx context.Context, p *program, f *flags) error {
	parts, err := p.parts(f)
	if err != nil {
		return err
	}
	job, err := parts.alert()
	if err != nil {
		return err
	}
	if job.Bucket, err = parts.bucket(ctx); err != nil {
		return err
	}
	channels, err := notify.Channels(func(name string) (string, error) { return config.Secret(p.env, name) })
	if err != nil {
		return configError{err}
	}
	switch {
	case c.DryRun:
		job.Bucket = bucket.DryRun(job.Bucket, func(string, string) {})
	case len(channels) == 0:
		p.log.Warn("no channel for alerts: messages are printed; set one of these, or its name with _FILE",
			"variables", notify.Secrets())
	default:
		job.Channels = channels
	}
	if _, err = job.Run(ctx, f.at(p)); errors.Is(err, notify.ErrRefused) {
		return configError{err}
	}
	return err
}

type pruneCommand struct {
	exits
	DryRun bool `help:"Print what would be deleted and why; delete nothing."`
}

// Run deletes what is older than its retention.
func (c *pruneCommand) Run(ctx context.Context, p *program, f *flags) error {
	parts, err := p.parts(f)
	if err != nil {
		return err
	}
	job := parts.prune()
	if job.Bucket, err = parts.bucket(ctx); err != nil {
		return err
	}
	if c.DryRun {
		job.Bucket = bucket.DryRun(job.Bucket, func(string, string) {})
		job.Out = p.stdout
	}
	_, err = job.Run(ctx, f.at(p))
	return err
}

type demoCommand struct {
	exits
	Days   int    `default:"1" help:"How many days of history to simulate."`
	Nodes  int    `help:"How many nodes the simulated cluster has; 0: a fleet of 14."`
	Once   bool   `help:"Write the history and exit."`
	Dir    string `placeholder:"DIR" help:"The directory of the bucket; without it, a temporary one."`
	Listen string `default:"127.0.0.1:8080" help:"Serve the report at this address."`
}

// Run runs all jobs with a simulated cluster, or with the one of --kubeconfig, and serves the report.
func (c *demoCommand) Run(ctx context.Context, p *program, f *flags) error {
	if c.Days < 0 || c.Days > 60 {
		return wrongf("--days: %d is not between 0 and 60", c.Days)
	}
	if c.Nodes < 0 || c.Nodes > 5000 {
		return wrongf("--nodes: %d is not between 0 and 5000", c.Nodes)
	}
	parts, err := p.parts(f)
	if err != nil {
		return err
	}
	d := demo.Demo{Days: c.Days, Nodes: c.Nodes, Once: c.Once, Dir: c.Dir, Listen: c.Listen, Kubeconfig: f.Kubeconfig,
		Snapshot: parts.snapshot(), Prune: parts.prune(), Now: p.now, Wait: wait, Out: p.stdout, Log: p.log}
	if d.Rollup, err = parts.rollup(); err != nil {
		return err
	}
	d.Rollup.Progress = p.rollupProgress()
	if d.Alert, err = parts.alert(); err != nil {
		return err
	}
	return d.Run(ctx)
}
