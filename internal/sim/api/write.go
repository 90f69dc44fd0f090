package api

import (
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
)

// zipFrom is the length in bytes from which a list is compressed for clients that
// accept it. The real API server compresses from 128 KiB; on loopback only very
// long lists are worth the CPU.
const zipFrom = 1 << 20

// write sends a page, compressed if it is long and the client accepts that. Write
// errors are ignored: they mean that the client has closed the connection.
func (c *Server) write(w http.ResponseWriter, r *http.Request, p *page, f format) {
	w.Header().Set("Content-Type", f.contentType())
	// About two kilobytes an object; usage is a tenth of that.
	long := len(p.entries)*2000 >= zipFrom
	if p.kind.usage != nil {
		long = len(p.entries)*200 >= zipFrom
	}
	accepted := strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")
	borrow(func(buf []byte) []byte {
		length := 0
		if f.proto() {
			length = c.itemsLength(p, f, buf)
		}
		buf = p.opening(buf[:0], f, length)
		if !long || !accepted {
			if f.proto() {
				w.Header().Set("Content-Length", strconv.Itoa(len(buf)+length+len(closing(f))))
			}
			buf, _ = c.writeItems(w, p, f, buf)
			return buf
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Vary", "Accept-Encoding")
		if p.chunks == nil {
			z := zippers.Get().(*gzip.Writer)
			z.Reset(w)
			buf, _ = c.writeItems(z, p, f, buf)
			_ = z.Close()
			zippers.Put(z)
			return buf
		}
		// gzip members follow one another: the chunks that have not changed
		// are sent as they were compressed before.
		out := zip(buf)
		for i := range p.chunks {
			out = append(out, c.zipped(p, i, f)...)
		}
		out = append(out, zip([]byte(closing(f)))...)
		w.Header().Set("Content-Length", strconv.Itoa(len(out)))
		_, _ = w.Write(out)
		return buf
	})
}
