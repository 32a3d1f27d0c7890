package v5

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var creation = DomainCreate{FQDN: "example.com", Owner: &Contact{Type: "individual"}}

// raw serves connections by hand: answer gets the number of the connection and
// of the request on it, both from 0, and writes what it likes; false hangs up.
// The result are the base URL and the methods of all requests that were read.
func raw(t *testing.T, answer func(conn, req int, w io.Writer) bool) (string, func() []string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var methods []string
	var running sync.WaitGroup
	serve := func(n int, c net.Conn) {
		defer c.Close()
		in := bufio.NewReader(c)
		for i := 0; ; i++ {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			io.Copy(io.Discard, r.Body)
			mu.Lock()
			methods = append(methods, r.Method)
			mu.Unlock()
			if !answer(n, i, c) {
				return
			}
		}
	}
	running.Go(func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { serve(n, c) })
		}
	})
	t.Cleanup(func() { l.Close(); running.Wait() })
	return "http://" + l.Addr().String(), func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), methods...)
	}
}

func TestNotSentWhenDialIsRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	s := open(t, Options{BaseURL: "http://" + l.Addr().String()})
	e := asError(t, s.CreateDomain(t.Context(), creation))
	var op *net.OpError
	if e.MaybeSent || !e.DefiniteNo() || !errors.As(e, &op) || op.Op != "dial" {
		t.Errorf("%+v", e)
	}
}

func TestNotSentWhenTLSFails(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request came through") }))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	s := open(t, Options{BaseURL: srv.URL})
	if e := asError(t, s.CreateDomain(t.Context(), creation)); e.MaybeSent || e.Err == nil {
		t.Errorf("unknown certificate: %+v", e)
	}
	url, read := raw(t, func(int, int, io.Writer) bool { return false })
	s = open(t, Options{BaseURL: strings.Replace(url, "http", "https", 1)})
	if e := asError(t, s.CreateDomain(t.Context(), creation)); e.MaybeSent || len(read()) != 0 {
		t.Errorf("no TLS at all: %+v", e)
	}
}

func TestNotSentWhenContextEndsFirst(t *testing.T) {
	t.Run("before the call", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request came through") })
		if e := asError(t, s.CreateDomain(ctx, creation)); e.MaybeSent || !errors.Is(e, context.Canceled) {
			t.Errorf("%+v", e)
		}
	})
	t.Run("waiting for the limiter", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			rt := &script{steps: []func(*http.Request) (*http.Response, error){says(202, "")}}
			s := open(t, Options{BaseURL: "https://h", Transport: rt, PerMinute: 2})
			if err := s.CreateDomain(t.Context(), creation); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			if e := asError(t, s.CreateDomain(ctx, creation)); e.MaybeSent || !errors.Is(e, context.Canceled) || rt.count() != 1 {
				t.Errorf("%+v", e)
			}
		})
	})
	t.Run("waiting for another call", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			rt := &script{steps: []func(*http.Request) (*http.Response, error){func(r *http.Request) (*http.Response, error) {
				<-release
				return says(202, "")(r)
			}}}
			s := open(t, Options{BaseURL: "https://h", Transport: rt, MaxInFlight: 1})
			go s.CreateDomain(context.Background(), creation)
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if e := asError(t, s.CreateDomain(ctx, creation)); e.MaybeSent || !errors.Is(e, context.DeadlineExceeded) || rt.count() != 1 {
				t.Errorf("%+v", e)
			}
			close(release)
		})
	})
	t.Run("while dialling", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := open(t, Options{BaseURL: "http://h", Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		}}})
		if e := asError(t, s.CreateDomain(ctx, creation)); e.MaybeSent || !errors.Is(e, context.Canceled) {
			t.Errorf("%+v", e)
		}
	})
}

