package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"slices"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

func TestBuild(t *testing.T) {
	image, err := build([]byte("the program"), "v1.2.3", "arm64")
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.OS != "linux" || config.Architecture != "arm64" || config.Config.User != "65532:65532" ||
		!slices.Equal(config.Config.Entrypoint, []string{"/k8s-monitor"}) {
		t.Errorf("the configuration is %+v", config)
	}

	files := contents(t, image)
	if len(files) != 2 || string(files["k8s-monitor"]) != "the program" {
		t.Errorf("the image holds %d files", len(files))
	}
	if !x509.NewCertPool().AppendCertsFromPEM(files[roots]) {
		t.Error("no authority that Go can read")
	}
}

func contents(t *testing.T, image v1.Image) map[string][]byte {
	t.Helper()
	archive := mutate.Extract(image)
	defer archive.Close()
	files := map[string][]byte{}
	for r := tar.NewReader(archive); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		var body bytes.Buffer
		if _, err := io.Copy(&body, r); err != nil {
			t.Fatal(err)
		}
		files[header.Name] = body.Bytes()
	}
}

// The same program makes the same image; another one keeps the lower layer.
func TestBuildIsDeterministic(t *testing.T) {
	digests := map[string]v1.Hash{}
	for name, body := range map[string]string{"one": "a", "again": "a", "other": "b"} {
		image, err := build([]byte(body), "v1", "amd64")
		if err != nil {
			t.Fatal(err)
		}
		if digests[name], err = image.Digest(); err != nil {
			t.Fatal(err)
		}
	}
	if digests["one"] != digests["again"] || digests["one"] == digests["other"] {
		t.Errorf("digests are %v", digests)
	}
}
