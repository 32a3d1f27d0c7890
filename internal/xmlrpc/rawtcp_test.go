package xmlrpc

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// dial opens a connection to the server.
func dial(t *testing.T, s *testServer) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// readAnswer reads one answer and gives its status line, and its value in one line.
func readAnswer(t *testing.T, r *bufio.Reader) (*http.Response, string) {
	t.Helper()
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, result(body)
}

// TestRawRequests sends heads that Go's own client would not write.
func TestRawRequests(t *testing.T) {
	s := newTestServer(t, Limits{})
	body := named("test.echo", "<param><value>a</value></param>")
	n := len(body)
	for _, c := range []struct {
		name, request string
		closes        bool
	}{
		{"phpxmlrpc HTTP/1.0", fmt.Sprintf("POST /xmlrpc/ HTTP/1.0\r\nHost: rpc.gandi.net\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s", n, body), true},
		{"tcl HTTP/1.0 without Host", fmt.Sprintf("POST /xmlrpc/ HTTP/1.0\r\nContent-Type: text/xml\r\nContent-length: %d\r\n\r\n%s", n, body), true},
		{"gad bare line feeds", fmt.Sprintf("POST /xmlrpc/ HTTP/1.1\nHost: rpc.gandi.net\nContent-Type: text/xml\nContent-Length: %d\n\n%s", n, body), false},
		{"lwp TE and close", fmt.Sprintf("POST / HTTP/1.1\r\nTE: deflate,gzip;q=0.3\r\nConnection: TE, close\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", n, body), true},
		{"absolute url through a proxy", fmt.Sprintf("POST http://rpc.gandi.net/xmlrpc/ HTTP/1.1\r\nHost: rpc.gandi.net\r\nContent-Length: %d\r\n\r\n%s", n, body), false},
		{"curl chunks", fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", body[:16], n-16, body[16:]), false},
		{"davexmlrpc lower case", fmt.Sprintf("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s", n, body), false},
		{"java basic auth", fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic eDp5\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s", n, body), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := dial(t, s)
			if _, err := io.WriteString(conn, c.request); err != nil {
				t.Fatal(err)
			}
			r := bufio.NewReader(conn)
			res, got := readAnswer(t, r)
			if res.StatusCode != 200 || got != `[string("a")]` {
				t.Errorf("status %d, answer %s", res.StatusCode, got)
			}
			if res.Close != c.closes {
				t.Errorf("close is %v, want %v", res.Close, c.closes)
			}
			if len(res.TransferEncoding) > 0 || res.ContentLength < 0 {
				t.Errorf("answer without a length: %v", res)
			}
		})
	}
}

// TestExpectContinue waits for the interim answer before it sends the body, as
// curl does for XML_RPC2 above 1 KiB.
func TestExpectContinue(t *testing.T) {
	s := newTestServer(t, Limits{})
	body := named("test.echo", "<param><value>a</value></param>")
	conn := dial(t, s)
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(body))
	r := bufio.NewReader(conn)
	interim, err := r.ReadString('\n')
	if err != nil || !strings.HasPrefix(interim, "HTTP/1.1 100") {
		t.Fatalf("interim answer %q, %v", interim, err)
	}
	if _, err := r.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, body); err != nil {
		t.Fatal(err)
	}
	if _, got := readAnswer(t, r); got != `[string("a")]` {
		t.Errorf("answer %s", got)
	}
}

// TestExpectTooLarge is refused without the body being sent for.
func TestExpectTooLarge(t *testing.T) {
	s := newTestServer(t, Limits{MaxBytes: 1000})
	conn := dial(t, s)
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n")
	res, got := readAnswer(t, bufio.NewReader(conn))
	if res.StatusCode != 200 || got != "fault 1: Invalid XMLRPC input: larger than 1000 bytes" {
		t.Errorf("status %d, answer %s", res.StatusCode, got)
	}
}

// TestTooManyChunks sends more than the limit without announcing it.
func TestTooManyChunks(t *testing.T) {
	s := newTestServer(t, Limits{MaxBytes: 1000})
	conn := dial(t, s)
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
	for range 20 {
		fmt.Fprintf(conn, "64\r\n%s\r\n", strings.Repeat("a", 100))
	}
	res, got := readAnswer(t, bufio.NewReader(conn))
	if res.StatusCode != 200 || got != "fault 1: Invalid XMLRPC input: larger than 1000 bytes" || !res.Close {
		t.Errorf("status %d, answer %s, close %v", res.StatusCode, got, res.Close)
	}
}

// TestBodyEndsEarly has the client stop in the middle; it can still read.
func TestBodyEndsEarly(t *testing.T) {
	s := newTestServer(t, Limits{})
	for name, head := range map[string]string{
		"by length":  "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n<methodCall>",
		"by chunks":  "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n<methodCall>",
		"bad chunks": "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n<methodCall>",
		"packed":     "POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 1000\r\n\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x00",
		"deflate":    "POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: deflate\r\nContent-Length: 1000\r\n\r\nx",
	} {
		t.Run(name, func(t *testing.T) {
			conn := dial(t, s)
			if _, err := io.WriteString(conn, head); err != nil {
				t.Fatal(err)
			}
			if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			answer, _ := io.ReadAll(conn)
			if !bytes.Contains(answer, []byte("Invalid XMLRPC input: the body could not be read to its end")) {
				t.Errorf("answer %q", answer)
			}
		})
	}
	for _, reason := range s.reasons() {
		if reason != "aborted " {
			t.Errorf("rejected as %q", reason)
		}
	}
}

// TestClientGone has the client leave before the body is sent and before the
// answer is written; the server must live on.
func TestClientGone(t *testing.T) {
	s := newTestServer(t, Limits{})
	conn := dial(t, s)
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n<methodCall>")
	if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	_, body := s.post(t, "", strings.NewReader(named("test.echo", "")), nil)
	if got := result(body); got != "[]" {
		t.Errorf("answer %s", got)
	}
}

// TestKeepAlive makes two calls on one connection.
func TestKeepAlive(t *testing.T) {
	s := newTestServer(t, Limits{})
	conn := dial(t, s)
	r := bufio.NewReader(conn)
	for _, text := range []string{"a", "b"} {
		body := named("test.echo", "<param><value>"+text+"</value></param>")
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		if _, got := readAnswer(t, r); got != `[string("`+text+`")]` {
			t.Errorf("answer %s", got)
		}
	}
}
