// Package site holds the built report site, embedded in the program. The
// sources in this folder (TypeScript) are built into dist, which is not kept
// in version control; a program that is compiled without it works in all but
// the publishing of the site. Where the files go is not known here (layout),
// nor what the site reads (report).
package site

import (
	"embed"
	"errors"
	"io/fs"
	"slices"
	"strings"
)

//go:embed all:dist
var dist embed.FS

// ErrNotBuilt reports a program that was compiled before the site was built.
var ErrNotBuilt = errors.New("the report site is not in this program: run `npm ci && npm run build` in site/, then compile again")

const index = "index.html"

// Files returns the site's files and their names, relative to the site's root
// ("index.html", "assets/…"), in the order in which they are to be written:
// index.html last, so that a reader never finds it without what it names.
// Names below assets/ carry a hash of their content and never change; the
// others do. It returns ErrNotBuilt if there are none.
func Files() (fs.FS, []string, error) {
	root, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, nil, err
	}
	names, err := list(root)
	return root, names, err
}

func list(root fs.FS) ([]string, error) {
	var names []string
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasPrefix(name, ".") && name != index {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	if _, err := fs.Stat(root, index); err != nil {
		return nil, ErrNotBuilt
	}
	return append(names, index), nil
}
