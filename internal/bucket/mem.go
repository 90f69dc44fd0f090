package bucket

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"
)

// Mem returns an empty bucket in memory, for tests. It keeps no headers, so Gzip and CacheControl have no effect.
func Mem() Bucket { return &mem{objects: map[string]memObject{}} }

// mem implements Bucket.
type mem struct {
	mu      sync.RWMutex
	objects map[string]memObject
}

type memObject struct {
	body     []byte // replaced, never changed in place
	etag     string
	modified time.Time
}

// Get implements Bucket.
func (m *mem) Get(ctx context.Context, name string) (Object, error) {
	if err := CheckCall(ctx, name); err != nil {
		return Object{}, memError("get", name, err)
	}
	m.mu.RLock()
	o, ok := m.objects[name]
	m.mu.RUnlock()
	if !ok {
		return Object{}, memError("get", name, ErrNotExist)
	}
	return Object{Body: slices.Clone(o.body), ETag: o.etag}, nil
}

// GetRange implements Bucket.
func (m *mem) GetRange(ctx context.Context, name string, r Range) (Part, error) {
	if err := cmp.Or(CheckCall(ctx, name), r.Check()); err != nil {
		return Part{}, memError("get", name, err)
	}
	m.mu.RLock()
	o, ok := m.objects[name]
	m.mu.RUnlock()
	switch {
	case !ok:
		return Part{}, memError("get", name, ErrNotExist)
	case r.IfMatch != "" && r.IfMatch != o.etag:
		return Part{}, memError("get", name, ErrPrecondition)
	}
	start, end := r.Within(int64(len(o.body)))
	return Part{Body: bytes.Clone(o.body[start:end]), ETag: o.etag, Size: int64(len(o.body))}, nil
}

// Put implements Bucket.
func (m *mem) Put(ctx context.Context, name string, body []byte, options PutOptions) (string, error) {
	if err := CheckCall(ctx, name); err != nil {
		return "", memError("put", name, err)
	}
	o := memObject{body: slices.Clone(body), etag: contentETag(body), modified: time.Now().UTC()}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !options.Allow(m.objects[name].etag) {
		return "", memError("put", name, ErrPrecondition)
	}
	m.objects[name] = o
	return o.etag, nil
}

// PutStream implements Bucket.
func (m *mem) PutStream(ctx context.Context, name string, write func(io.Writer) error) (string, error) {
	err := CheckCall(ctx, name)
	var body bytes.Buffer
	if err == nil {
		err = write(&contextWriter{ctx, &body})
	}
	if err != nil {
		return "", memError("put", name, err)
	}
	return m.Put(ctx, name, body.Bytes(), PutOptions{})
}

// Delete implements Bucket.
func (m *mem) Delete(ctx context.Context, names ...string) error {
	if err := CheckCall(ctx, names...); err != nil {
		return memError("delete", strings.Join(names, " "), err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range names {
		delete(m.objects, name)
	}
	return nil
}

// List implements Bucket.
func (m *mem) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		// Copied, so that the caller may change the bucket during the iteration.
		var found []Info
		m.mu.RLock()
		for name, o := range m.objects {
			if strings.HasPrefix(name, prefix) {
				found = append(found, Info{Name: name, Bytes: int64(len(o.body)), ETag: o.etag, Modified: o.modified})
			}
		}
		m.mu.RUnlock()
		slices.SortFunc(found, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
		for _, info := range found {
			if err := ctx.Err(); err != nil {
				yield(Info{}, memError("list", prefix, err))
				return
			}
			if !yield(info, nil) {
				return
			}
		}
	}
}

func memError(op, name string, err error) error {
	return fmt.Errorf("%s mem:///%s: %w", op, name, err)
}
