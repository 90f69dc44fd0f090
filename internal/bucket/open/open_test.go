package open_test

import (
	"errors"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/bucket/open"
)

func TestBucket(t *testing.T) {
	root := t.TempDir()
	b, err := open.Bucket(t.Context(), "file://"+root+"/made/on%20demand", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Put(t.Context(), "x", []byte("content"), bucket.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if got, err := bucket.Dir(root+"/made/on demand").Get(t.Context(), "x"); err != nil || string(got.Body) != "content" {
		t.Errorf("the directory of the URL holds %q, %v", got.Body, err)
	}
	if _, err := open.Bucket(t.Context(), "gs://usage", nil); err == nil {
		t.Error("an unknown scheme opens")
	} else if _, ok := errors.AsType[*bucket.URLError](err); !ok {
		t.Errorf("%v is not a URLError", err)
	}
}
