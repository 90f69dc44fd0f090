package bucket

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// URL says where a bucket is. ParseURL documents the grammar.
type URL struct {
	Scheme string // "s3" or "file"

	Path string // file: the absolute directory

	Name      string // s3: the bucket
	Prefix    string // s3: what all names start with, without slashes at its ends; "": nothing
	Region    string // s3; "": from the environment
	PathStyle bool   // s3: the bucket's name is in the URL's path, not in its host
}

// URLError says what is wrong with a bucket's URL: an error in the configuration, so a retry does not help.
type URLError struct {
	URL     string // as given, cut where a credential could follow
	Problem string
}

func (e *URLError) Error() string { return fmt.Sprintf("bucket URL %q: %s", e.URL, e.Problem) }

var bucketPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$`)

// ParseURL reads a bucket's URL. Its error is a *URLError. The grammar:
//
//	file:///absolute/directory
//	s3://name[/prefix][?region=R][&path_style=true]
//
// Everything else about S3 comes from the environment and the files that all AWS tools read: AWS_ENDPOINT_URL_S3 for
// stores other than AWS, AWS_PROFILE, AWS_REGION, keys, IRSA. Credentials are not allowed in the URL.
func ParseURL(rawURL string) (URL, error) {
	wrong := func(format string, args ...any) (URL, error) {
		shown, _, _ := strings.Cut(rawURL, "?")
		if i := strings.LastIndexByte(shown, '@'); i >= 0 {
			shown = "…" + shown[i:]
		}
		return URL{}, &URLError{URL: shown, Problem: fmt.Sprintf(format, args...)}
	}
	scheme, rest, ok := strings.Cut(rawURL, "://")
	if !ok {
		return wrong("want s3://name/prefix or file:///directory")
	}
	rest, rawQuery, _ := strings.Cut(rest, "?")
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return wrong("the part after ? does not parse")
	}
	path, err := url.PathUnescape(rest)
	if err != nil {
		return wrong("a %% is not followed by two hexadecimal digits")
	}
	switch scheme {
	case "file":
		for key := range query {
			return wrong("unknown parameter %q; file takes none", key)
		}
		if !strings.HasPrefix(path, "/") || strings.Contains(path, "\x00") {
			return wrong("want an absolute directory with three slashes, file:///directory")
		}
		return URL{Scheme: scheme, Path: filepath.Clean(filepath.FromSlash(path))}, nil
	case "s3":
		name, prefix, _ := strings.Cut(path, "/")
		if strings.Contains(path, "@") {
			return wrong("credentials do not belong here; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE")
		}
		if !bucketPattern.MatchString(name) {
			return wrong("%q cannot be the name of a bucket", name)
		}
		u := URL{Scheme: scheme, Name: name, Prefix: strings.TrimSuffix(prefix, "/")}
		if u.Prefix != "" && !ValidName(u.Prefix) {
			return wrong("the prefix %q has an empty segment, or one that begins with a dot", u.Prefix)
		}
		for key, values := range query {
			if len(values) != 1 {
				return wrong("the parameter %q is given twice", key)
			}
			switch key {
			case "region":
				u.Region = values[0]
			case "path_style":
				if u.PathStyle, err = strconv.ParseBool(values[0]); err != nil {
					return wrong("path_style is true or false, not %q", values[0])
				}
			default:
				return wrong("unknown parameter %q; want region or path_style", key)
			}
		}
		return u, nil
	}
	return wrong("unknown scheme %q; want s3 or file", scheme)
}

// String is the URL as ParseURL reads it.
func (u URL) String() string {
	if u.Scheme == "file" {
		return (&url.URL{Scheme: "file", Path: filepath.ToSlash(u.Path)}).String()
	}
	query := url.Values{}
	if u.Region != "" {
		query.Set("region", u.Region)
	}
	if u.PathStyle {
		query.Set("path_style", "true")
	}
	path := u.Prefix
	if path != "" {
		path = "/" + path
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Name, Path: path, RawQuery: query.Encode()}).String()
}