func TestMaybeSentOnceConnected(t *testing.T) {
	t.Run("context ends while v5 works", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			cancel()
			<-r.Context().Done()
		})
		if e := asError(t, s.CreateDomain(ctx, creation)); !e.MaybeSent || e.DefiniteNo() || !errors.Is(e, context.Canceled) {
			t.Errorf("%+v", e)
		}
	})
	t.Run("cut before the answer", func(t *testing.T) {
		url, read := raw(t, func(int, int, io.Writer) bool { return false })
		s := open(t, Options{BaseURL: url})
		e := asError(t, s.CreateDomain(t.Context(), creation))
		if !e.MaybeSent || e.DefiniteNo() || e.Status != 0 || e.Err == nil || len(read()) != 1 {
			t.Errorf("%+v after %v", e, read())
		}
	})
	t.Run("no HTTP", func(t *testing.T) {
		url, _ := raw(t, func(_, _ int, w io.Writer) bool { io.WriteString(w, "SSH-2.0\r\n\r\n"); return false })
		s := open(t, Options{BaseURL: url})
		if e := asError(t, s.CreateDomain(t.Context(), creation)); !e.MaybeSent || e.DefiniteNo() {
			t.Errorf("%+v", e)
		}
	})
	t.Run("a transport that reports nothing", func(t *testing.T) {
		s := open(t, Options{BaseURL: "http://h", Transport: &script{steps: []func(*http.Request) (*http.Response, error){
			fails(&net.OpError{Op: "dial", Err: io.EOF}), says(0, "")}}})
		if e := asError(t, s.CreateDomain(t.Context(), creation)); !e.MaybeSent || e.DefiniteNo() {
			t.Errorf("%+v", e)
		}
	})
	t.Run("a transport that gives nothing", func(t *testing.T) {
		s := open(t, Options{BaseURL: "http://h", Transport: &script{steps: []func(*http.Request) (*http.Response, error){
			func(*http.Request) (*http.Response, error) { return nil, nil }}}})
		if e := asError(t, s.CreateDomain(t.Context(), creation)); !e.MaybeSent || !errors.Is(e, errNoTransport) {
			t.Errorf("%+v", e)
		}
	})
	t.Run("a wrapper that passes reports on", func(t *testing.T) {
		s := open(t, Options{BaseURL: "http://127.0.0.1:1", Transport: wrapper{&http.Transport{}}})
		if e := asError(t, s.CreateDomain(t.Context(), creation)); e.MaybeSent {
			t.Errorf("%+v", e)
		}
	})
}

// wrapper hides the type of a transport.
type wrapper struct{ http.RoundTripper }

func TestCutWithinTheAnswer(t *testing.T) {
	for _, tc := range []struct {
		name, head string
		dryRun     bool
		wantErr    bool
	}{
		{"the 202 of an order says all", "HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n{\"mess", false, false},
		{"a 202 to a dry run too", "HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n{\"mess", true, true},
		{"the verdict of a dry run is lost", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"status\":\"success\"}", true, true},
		{"a 400 without its end is no definite no", "HTTP/1.1 400 Bad Request\r\nContent-Length: 100\r\n\r\n{\"code\":400}", false, true},
		{"headers without an end", "HTTP/1.1 202 Accepted\r\nContent-Le", false, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			url, read := raw(t, func(_, _ int, w io.Writer) bool { io.WriteString(w, tc.head); return false })
			s := open(t, Options{BaseURL: url})
			call := s.CreateDomain
			if tc.dryRun {
				call = s.DryRunCreateDomain
			}
			err := call(t.Context(), creation)
			if (err != nil) != tc.wantErr || len(read()) != 1 {
				t.Fatalf("error %v after %v", err, read())
			}
			if err == nil {
				return
			}
			if e := asError(t, err); !e.MaybeSent || e.DefiniteNo() || e.IsJSON {
				t.Errorf("%+v", e)
			}
			if ignored := errors.Is(err, ErrDryRunIgnored); ignored != (tc.dryRun && strings.Contains(tc.head, "202")) {
				t.Errorf("ErrDryRunIgnored: %v", ignored)
			}
		})
	}
}

