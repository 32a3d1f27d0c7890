package ops

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// wire carries requests to a handler without a socket, so that they can travel
// inside a bubble, and does to them what networks do. It reports connections as
// net/http does: that is how the client knows what may have been sent.
type wire struct {
	handler http.Handler
	// during is called while a request is under way.
	during func(*http.Request)

	served sync.WaitGroup // handlers at work: a caller who leaves does not stop them
	mu     sync.Mutex
	faults []*trouble
	sent   []departure
}

// departure is one request that was not asked to be a dry run and left.
type departure struct {
	at           time.Time
	method, path string
}

// trouble is what happens to the next requests that match.
type trouble struct {
	kind   string // see carry
	method string // "" matches all
	path   string // end of the path; "" matches all
	real   bool   // not to dry runs
	times  int    // how often; 0 is for ever
}

func (w *wire) fail(f trouble) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, &f)
}

func (w *wire) heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = nil
}

// trouble takes what is meant for a request.
func (w *wire) trouble(req *http.Request) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, f := range w.faults {
		if f.method != "" && f.method != req.Method || !strings.HasSuffix(req.URL.Path, f.path) ||
			f.real && req.Header.Get("Dry-Run") != "" {
			continue
		}
		if f.times--; f.times == 0 {
			w.faults = slices.Delete(w.faults, i, i+1)
		}
		return f.kind
	}
	return ""
}

func (w *wire) departures() []departure {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.sent)
}

var errReset = errors.New("connection reset by peer")

// RoundTrip does what a fault's kind says:
//
//	refuse       no connection
//	lose-before  the request gets lost
//	lose-after   the answer gets lost
//	hang-before  nothing comes back, nothing is done
//	hang-after   the work is done, nothing comes back
//	late         the answer takes ten seconds
//	html         500 with a page, nothing is done
//	html-after   500 with a page, the work is done
//	html-404     a page of some machine on the way
//	forbidden    v5's own 403
//	unauthorized v5's 401
//	absent       v5's own 404
//	accept       202, nothing is done
//	available    what check says of a free name
//	step X       progress in step X
//	cut          the answer's body breaks off
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	trace := httptrace.ContextClientTrace(req.Context())
	trace.GetConn(req.URL.Host)
	kind := w.trouble(req)
	if kind == "refuse" {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	trace.GotConn(httptrace.GotConnInfo{})
	if req.Method != "GET" && req.Header.Get("Dry-Run") == "" {
		w.mu.Lock()
		w.sent = append(w.sent, departure{time.Now(), req.Method, req.URL.Path})
		w.mu.Unlock()
	}
	if w.during != nil {
		w.during(req)
	}
	switch kind {
	case "lose-before":
		return nil, errReset
	case "hang-before":
		<-req.Context().Done()
		return nil, req.Context().Err()
	case "html":
		return page(http.StatusInternalServerError), nil
	case "html-404":
		return page(http.StatusNotFound), nil
	case "forbidden":
		return said(http.StatusForbidden, `{"object":"HTTPForbidden","cause":"Forbidden","code":403,"message":"no"}`), nil
	case "unauthorized":
		return said(http.StatusUnauthorized, `{"object":"HTTPUnauthorized","cause":"Unauthorized","code":401,"message":"no"}`), nil
	case "absent":
		return said(http.StatusNotFound, `{"object":"HTTPNotFound","cause":"Not Found","code":404}`), nil
	case "accept":
		return said(http.StatusAccepted, `{"message":"taken"}`), nil
	case "available":
		return said(http.StatusOK, `{"products":[{"process":"create","status":"available"}]}`), nil
	}
	if step, ok := strings.CutPrefix(kind, "step "); ok {
		return said(http.StatusOK, `{"step":"`+step+`","step_nb":3}`), nil
	}
	return w.carry(req, kind)
}

func (w *wire) carry(req *http.Request, kind string) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
	}
	served := httptest.NewRequest(req.Method, req.URL.String(), bytes.NewReader(body))
	served.Header = req.Header.Clone()
	answered := make(chan *http.Response, 1)
	w.served.Go(func() {
		defer close(answered)
		defer func() { recover() }() // http.ErrAbortHandler: the sandbox hangs up
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, served)
		answered <- rec.Result()
	})
	select {
	case resp, ok := <-answered:
		switch {
		case !ok:
			return nil, io.ErrUnexpectedEOF
		case kind == "lose-after":
			return nil, errReset
		case kind == "html-after":
			return page(http.StatusInternalServerError), nil
		case kind == "late":
			time.Sleep(10 * time.Second)
		case kind == "cut":
			resp.Body = io.NopCloser(io.MultiReader(io.LimitReader(resp.Body, 5), broken{}))
		case kind == "hang-after":
			<-req.Context().Done()
			return nil, req.Context().Err()
		}
		return resp, nil
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errReset }

func page(status int) *http.Response {
	return said(status, "<html><body>"+http.StatusText(status)+"</body></html>")
}

func said(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}
