// Package v5 is a typed client for Gandi's v5 REST API.
//
// A Client stands for one source address: it owns the connections, the rate
// limit with the queue in front of it, and the circuit breaker. A Session is one
// tenant's view of it: a credential, the organization that pays and a place in
// the queue. Each documented route that the client uses is one
// line in the table of routes.go, which says what may be sent and whether it
// may be sent twice, and one method.
//
// Orders cost money and v5 has no key to make them idempotent, so the package's
// first duty is to say truthfully whether a request may have left:
// Error.MaybeSent and Error.DefiniteNo. In doubt both say that it may.
package v5

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// defaultInFlight is the number of requests at a time where Options names
	// none.
	defaultInFlight = 64
	// mostAnswer bounds the bytes of an answer that are read, after
	// decompression.
	mostAnswer = 1 << 20
	// attemptTimeout bounds one attempt, from asking for a connection to the
	// last byte of the answer, for callers without a deadline.
	attemptTimeout = 90 * time.Second
)

var (
	errTooLarge    = fmt.Errorf("read answer: more than %d bytes", mostAnswer)
	errUnwanted    = errors.New("the answer is not a documented one")
	errNoTransport = errors.New("transport gave neither answer nor error")
)

// Options configures a Client. The zero value of every field but BaseURL has a
// meaning.
type Options struct {
	// BaseURL is the API up to and with its version, as in
	// https://api.gandi.net/v5: absolute, http or https, without query,
	// fragment and user.
	BaseURL string
	// Transport sends the requests; nil are own ones (see newTransports and reads). One
	// that is no *http.Transport has to support net/http/httptrace, as every
	// wrapper of an *http.Transport that keeps the context does; else all its
	// failures count as possibly sent. It must not send a request twice.
	Transport http.RoundTripper
	// MaxInFlight is the number of requests at a time; 0 is 64. One tenant holds
	// at most three quarters of them, background work at most half.
	MaxInFlight int
	// PerMinute is the number of requests a minute for the whole client; 0 is
	// no limit. v5 grants 1000 to a source address (v5 documentation).
	PerMinute int
	// MaxWaiting is the number of requests that wait for their turn; 0 is
	// 10,000. Those beyond it are refused with ErrQueueFull, unless their tenant
	// has less than a hundredth of it waiting: a tenant cannot fill the queue
	// for the others.
	MaxWaiting int
	// BreakAfter is the number of requests without an answer or with a 5xx, one
	// after the other, after which further ones are refused with ErrOpen; 0 is 5.
	BreakAfter int
	// BreakFor is the time after which one request is let through again, whose
	// outcome decides for all; 0 is 10 seconds.
	BreakFor time.Duration
	// BreakerChanged is called when requests begin to be refused with ErrOpen,
	// and when they no longer are. It must not call the client.
	BreakerChanged func(open bool)
	// Observe is called once for every HTTP attempt, after it and before the
	// call goes on, from the goroutine of the call. It may take its time: it
	// holds up that call only.
	Observe func(Exchange)
	// Record is called once for every HTTP attempt with all of it, secrets of its
	// bodies too: for a recorder that takes them out. ctx is the context of the
	// request. It must be quick and must not block.
	Record func(ctx context.Context, a Attempt)
	// Waited is called with the time that a request spent waiting for its turn,
	// for each that was let into the queue: 0 for one that left at once, and the
	// time until then for one whose context ended.
	Waited func(time.Duration)
	// UserAgent is sent with each request; "" is "v3gate".
	UserAgent string
	// Jitter draws the random part of the wait before another attempt, at least
	// 0 and below the bound; nil is math/rand's.
	Jitter func(bound time.Duration) time.Duration
	// Now is the clock for Exchange.Duration and for dates in Retry-After; nil
	// is time.Now. Waiting is done on the real clock.
	Now func() time.Time
}

// Exchange is one HTTP attempt as an observer sees it. It has no header, so no
// credential.
type Exchange struct {
	Route  string // the template, as in "GET /domain/domains/{d}": few distinct values
	Method string
	URL    string // path and query
	// Body is the body of the request, without the values of passwords and
	// transfer codes. It may hold personal data.
	Body   string
	Status int // 0 where no answer came
	DryRun bool
	// Duration is the time from asking for a connection to the end of the
	// answer, without the wait for its turn.
	Duration time.Duration
	// Err is nil where the answer was a wanted one, else the attempt's *Error.
	Err error
}

