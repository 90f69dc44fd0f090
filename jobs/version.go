package main

import (
	"fmt"
	"runtime/debug"
)

// version is set by the linker (see the Makefile); programVersion is what to use.
var version string

// programVersion is the version set by the linker, else the one that the Go command recorded, else "devel".
func programVersion() string {
	if info, ok := debug.ReadBuildInfo(); version == "" && ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	if version == "" {
		return "devel"
	}
	return version
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(p *program) error {
	_, err := fmt.Fprintln(p.stdout, "k8s-monitor", programVersion())
	return err
}
