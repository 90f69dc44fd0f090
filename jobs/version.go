package main

import (
	"fmt"
	"runtime/debug"
)

// version is set by the linker; see programVersion.
var version string

// programVersion is what the linker was told, else what the Go command knows.
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

// Run is called by kong.
func (versionCommand) Run(p *program) error {
	_, err := fmt.Fprintln(p.stdout, "k8s-monitor", programVersion())
	return err
}
