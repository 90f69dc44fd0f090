package main

import (
	"errors"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/company/k8s-resource-monitor/internal/config"
	"github.com/company/k8s-resource-monitor/internal/layout"
)

// commandLine is the grammar of the command line.
type commandLine struct {
	Flags    flags           `embed:""`
	Snapshot snapshotCommand `cmd:"" help:"Sample the cluster for one minute."`
	Rollup   rollupCommand   `cmd:"" help:"Compute statistics and the report from the samples."`
	Alert    alertCommand    `cmd:"" help:"Evaluate the alert rules, and post what began and what ended."`
	Prune    pruneCommand    `cmd:"" help:"Delete what is older than its retention."`
	Identify identifyCommand `cmd:"" help:"Tell which model each pod serves, with which engine, and by what evidence."`
	SQL      sqlCommand      `cmd:"" name:"sql" help:"Print SQL that creates views over the bucket, or a question over them."`
	Demo     demoCommand     `cmd:"" help:"Run everything on this machine, with a simulated cluster."`
	Version  versionCommand  `cmd:"" help:"Print the version."`
}

// flags are the flags of every command. They override the settings file.
type flags struct {
	Config     string  `placeholder:"FILE" help:"The settings, a YAML file; without it, every setting has its default."`
	Bucket     string  `placeholder:"URL" help:"The bucket: s3://NAME/PREFIX or file:///DIR."`
	Cluster    string  `placeholder:"NAME" help:"The cluster's name in the bucket and on the site."`
	Kubeconfig string  `placeholder:"FILE" help:"How to reach the cluster; else KUBECONFIG, the pod's own account or ~/.kube/config."`
	At         instant `placeholder:"TIME" help:"The minute to work for, such as 2026-01-31T10:00:00Z; without it, this minute."`
}

// exits adds the exit codes to the help of a command.
type exits struct{}

// Help is the text that kong prints after the usage.
func (exits) Help() string {
	return "Exit codes: 0 done (what could not be measured is recorded), 1 failed and worth a retry, 2 wrong configuration."
}

// variable is the name of the environment variable for a flag.
func variable(flag string) string {
	return "K8S_MONITOR_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fromEnvironment sets the flags that are not on the command line from their environment variables.
func fromEnvironment(env func(string) string) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if value := env(variable(flag.Name)); value != "" {
			return value, nil
		}
		return nil, nil
	})
}

// helpWithVariable adds the name of its environment variable to a flag's help.
func helpWithVariable(value *kong.Value) string {
	if value.Flag == nil || value.Name == "help" {
		return value.Help
	}
	return value.Help + " ($" + variable(value.Name) + ")"
}

// instant is a time on the command line.
type instant struct{ time.Time }

// UnmarshalText reads RFC 3339.
func (i *instant) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return errors.New("must be a time such as 2026-01-31T10:00:00Z")
	}
	i.Time = t.UTC()
	return nil
}

// at is the minute for which the run works. The pod of a CronJob starts some seconds after its schedule, in the same
// minute.
func (f *flags) at(p *program) time.Time {
	if f.At.IsZero() {
		return p.minute()
	}
	return f.At.Truncate(time.Minute)
}

// settings reads the settings file and applies the flags to it.
func (f *flags) settings() (config.Config, error) {
	c := config.Default()
	if f.Config != "" {
		body, err := os.ReadFile(f.Config)
		if err != nil {
			return c, wrongf("--config: %w", err)
		}
		if c, err = config.Load(f.Config, body); err != nil {
			return c, configError{err}
		}
	}
	if f.Cluster != "" {
		if !layout.ValidCluster(f.Cluster) {
			return c, wrongf("--cluster: %q cannot be the name of a cluster: use at most 63 lower-case letters, digits, '-' and '.'",
				f.Cluster)
		}
		c.Cluster = f.Cluster
	}
	if f.Bucket != "" {
		c.Bucket = f.Bucket
	}
	return c, nil
}
