package bucket

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// URL says where a bucket is. See Open for the grammar.
type URL struct {
	Scheme string // "s3" or "file"

	Path string // file: the absolute directory

	Name      string // s3: the bucket
	Prefix    string // s3: what all names start with, without slashes at its ends; "": none
	Region    string // s3: "": by the environment
	PathStyle bool   // s3: the bucket stands in the path, not in the host
}

// URLError is the error of ParseURL, and of Open for a URL that is wrong: a
// fault of the configuration, which no retry mends.
type URLError struct {
	URL     string // as given, cut where a credential may follow
	Problem string
}

func (e *URLError) Error() string { return fmt.Sprintf("bucket URL %q: %s", e.URL, e.Problem) }

// Open returns the bucket that the URL names. It asks nothing of the store:
// whether the bucket exists, and whether the credentials suffice, the first
// call on it tells. The log may be nil. The grammar:
//
//	file:///absolute/directory
//	s3://name[/prefix][?region=R][&path_style=true]
//
// Everything else about S3 comes from the environment and the files that all
// AWS tools read: AWS_ENDPOINT_URL_S3 for other stores than AWS,
// AWS_PROFILE, AWS_REGION, keys, IRSA. Credentials have no place in the URL.
func Open(ctx context.Context, rawURL string, log *slog.Logger) (Bucket, error) {
	u, err := ParseURL(rawURL)
	if err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if u.Scheme == "file" {
		return Dir(u.Path), nil
	}
	return openS3(ctx, u, log)
}

var bucketPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$`)

// ParseURL reads the grammar of Open. Its error is a *URLError.
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
		if u.Prefix != "" && !validName(u.Prefix) {
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

// String is the URL that parses back to u.
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
