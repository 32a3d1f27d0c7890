package v5

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// sized is an answer with its length.
func sized(body string, headers ...string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s", len(body), strings.Join(headers, ""), body)
}

func about(fqdn string) string { return `{"id":"u","fqdn":"` + fqdn + `"}` }

func packed(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return b.String()
}

// connections is a server over which a read can go, with the connections that were
// opened to it.
func connections(t *testing.T, secured bool, h http.HandlerFunc) (s *Session, opened *atomic.Int64) {
	t.Helper()
	opened = new(atomic.Int64)
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	if secured {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	s = open(t, Options{BaseURL: srv.URL + "/v5"})
	if secured {
		trust(t, s, srv.Certificate())
	}
	return s, opened
}

// trust makes a session take a certificate.
func trust(t *testing.T, s *Session, cert *x509.Certificate) {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	tr := s.c.pooled.(*http.Transport)
	tr.TLSClientConfig = &tls.Config{RootCAs: pool}
	s.c.reads = newReads(s.c.base, s.c.userAgent, tr)
}

func TestReadsKeepTheirConnections(t *testing.T) {
	for _, secured := range []bool{false, true} {
		t.Run(fmt.Sprintf("secured %v", secured), func(t *testing.T) {
			var seen atomic.Pointer[http.Request]
			s, opened := connections(t, secured, func(w http.ResponseWriter, r *http.Request) {
				seen.Store(r)
				io.WriteString(w, about(r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]))
			})
			for i := range 5 {
				fqdn := fmt.Sprintf("d%d.com", i)
				if d, err := s.Domain(t.Context(), fqdn); err != nil || d.FQDN != fqdn {
					t.Fatalf("%+v, %v", d, err)
				}
			}
			if opened.Load() != 1 {
				t.Errorf("%d connections", opened.Load())
			}
			r := seen.Load()
			if r.Method != "GET" || r.URL.Path != "/v5/domain/domains/d4.com" || r.Host != s.c.base.Host || len(r.Header) != 4 ||
				r.Header.Get("Authorization") != "Bearer "+secret || r.Header.Get("Accept") != "application/json" ||
				r.Header.Get("User-Agent") != "v3gate" || r.Header.Get("Accept-Encoding") != "gzip" || r.ContentLength != 0 {
				t.Errorf("%s %s to %s with %v", r.Method, r.URL, r.Host, r.Header)
			}
		})
	}
}

func TestReadsAtTheSameTime(t *testing.T) {
	s, opened := connections(t, false, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, about(r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]))
	})
	var running sync.WaitGroup
	for i := range 16 {
		running.Go(func() {
			for j := range 50 {
				fqdn := fmt.Sprintf("d%d-%d.com", i, j)
				if d, err := s.Domain(t.Context(), fqdn); err != nil || d.FQDN != fqdn {
					t.Errorf("asked for %s: %+v, %v", fqdn, d, err)
				}
			}
		})
	}
	running.Wait()
	if n := opened.Load(); n > 16 {
		t.Errorf("%d connections for 16 readers", n)
	}
}

