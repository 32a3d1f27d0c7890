package v5

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// pulse is how long a read waits at a time, at most. After it, it is seen whether its
// context has ended: that is soon enough, and costs less than to be told.
const pulse = 100 * time.Millisecond

// errHeader ends an answer whose header does not end.
var errHeader = errors.New("read answer: its header is too long")

// reads sends the requests of class Read over connections that it keeps, each in
// the goroutine of its call. net/http's Transport has two goroutines for each
// connection and hands each request and answer over to them, which costs more
// than all else that is done for a read; docs/performance.md has the figures.
// What an answer is on the wire, http.ReadResponse says here, too.
//
// It serves one origin, in HTTP/1.1 and without a proxy, and nothing that must
// not be sent twice: a request that a kept connection swallows because the other
// side was just hanging up is sent once more.
type reads struct {
	dial   func(context.Context) (net.Conn, error)
	keep   time.Duration // how long a connection may be idle
	pulse  time.Duration // how long a read waits at a time
	most   int64         // bytes of a header
	prefix string        // the header up to the credential, behind the target

	mu    sync.Mutex
	idle  []*kept // the one that was used last at the end
	sweep *time.Timer
}

// newReads makes reads for an origin, with the bounds of a transport; nil where
// that has to go through net/http.
func newReads(base *url.URL, userAgent string, t *http.Transport) *reads {
	proxy, err := t.Proxy(&http.Request{URL: base})
	odd := func(r rune) bool { return r < ' ' || r > '~' } // what net/http rewrites or refuses
	if proxy != nil || err != nil || strings.ContainsFunc(base.Host+userAgent, odd) || strings.Contains(base.Host, "%") || !canTellQuiet {
		return nil
	}
	r := &reads{keep: t.IdleConnTimeout, pulse: pulse, most: t.MaxResponseHeaderBytes,
		prefix: " HTTP/1.1\r\nHost: " + base.Host + "\r\nUser-Agent: " + userAgent +
			"\r\nAccept: application/json\r\nAccept-Encoding: gzip\r\nAuthorization: "}
	address := net.JoinHostPort(base.Hostname(), cmp.Or(base.Port(), map[string]string{"http": "80", "https": "443"}[base.Scheme]))
	var by interface {
		DialContext(ctx context.Context, network, address string) (net.Conn, error)
	} = dialer
	if base.Scheme == "https" {
		// Its handshake ends with the dialer's time-out, too.
		by = &tls.Dialer{NetDialer: dialer, Config: t.TLSClientConfig}
	}
	r.dial = func(ctx context.Context) (net.Conn, error) { return by.DialContext(ctx, "tcp", address) }
	return r
}

// get sends a request and reads the answer to its end. resp is nil where no
// header came; its body is read already, and err says whether wholly. sent is
// false as long as no byte can have left.
func (r *reads) get(ctx context.Context, p *prepared) (resp *http.Response, body string, sent bool, err error) {
	for {
		k, err := r.connection(ctx, !sent)
		if err != nil {
			return nil, "", sent, err
		}
		sent = true
		resp, body, err = k.get(r, p)
		if err == nil && !resp.Close && k.in.Buffered() == 0 {
			r.put(k)
			return resp, body, sent, nil
		}
		k.Close()
		if k.ended != nil {
			return resp, body, sent, k.ended // and not what a parser made of the end
		}
		if err == nil || !k.used || k.header.N != r.most {
			return resp, body, sent, err
		}
		// Not a byte came on a kept connection: it may have been closed as the
		// request was on its way.
	}
}

// connection gives the kept connection that was used last, if reuse allows it, or
// a new one.
func (r *reads) connection(ctx context.Context, reuse bool) (*kept, error) {
	for reuse {
		k := r.take()
		if k == nil {
			break
		}
		if k.quiet(ctx) {
			return k, nil
		}
		k.Close()
	}
	conn, err := r.dial(ctx)
	if err != nil {
		return nil, err
	}
	k := newKept(conn, r.pulse)
	if err := k.begin(ctx); err != nil {
		k.Close()
		return nil, err
	}
	return k, nil
}

// take gives the idle connection that was used last; nil where there is none.
func (r *reads) take() *kept {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.idle)
	if n == 0 {
		return nil
	}
	k := r.idle[n-1]
	r.idle[n-1], r.idle = nil, r.idle[:n-1]
	return k
}

// put keeps a connection for further requests.
func (r *reads) put(k *kept) {
	k.used, k.since = true, time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = append(r.idle, k)
	if r.sweep == nil {
		r.sweep = time.AfterFunc(r.keep, r.expire)
	}
}

