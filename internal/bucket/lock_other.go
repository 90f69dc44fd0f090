//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package bucket

import "context"

// lockFile has no lock to take between processes here.
func lockFile(context.Context, string) (unlock func(), err error) { return func() {}, nil }
