package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/config"
	"github.com/company/k8s-resource-monitor/internal/demo"
	"github.com/company/k8s-resource-monitor/internal/gpu"
	"github.com/company/k8s-resource-monitor/internal/kube"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/jobs/alert/notify"
	"github.com/company/k8s-resource-monitor/jobs/rollup"
)

type snapshotCommand struct {
	exits
	GPUs          string `name:"gpus" enum:"dcgm,nvml,none" default:"dcgm" help:"Where GPUs are read: dcgm, from the exporters in the cluster; nvml, on the node that this runs on, and nothing else than them; none, elsewhere."`
	Usage         string `enum:"metrics-server,kubelet" default:"metrics-server" help:"Where CPU and memory usage is read: metrics-server, from metrics.k8s.io; kubelet, from each kubelet through the API server, exact between samples, for accounts that may get nodes/proxy."`
	Node          string `placeholder:"NAME" help:"With --gpus nvml: the node that this runs on."`
	KubeletSocket string `placeholder:"FILE" default:"/var/lib/kubelet/pod-resources/kubelet.sock" help:"With --gpus nvml: the kubelet's pod-resources, which say which pod holds which GPU."`
}

// Run is called by kong, as are those below.
func (c *snapshotCommand) Run(ctx context.Context, p *program, f *flags) error {
	parts, err := p.parts(f)
	if err != nil {
		return err
	}
	job := parts.snapshot()
	job.NoExporters, job.Kubelets = c.GPUs != "dcgm", c.Usage == "kubelet"
	if c.GPUs == "nvml" {
		switch {
		case !gpu.HasNVML:
			return wrongf("--gpus nvml: this program was built without cgo, which NVML needs: build it with CGO_ENABLED=1, or use --gpus dcgm")
		case !layout.ValidName(c.Node):
			return wrongf("--node: --gpus nvml wants the name of the node that this runs on, not %q: set %s from the field spec.nodeName", c.Node, variable("node"))
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
	From   instant `placeholder:"TIME" help:"Rebuild the hours from here, whether they changed or not."`
	To     instant `placeholder:"TIME" help:"Rebuild up to here; without it, up to --at."`
	Shards int     `placeholder:"N" help:"Rebuild one of N parts: the one that JOB_COMPLETION_INDEX names, as Indexed Jobs set it."`
}

func (c *rollupCommand) Run(ctx context.Context, p *program, f *flags) error {
	at, span := f.at(p), rollup.Range{From: c.From.Time, To: c.To.Time}
	switch {
	case span.From.IsZero() && !span.To.IsZero():
		return wrongf("--to: goes with --from")
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
	if p.terminal {
		job.Progress = func(done, total int) {
			fmt.Fprintf(p.stderr, "\r%d of %d hours", done, total)
			if done == total {
				fmt.Fprintln(p.stderr)
			}
		}
	}
	_, err = job.Run(ctx, at, span)
	return err
}

// shard is the part of the range that is this pod's, where it is one of an
// Indexed Job.
func (c *rollupCommand) shard(p *program, span rollup.Range) (rollup.Range, error) {
	const variable = "JOB_COMPLETION_INDEX"
	switch {
	case c.Shards == 0:
		return span, nil
	case c.Shards < 0:
		return span, wrongf("--shards: %d is not 1 or more", c.Shards)
	case span.From.IsZero():
		return span, wrongf("--shards: goes with --from")
	}
	index, err := strconv.Atoi(p.env(variable))
	if err != nil || index < 0 || index >= c.Shards {
		return span, wrongf("%s: %q is not 0 to %d: an Indexed Job whose completions are the number of --shards sets it", variable, p.env(variable), c.Shards-1)
	}
	return span.Shard(index, c.Shards), nil
}

type alertCommand struct {
	exits
	DryRun bool `help:"Print the messages, and post and record nothing."`
}

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
	DryRun bool `help:"Print what would be deleted and why, and delete nothing."`
}

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
	Days   int    `default:"1" help:"Days of history to simulate before now."`
	Nodes  int    `help:"Nodes of the simulated cluster; 0 is a fleet of 14."`
	Once   bool   `help:"Fill the bucket and end."`
	Dir    string `placeholder:"DIR" help:"Keep the bucket in this directory; without it, in a temporary one."`
	Listen string `default:"127.0.0.1:8080" help:"Serve the report at this address."`
}

func (c *demoCommand) Run(ctx context.Context, p *program, f *flags) error {
	if c.Days < 0 || c.Days > 60 {
		return wrongf("--days: %d is not 0 to 60", c.Days)
	}
	if c.Nodes < 0 || c.Nodes > 5000 {
		return wrongf("--nodes: %d is not 0 to 5000", c.Nodes)
	}
	parts, err := p.parts(f)
	if err != nil {
		return err
	}
	d := demo.Demo{Days: c.Days, Nodes: c.Nodes, Once: c.Once, Dir: c.Dir, Listen: c.Listen, Kubeconfig: f.Kubeconfig,
		Snapshot: parts.snapshot(), Prune: parts.prune(), Now: p.now, Wait: wait, Out: p.stdout, Terminal: p.terminal, Log: p.log}
	if d.Rollup, err = parts.rollup(); err != nil {
		return err
	}
	if d.Alert, err = parts.alert(); err != nil {
		return err
	}
	return d.Run(ctx)
}