// A server that hangs up on a kept connection as a request comes is the case in
// which net/http sends requests again by itself.
func TestWritesAreNotSentAgainOnAStaleConnection(t *testing.T) {
	found := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(example), example)
	hangsUp := func(conn, req int, w io.Writer) bool {
		if conn == 0 && req > 0 {
			return false
		}
		io.WriteString(w, found)
		return true
	}
	t.Run("pooled by a foreign transport", func(t *testing.T) {
		url, read := raw(t, hangsUp)
		base := &http.Transport{}
		defer base.CloseIdleConnections()
		s := open(t, Options{BaseURL: url, Transport: wrapper{base}})
		if _, err := s.Domain(t.Context(), "d"); err != nil {
			t.Fatal(err)
		}
		e := asError(t, s.CreateDomain(t.Context(), creation))
		if got := strings.Join(read(), " "); got != "GET POST" || !e.MaybeSent || e.DefiniteNo() {
			t.Errorf("%s, %+v", got, e)
		}
	})
	t.Run("without a body, pooled by a foreign transport", func(t *testing.T) {
		url, read := raw(t, hangsUp)
		base := &http.Transport{}
		defer base.CloseIdleConnections()
		s := open(t, Options{BaseURL: url, Transport: wrapper{base}})
		if _, err := s.Domain(t.Context(), "d"); err != nil {
			t.Fatal(err)
		}
		e := asError(t, s.RelaunchTransfer(t.Context(), "d"))
		if got := strings.Join(read(), " "); got != "GET PUT" || !e.MaybeSent || e.DefiniteNo() {
			t.Errorf("%s, %+v", got, e)
		}
	})
	t.Run("a contact change, own transport", func(t *testing.T) {
		url, read := raw(t, hangsUp)
		s := open(t, Options{BaseURL: url})
		if _, err := s.Domain(t.Context(), "d"); err != nil {
			t.Fatal(err)
		}
		e := asError(t, s.SetContacts(t.Context(), "d", Contacts{Tech: owner}))
		if got := strings.Join(read(), " "); got != "GET PATCH" || e.Status != 200 {
			t.Errorf("%s, %+v: want an answer, on a new connection", got, e)
		}
	})
	t.Run("reads are", func(t *testing.T) {
		url, read := raw(t, hangsUp)
		s := open(t, Options{BaseURL: url})
		for range 2 {
			if _, err := s.Domain(t.Context(), "d"); err != nil {
				t.Fatal(err)
			}
		}
		if got := strings.Join(read(), " "); got != "GET GET GET" {
			t.Errorf("%s", got)
		}
	})
}

func TestRequestsGiveTransportsNothingToRepeat(t *testing.T) {
	taken := says(202, "")
	rt := &script{steps: []step{taken, taken, taken, taken, taken, taken, taken}}
	s := open(t, Options{BaseURL: "https://h", Transport: rt})
	s.CreateDomain(t.Context(), creation)
	s.ChangeOwner(t.Context(), "d", ChangeOwner{Owner: owner})
	s.SetContacts(t.Context(), "d", Contacts{Bill: owner})
	s.Renew(t.Context(), "d", 1)
	s.Restore(t.Context(), "d")
	s.TransferIn(t.Context(), TransferIn{FQDN: "d", Owner: owner})
	s.RelaunchTransfer(t.Context(), "d")
	if rt.count() != 7 {
		t.Fatalf("%d requests", rt.count())
	}
	for _, r := range rt.sent {
		if r.Body == nil || (r.Body == http.NoBody) != (r.Method == "PUT") || r.GetBody != nil || r.Header.Get("Idempotency-Key") != "" || r.Header.Get("X-Idempotency-Key") != "" {
			t.Errorf("%s %s can be repeated", r.Method, r.URL.Path)
		}
		if httptrace.ContextClientTrace(r.Context()) == nil {
			t.Errorf("%s %s is not followed", r.Method, r.URL.Path)
		}
	}
}

func TestOwnTransports(t *testing.T) {
	pooled, fresh, own := newTransports(nil, 7)
	p, f := pooled.(*http.Transport), fresh.(*http.Transport)
	if !own || p.MaxIdleConnsPerHost != 7 || p.MaxConnsPerHost != 7 || p.DisableKeepAlives || !f.DisableKeepAlives {
		t.Errorf("own %v, idle %d, most %d", own, p.MaxIdleConnsPerHost, p.MaxConnsPerHost)
	}
	for _, tr := range [...]*http.Transport{p, f} {
		if tr.Protocols == nil || !tr.Protocols.HTTP1() || tr.Protocols.HTTP2() || tr.TLSHandshakeTimeout == 0 || tr.ResponseHeaderTimeout == 0 || tr.IdleConnTimeout == 0 {
			t.Errorf("protocols %v", tr.Protocols)
		}
	}
	given := &http.Transport{}
	pooled, fresh, own = newTransports(given, 7)
	if own || pooled != given || !fresh.(*http.Transport).DisableKeepAlives || given.DisableKeepAlives {
		t.Errorf("given transport: own %v", own)
	}
}