// expire closes the connections that have been idle for long enough.
func (r *reads) expire() {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	young := slices.IndexFunc(r.idle, func(k *kept) bool { return now.Sub(k.since) < r.keep })
	if young < 0 {
		young = len(r.idle)
	}
	for _, k := range r.idle[:young] {
		k.Close()
	}
	r.idle, r.sweep = slices.Delete(r.idle, 0, young), nil
	if len(r.idle) > 0 {
		r.sweep = time.AfterFunc(r.keep-now.Sub(r.idle[0].since), r.expire)
	}
}

// close lets go of the connections that no request uses.
func (r *reads) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range r.idle {
		k.Close()
	}
	r.idle = nil
}

// kept is a connection that takes one request after the other.
type kept struct {
	net.Conn
	silent func() bool      // nothing waits in the socket
	pulse  time.Duration    // of its reads
	ctx    context.Context  // of the request
	ended  error            // of ctx, where that ended a read
	out    []byte           // the last request, for the next one to write over
	in     *bufio.Reader    // of header
	header io.LimitedReader // of the connection, so that no header is endless
	until  time.Time        // the connection's deadline
	used   bool             // it has brought an answer
	since  time.Time        // when it became idle
}

func newKept(conn net.Conn, pulse time.Duration) *kept {
	k := &kept{Conn: conn, silent: silent(conn), pulse: pulse}
	k.header.R = k
	k.in = bufio.NewReaderSize(&k.header, 2<<10) // an answer; most of a long one goes past it
	return k
}

// begin makes a connection ready for a request that a context bounds. The error
// is that of a context that has ended.
func (k *kept) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	k.ctx = ctx
	now := time.Now()
	end := now.Add(k.pulse)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(end) {
		if end = deadline; !end.After(now) {
			return context.DeadlineExceeded
		}
	}
	if k.until.Sub(now) > k.pulse/2 && !k.until.After(end) {
		return nil // that of the last request will do, and setting one is not free
	}
	k.until = end
	return k.SetDeadline(end)
}

// Read reads from the connection for as long as the context allows.
func (k *kept) Read(p []byte) (int, error) {
	for {
		n, err := k.Conn.Read(p)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		if k.ended = k.begin(k.ctx); k.ended != nil {
			return 0, k.ended
		}
	}
}

// get sends a request and reads its answer.
func (k *kept) get(r *reads, p *prepared) (*http.Response, string, error) {
	k.header.N = r.most
	k.out = append(append(k.out[:0], "GET "...), p.uri...)
	k.out = append(append(k.out, r.prefix...), p.credential.Scheme...)
	k.out = append(append(append(k.out, ' '), p.credential.Secret...), "\r\n\r\n"...)
	if _, err := k.Write(k.out); err != nil {
		return nil, "", err
	}
	resp, err := http.ReadResponse(k.in, nil)
	for err == nil && resp.StatusCode < 200 {
		if resp.StatusCode == http.StatusSwitchingProtocols {
			resp.Close = true // whatever comes then is not HTTP
			break
		}
		resp, err = http.ReadResponse(k.in, nil) // what came was only a word in between
	}
	if err != nil {
		if k.header.N <= 0 {
			err = errHeader
		}
		return nil, "", err
	}
	k.header.N = math.MaxInt64
	body, err := content(resp)
	return resp, body, err
}

// content reads a body to its end, and decompresses it.
func content(resp *http.Response) (string, error) {
	if coding := resp.Header["Content-Encoding"]; len(coding) == 0 || !strings.EqualFold(coding[0], "gzip") {
		return readAll(resp.Body)
	}
	z, err := gzip.NewReader(resp.Body)
	switch err {
	case nil:
		return readAll(z)
	case io.EOF:
		return "", nil // nothing at all
	}
	return "", err
}

// quiet makes an idle connection ready for a request, and tells whether it is as
// the last answer left it. One that was closed is of no use, and what is sent
// without being asked for would be taken for the next answer, which may be
// another tenant's.
func (k *kept) quiet(ctx context.Context) bool {
	if _, ok := k.Conn.(*tls.Conn); ok {
		// TLS reads ahead. A read that may not wait sees what it has.
		k.ctx, k.until = over, longAgo
		k.SetDeadline(longAgo)
		if _, err := k.in.Peek(1); err != over.Err() {
			return false
		}
		k.ended = nil
	}
	return k.begin(ctx) == nil && k.silent()
}

// over is a context that has ended, and longAgo a deadline that has passed.
var over, longAgo = ended(), time.Unix(1, 0)

func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
