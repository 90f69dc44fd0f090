//go:build cluster

package cluster

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// loadImage packs the program load as the image load:1.
func loadImage(t *testing.T, dir string) (archive string) {
	t.Helper()
	program := filepath.Join(dir, "load")
	c := exec.Command("go", "build", "-trimpath", "-o", program, "./load")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	output(t, c)
	body, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	must(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "load", Mode: 0o555, Size: int64(len(body))}))
	_, err = w.Write(body)
	must(t, err)
	must(t, w.Close())
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: runtime.GOARCH,
		RootFS: v1.RootFS{Type: "layers"}, Config: v1.Config{Entrypoint: []string{"/load"}}})
	must(t, err)
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer.Bytes())), nil })
	must(t, err)
	image, err = mutate.AppendLayers(image, l)
	must(t, err)
	tag, err := name.NewTag("load:1")
	must(t, err)
	archive = filepath.Join(dir, "load.tar")
	must(t, tarball.WriteToFile(archive, tag, image))
	return archive
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
