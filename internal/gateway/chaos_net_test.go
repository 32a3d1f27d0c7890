package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"syscall"
	"time"

	"v3gate/internal/sandbox"
)

// longestLatency bounds how late a request can do its work after its sender has
// given it up: the ten seconds between two looks are meant to be longer.
const longestLatency = 8 * time.Second

// chaosWeather is what happens to requests for a while: with what probability each
// kind of trouble, and the setting of the sandbox's own dial.
type chaosWeather struct {
	name   string
	wire   map[string]float64
	simple bool
	sim    sandbox.Chaos
}

// chaosTroubles are the kinds, in the order in which they are drawn:
//
//	refuse       no connection
//	lose-before  the request gets lost
//	lose-after   the answer gets lost
//	hang-before  nothing comes back, nothing is done
//	hang-after   the work is done, nothing comes back
//	html         a page with 500 in place of the work
//	html-after   a page with 500 in place of the answer
//	html-404     a page of some machine on the way
//	cut          the answer's body breaks off
//	slow         the answer's body comes in small pieces
var chaosTroubles = []string{"refuse", "lose-before", "lose-after", "hang-before", "hang-after", "html", "html-after", "html-404", "cut", "slow"}

var chaosWeathers = []chaosWeather{
	{name: "calm"},
	{name: "errors", wire: map[string]float64{"html": 0.1, "html-404": 0.05}, sim: sandbox.Chaos{ErrorRate: 0.25}},
	{name: "lost answers", wire: map[string]float64{"lose-after": 0.2, "html-after": 0.1, "cut": 0.1}, sim: sandbox.Chaos{DropAfterWork: 0.2}},
	{name: "lost requests", wire: map[string]float64{"lose-before": 0.25, "refuse": 0.1}},
	{name: "too many", sim: sandbox.Chaos{Reject429: 0.6}},
	{name: "slow", wire: map[string]float64{"slow": 0.3}, sim: sandbox.Chaos{Latency: 1}},
	{name: "hanging", wire: map[string]float64{"hang-before": 0.1, "hang-after": 0.15, "slow": 0.1}},
	{name: "out of reach", wire: map[string]float64{"refuse": 0.9, "lose-before": 0.1}},
	{name: "everything", wire: map[string]float64{"refuse": 0.03, "lose-before": 0.05, "lose-after": 0.08, "hang-before": 0.02,
		"hang-after": 0.03, "html": 0.03, "html-after": 0.05, "html-404": 0.03, "cut": 0.05, "slow": 0.05},
		sim: sandbox.Chaos{ErrorRate: 0.05, Reject429: 0.05, DropAfterWork: 0.05, Latency: 1}},
}

// chaosNet carries the requests of all processes to the sandbox without a
// socket, so that they can travel inside a bubble.
type chaosNet struct {
	c       *chaos
	handler http.Handler
	served  sync.WaitGroup // requests on their way, whoever still waits for them

	mu      sync.Mutex
	weather chaosWeather
	armed   string         // point at which the process is to die
	air     int            // writing requests on their way
	nth     map[string]int // requests of each name until now
	sends   map[errand]*departed
	took    map[copied]bool // copies of contacts that v5 has acknowledged
}

func newChaosNet(c *chaos) *chaosNet {
	return &chaosNet{c: c, handler: c.sim.Handler(), nth: map[string]int{}, sends: map[errand]*departed{}, took: map[copied]bool{}}
}

func (n *chaosNet) change(w chaosWeather) {
	n.c.note("", "weather: %s %+v", w.name, w.sim)
	n.mu.Lock()
	n.weather = w
	n.mu.Unlock()
	n.c.sim.SetChaos(w.sim)
}

// arm chooses the point at which the process is to die; "" for none.
func (n *chaosNet) arm(point string) {
	n.mu.Lock()
	n.armed = point
	n.mu.Unlock()
	if point != "" {
		n.c.note("", "death waits at: %s", point)
	}
}

// fatal tells a process that it dies at this point.
func (n *chaosNet) fatal(p *chaosProcess, point string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.armed != point || p.dead {
		return false
	}
	n.armed, p.dead = "", true
	return true
}

// chaosWire is the network as one process has it.
type chaosWire struct {
	*chaosNet
	p *chaosProcess
}

// chaosRequest is one request on its way.
type chaosRequest struct {
	req  *http.Request
	body []byte
	dry  bool
	name string // of equal requests that one sender makes one after the other
	rng  *rand.Rand
	fate string
	fqdn string
	// who is what left for the order's operation, nil for what is no order;
	// before is what had left until then.
	who    *departed
	before departed
	copied *copied // the item behind it, nil for none
}

var errLost = errors.New("connection reset by peer")

