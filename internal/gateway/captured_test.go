package gateway

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"v3gate/internal/config"
)

// The requests that stock libraries sent, byte for byte, and what they get.
// Those with a fault are forms that the original refused as well, or whose text
// is lost on the way.
func TestCapturedRequests(t *testing.T) {
	const capturedKey = "v3gatesandboxkey00000001"
	r := newRig(t, func(c *config.Config) { c.Tenants[0].V3Key = capturedKey })
	want := map[string]string{
		"variants/php-broken-reference":  "Invalid XMLRPC input", // the extension loses a digit of É
		"variants/perl-rpc-xml-us-ascii": "Invalid XMLRPC input", // declares ASCII and sends UTF-8
		"variants/perl-rpc-xml-untyped":  "515037",               // rewrites the phone as a float
	}
	paths, _ := filepath.Glob("../../test/clients/captured/*.http")
	variants, _ := filepath.Glob("../../test/clients/captured/variants/*.http")
	if len(paths) < 9 || len(variants) < 8 {
		t.Fatalf("%d captures and %d variants", len(paths), len(variants))
	}
	for _, path := range append(paths, variants...) {
		name := strings.TrimSuffix(strings.TrimPrefix(path, "../../test/clients/captured/"), ".http")
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			answer := replay(t, r.Addr(), raw)
			expected, faulty := want[name]
			if !faulty {
				expected = "-GANDI</string>"
			}
			if !bytes.Contains(answer, []byte(expected)) || bytes.Contains(answer, []byte("<fault>")) != faulty {
				t.Errorf("want %q in\n%s", expected, answer)
			}
			if bytes.Contains(answer, []byte("\uFFFD")) {
				t.Errorf("a character was lost:\n%s", answer)
			}
		})
	}
}

// replay sends raw bytes and reads one answer.
func replay(t *testing.T, addr string, raw []byte) []byte {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := conn.Write(raw); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("status %d", res.StatusCode)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return ungzip(t, res, body)
}

func ungzip(t *testing.T, res *http.Response, body []byte) []byte {
	t.Helper()
	if res.Header.Get("Content-Encoding") != "gzip" {
		return body
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}
