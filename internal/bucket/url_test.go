package bucket_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/bucket"
)

func TestParseURL(t *testing.T) {
	for raw, want := range map[string]bucket.URL{
		"file:///srv/lake":            {Scheme: "file", Path: "/srv/lake"},
		"file:///srv/my%20lake/":      {Scheme: "file", Path: "/srv/my lake"},
		"s3://usage":                  {Scheme: "s3", Name: "usage"},
		"s3://usage/":                 {Scheme: "s3", Name: "usage"},
		"s3://usage/team/a/":          {Scheme: "s3", Name: "usage", Prefix: "team/a"},
		"s3://usage?region=eu-west-1": {Scheme: "s3", Name: "usage", Region: "eu-west-1"},
		"s3://usage/p?path_style=true&region=us-east-2": {Scheme: "s3", Name: "usage", Prefix: "p", Region: "us-east-2", PathStyle: true},
		"s3://usage?path_style=false":                   {Scheme: "s3", Name: "usage"},
	} {
		got, err := bucket.ParseURL(raw)
		if err != nil || got != want {
			t.Errorf("ParseURL(%q) = %+v, %v; want %+v", raw, got, err, want)
		}
	}
}

func TestParseURLErrors(t *testing.T) {
	for raw, want := range map[string]string{
		"":                                "want s3://",
		"/srv/lake":                       "want s3://",
		"gs://usage":                      `unknown scheme "gs"`,
		"S3://usage":                      `unknown scheme "S3"`,
		"file://srv/lake":                 "three slashes",
		"file://":                         "three slashes",
		"file:///srv?mode=1":              `unknown parameter "mode"`,
		"s3:///prefix":                    `"" cannot be the name`,
		"s3://u":                          `"u" cannot be the name`,
		"s3://usage/a//b":                 "empty segment",
		"s3://usage/../b":                 "begins with a dot",
		"s3://usage?endpoint=x":           `unknown parameter "endpoint"`,
		"s3://usage?region=a&region=b":    `"region" is given twice`,
		"s3://usage?path_style=perhaps":   "true or false",
		"s3://usage/%zz":                  "hexadecimal",
		"s3://usage?region=%zz":           "does not parse",
		"s3://id:hunter2@usage/p":         "credentials do not belong",
		"s3://id:hunter2/x@usage/p":       "credentials do not belong",
		"s3://id:x@hunter2@usage/p":       "credentials do not belong",
		"https://id:hunter2@host/p":       `unknown scheme "https"`,
		"id:hunter2@usage":                "want s3://",
		"s3://usage?secret=hunter2":       `unknown parameter "secret"`,
		"s3://usage?secret_key=hunter2&%": "does not parse",
	} {
		_, err := bucket.ParseURL(raw)
		wrong, ok := errors.AsType[*bucket.URLError](err)
		if !ok || !strings.Contains(wrong.Problem, want) {
			t.Errorf("ParseURL(%q): %v, want a URLError with %q", raw, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("ParseURL(%q) tells the secret: %v", raw, err)
		}
	}
}

// A URL that parses is printed as a URL that parses to the same.
func FuzzParseURL(f *testing.F) {
	for _, raw := range []string{"file:///a%25/b", "s3://name/p%3Fq?region=r&path_style=1", "s3://name/é", "s3://a@b"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := bucket.ParseURL(raw)
		if err != nil {
			return
		}
		if again, err := bucket.ParseURL(u.String()); err != nil || again != u {
			t.Errorf("%q is %+v, printed %q, which is %+v, %v", raw, u, u, again, err)
		}
	})
}