// RoundTrip reports connections as net/http does: that is how the client knows
// what may have been sent.
func (w *chaosWire) RoundTrip(req *http.Request) (*http.Response, error) {
	x := &chaosRequest{req: req, dry: req.Header.Get("Dry-Run") != "", fqdn: subjectOf(req.URL.Path)}
	if req.Body != nil {
		x.body, _ = io.ReadAll(req.Body)
	}
	if x.fqdn == "" {
		var named struct{ FQDN string }
		_ = json.Unmarshal(x.body, &named)
		x.fqdn = named.FQDN
	}
	x.name = strings.Join([]string{caller(req.Context()), req.Method, req.URL.Path, x.fqdn, req.Header.Get("Dry-Run")}, " ")
	trace := httptrace.ContextClientTrace(req.Context())
	trace.GetConn(req.URL.Host)
	if !w.leave(x) {
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	if x.fate == "refuse" {
		time.Sleep(x.travel(w.c))
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	trace.GotConn(httptrace.GotConnInfo{})
	if req.Method != "GET" && w.fatal(w.p, "departs") {
		w.carry(x)
		w.p.die("departs")
		<-w.p.buried
		return nil, errLost
	}
	resp, err := w.outcome(x, w.carry(x))
	w.end(x, resp, err)
	return resp, err
}

// leave decides a request's fate. False: the process is dead, so nothing leaves.
func (w *chaosWire) leave(x *chaosRequest) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.p.dead {
		return false
	}
	h := fnv.New64a()
	io.WriteString(h, x.name)
	w.nth[x.name]++
	x.rng = rand.New(rand.NewPCG(w.c.seed, h.Sum64()+uint64(w.nth[x.name])))
	draw := x.rng.Float64()
	for _, kind := range chaosTroubles {
		if draw -= w.weather.wire[kind]; draw < 0 {
			x.fate = kind
			break
		}
	}
	w.c.note(x.fqdn, "v5 <- %s %s%s %s %s", x.req.Method, x.req.URL.RequestURI(), map[bool]string{true: " Dry-Run"}[x.dry], x.fate, clippedBody(x.body))
	if x.fate != "refuse" && x.req.Method != "GET" {
		w.depart(x)
	}
	return true
}

// carry brings a request to the sandbox and gives the channel of the answer,
// which is closed when there is none. A sender who leaves stops nothing.
func (w *chaosWire) carry(x *chaosRequest) <-chan *http.Response {
	answered := make(chan *http.Response, 1)
	there, back := x.travel(w.c), x.travel(w.c)
	if x.req.Method != "GET" {
		w.mu.Lock()
		w.air++
		w.mu.Unlock()
	}
	served := httptest.NewRequest(x.req.Method, x.req.URL.String(), bytes.NewReader(x.body))
	served.Header = x.req.Header.Clone()
	w.served.Go(func() {
		defer close(answered)
		time.Sleep(there)
		resp := w.serve(x, served)
		if x.req.Method != "GET" {
			w.mu.Lock()
			w.air--
			w.mu.Unlock()
		}
		time.Sleep(back)
		if resp != nil {
			answered <- resp
		}
	})
	return answered
}

// travel is the time of one way.
func (x *chaosRequest) travel(c *chaos) time.Duration {
	d := someTime(x.rng, time.Millisecond, 40*time.Millisecond)
	if c.set.simultaneous {
		d = d.Truncate(10 * time.Millisecond)
	}
	return d
}

// serve lets the sandbox work on a request that arrives there; nil is no answer.
func (w *chaosWire) serve(x *chaosRequest, r *http.Request) (resp *http.Response) {
	switch x.fate {
	case "lose-before", "hang-before":
		return nil
	case "html":
		return errorPage(http.StatusInternalServerError)
	case "html-404":
		return errorPage(http.StatusNotFound)
	}
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler { // with that the sandbox hangs up
			panic(p)
		}
		status := 0
		if resp != nil {
			status = resp.StatusCode
		}
		w.c.note(x.fqdn, "v5 -> %s %s: %d", r.Method, r.URL.Path, status)
	}()
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return rec.Result()
}

// outcome is what the sender sees of it.
func (w *chaosWire) outcome(x *chaosRequest, answered <-chan *http.Response) (*http.Response, error) {
	ctx := x.req.Context()
	select {
	case resp, ok := <-answered:
		switch {
		case strings.HasPrefix(x.fate, "hang"):
			<-ctx.Done()
			return nil, ctx.Err()
		case !ok:
			return nil, io.ErrUnexpectedEOF
		case x.req.Method != "GET" && w.fatal(w.p, "lands"):
			w.p.die("lands")
			<-w.p.buried
			return nil, errLost
		case x.fate == "lose-after":
			return nil, errLost
		case x.fate == "html-after":
			return errorPage(http.StatusInternalServerError), nil
		case x.fate == "cut":
			resp.Body = io.NopCloser(io.MultiReader(io.LimitReader(resp.Body, 5), brokenBody{}))
		case x.fate == "slow":
			resp.Body = &slowBody{ReadCloser: resp.Body, x: x}
		}
		return resp, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func errorPage(status int) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(
		"<html><body>" + http.StatusText(status) + "</body></html>"))}
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, errLost }

// slowBody comes in pieces of a hundred bytes.
type slowBody struct {
	io.ReadCloser
	x *chaosRequest
}

func (b *slowBody) Read(p []byte) (int, error) {
	timer := time.NewTimer(someTime(b.x.rng, time.Millisecond, time.Second))
	defer timer.Stop()
	select {
	case <-timer.C:
		return b.ReadCloser.Read(p[:min(len(p), 100)])
	case <-b.x.req.Context().Done():
		return 0, b.x.req.Context().Err()
	}
}