// Whatever form an answer has, it is read as net/http's Transport reads it.
func TestReadsReadWhatNetHTTPReads(t *testing.T) {
	long := strings.Repeat("x", 20_000)
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	chunk := func(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }
	for _, tc := range []struct {
		name, says string
		kept       bool // the connection can take another request
	}{
		{"length", sized(about("d")), true},
		{"chunks", chunked + chunk(about("d")[:5]) + chunk(about("d")[5:]) + "0\r\n\r\n", true},
		{"chunks with a trailer", chunked + chunk(about("d")) + "0\r\nX: y\r\n\r\n", true},
		{"chunks without an end", chunked + chunk(about("d")), false},
		{"to the end of the connection", "HTTP/1.1 200 OK\r\n\r\n" + about("d"), false},
		{"close", sized(about("d"), "Connection: close\r\n"), false},
		{"HTTP/1.0", strings.Replace(sized(about("d")), "HTTP/1.1", "HTTP/1.0", 1), false},
		{"a word in between", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + sized(about("d")), true},
		{"packed", sized(packed(about("d")), "Content-Encoding: gzip\r\n"), true},
		{"packed in capitals", sized(packed(about("d")), "Content-Encoding: GZIP\r\n"), true},
		{"packed badly", sized("no gzip at all", "Content-Encoding: gzip\r\n"), false},
		{"packed to more than is read", sized(packed(strings.Repeat("[", mostAnswer+1)), "Content-Encoding: gzip\r\n"), false},
		{"packed nothing", sized("", "Content-Encoding: gzip\r\n"), true},
		{"more than is read", sized(strings.Repeat("[", mostAnswer+1)), false},
		{"cut", strings.TrimSuffix(sized(about("d")), "}"), false},
		{"a long header", sized(about("d"), "X: "+long+"\r\n"), true},
		{"a header beyond the bound", sized(about("d"), "X: "+strings.Repeat(long, 5)+"\r\n"), false},
		{"a header without an end", "HTTP/1.1 200 OK\r\nX: ", false},
		{"words in between without an end", strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 3000), false},
		{"another protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", false},
		{"a redirect", "HTTP/1.1 302 Found\r\nLocation: /v5/domain/domains/e\r\nContent-Length: 0\r\n\r\n", true},
		{"not found", "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", true},
		{"no content", "HTTP/1.1 204 No Content\r\n\r\n", true},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 21\r\n\r\n" + about("d"), false},
		{"no HTTP", "SSH-2.0-x\r\n", false},
		{"nothing", "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			base, _ := raw(t, func(_, _ int, w io.Writer) bool {
				io.WriteString(w, tc.says)
				return tc.kept
			})
			ours := open(t, Options{BaseURL: base})
			theirs := open(t, Options{BaseURL: base})
			theirs.c.reads = nil
			p, err := ours.prepare(request{route: "GET /domain/domains/{d}", path: []string{"d"}})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // none of them waits
			defer cancel()
			want, wantBody, wantSent, wantErr := theirs.c.roundTrip(ctx, p)
			got, body, sent, err := ours.c.reads.get(ctx, p)
			if (err == nil) != (wantErr == nil) || sent != wantSent || (got == nil) != (want == nil) || err == nil && body != wantBody {
				t.Fatalf("%v, %.100q, sent %v, %v; net/http says %v, %.100q, sent %v, %v", got, body, sent, err, want, wantBody, wantSent, wantErr)
			}
			if got != nil && (got.StatusCode != want.StatusCode || got.Header.Get("Location") != want.Header.Get("Location")) {
				t.Errorf("%s with %v, net/http says %s with %v", got.Status, got.Header, want.Status, want.Header)
			}
			if kept := len(ours.c.reads.idle) == 1; kept != tc.kept {
				t.Errorf("the connection is kept: %v", kept)
			}
		})
	}
}

// A server that hangs up on each new connection is asked once in an attempt.
func TestReadsAreSentAgainOnKeptConnectionsOnly(t *testing.T) {
	url, read := raw(t, func(int, int, io.Writer) bool { return false })
	s := open(t, Options{BaseURL: url})
	p, err := s.prepare(request{route: "GET /domain/domains/{d}", path: []string{"d"}})
	if err != nil {
		t.Fatal(err)
	}
	if resp, _, sent, err := s.c.reads.get(t.Context(), p); resp != nil || !sent || err == nil || len(read()) != 1 {
		t.Errorf("%v, sent %v, %v after %v", resp, sent, err, read())
	}
}

func TestReadsEndWithTheirContext(t *testing.T) {
	for _, part := range []string{"", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"} {
		for name, want := range map[string]error{"cancelled": context.Canceled, "out of time": context.DeadlineExceeded} {
			t.Run(fmt.Sprintf("%s after %d bytes", name, len(part)), func(t *testing.T) {
				ctx := untilClosed{t.Context(), make(chan struct{}), want}
				hold := make(chan struct{})
				url, _ := raw(t, func(_, _ int, w io.Writer) bool {
					io.WriteString(w, part)
					close(ctx.done)
					<-hold
					return false
				})
				t.Cleanup(func() { close(hold) })
				s := open(t, Options{BaseURL: url})
				_, err := s.Domain(ctx, "d")
				if e := asError(t, err); !e.MaybeSent || !errors.Is(e, want) || len(s.c.reads.idle) != 0 {
					t.Errorf("%+v", e)
				}
			})
		}
	}
}

