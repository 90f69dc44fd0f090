package bucket

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Dir returns the bucket whose objects are the files below a directory. The
// first Put makes the directory. Files hold the content as given to Put, never
// gzip-encoded, so any file server can serve them and any tool can read them;
// ContentType and CacheControl are not kept. Hidden files are not objects.
//
// Several processes may share the directory: on Unix a lock file orders their
// writes, elsewhere conditional Puts are safe within one process only. A Put
// survives the end of the process at any moment, not a loss of power.
func Dir(path string) Bucket {
	return &dir{root: path, writing: make(chan struct{}, 1)}
}

type dir struct {
	root    string
	writing chan struct{} // held by the one goroutine that changes the directory
}

// private is the hidden folder that holds the lock and the unfinished files.
// It lies below the root so that a rename stays on one file system.
const private = ".tmp"

func (d *dir) path(name string) string { return filepath.Join(d.root, filepath.FromSlash(name)) }

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

func (d *dir) Put(ctx context.Context, name string, body []byte, options PutOptions) (string, error) {
	etag, err := d.put(ctx, name, body, options)
	if err != nil {
		return "", d.fail("put", name, err)
	}
	return etag, nil
}

func (d *dir) put(ctx context.Context, name string, body []byte, options PutOptions) (string, error) {
	if err := begin(ctx, name); err != nil {
		return "", err
	}
	unfinished := filepath.Join(d.root, private, rand.Text())
	err := inFolder(unfinished, func() error { return os.WriteFile(unfinished, body, 0o644) })
	if err != nil {
		return "", err
	}
	err = d.locked(ctx, func() error {
		if options.conditional() {
			now, err := d.info(name)
			if err != nil && !missing(err) {
				return err
			}
			if !options.hold(now.ETag) {
				return ErrPrecondition
			}
		}
		return inFolder(d.path(name), func() error { return os.Rename(unfinished, d.path(name)) })
	})
	if err != nil {
		os.Remove(unfinished)
	}
	return contentETag(body), err
}

// inFolder writes a file, making its folder if that is what it lacks.
func inFolder(file string, write func() error) error {
	err := write()
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return write()
}

func (d *dir) Delete(ctx context.Context, names ...string) error {
	if err := begin(ctx, names...); err != nil {
		return d.fail("delete", strings.Join(names, " "), err)
	}
	if _, err := os.Stat(d.root); missing(err) {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(d.root, private), 0o755); err != nil {
		return d.fail("delete", strings.Join(names, " "), err)
	}
	for _, name := range names {
		if err := d.locked(ctx, func() error { return d.remove(name) }); err != nil {
			return d.fail("delete", name, err)
		}
	}
	return nil
}

// remove deletes one file and the folders that it leaves empty, which would
// otherwise pile up, one for every hour.
func (d *dir) remove(name string) error {
	stat, err := os.Lstat(d.path(name))
	if missing(err) || err == nil && stat.IsDir() {
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.Remove(d.path(name)); err != nil && !missing(err) {
		return err
	}
	for up := filepath.Dir(filepath.FromSlash(name)); up != "."; up = filepath.Dir(up) {
		if os.Remove(filepath.Join(d.root, up)) != nil {
			break // not empty
		}
	}
	return nil
}

// locked runs change while nobody else, in this process or another, changes
// the directory.
func (d *dir) locked(ctx context.Context, change func() error) error {
	select {
	case d.writing <- struct{}{}:
		defer func() { <-d.writing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	unlock, err := lockFile(ctx, filepath.Join(d.root, private, "lock"))
	if err != nil {
		return err
	}
	defer unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	return change()
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
	return Info{Name: name, Bytes: n, ETag: hex.EncodeToString(sum.Sum(nil)[:16]), Modified: stat.ModTime().UTC()}, nil
}

// missing reports whether the error says that there is no such file. A folder
// is no object, and below a file there is none.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR)
}

func (d *dir) fail(op, name string, err error) error {
	if op == "get" && missing(err) {
		err = ErrNotExist
	}
	return fmt.Errorf("%s file://%s: %w", op, d.path(name), err)
}
