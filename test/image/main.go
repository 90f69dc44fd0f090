// Command image packs k8s-monitor into an OCI image of its own, one for each
// architecture, without a container runtime: it compiles the program, lays it
// on an empty base and writes NAME-ARCH.tar, which any runtime loads:
//
//	docker load --input k8s-monitor-amd64.tar
//	ctr --namespace k8s.io images import k8s-monitor-amd64.tar
//
// and a registry takes with any tool that pushes such an archive. Beside the
// program the image holds the certificate authorities of Mozilla's list, as the
// module x509roots pins them: an empty base has none, the build machine's would
// make the image depend on where it was built, and a file (rather than roots
// inside the program) can be mounted over where a store has an authority of
// its own. The same sources make the same bytes.
package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

const (
	program = "k8s-monitor"
	user    = "65532:65532" // nobody's; the manifests name it too
	roots   = "etc/ssl/certs/ca-certificates.crt"
)

func main() {
	source := flag.String("source", "..", "the root of the module to compile")
	out := flag.String("out", "../bin", "the folder to write to")
	version := flag.String("version", "devel", "the program's version, and the image's tag")
	flag.Parse()
	for _, arch := range []string{"amd64", "arm64"} {
		file, err := pack(*source, *out, *version, arch)
		if err != nil {
			fmt.Fprintf(os.Stderr, "image: linux/%s: %v\n", arch, err)
			os.Exit(1)
		}
		fmt.Println(file)
	}
}

// pack compiles and writes one image, and returns the name of its file.
func pack(source, out, version, arch string) (string, error) {
	tag, err := name.NewTag(program + ":" + version)
	if err != nil {
		return "", err
	}
	binary, err := compile(source, version, arch)
	if err != nil {
		return "", err
	}
	image, err := build(binary, version, arch)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return "", err
	}
	file := filepath.Join(out, program+"-"+arch+".tar")
	return file, tarball.WriteToFile(file, tag, image)
}

// compile returns the program as a static executable.
func compile(source, version, arch string) ([]byte, error) {
	folder, err := os.MkdirTemp("", "image")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	file, err := filepath.Abs(filepath.Join(folder, program))
	if err != nil {
		return nil, err
	}
	compiler := exec.Command("go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags=-s -w -buildid= -X main.version="+version, "-o", file, "./jobs")
	compiler.Dir = source
	compiler.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	compiler.Stderr = os.Stderr
	if err := compiler.Run(); err != nil {
		return nil, fmt.Errorf("go build: %w", err)
	}
	return os.ReadFile(file)
}

// build makes the image of one executable.
func build(binary []byte, version, arch string) (v1.Image, error) {
	var authorities bytes.Buffer
	for root := range bundle.Roots() {
		if err := pem.Encode(&authorities, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			return nil, err
		}
	}
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		OS: "linux", Architecture: arch,
		RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{
			Entrypoint: []string{"/" + program},
			User:       user,
			Labels:     map[string]string{"org.opencontainers.image.title": program, "org.opencontainers.image.version": version},
		},
	})
	if err != nil {
		return nil, err
	}
	// The authorities rarely change, so they lie below the program.
	for _, f := range []struct {
		path string
		mode int64
		body []byte
	}{{roots, 0o444, authorities.Bytes()}, {program, 0o555, binary}} {
		layer, err := layerOf(f.path, f.mode, f.body)
		if err != nil {
			return nil, err
		}
		if image, err = mutate.AppendLayers(image, layer); err != nil {
			return nil, err
		}
	}
	return image, nil
}

// layerOf is a layer that holds one file, owned by root and of no date.
func layerOf(path string, mode int64, body []byte) (v1.Layer, error) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	header := &tar.Header{Typeflag: tar.TypeReg, Name: path, Mode: mode, Size: int64(len(body)), ModTime: time.Unix(0, 0)}
	if err := w.WriteHeader(header); err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(archive.Bytes())), nil
	})
}
