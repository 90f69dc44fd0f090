// Package bucket is the object store: one interface, its contract, and the
// stores that keep it (S3, a directory, memory, and DryRun, which withholds
// writes). It knows nothing of what the objects hold or how they are named.
package bucket

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"iter"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bucket is a flat set of named objects. The promises below are those of the
// weakest store; buckettest.Conformance holds every implementation to them.
//
//   - Names are relative, slash-separated, without empty segments and without
//     segments that begin with a dot; any other name is an error. List shows
//     only such names, whatever else lies in the store.
//   - Objects are written whole: a reader sees the old bytes or the new, never
//     a mixture, and a failed or cancelled Put leaves the old ones.
//   - A successful Put or Delete is seen by every Get and List that starts after it.
//   - All methods may be called concurrently and obey their context.
//   - Every error names the bucket and the object, and never a credential.
//
// Not promised: rename, append, modification times that are finer than a
// second, atomicity across objects, and an object whose name is another's
// folder ("a" beside "a/b").
type Bucket interface {
	// Get returns the object's content as it was given to Put. An object that
	// is not there is ErrNotExist.
	Get(ctx context.Context, name string) (Object, error)
	// Put writes body under name and returns its new ETag. With a condition in
	// options that does not hold, nothing is written and the error is
	// ErrPrecondition; after that error, read again before the next try.
	Put(ctx context.Context, name string, body []byte, options PutOptions) (etag string, err error)
	// Delete removes the objects. One that is not there is no error.
	Delete(ctx context.Context, names ...string) error
	// List yields every object whose name starts with prefix, in byte order of
	// names. After an error it yields nothing more.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]
}

// Object is an object as Get returns it.
type Object struct {
	Body []byte
	ETag string // opaque; equal ETags of one name mean equal content
}

// Info is an object as List yields it.
type Info struct {
	Name     string
	Bytes    int64  // as stored, so after compression
	ETag     string // as Get would return it
	Modified time.Time
}

// PutOptions say how an object is to be served over HTTP, and when to refuse.
type PutOptions struct {
	ContentType  string // "": by the name's extension
	CacheControl string // "": none
	// Gzip asks for the content to be stored gzip-encoded, with
	// Content-Encoding set. A store that cannot keep that header stores it plain.
	Gzip bool

	IfMatch     string // write only if the object's ETag is this
	IfNoneMatch bool   // write only if there is no such object
}

// ErrNotExist is the error of Get for an object that is not there.
var ErrNotExist = fs.ErrNotExist

// ErrPrecondition is the error of Put when its condition does not hold.
var ErrPrecondition = errors.New("object was changed by someone else")

// ErrNoBucket is wrapped by the errors of a store whose bucket does not exist.
// It never stands for a missing object.
var ErrNoBucket = errors.New("the bucket does not exist")

// hold reports whether the conditions are met by the object as it is now; its
// ETag is "" when there is none.
func (o PutOptions) hold(etag string) bool {
	if o.IfNoneMatch && etag != "" {
		return false
	}
	return o.IfMatch == "" || o.IfMatch == etag
}

// conditional reports whether the Put may be refused.
func (o PutOptions) conditional() bool { return o.IfMatch != "" || o.IfNoneMatch }

// contentETag is the ETag in the stores that have none of their own.
func contentETag(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16])
}

// begin is the start of every method: the context first, then the names.
func begin(ctx context.Context, names ...string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, name := range names {
		if !validName(name) {
			return errors.New("not an object name: it must be relative, of UTF-8 without control characters or backslashes, " +
				"at most 1024 bytes, and no segment may be empty or begin with a dot")
		}
	}
	return nil
}

func validName(name string) bool {
	if len(name) > 1024 || !utf8.ValidString(name) {
		return false
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r == '\\' || unicode.IsControl(r) }) {
		return false
	}
	for segment := range strings.SplitSeq(name, "/") {
		if segment == "" || segment[0] == '.' {
			return false
		}
	}
	return true
}