// Attempt is one HTTP attempt as it went over the wire, but for its header.
type Attempt struct {
	Tenant string // whose session it was
	Route  string // see Exchange
	Method string
	Target string // path and query
	Body   string // of the request
	DryRun bool
	// Number is higher than that of every attempt that was sent before.
	Number uint64
	// Background: nobody waits for it, see the function of that name.
	Background bool
	Status     int // 0 where no whole answer came
	Answer     string
	// Location is that header of the answer.
	Location string
}

// Client sends requests to one v5 from one source address. It is safe for
// concurrent use.
type Client struct {
	base      *url.URL
	rawBase   string // escaped path of base, without a slash at the end
	pooled    http.RoundTripper
	fresh     http.RoundTripper
	reads     *reads // nil where they leave through pooled
	own       bool   // both are ours and follow net/http's tracing to the letter
	queue     *queue
	breaker   *breaker
	observe   func(Exchange)
	record    func(context.Context, Attempt)
	sent      atomic.Uint64 // attempts
	userAgent string
	now       func() time.Time
	jitter    func(bound time.Duration) time.Duration
}

// New makes a Client. The error names the option that is wrong.
func New(o Options) (*Client, error) {
	base, err := url.Parse(o.BaseURL)
	switch {
	case err != nil:
		// The text of a parse error repeats the URL, which may hold a password.
		return nil, errors.New("check base URL: it cannot be parsed")
	case base.Scheme != "http" && base.Scheme != "https":
		return nil, errors.New("check base URL: it must begin with http:// or https://")
	case base.Hostname() == "":
		return nil, errors.New("check base URL: it has no host")
	case base.User != nil:
		return nil, errors.New("check base URL: it must not hold a user or password")
	case base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return nil, errors.New("check base URL: it must not have a query or fragment")
	case o.MaxInFlight < 0:
		return nil, fmt.Errorf("check max in flight: %d is negative", o.MaxInFlight)
	case o.PerMinute < 0:
		return nil, fmt.Errorf("check requests per minute: %d is negative", o.PerMinute)
	case o.MaxWaiting < 0:
		return nil, fmt.Errorf("check requests that wait: %d is negative", o.MaxWaiting)
	case o.BreakAfter < 0 || o.BreakFor < 0:
		return nil, fmt.Errorf("check breaker: %d failures or %s is negative", o.BreakAfter, o.BreakFor)
	}
	c := &Client{
		base:      base,
		rawBase:   strings.TrimRight(base.EscapedPath(), "/"),
		observe:   o.Observe,
		record:    o.Record,
		userAgent: o.UserAgent,
		now:       o.Now,
		jitter:    o.Jitter,
		queue:     newQueue(o),
	}
	c.breaker = newBreaker(o, c.queue.refuse)
	if c.userAgent == "" {
		c.userAgent = "v3gate"
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.jitter == nil {
		c.jitter = rand.N[time.Duration]
	}
	c.pooled, c.fresh, c.own = newTransports(o.Transport, c.queue.most)
	if c.own {
		c.reads = newReads(base, c.userAgent, c.pooled.(*http.Transport))
	}
	return c, nil
}

// Close lets go of the connections that no call uses. A transport that was
// given in Options is left alone.
func (c *Client) Close() {
	if !c.own {
		return
	}
	if c.reads != nil {
		c.reads.close()
	}
	for _, t := range [...]http.RoundTripper{c.pooled, c.fresh} {
		if t, ok := t.(*http.Transport); ok {
			t.CloseIdleConnections()
		}
	}
}

// request is what a method wants to send.
type request struct {
	route  string     // name of a line in the table
	path   []string   // values for the braces of the path, in order
	query  url.Values // nil for none; without sharing_id
	body   any        // nil for none
	dryRun bool
}

// refused is the error of a request that this client does not send.
func (r *request) refused(err error) error { return &Error{Route: r.route, Err: err} }

// prepared is a request in the form in which every attempt sends it.
type prepared struct {
	*endpoint
	route      string // the endpoint's name
	uri        string // path and query, escaped
	body       []byte
	shown      string   // body without what nobody may see
	hidden     []string // what that is
	credential Credential
	dryRun     bool
	want       []int // the codes that are a success
}

// secrets are what no error may repeat.
func (p *prepared) secrets() []string { return append(slices.Clip(p.hidden), p.credential.Secret) }

// prepare checks a request against its line in the table and encodes it.
func (s *Session) prepare(r request) (*prepared, error) {
	e := endpointOf(r.route)
	if e == nil {
		return nil, errors.New("prepare request: the route is not in the table")
	}
	p := &prepared{endpoint: e, route: r.route, dryRun: r.dryRun, want: e.ok, credential: s.credential()}
	if r.dryRun {
		if !e.dryRun {
			return nil, errors.New("prepare request: the route has no dry run")
		}
		p.want = []int{http.StatusOK}
	}
	if err := p.credential.check(); err != nil {
		return nil, err
	}
	var err error
	if p.uri, err = e.fill(s.c.rawBase, r.path); err != nil {
		return nil, err
	}
	query, err := e.encodeQuery(r.query, s.sharingID)
	if err != nil {
		return nil, err
	}
	if query != "" {
		p.uri += "?" + query
	}
	if p.body, err = e.encodeBody(r.body); err != nil {
		return nil, err
	}
	p.shown, p.hidden = mask(p.body)
	return p, nil
}

// locate is the URL of an escaped path and query.
func (c *Client) locate(uri string) *url.URL {
	u := *c.base
	escaped, query, _ := strings.Cut(uri, "?")
	// It was escaped by this package, so it can be unescaped.
	u.Path, _ = url.PathUnescape(escaped)
	if u.RawPath = ""; u.Path != escaped {
		u.RawPath = escaped
	}
	u.RawQuery = query
	return &u
}

// answer is what v5 said with a wanted status.
type answer struct {
	request *prepared
	status  int
	header  http.Header
	body    string
}

// unusable is the error of an answer whose status is right and whose content is
// not.
func (a *answer) unusable(err error) error {
	return &Error{Route: a.request.route, Status: a.status, MaybeSent: true, Err: err}
}

// decode reads the JSON of an answer. null is no content.
func decode[T any](ans *answer) (*T, error) {
	v := new(T)
	if strings.TrimSpace(ans.body) == "null" {
		return nil, ans.unusable(errors.New("decode answer: null"))
	}
	var err error
	if own, ok := any(v).(selfReader); ok {
		err = readJSON(ans.body, own)
	} else {
		err = json.Unmarshal([]byte(ans.body), v)
	}
	if err != nil {
		return nil, ans.unusable(fmt.Errorf("decode answer: %w", err))
	}
	return v, nil
}

// read sends a request and decodes the answer.
func read[T any](ctx context.Context, s *Session, r request) (*T, error) {
	ans, err := s.do(ctx, r)
	if err != nil {
		return nil, err
	}
	return decode[T](ans)
}

// order sends a request that may be a dry run, and reads the verdict if it is.
func (s *Session) order(ctx context.Context, r request) error {
	ans, err := s.do(ctx, r)
	if !r.dryRun {
		return err
	}
	if err == nil {
		return verdict(ans)
	}
	if e := (*Error)(nil); errors.As(err, &e) && e.DefiniteNo() && len(e.Fields) > 0 {
		return &DryRunError{Route: e.Route, Fields: e.Fields, Err: e}
	}
	return err
}

// bodies keeps the buffers that answers are read into.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// readAll reads a body to its end, so that the connection can be used again,
// but no further than mostAnswer.
func readAll(body io.Reader) (string, error) {
	b := bodies.Get().(*bytes.Buffer)
	defer func() {
		if b.Cap() <= 64<<10 {
			b.Reset()
			bodies.Put(b)
		}
	}()
	_, err := b.ReadFrom(io.LimitReader(body, mostAnswer+1))
	if err == nil && b.Len() > mostAnswer {
		return "", errTooLarge
	}
	return b.String(), err
}
