package v5

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// What comes on an idle connection, or behind an answer, is no answer to the next
// request, which may be another tenant's.
func TestReadsTakeNothingThatWasNotAskedFor(t *testing.T) {
	surplus := sized(about("of-another-tenant.com"))
	for _, secured := range []bool{false, true} {
		for name, late := range map[string]bool{"with the answer": false, "later": true} {
			t.Run(fmt.Sprintf("%s, secured %v", name, secured), func(t *testing.T) {
				read, sent := make(chan struct{}), make(chan struct{})
				s, opened := connections(t, secured, func(w http.ResponseWriter, r *http.Request) {
					fqdn := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
					conn, _, err := w.(http.Hijacker).Hijack()
					if err != nil {
						t.Error(err)
						return
					}
					if late {
						io.WriteString(conn, sized(about(fqdn)))
						<-read
						io.WriteString(conn, surplus)
					} else {
						io.WriteString(conn, sized(about(fqdn))+surplus)
					}
					sent <- struct{}{}
					io.Copy(io.Discard, conn) // until the other side hangs up
					conn.Close()
				})
				for i := range 3 {
					fqdn := fmt.Sprintf("d%d.com", i)
					if d, err := s.Domain(t.Context(), fqdn); err != nil || d.FQDN != fqdn {
						t.Fatalf("asked for %s: %+v, %v", fqdn, d, err)
					}
					if late {
						read <- struct{}{}
					}
					<-sent
				}
				if opened.Load() != 3 {
					t.Errorf("%d connections", opened.Load())
				}
			})
		}
	}
}

// held is a connection whose writes leave together, once it is let go.
type held struct {
	net.Conn
	hold    bool
	pending []byte
}

func (h *held) Write(p []byte) (int, error) {
	if h.pending = append(h.pending, p...); h.hold {
		return len(p), nil
	}
	_, err := h.Conn.Write(h.pending)
	h.pending = h.pending[:0]
	return len(p), err
}

// securedByHand is a server that answers one request on each connection, over TLS.
func securedByHand(t *testing.T, answer func(wire *held, secured io.Writer, fqdn string)) *Session {
	t.Helper()
	srv := httptest.NewUnstartedServer(nil)
	srv.StartTLS() // for its certificate
	defer srv.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	serve := func(conn net.Conn) {
		defer conn.Close()
		wire := &held{Conn: conn}
		secured := tls.Server(wire, &tls.Config{Certificates: srv.TLS.Certificates})
		r, err := http.ReadRequest(bufio.NewReader(secured))
		if err != nil {
			t.Error(err)
			return
		}
		answer(wire, secured, r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:])
		io.Copy(io.Discard, secured)
	}
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { serve(conn) })
		}
	})
	s := open(t, Options{BaseURL: "https://" + l.Addr().String()})
	trust(t, s, srv.Certificate())
	t.Cleanup(func() { l.Close(); s.c.Close(); running.Wait() })
	return s
}

// TLS reads as much as there is. A record behind that of the answer is then seen
// neither by the reader of answers nor in the socket.
func TestReadsTakeNothingThatTLSHasReadAhead(t *testing.T) {
	s := securedByHand(t, func(wire *held, secured io.Writer, fqdn string) {
		wire.hold = true
		io.WriteString(secured, sized(about(fqdn)))
		wire.hold = false
		io.WriteString(secured, sized(about("of-another-tenant.com")))
	})
	for i := range 3 {
		fqdn := fmt.Sprintf("d%d.com", i)
		if d, err := s.Domain(t.Context(), fqdn); err != nil || d.FQDN != fqdn {
			t.Fatalf("asked for %s: %+v, %v", fqdn, d, err)
		}
	}
}

// An answer may take many pulses, and come in pieces that are no whole record.
func TestReadsWaitForSlowAnswers(t *testing.T) {
	s := securedByHand(t, func(wire *held, secured io.Writer, fqdn string) {
		wire.hold = true
		io.WriteString(secured, sized(about(fqdn)))
		for record := wire.pending; len(record) > 0; {
			n := min(len(record), 16)
			if _, err := wire.Conn.Write(record[:n]); err != nil {
				t.Error(err)
			}
			record = record[n:]
			time.Sleep(3 * time.Millisecond) // several pulses; nothing waits for it
		}
	})
	s.c.reads.pulse = time.Millisecond
	for i := range 2 {
		fqdn := fmt.Sprintf("d%d.com", i)
		if d, err := s.Domain(t.Context(), fqdn); err != nil || d.FQDN != fqdn {
			t.Fatalf("asked for %s: %+v, %v", fqdn, d, err)
		}
		s.c.reads.close() // it answers one request on each connection
	}
}
