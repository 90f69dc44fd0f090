package lake

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"

	"github.com/company/k8s-resource-monitor/internal/report"
)

// TestOpenAPI holds every document that the jobs wrote for the site's readers
// against site/openapi.json: each has a path there, and its schema, with no
// field more. The description itself is valid too.
func TestOpenAPI(t *testing.T) {
	dir, _ := filled(t)
	site := filepath.Join(dir, "site")
	text, err := os.ReadFile(filepath.Join(site, "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]any
	if err := json.Unmarshal(text, &raw); err != nil {
		t.Fatal(err)
	}
	for _, schema := range raw["components"].(map[string]any)["schemas"].(map[string]any) {
		schema.(map[string]any)["additionalProperties"] = false
	}
	raw["servers"] = []any{map[string]any{"url": "/"}}
	strict, err := json.Marshal(raw)
	if err != nil {
		t.Fatal(err)
	}
	document, err := libopenapi.NewDocument(strict)
	if err != nil {
		t.Fatal(err)
	}
	v, errs := validator.NewValidator(document)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if ok, errs := v.ValidateDocument(); !ok {
		t.Fatal(errs)
	}

	seen := map[string]int{}
	err = filepath.WalkDir(site, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(site, file)
		if err != nil {
			return err
		}
		if name == "index.html" || name == "openapi.json" || strings.HasPrefix(name, "assets/") {
			return nil
		}
		body, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		kind := "application/json"
		if name == "metrics" {
			kind = "text/plain"
		}
		request := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/" + name}, Header: http.Header{}}
		answer := &http.Response{
			StatusCode: http.StatusOK,
			Header:     http.Header{"Content-Type": {kind}},
			Body:       io.NopCloser(bytes.NewReader(body)),
			Request:    request,
		}
		if ok, errs := v.ValidateHttpResponse(request, answer); !ok {
			for _, e := range errs {
				t.Errorf("%s: %s: %s", name, e.Message, e.Reason)
				for _, s := range e.SchemaValidationErrors {
					t.Errorf("  %s at %s", s.Reason, s.FieldPath)
				}
			}
		}
		kind = name
		switch parts := strings.Split(name, "/"); {
		case len(parts) == 3 && parts[1] == "data":
			kind = "demo/data"
		case len(parts) > 5:
			kind = strings.Join(parts[:5], "/") + []string{"/NAMESPACE", "/NAMESPACE/POD"}[len(parts)-6]
		}
		seen[kind]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(seen)
	const resources = "demo/api/v1/resources/"
	for _, want := range []string{"clusters.json", "metrics", "demo/latest.json", resources + "usage.json", resources + "nodes.json", resources + "alerts.json",
		resources + "pods/NAMESPACE", resources + "pods/NAMESPACE/POD", resources + "statistics-24.json", resources + "statistics-168.json"} {
		if seen[want] == 0 {
			t.Errorf("the jobs wrote no %s", want)
		}
	}
	var latest report.Latest
	read(t, filepath.Join(site, "demo", "latest.json"), &latest)
	if want := len(latest.Objects.All()); len(latest.Objects.Pods) == 0 || seen["demo/data"] < want {
		t.Errorf("latest.json names %d data objects, %d are there", want, seen["demo/data"])
	}
}
