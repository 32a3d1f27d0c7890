package xmlrpc

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
)

// body is what the body of a request is read into, and with.
type body struct {
	bytes.Buffer
	wire source
	most io.LimitedReader // of what was decompressed
}

// bodies keeps bodies for reuse.
var bodies = sync.Pool{New: func() any { return new(body) }}

// gzipReaders keeps decompressors, which are 40 KiB each.
var gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}

// firstRead is how much buffer the announced length of a body may claim before
// any of it has come.
const firstRead = 64 << 10

// read gives the call in the body of r.
func (c *Codec) read(r *http.Request) (Call, *Error) {
	lim := c.Limits.orDefault()
	if r.ContentLength > lim.MaxBytes {
		return Call{}, tooLarge(lim)
	}
	buf := bodies.Get().(*body)
	defer func() {
		if buf.Cap() <= keptBytes {
			buf.Reset()
			buf.wire, buf.most = source{}, io.LimitedReader{}
			bodies.Put(buf)
		}
	}()
	if n := r.ContentLength; n > 0 {
		buf.Grow(int(min(n, firstRead)) + bytes.MinRead)
	}
	if e := readBody(buf, r, lim); e != nil {
		return Call{}, e
	}
	call, err := DecodeCall(buf.Bytes(), charsetOf(first(r.Header["Content-Type"])), lim)
	if err != nil {
		return Call{}, err.(*Error)
	}
	call.Size = buf.Len()
	return call, nil
}

// readBody fills buf with the body of r, decompressed. It reads no more than one
// byte over the limit, whatever a compressed body would grow to.
func readBody(buf *body, r *http.Request, lim Limits) *Error {
	wire := &buf.wire
	wire.r = r.Body
	encoding := strings.ToLower(strings.TrimSpace(first(r.Header["Content-Encoding"])))
	plain, done, err := decompress(wire, encoding)
	if plain == nil && err == nil {
		return invalidInput(ReasonEncoding, "unknown content encoding %s", pythonRepr(encoding))
	}
	if err == nil {
		buf.most = io.LimitedReader{R: plain, N: lim.MaxBytes + 1}
		_, err = buf.ReadFrom(&buf.most)
		done()
	}
	var overLimit *http.MaxBytesError
	switch {
	case int64(buf.Len()) > lim.MaxBytes, errors.As(wire.err, &overLimit):
		return tooLarge(lim)
	case wire.err != nil && wire.err != io.EOF:
		return invalidInput(ReasonAborted, "the body could not be read to its end")
	case err != nil:
		return invalidInput(ReasonEncoding, "damaged %s data", encoding)
	}
	return nil
}

// source remembers how reading from the connection ended, to tell a lost client
// from damaged compressed data.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil {
		s.err = err
	}
	return n, err
}

// decompress gives a reader of the plain body, and what to call when it has been
// read. The reader is nil for an encoding that is not known. phpxmlrpc sends gzip
// or deflate when told to.
func decompress(wire io.Reader, encoding string) (plain io.Reader, done func(), err error) {
	switch encoding {
	case "", "identity":
		return wire, func() {}, nil
	case "gzip", "x-gzip":
		z := gzipReaders.Get().(*gzip.Reader)
		if err := z.Reset(wire); err != nil {
			return nil, nil, err
		}
		return z, func() { gzipReaders.Put(z) }, nil
	case "deflate":
		// The name means zlib's format, but bare deflate is sent as well. The first
		// two bytes of zlib's are a multiple of 31 and name method 8.
		peek := bufio.NewReader(wire)
		head, err := peek.Peek(2)
		if err != nil {
			return nil, nil, err
		}
		if head[0]&0x0F == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
			z, err := zlib.NewReader(peek)
			return z, func() {}, err
		}
		return flate.NewReader(peek), func() {}, nil
	}
	return nil, nil, nil
}

// first is the first value of a header, "" for none.
func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// charsetOf gives the charset parameter of a Content-Type, or "". It is lenient
// where mime.ParseMediaType is not: a header that is wrong elsewhere still says
// what it says.
func charsetOf(contentType string) string {
	_, params, _ := strings.Cut(contentType, ";")
	for params != "" {
		var param string
		param, params, _ = strings.Cut(params, ";")
		name, value, _ := strings.Cut(param, "=")
		if strings.EqualFold(strings.TrimSpace(name), "charset") {
			return strings.Trim(value, " \t\"'")
		}
	}
	return ""
}
