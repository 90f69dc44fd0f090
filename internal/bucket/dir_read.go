package bucket

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Get implements Bucket.
func (d *dir) Get(ctx context.Context, name string) (Object, error) {
	if err := CheckCall(ctx, name); err != nil {
		return Object{}, d.fail("get", name, err)
	}
	body, err := os.ReadFile(d.path(name))
	if err != nil {
		return Object{}, d.fail("get", name, err)
	}
	return Object{Body: body, ETag: contentETag(body)}, nil
}

// GetRange implements Bucket.
func (d *dir) GetRange(ctx context.Context, name string, r Range) (Part, error) {
	part, err := d.getRange(ctx, name, r)
	if err != nil {
		return Part{}, d.fail("get", name, err)
	}
	return part, nil
}

func (d *dir) getRange(ctx context.Context, name string, r Range) (Part, error) {
	if err := cmp.Or(CheckCall(ctx, name), r.Check()); err != nil {
		return Part{}, err
	}
	f, err := os.Open(d.path(name))
	if err != nil {
		return Part{}, err
	}
	defer f.Close() // its content does not change: a Put replaces the file by another
	stat, err := f.Stat()
	if err != nil {
		return Part{}, err
	}
	etag, err := d.knownETag(name, f, stat)
	if err != nil {
		return Part{}, err
	}
	if r.IfMatch != "" && r.IfMatch != etag {
		return Part{}, ErrPrecondition
	}
	start, end := r.Within(stat.Size())
	body := make([]byte, end-start)
	_, err = f.ReadAt(body, start)
	return Part{Body: body, ETag: etag, Size: stat.Size()}, err
}

// knownFile is a file with the ETag that was computed from its content.
type knownFile struct {
	stat fs.FileInfo
	etag string
}

// settled is the age from which a file's modification time identifies its content. File systems round the time, so two
// quick writes may have the same.
const settled = 2 * time.Second

// knownETag returns the file's ETag. It reads the whole content unless it knows the file.
func (d *dir) knownETag(name string, f *os.File, stat fs.FileInfo) (string, error) {
	if old, ok := d.known.Load(name); ok {
		old := old.(knownFile)
		if os.SameFile(old.stat, stat) && old.stat.Size() == stat.Size() && old.stat.ModTime().Equal(stat.ModTime()) {
			return old.etag, nil
		}
	}
	now, sum := time.Now(), sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	etag := sumETag(sum)
	if now.Sub(stat.ModTime()) > settled {
		d.known.Store(name, knownFile{stat, etag})
	}
	return etag, nil
}

// List implements Bucket.
func (d *dir) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if err := d.walk(ctx, "", prefix, yield); err != nil && !errors.Is(err, errStopped) {
			yield(Info{}, d.fail("list", prefix, err))
		}
	}
}

// errStopped ends a walk whose caller has stopped the iteration.
var errStopped = errors.New("stopped")

// walk yields the objects in the folder, which is "" or ends in a slash. Folders are sorted with the slash at their
// end, so that the whole walk is in byte order of names: "a-b" comes before "a/b".
func (d *dir) walk(ctx context.Context, folder, prefix string, yield func(Info, error) bool) error {
	entries, err := os.ReadDir(d.path(folder))
	if missing(err) {
		return nil // the root does not exist yet, or a Delete has removed the folder
	}
	if err != nil {
		return err
	}
	var names []string
	for _, entry := range entries {
		name := folder + entry.Name()
		switch {
		case !ValidName(name):
		case entry.IsDir():
			if name += "/"; strings.HasPrefix(name, prefix) || strings.HasPrefix(prefix, name) {
				names = append(names, name)
			}
		case entry.Type().IsRegular() && strings.HasPrefix(name, prefix):
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		if strings.HasSuffix(name, "/") {
			if err := d.walk(ctx, name, prefix, yield); err != nil {
				return err
			}
			continue
		}
		info, err := d.info(name)
		if missing(err) {
			continue // deleted since the folder was read
		}
		if err != nil {
			return err
		}
		if !yield(info, nil) {
			return errStopped
		}
	}
	return nil
}

// info reads the whole file to compute its ETag: time and size cannot tell two quick writes apart.
func (d *dir) info(name string) (Info, error) {
	f, err := os.Open(d.path(name))
	if err != nil {
		return Info{}, err
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return Info{}, err
	}
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	if err != nil {
		return Info{}, err
	}
	return Info{Name: name, Bytes: n, ETag: sumETag(sum), Modified: stat.ModTime().UTC()}, nil
}

// missing reports whether the error means that there is no such object: the file does not exist, is a folder, or its
// path goes through a file.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR)
}
