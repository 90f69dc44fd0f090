// Command k8s-monitor is the Kubernetes Resource Monitor: the scheduled jobs that sample a cluster into a bucket, compute
// statistics and the report, post alerts and delete what is old, and the demo that runs them all. This package only reads
// flags, settings and secrets, and connects the parts.
//
// # Exit codes
//
//	0  done; what could not be measured is recorded as a gap
//	1  failed, and worth a retry
//	2  wrong configuration; a retry does not help
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/views"
)

const (
	exitDone   = 0
	exitFailed = 1
	exitConfig = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program: it parses args, runs the command and returns the exit code.
func run(ctx context.Context, args []string, env func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &program{env: env, stdin: stdin, stdout: stdout, stderr: stderr, terminal: isTerminal(stderr), now: time.Now}
	p.log = newLog(stderr, p.terminal)
	err := p.execute(ctx, args)
	if err == nil {
		return exitDone
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errors.New("stopped by a signal; nothing is half-written, run it again")
	}
	if p.terminal {
		fmt.Fprintf(stderr, "k8s-monitor: %v\n", err)
	} else {
		p.log.Error(err.Error())
	}
	return exitCode(err)
}

func exitCode(err error) int {
	var wrong configError
	var url *bucket.URLError
	if errors.As(err, &wrong) || errors.As(err, &url) {
		return exitConfig
	}
	return exitFailed
}

// configError is an error in the flags, settings or secrets.
type configError struct{ error }

func (e configError) Unwrap() error { return e.error }

func wrongf(format string, args ...any) error { return configError{fmt.Errorf(format, args...)} }

// program is the process as commands see it; tests make one of their own.
type program struct {
	env            func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer
	terminal       bool // whether stderr is a terminal
	log            *slog.Logger
	now            func() time.Time
}

// minute is the current minute.
func (p *program) minute() time.Time { return p.now().UTC().Truncate(time.Minute) }

func (p *program) execute(ctx context.Context, args []string) error {
	command, flags, err := p.parse(args)
	if err != nil || command == nil {
		return err
	}
	command.BindTo(ctx, (*context.Context)(nil))
	return command.Run(p, flags)
}

// parse reads the command line and the environment. The command is nil if help was asked for and has been printed.
func (p *program) parse(args []string) (*kong.Context, *flags, error) {
	var line commandLine
	helped := false // kong continues after printing the help, and then reports arguments that are missing
	parser, err := kong.New(&line,
		kong.Name("k8s-monitor"),
		kong.Description("Samples a Kubernetes cluster that serves models into Parquet files, and makes reports and alerts from them."),
		kong.Vars{"questions": strings.Join(views.QuestionNames, ", ")},
		snapshotHelp,
		identifyHelp,
		kong.Writers(p.stdout, p.stderr),
		kong.Exit(func(int) { helped = true }),
		kong.Resolvers(fromEnvironment(p.env)),
		kong.ValueFormatter(helpWithVariable),
	)
	if err != nil {
		return nil, nil, err
	}
	command, err := parser.Parse(args)
	switch {
	case helped:
		return nil, nil, nil
	case err != nil:
		return nil, nil, wrongf("%w; see k8s-monitor --help", err)
	}
	return command, &line.Flags, nil
}

// newLog logs readable lines on a terminal and JSON to everything else.
func newLog(w io.Writer, terminal bool) *slog.Logger {
	if !terminal {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{} // a person at a terminal knows the time
		}
		return a
	}}))
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
