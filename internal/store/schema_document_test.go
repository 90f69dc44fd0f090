package store

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// meanings are the comments of a row's fields by the name of their column. Those
// of a Distribution say of its first column what the value is, and of the others
// what they are of it.
func meanings[T any](t *testing.T) map[string]string {
	comments := fieldComments(t, filepath.Join("..", "usage"))
	of := map[string]string{}
	var add func(row reflect.Type)
	add = func(row reflect.Type) {
		for i := range row.NumField() {
			f := row.Field(i)
			name, comment := f.Tag.Get("column"), comments[row.Name()+"."+f.Name]
			switch {
			case f.Anonymous:
				add(f.Type)
			case f.Type == reflect.TypeFor[usage.Distribution]():
				of[name+"_avg"] = strings.Trim(comment+"; time-weighted mean", "; ")
				of[name+"_p50"], of[name+"_p95"], of[name+"_max"] = "median", "95th percentile", "maximum"
			default:
				of[name] = comment
			}
		}
	}
	add(reflect.TypeFor[T]())
	return of
}

// fieldComments are the comments behind or above the fields of a package's
// structs, as "Type.Field".
func fieldComments(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	comments := map[string]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if fields, ok := spec.Type.(*ast.StructType); ok {
				for _, f := range fields.Fields.List {
					for _, id := range f.Names {
						text := f.Comment.Text()
						if text == "" {
							text = f.Doc.Text()
						}
						comments[spec.Name.Name+"."+id.Name] = strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
					}
				}
			}
			return false
		})
	}
	return comments
}
