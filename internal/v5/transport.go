package v5

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync/atomic"
	"time"
)

// dialer opens the connections of a client that was given no transport.
var dialer = &net.Dialer{Timeout: 10 * time.Second}

// newTransports makes the two ways on which requests leave: pooled keeps
// connections for further requests, fresh opens one for each request. own tells
// that both were made here.
//
// fresh is for writes that must not be sent twice. On a kept connection the
// other side may just be hanging up as the request is written, and nothing then
// tells whether it was read; with a connection of its own that cannot be, at
// the price of a handshake. A given *http.Transport is used for pooled, and a
// clone of it for fresh; any other RoundTripper is used for both.
//
// Ours speak HTTP/1.1 only. With HTTP/2 all requests share a connection, whose
// loss leaves all their outcomes open, and the rules by which net/http sends a
// request again are wider.
func newTransports(given http.RoundTripper, inFlight int) (pooled, fresh http.RoundTripper, own bool) {
	t, ok := given.(*http.Transport)
	if given != nil && !ok {
		return given, given, false
	}
	if own = t == nil; own {
		t = &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           dialer.DialContext,
			TLSHandshakeTimeout:   10 * time.Second,
			TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(8)},
			ResponseHeaderTimeout: 60 * time.Second,
			// Connections beyond the idle limit would be closed and dialled
			// again under load.
			MaxIdleConns:        inFlight,
			MaxIdleConnsPerHost: inFlight,
			MaxConnsPerHost:     inFlight,
			// Shorter than servers usually keep a connection, so that they are
			// seldom the first to hang up.
			IdleConnTimeout:        15 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			Protocols:              new(http.Protocols),
		}
		t.Protocols.SetHTTP1(true)
	}
	single := t.Clone()
	single.DisableKeepAlives = true
	return t, single, own
}

// transport is the way for a class of routes.
func (c *Client) transport(class Class) http.RoundTripper {
	if class == Once || class == Paid {
		return c.fresh
	}
	return c.pooled
}

// departure follows a request to the point from which bytes of it may leave.
// net/http says when it begins to look for a connection and when it hands one
// to the request; before that second moment nothing can be written. Its hooks
// may be called from other goroutines.
type departure struct {
	sought, got atomic.Bool
}

func (d *departure) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { d.sought.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { d.got.Store(true) },
	})
}

// possible tells whether bytes may have left. That no connection was got proves
// nothing for a transport that does not report at all, so there the search for
// one must have been reported.
func (d *departure) possible(own bool) bool {
	return d.got.Load() || !(own || d.sought.Load())
}

// attempt sends a request once and reads the answer. Exactly one of its results
// is not nil.
func (s *Session) attempt(ctx context.Context, p *prepared) (*answer, *failure) {
	c := s.c
	notSent := func(err error) (*answer, *failure) {
		return nil, &failure{Error: &Error{Route: p.route, Err: err}}
	}
	if c.breaker.refuses() {
		return notSent(ErrOpen)
	}
	turn, err := c.queue.enter(ctx, s.tenant, priorityOf(ctx, p.class))
	if err != nil {
		return notSent(err)
	}
	start := c.now()
	ans, f, err := s.use(ctx, turn, p)
	if err != nil {
		return notSent(err)
	}
	if c.observe != nil {
		x := Exchange{
			Route:    p.route,
			Method:   p.method,
			URL:      p.uri,
			Body:     p.shown,
			DryRun:   p.dryRun,
			Duration: c.now().Sub(start),
		}
		if f != nil {
			x.Status, x.Err = f.Status, f.Error
		} else {
			x.Status = ans.status
		}
		c.observe(x)
	}
	return ans, f
}

// use sends a request in its turn and ends the turn. The error is the
// breaker's: then nothing was sent.
func (s *Session) use(ctx context.Context, turn *turn, p *prepared) (ans *answer, f *failure, refused error) {
	used := false
	defer func() { turn.end(used) }()
	refused = s.c.breaker.run(ctx, func(start time.Time) *failure {
		used = true
		if ans, f = s.exchange(ctx, start, p); f != nil && f.Status == http.StatusTooManyRequests {
			s.c.queue.pause(f.RetryAfter)
		}
		return f
	})
	return ans, f, refused
}

