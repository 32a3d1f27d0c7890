package v5

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// moody is a server that answers in every framing, and misbehaves now and then: it
// breaks off, hangs up before, in the midst of, and after an answer, and sends an
// answer that nobody asked for behind one that somebody did.
type moody struct {
	seed  uint64
	conns atomic.Uint64
	moods [moodCount]atomic.Int64 // how often each came
}

const (
	good = iota
	breaksOff
	resets
	hangsUp
	sendsMore
	dawdles
	moodCount
)

// load is the content that a name has, of a size that follows from the name.
func load(name string) string {
	size := len(name)
	for _, c := range []byte(name) {
		size = (size*31 + int(c)) % 9000
	}
	return name + strings.Repeat(" "+name, size/len(name))
}

func (m *moody) serve(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go m.talk(conn, rand.New(rand.NewPCG(m.seed, m.conns.Add(1))))
	}
}

// talk serves a connection for as long as it lasts.
func (m *moody) talk(conn net.Conn, random *rand.Rand) {
	defer conn.Close()
	for in := bufio.NewReader(conn); ; {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		mood := good
		if random.IntN(3) == 0 {
			mood = random.IntN(moodCount)
		}
		m.moods[mood].Add(1)
		answer := framed(random, load(path.Base(req.URL.Path)))
		switch mood {
		case breaksOff:
			io.WriteString(conn, answer[:random.IntN(len(answer))])
			return
		case resets:
			conn.(*net.TCPConn).SetLinger(0)
			return
		case hangsUp:
			io.WriteString(conn, answer)
			return
		case sendsMore:
			io.WriteString(conn, answer+framed(random, load("another-tenants-domain")))
			continue
		case dawdles:
			for len(answer) > 0 {
				n := min(len(answer), 1+random.IntN(1500))
				io.WriteString(conn, answer[:n])
				answer = answer[n:]
			}
			continue
		}
		io.WriteString(conn, answer)
	}
}

// framed is an answer that says by itself where it ends, in one of the ways there are.
func framed(random *rand.Rand, body string) string {
	header := ""
	if random.IntN(3) == 0 {
		header, body = "Content-Encoding: gzip\r\n", packed(body)
	}
	if random.IntN(3) > 0 {
		return sized(body, header)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n%s\r\n", header)
	for len(body) > 0 {
		n := min(len(body), 1+random.IntN(2000))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	b.WriteString("0\r\n\r\n")
	return b.String()
}

// TestReadsUnderChaos asks a moody server for many names on connections that are
// shared by all. Whatever it does, what is taken for an answer is the whole answer to
// the very question.
func TestReadsUnderChaos(t *testing.T) {
	m := &moody{seed: rand.Uint64()}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go m.serve(l)
	s := open(t, Options{BaseURL: "http://" + l.Addr().String() + "/v5"})
	var answered, failed atomic.Int64
	var callers sync.WaitGroup
	for caller := range 8 {
		callers.Go(func() {
			for i := range 400 {
				name := fmt.Sprintf("name-%d-%d.net", caller, i)
				p, err := s.prepare(request{route: "GET /domain/domains/{d}", path: []string{name}})
				if err != nil {
					t.Error(err)
					return
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				resp, body, sent, err := s.c.reads.get(ctx, p)
				cancel()
				if err != nil {
					if failed.Add(1); !sent {
						t.Errorf("seed %d: %s failed and is said not to have left: %v", m.seed, name, err)
					}
					continue
				}
				answered.Add(1)
				if resp.StatusCode != http.StatusOK || body != load(name) {
					t.Errorf("seed %d: %s got status %d and %.60q of %d bytes", m.seed, name, resp.StatusCode, body, len(body))
				}
			}
		})
	}
	callers.Wait()
	t.Logf("%d answered, %d failed, on %d connections", answered.Load(), failed.Load(), m.conns.Load())
	if answered.Load() < 1600 || failed.Load() < 80 {
		t.Errorf("seed %d: %d answered and %d failed: too few to tell anything", m.seed, answered.Load(), failed.Load())
	}
	for mood := range m.moods {
		if m.moods[mood].Load() < 20 {
			t.Errorf("mood %d came %d times only", mood, m.moods[mood].Load())
		}
	}
}
