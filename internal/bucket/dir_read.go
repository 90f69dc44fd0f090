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

func (d *dir) Get(ctx context.Context, name string) (Object, error) {
	if err := begin(ctx, name); err != nil {
		return Object{}, d.fail("get", name, err)
	}
	body, err := os.ReadFile(d.path(name))
	if err != nil {
		return Object{}, d.fail("get", name, err)
	}
	return Object{Body: body, ETag: contentETag(body)}, nil
}

func (d *dir) GetRange(ctx context.Context, name string, r Range) (Part, error) {
	part, err := d.getRange(ctx, name, r)
	if err != nil {
		return Part{}, d.fail("get", name, err)
	}
	return part, nil
}

func (d *dir) getRange(ctx context.Context, name string, r Range) (Part, error) {
	if err := cmp.Or(begin(ctx, name), r.check()); err != nil {
		return Part{}, err
	}
	f, err := os.Open(d.path(name))
	if err != nil {
		return Part{}, err
	}
	defer f.Close() // what it holds does not change: a Put makes another file
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
	start, end := r.of(stat.Size())
	body := make([]byte, end-start)
	_, err = f.ReadAt(body, start)
	return Part{Body: body, ETag: etag, Size: stat.Size()}, err
}

// knownFile is a file whose content was read for its ETag.
type knownFile struct {
	stat fs.FileInfo
	etag string
}

// settled is how long ago a file must have been written for its time to tell
// it from a file that is written later.
const settled = 2 * time.Second

// knownETag is the file's ETag, for which its whole content is read once.
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

func (d *dir) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if err := d.walk(ctx, "", prefix, yield); err != nil && !errors.Is(err, errStopped) {
			yield(Info{}, d.fail("list", prefix, err))
		}
	}
}

// errStopped ends a walk whose reader wants no more.
var errStopped = errors.New("stopped")

// walk yields the objects in the folder, which is "" or ends in a slash. A
// folder sorts by its name with the slash, and this makes the order of the
// walk the byte order of whole names: "a-b" comes before "a/b".
func (d *dir) walk(ctx context.Context, folder, prefix string, yield func(Info, error) bool) error {
	entries, err := os.ReadDir(d.path(folder))
	if missing(err) {
		return nil // the root is not there yet, or a Delete has emptied the folder
	}
	if err != nil {
		return err
	}
	var names []string
	for _, entry := range entries {
		name := folder + entry.Name()
		switch {
		case !validName(name):
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

// info reads the whole file for its ETag: times and sizes are too coarse to
// tell two quick writes apart.
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

// missing reports whether the error says that there is no such file. A folder
// is no object, and below a file there is none.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR)
}
