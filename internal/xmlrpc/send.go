package xmlrpc

import (
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// buffer is a byte slice that is kept for reuse. It is an io.Writer, so that gzip
// can write into it.
type buffer struct{ b []byte }

// buffers keeps the buffers that answers are put together in.
var buffers = sync.Pool{New: func() any { return new(buffer) }}

func (b *buffer) Write(p []byte) (int, error) {
	b.b = append(b.b, p...)
	return len(p), nil
}

// release gives the buffer back, unless a huge answer has stretched it.
func (b *buffer) release() {
	if cap(b.b) <= keptBytes {
		b.b = b.b[:0]
		buffers.Put(b)
	}
}

// gzipWriters keeps compressors, which are most of a megabyte each.
var gzipWriters = sync.Pool{New: func() any {
	z, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		panic(err) // only an impossible level is an error
	}
	return z
}}

// Header values that every answer has. net/http does not change them.
var contentType, vary = []string{"text/xml; charset=utf-8"}, []string{"Accept-Encoding"}

// send answers r with a document: status 200, and the length of what is really
// sent, which Ruby's client compares. It is compressed whenever the client asks,
// however short it is: one Ruby client gunzips every answer without looking.
func send(w http.ResponseWriter, r *http.Request, doc []byte) {
	h := w.Header()
	h["Content-Type"], h["Vary"] = contentType, vary
	if !wantsGzip(r.Header["Accept-Encoding"]) {
		h["Content-Length"] = []string{strconv.Itoa(len(doc))}
		w.Write(doc) // an error means that the client is gone
		return
	}
	packed := buffers.Get().(*buffer)
	defer packed.release()
	z := gzipWriters.Get().(*gzip.Writer)
	z.Reset(packed)
	z.Write(doc) // a buffer takes everything
	z.Close()
	gzipWriters.Put(z)
	h.Set("Content-Encoding", "gzip")
	h.Set("Content-Length", strconv.Itoa(len(packed.b)))
	w.Write(packed.b)
}

// wantsGzip tells whether an Accept-Encoding names gzip, and not with a quality
// of zero. A bare "*" does not ask for it: identity serves that client as well.
func wantsGzip(values []string) bool {
	for _, list := range values {
		for list != "" {
			var item string
			item, list, _ = strings.Cut(list, ",")
			name, params, _ := strings.Cut(item, ";")
			name = strings.TrimSpace(name)
			if !strings.EqualFold(name, "gzip") && !strings.EqualFold(name, "x-gzip") {
				continue
			}
			key, q, hasQ := strings.Cut(params, "=")
			if !hasQ || !strings.EqualFold(strings.TrimSpace(key), "q") {
				return true
			}
			quality, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
			return err != nil || quality > 0
		}
	}
	return false
}
