// Package bucket is the object store: one interface, its contract, and the
// stores that keep it (S3, a directory, memory, and DryRun, which withholds
// writes). It knows nothing of what the objects hold or how they are named.
package bucket

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
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
//     a mixture, and a failed or cancelled Put or PutStream leaves the old ones.
//   - A successful write or Delete is seen by every Get and List that starts after it.
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
	// GetRange returns a part of the object's content. It is for objects that
	// are stored plain: of one that was put with Gzip it is the content's part
	// or an error. An object that is not there is ErrNotExist, one that is not
	// the range's IfMatch is ErrPrecondition.
	GetRange(ctx context.Context, name string, r Range) (Part, error)
	// Put writes body under name and returns its new ETag. With a condition in
	// options that does not hold, nothing is written and the error is
	// ErrPrecondition; after that error, read again before the next try.
	Put(ctx context.Context, name string, body []byte, options PutOptions) (etag string, err error)
	// PutStream writes what write writes, which need not fit in memory, and
	// returns the new ETag. The object appears when write has returned nil; an
	// error of write is the error of PutStream.
	PutStream(ctx context.Context, name string, write func(io.Writer) error) (etag string, err error)
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

// Range says which bytes of an object are wanted: as many as Bytes from Start
// on, or the Last ones. What lies beyond the object's end is left out.
type Range struct {
	Start, Bytes int64
	Last         int64 // instead of the other two

	IfMatch string // only of the object whose ETag is this, so that parts belong together
}

// Part is a part of an object as GetRange returns it.
type Part struct {
	Body []byte
	ETag string // of the whole object, as Get would return it
	Size int64  // of the whole object
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

// ErrNotExist is the error of Get and GetRange for an object that is not there.
var ErrNotExist = fs.ErrNotExist

// ErrPrecondition is the error of Put and GetRange when a condition does not hold.
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

// check refuses what is no range.
func (r Range) check() error {
	if r.Last > 0 && r.Start == 0 && r.Bytes == 0 || r.Last == 0 && r.Start >= 0 && r.Bytes > 0 {
		return nil
	}
	return errors.New("not a range: want Start and Bytes, or Last, and some bytes of it")
}

// of is where the range begins and ends in an object of that size.
func (r Range) of(size int64) (start, end int64) {
	if r.Last > 0 {
		return max(0, size-r.Last), size
	}
	start = min(r.Start, size)
	return start, start + min(r.Bytes, size-start)
}

// contentETag is the ETag in the stores that have none of their own.
func contentETag(body []byte) string {
	sum := sha256.New()
	sum.Write(body)
	return sumETag(sum)
}

func sumETag(sum hash.Hash) string { return hex.EncodeToString(sum.Sum(nil)[:16]) }

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