// untilClosed is a context that ends, as by a deadline or otherwise, when done is closed.
type untilClosed struct {
	context.Context
	done chan struct{}
	with error
}

func (e untilClosed) Done() <-chan struct{} { return e.done }

func (e untilClosed) Err() error {
	select {
	case <-e.done:
		return e.with
	default:
		return nil
	}
}

// closable is a connection that can only be closed.
type closable struct {
	net.Conn
	closed atomic.Bool
}

func (c *closable) Close() error { c.closed.Store(true); return nil }

func TestIdleConnectionsAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reads{keep: 15 * time.Second}
		var conns [3]*closable
		for i := range conns {
			conns[i] = &closable{}
			r.put(newKept(conns[i], pulse))
			time.Sleep(10 * time.Second)
		}
		synctest.Wait()
		closed := func() (out []bool) {
			for _, c := range conns {
				out = append(out, c.closed.Load())
			}
			return out
		}
		// Put at 0, 10 and 20 s; it is 30 s now.
		if got := fmt.Sprint(closed()); got != "[true true false]" {
			t.Errorf("after 30 s: %s", got)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got := fmt.Sprint(closed()); got != "[true true true]" {
			t.Errorf("after 35 s: %s", got)
		}
		r.put(newKept(&closable{}, pulse))
		r.close()
		time.Sleep(time.Minute)
	})
}

// timed is a connection that notes when its deadline is set, and to what.
type timed struct {
	net.Conn
	begin time.Time
	set   []string
}

func (c *timed) SetDeadline(end time.Time) error {
	c.set = append(c.set, fmt.Sprint(time.Since(c.begin), " to ", end.Sub(c.begin)))
	return nil
}

// TestReadsSetTheirDeadlineSeldom: a deadline serves the next request as well, for as
// long as it is neither near nor after the end of that request's time.
func TestReadsSetTheirDeadlineSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := &timed{begin: time.Now()}
		k := newKept(conn, 100*time.Millisecond)
		for _, step := range []struct {
			after, within time.Duration // the last step; 0 for a context without a deadline
		}{{0, 0}, {40, 0}, {10, 0}, {10, 60_000}, {10, 60}, {0, 0}, {200, 0}} {
			time.Sleep(step.after * time.Millisecond)
			ctx := t.Context()
			if step.within > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, step.within*time.Millisecond)
				defer cancel()
			}
			if err := k.begin(ctx); err != nil {
				t.Fatal(err)
			}
		}
		const want = "0s to 100ms, 50ms to 150ms, 70ms to 130ms, 270ms to 370ms"
		if got := strings.Join(conn.set, ", "); got != want {
			t.Errorf("set %s, want %s", got, want)
		}
	})
}

func TestReadsOfOddOriginsGoThroughNetHTTP(t *testing.T) {
	through := func(*http.Request) (*url.URL, error) { return url.Parse("http://proxy") }
	broken := func(*http.Request) (*url.URL, error) { return nil, errors.New("no proxy") }
	direct := func(*http.Request) (*url.URL, error) { return nil, nil }
	for _, tc := range []struct {
		name, base, agent string
		proxy             func(*http.Request) (*url.URL, error)
		ours              bool
	}{
		{"plain", "http://h/v5", "a/1", direct, true},
		{"secured", "https://h:444/v5", "a/1", direct, true},
		{"a proxy", "http://h/v5", "a/1", through, false},
		{"a proxy that is not known", "http://h/v5", "a/1", broken, false},
		{"an agent of two words", "http://h/v5", "a/1 b", direct, true},
		{"a name in Unicode", "http://hé/v5", "a/1", direct, false},
		{"an address with a zone", "http://[fe80::1%25eth0]/v5", "a/1", direct, false},
		{"an agent with a line end", "http://h/v5", "a\r\nX: y", direct, false},
	} {
		base, err := url.Parse(tc.base)
		if err != nil {
			t.Fatal(err)
		}
		if r := newReads(base, tc.agent, &http.Transport{Proxy: tc.proxy}); (r != nil) != tc.ours {
			t.Errorf("%s: %v", tc.name, r)
		}
	}
}
