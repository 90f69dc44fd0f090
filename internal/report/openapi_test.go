package report

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/golden"
)

// TestOpenAPI fails when site/public/openapi.json is not what the Go documents
// say; make update writes it anew.
func TestOpenAPI(t *testing.T) {
	comments, err := readComments(".")
	if err != nil {
		t.Fatal(err)
	}
	w := schemaWriter{comments: comments, schemas: map[string]any{}}
	document := map[string]any{
		"openapi": "3.1.1",
		"info": map[string]any{
			"title":   "Kubernetes Resource Monitor",
			"version": "1",
			"description": "What the monitor publishes: objects in a bucket, read by GET. They are stored as gzip, which a bucket sends to whoever asks: " +
				"curl wants --compressed. A document changes once a minute at most; asked again with If-None-Match, one that has not changed " +
				"costs a 304. null is not measured, 0 is measured zero. Fields are only added within one version.",
		},
		"servers":    []any{map[string]any{"url": ".", "description": "the folder that this document lies in"}},
		"paths":      w.paths(),
		"components": map[string]any{"schemas": w.schemas},
	}
	b, err := json.MarshalIndent(document, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, filepath.Join("..", "..", "site", "public", "openapi.json"), append(b, '\n'))
}

// schemaWriter writes Go types as JSON Schema, which is what OpenAPI 3.1 takes.
type schemaWriter struct {
	comments map[string]string
	schemas  map[string]any
}

func (w *schemaWriter) paths() map[string]any {
	const resources = "/{cluster}/api/v1/resources/"
	paths := map[string]any{
		"/metrics": map[string]any{"get": map[string]any{
			"operationId": "metrics", "summary": "The newest sample of all clusters in the Prometheus text format",
			"responses": map[string]any{"200": map[string]any{"description": "Prometheus text format 0.0.4",
				"content": map[string]any{"text/plain": map[string]any{"schema": map[string]any{"type": "string"}}}}},
		}},
	}
	for _, p := range []struct {
		path, operation, summary string
		documents                []any // one of them
	}{
		{"/clusters.json", "clusters", "The clusters of the site", []any{Clusters{}}},
		{"/{cluster}/latest.json", "latest", "The newest run: figures of the cluster, and where its immutable data objects are", []any{Latest{}}},
		{"/{cluster}/data/{hash}.json", "data", "An immutable data object that latest.json names",
			[]any{PodsData{}, NodesData{}, GPUsData{}, GPUMap{}, StatisticsData{}, NodeHours{}, PodHours{}}},
		{resources + "usage.json", "usage", "All pods that serve a model, and the cluster's summary", []any{Usage{}}},
		{resources + "nodes.json", "nodes", "All nodes", []any{Nodes{}}},
		{resources + "alerts.json", "alerts", "Alerts that fire, and those of the last 30 days", []any{Alerts{}}},
		{resources + "pods/{namespace}.json", "pods", "The pods of a namespace. Above 10,000 pods the documents take turns, minute by minute", []any{Pods{}}},
		{resources + "pods/{namespace}/{pod}.json", "pod", "A pod that serves a model, and its last 24 hours. Above 250 such pods the documents take turns", []any{PodHistory{}}},
		{resources + "statistics-24.json", "statistics24", "Hourly statistics of the last 24 hours", []any{StatisticsData{}}},
		{resources + "statistics-168.json", "statistics168", "Hourly statistics of the last 168 hours, without those of nodes. The open hour is as of that hour's first minutes", []any{StatisticsData{}}},
	} {
		var schemas []any
		for _, d := range p.documents {
			schemas = append(schemas, w.schema(reflect.TypeOf(d)))
		}
		schema := schemas[0]
		if len(schemas) > 1 {
			schema = map[string]any{"anyOf": schemas}
		}
		var parameters []any
		for rest := p.path; strings.Contains(rest, "{"); {
			_, rest, _ = strings.Cut(rest, "{")
			name, _, _ := strings.Cut(rest, "}")
			parameters = append(
				parameters,
				map[string]any{"name": name, "in": "path", "required": true, "schema": map[string]any{"type": "string"}},
			)
		}
		get := map[string]any{
			"operationId": p.operation, "summary": p.summary,
			"responses": map[string]any{
				"200": map[string]any{
					"description": p.summary,
					"content":     map[string]any{"application/json": map[string]any{"schema": schema}},
				},
				"304": map[string]any{"description": "not changed since the ETag in If-None-Match"},
				"404": map[string]any{"description": "not written, or no longer; 403 where readers may not list the bucket"},
			},
		}
		if parameters != nil {
			get["parameters"] = parameters
		}
		paths[p.path] = map[string]any{"get": get}
	}
	return paths
}

// schema is a type's schema; that of a document is referred to.
func (w *schemaWriter) schema(t reflect.Type) map[string]any {
	switch {
	case t == timeType:
		return map[string]any{"type": "string", "format": "date-time"}
	case strings.HasPrefix(t.Name(), "Opt["):
		s := w.schema(t.Field(0).Type)
		s["type"] = []any{s["type"], "null"}
		return s
	}
	switch t.Kind() {
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int32, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": w.schema(t.Elem())}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": w.schema(t.Elem())}
	case reflect.Struct:
		if _, known := w.schemas[t.Name()]; !known {
			w.schemas[t.Name()] = nil // while it is written
			w.schemas[t.Name()] = w.object(t)
		}
		return map[string]any{"$ref": "#/components/schemas/" + t.Name()}
	}
	panic("no schema for " + t.String())
}

// object is the schema of a struct: all of its fields are always there.
func (w *schemaWriter) object(t reflect.Type) map[string]any {
	properties, required := map[string]any{}, []string{}
	var add func(t reflect.Type)
	add = func(t reflect.Type) {
		for i := range t.NumField() {
			f := t.Field(i)
			key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case f.Anonymous:
				add(f.Type)
			case key != "-":
				s := w.schema(f.Type)
				if c := w.comments[t.Name()+"."+f.Name]; c != "" {
					s["description"] = c
				}
				properties[key], required = s, append(required, key)
			}
		}
	}
	add(t)
	s := map[string]any{"type": "object", "properties": properties, "required": required}
	if c := w.comments[t.Name()]; c != "" {
		s["description"] = c
	}
	return s
}