// exchange is the part of an attempt on the network.
func (s *Session) exchange(ctx context.Context, start time.Time, p *prepared) (*answer, *failure) {
	if end, ok := ctx.Deadline(); !ok || end.Sub(start) > attemptTimeout {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, attemptTimeout)
		defer cancel()
	}
	number := s.c.sent.Add(1)
	send := s.c.roundTrip
	if p.class == Read && p.method == http.MethodGet && s.c.reads != nil {
		send = s.c.reads.get
	}
	resp, body, sent, err := send(ctx, p)
	if resp == nil {
		s.record(ctx, p, number, nil, "")
		return nil, &failure{Error: &Error{Route: p.route, MaybeSent: sent, Err: err}, network: true}
	}
	if err != nil {
		s.record(ctx, p, number, nil, "")
	} else {
		s.record(ctx, p, number, resp, body)
	}
	if !slices.Contains(p.want, resp.StatusCode) {
		return nil, s.c.rejected(p, resp, body, err)
	}
	if err != nil && (p.class == Read || p.dryRun) {
		return nil, &failure{
			Error:   &Error{Route: p.route, Status: resp.StatusCode, MaybeSent: true, Err: err},
			network: err != errTooLarge,
		}
	}
	// The status of a write says all; that its body was cut changes nothing.
	return &answer{request: p, status: resp.StatusCode, header: resp.Header, body: body}, nil
}

// roundTrip sends a request and reads the answer to its end. resp is nil where no
// header came; its body is read already, and err says whether wholly. sent is
// false where it is certain that no byte has left.
//
// It talks to the transport and not through http.Client: redirects are then never
// followed, nothing is added to the request, and errors do not repeat its URL.
func (c *Client) roundTrip(ctx context.Context, p *prepared) (resp *http.Response, body string, sent bool, err error) {
	var gone departure
	resp, err = c.transport(p.class).RoundTrip(c.request(gone.watch(ctx), p))
	switch {
	case err != nil:
		return nil, "", gone.possible(c.own), err
	case resp == nil:
		return nil, "", gone.possible(c.own), errNoTransport
	}
	defer resp.Body.Close()
	body, err = readAll(resp.Body)
	return resp, body, true, err
}

// record tells Options.Record of an attempt; resp is nil where no whole answer came.
func (s *Session) record(ctx context.Context, p *prepared, number uint64, resp *http.Response, body string) {
	if s.c.record == nil {
		return
	}
	a := Attempt{Tenant: s.tenant, Route: p.route, Method: p.method, Target: p.uri, Body: string(p.body), DryRun: p.dryRun,
		Number: number, Background: priorityOf(ctx, p.class) == background}
	if resp != nil {
		a.Status, a.Answer, a.Location = resp.StatusCode, body, resp.Header.Get("Location")
	}
	s.c.record(ctx, a)
}

var acceptJSON = []string{"application/json"} // no transport may change a request

// request is the HTTP request of one attempt.
//
// net/http's Transport itself sends a request again on a new connection when a
// kept one turns out dead. It does so for GET, HEAD, OPTIONS and TRACE, for any
// method with an Idempotency-Key header, and for any request of which no byte
// was written; over HTTP/2 also after some errors of the peer. In each case it
// needs a body that it can have again: nil, or GetBody. So every write has a
// body that is not nil, and no request has GetBody or such a header: a write
// leaves this client once for each attempt, or not at all. A route without a body
// has NoBody, since any other empty one would be sent in chunks; that lets
// net/http send it again only where no byte was written.
func (c *Client) request(ctx context.Context, p *prepared) *http.Request {
	h := http.Header{
		"Accept":        acceptJSON,
		"Authorization": {p.credential.Scheme + " " + p.credential.Secret},
		"User-Agent":    {c.userAgent},
	}
	req := new(http.Request).WithContext(ctx)
	req.Method, req.URL, req.Host, req.Header = p.method, c.locate(p.uri), c.base.Host, h
	req.Proto, req.ProtoMajor, req.ProtoMinor = "HTTP/1.1", 1, 1
	if p.method != http.MethodGet {
		h.Set("Content-Type", "application/json")
		req.Body = http.NoBody
		if len(p.body) > 0 {
			req.Body = io.NopCloser(bytes.NewReader(p.body))
			req.ContentLength = int64(len(p.body))
		}
	}
	if p.dryRun {
		h.Set("Dry-Run", "1")
	}
	return req
}

// rejected is the failure of an answer with a status that was not wanted; cut
// is the error of reading its body, if any.
func (c *Client) rejected(p *prepared, resp *http.Response, body string, cut error) *failure {
	e := &Error{
		Route:      p.route,
		Status:     resp.StatusCode,
		RetryAfter: retryAfter(resp.Header, c.now()),
		MaybeSent:  true,
		Err:        cut,
	}
	if cut == nil {
		e.readEnvelope([]byte(body))
		e.hide(p.secrets())
	}
	switch {
	case p.dryRun && e.Status == http.StatusAccepted:
		e.Err = ErrDryRunIgnored
	case e.Status < 400 && cut == nil:
		e.Err = errUnwanted
	}
	return &failure{Error: e}
}
