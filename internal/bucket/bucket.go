// Package bucket is the object store: one interface with its contract, and its implementations in a directory, in
// memory, and for dry runs. Package s3, below it, is the implementation for S3; package open opens any by its URL.
// This package knows nothing about what objects contain or how they are named.
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

// Bucket is a flat set of named objects. What it promises is what the weakest store can keep;
// buckettest.Conformance holds every implementation to it.
//
//   - Names are relative and separated by slashes, as ValidName says; any other name is an error. List yields only
//     valid names, whatever else the store contains.
//   - Objects are written whole: a reader sees the old bytes or the new ones, never a mixture, and after a failed or
//     cancelled Put or PutStream the old ones are still there.
//   - Every Get and List that starts after a successful write or Delete sees it.
//   - All methods may be called concurrently and obey their context.
//   - Every error names the bucket and the object, and never a credential.
//
// Not promised: rename, append, modification times that are finer than a second, atomicity across objects, and an
// object whose name is also a folder of another ("a" beside "a/b").
type Bucket interface {
	// Get returns the object's content as it was given to Put. If there is no such object, the error is ErrNotExist.
	Get(ctx context.Context, name string) (Object, error)
	// GetRange returns a part of the object's content. It is for objects that are stored without compression: of one
	// that was put with Gzip it returns the part of the content, or an error. The error is ErrNotExist if there is no
	// such object, and ErrPrecondition if its ETag is not the range's IfMatch.
	GetRange(ctx context.Context, name string, r Range) (Part, error)
	// Put writes body under name and returns the object's new ETag. If a condition in options is not met, nothing is
	// written and the error is ErrPrecondition; read the object again before the next try.
	Put(ctx context.Context, name string, body []byte, options PutOptions) (etag string, err error)
	// PutStream writes what the function writes, which need not fit in memory, and returns the object's new ETag. The
	// object becomes visible after the function has returned nil; if it returns an error, PutStream returns that error.
	PutStream(ctx context.Context, name string, write func(io.Writer) error) (etag string, err error)
	// Delete removes the objects. It is no error if one does not exist.
	Delete(ctx context.Context, names ...string) error
	// List yields every object whose name starts with prefix, in byte order of names. It stops after an error.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]
}

// Object is an object as Get returns it.
type Object struct {
	Body []byte
	ETag string // opaque; of one name, equal ETags mean equal content
}

// Range says which bytes of an object are wanted: as many as Bytes from Start on, or the Last ones. Bytes beyond the
// object's end are left out.
type Range struct {
	Start, Bytes int64
	Last         int64 // instead of the other two

	IfMatch string // the ETag that the object must have, so that parts read one after another belong together; "": any
}

// Part is a part of an object as GetRange returns it.
type Part struct {
	Body []byte
	ETag string // of the whole object, as Get returns it
	Size int64  // of the whole object, in bytes
}

// Info is an object as List yields it.
type Info struct {
	Name     string
	Bytes    int64  // as stored, so after compression
	ETag     string // as Get returns it
	Modified time.Time
}

// PutOptions say how an object is served over HTTP, and when a Put is refused. The content type follows from the
// name: see ContentType.
type PutOptions struct {
	CacheControl string // the header of this name; "": none
	// Gzip asks the store to keep the content gzip-encoded, with the header Content-Encoding. A store that cannot keep
	// that header stores the content as it is.
	Gzip bool

	IfMatch     string // write only if the object has this ETag
	IfNoneMatch bool   // write only if there is no such object
}

// ErrNotExist is the error of Get and GetRange for an object that does not exist.
var ErrNotExist = fs.ErrNotExist

// ErrPrecondition is the error of Put and GetRange when a condition is not met.
var ErrPrecondition = errors.New("object was changed by someone else")

// ErrNoBucket is wrapped by the errors of a store in which the bucket itself does not exist. It never means a missing
// object.
var ErrNoBucket = errors.New("the bucket does not exist")

// Allow reports whether the conditions are met by an object that has this ETag now; "": the object does not exist.
func (o PutOptions) Allow(etag string) bool {
	if o.IfNoneMatch && etag != "" {
		return false
	}
	return o.IfMatch == "" || o.IfMatch == etag
}

// Check returns an error if the range is none: it needs Start and Bytes, or Last, and must ask for at least one byte.
func (r Range) Check() error {
	if r.Last > 0 && r.Start == 0 && r.Bytes == 0 || r.Last == 0 && r.Start >= 0 && r.Bytes > 0 {
		return nil
	}
	return errors.New("not a range: set Start and Bytes, or Last, to more than zero bytes")
}

// Within returns where the range begins and ends in an object of that many bytes.
func (r Range) Within(size int64) (start, end int64) {
	if r.Last > 0 {
		return max(0, size-r.Last), size
	}
	start = min(r.Start, size)
	return start, start + min(r.Bytes, size-start)
}

// contentETag is the ETag in stores that do not make one: a hash of the content.
func contentETag(body []byte) string {
	sum := sha256.New()
	sum.Write(body)
	return sumETag(sum)
}

func sumETag(sum hash.Hash) string { return hex.EncodeToString(sum.Sum(nil)[:16]) }

// CheckCall is what every method of a Bucket does first: it returns the context's error if that has ended, and an
// error if one of the names is not valid.
func CheckCall(ctx context.Context, names ...string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, name := range names {
		if !ValidName(name) {
			return errors.New("not an object name: it must be relative, of UTF-8 without control characters or backslashes, " +
				"at most 1024 bytes, and no segment may be empty or begin with a dot")
		}
	}
	return nil
}

// ValidName reports whether an object may have this name: at most 1024 bytes of UTF-8 without control characters and
// backslashes, and no segment between slashes that is empty or begins with a dot.
func ValidName(name string) bool {
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
