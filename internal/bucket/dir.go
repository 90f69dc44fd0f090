package bucket

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Dir returns the bucket whose objects are the files below a directory. The first Put makes the directory. Files hold
// the content as given to Put, never gzip-encoded, so any file server can serve them and any tool can read them;
// CacheControl is not kept. Hidden files are not objects.
//
// Several processes may share the directory: on Unix they take turns by a lock file; elsewhere conditional Puts are
// safe within one process only. A process may be killed at any moment without damage to an object; a power failure
// can lose the last writes.
func Dir(path string) Bucket {
	return &dir{root: path, writing: make(chan struct{}, 1)}
}

// dir implements Bucket.
type dir struct {
	root    string
	writing chan struct{} // held by the one goroutine that changes the directory
	known   sync.Map      // name -> knownFile, for objects that were read in parts
}

// private is the hidden folder for the lock and for unfinished files. It is below the root, so that a file is renamed
// within one file system.
const private = ".tmp"

func (d *dir) path(name string) string { return filepath.Join(d.root, filepath.FromSlash(name)) }

// Put implements Bucket.
func (d *dir) Put(ctx context.Context, name string, body []byte, options PutOptions) (string, error) {
	return d.put(ctx, name, options, func(w io.Writer) error {
		_, err := w.Write(body)
		return err
	})
}

// PutStream implements Bucket.
func (d *dir) PutStream(ctx context.Context, name string, write func(io.Writer) error) (string, error) {
	return d.put(ctx, name, PutOptions{}, write)
}

func (d *dir) put(ctx context.Context, name string, options PutOptions, write func(io.Writer) error) (string, error) {
	if err := CheckCall(ctx, name); err != nil {
		return "", d.fail("put", name, err)
	}
	unfinished := filepath.Join(d.root, private, rand.Text())
	defer os.Remove(unfinished) // finds nothing after the rename
	etag, err := d.writeFile(ctx, unfinished, write)
	if err == nil {
		err = d.locked(ctx, func() error { return d.replace(name, unfinished, options) })
	}
	if err != nil {
		return "", d.fail("put", name, err)
	}
	return etag, nil
}

// writeFile writes a new file and returns the ETag of its content.
func (d *dir) writeFile(ctx context.Context, path string, write func(io.Writer) error) (etag string, err error) {
	var f *os.File
	err = inFolder(path, func() (err error) {
		f, err = os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		return err
	})
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	err = write(&contextWriter{ctx, io.MultiWriter(f, sum)})
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return sumETag(sum), err
}

// contextWriter refuses to write once the context has ended.
type contextWriter struct {
	ctx context.Context
	w   io.Writer
}

func (w *contextWriter) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.w.Write(p)
}

// replace renames the file to the object's name, if the conditions in options are met.
func (d *dir) replace(name, file string, options PutOptions) error {
	if options.IfMatch != "" || options.IfNoneMatch {
		now, err := d.info(name)
		if err != nil && !missing(err) {
			return err
		}
		if !options.Allow(now.ETag) {
			return ErrPrecondition
		}
	}
	return inFolder(d.path(name), func() error { return os.Rename(file, d.path(name)) })
}

// inFolder writes a file; if its folder does not exist, it makes the folder and tries again.
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

// Delete implements Bucket.
func (d *dir) Delete(ctx context.Context, names ...string) error {
	if err := CheckCall(ctx, names...); err != nil {
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

// remove deletes one file and the folders that become empty by it. Empty folders would add up, one for every hour.
func (d *dir) remove(name string) error {
	d.known.Delete(name)
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

// locked runs change while no other goroutine or process changes the directory.
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

func (d *dir) fail(op, name string, err error) error {
	if op == "get" && missing(err) {
		err = ErrNotExist
	}
	return fmt.Errorf("%s file://%s: %w", op, d.path(name), err)
}
