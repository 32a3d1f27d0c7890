package gateway

import (
	"bytes"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"v3gate/internal/config"
	"v3gate/internal/telemetry"
)

// benchDomain is what v5 says of a domain, with every member that it usually has.
const benchDomain = `{"id":"ba1167be-2f76-11e9-9dfb-00163ec4cb00","fqdn":"example.com","fqdn_unicode":"example.com","tld":"com",` +
	`"href":"https://api.gandi.net/v5/domain/domains/example.com","status":["clientTransferProhibited"],"can_tld_lock":true,` +
	`"nameservers":["ns-1-a.gandi.net","ns-2-b.gandi.net","ns-3-c.gandi.net"],"dates":{"created_at":"2025-09-22T15:11:04Z",` +
	`"registry_created_at":"2025-09-22T13:11:04Z","registry_ends_at":"2026-09-22T13:11:04Z","updated_at":"2025-12-30T10:00:00Z",` +
	`"hold_begins_at":"2026-09-22T13:11:04Z","hold_ends_at":"2026-11-06T13:11:04Z","restore_ends_at":"2026-12-06T13:11:04Z"},` +
	`"contacts":{"owner":{"type":"individual","given":"Dave","family":"Null","streetaddr":"1 Street","zip":"75011","city":"Paris",` +
	`"country":"FR","email":"dave@example.com","phone":"+33.123456789"}},"autorenew":{"dates":["2026-08-22T13:11:04Z"],"duration":1,` +
	`"enabled":false},"services":["gandilivedns"],"sharing_space":{"id":"` + testOrg + `","name":"My Company","type":"organization",` +
	`"reseller":true},"authinfo":"4796ee0d!","tags":[]}`

// near is a v5 without a network.
type near struct{}

func (near) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(benchDomain)), Request: r}, nil
}

// unheard is a caller who takes an answer and throws it away.
type unheard struct {
	header http.Header
	n      int
}

func (u *unheard) Header() http.Header         { return u.header }
func (u *unheard) WriteHeader(int)             {}
func (u *unheard) Write(b []byte) (int, error) { u.n += len(b); return len(b), nil }

// benchCall returns what makes one call of domain.info through everything but the
// network: wire, chain with log and metrics, row, store and v5 client.
func benchCall(tb testing.TB) func() int {
	cfg := config.Default()
	cfg.Listen, cfg.Admin, cfg.Store = "127.0.0.1:0", "127.0.0.1:0", filepath.Join(tb.TempDir(), "store.db")
	cfg.V5URL, cfg.V5Rate = "http://v5.test/v5", 0
	cfg.Tenants = []config.Tenant{{Name: "a", V3Key: testKey, V5Token: testToken, SharingID: testOrg, Limits: config.Limits{InFlight: 64}}}
	log, err := telemetry.NewLogger(io.Discard, "info")
	if err != nil {
		tb.Fatal(err)
	}
	g, err := New(cfg, Hooks{Log: log, Transport: near{}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { g.client.Close(); g.db.Close() })
	h, err := g.Handler()
	if err != nil {
		tb.Fatal(err)
	}
	body := []byte("<?xml version='1.0'?>\n<methodCall>\n<methodName>domain.info</methodName>\n<params>\n" +
		"<param>\n<value><string>" + testKey + "</string></value>\n</param>\n" +
		"<param>\n<value><string>example.com</string></value>\n</param>\n</params>\n</methodCall>\n")
	r := bytes.NewReader(body)
	req, err := http.NewRequest("POST", "http://gateway.test/xmlrpc/", nil)
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("Content-Type", "text/xml")
	req.Header.Set("User-Agent", "Python-xmlrpc/3.11")
	req.ContentLength, req.RemoteAddr = int64(len(body)), "127.0.0.1:40000"
	return func() int {
		r.Reset(body)
		again := *req
		again.Body = io.NopCloser(r)
		w := unheard{header: http.Header{}}
		h.ServeHTTP(&w, &again)
		return w.n
	}
}

// BenchmarkDomainInfo is what the gateway itself costs in a call.
func BenchmarkDomainInfo(b *testing.B) {
	call := benchCall(b)
	if n := call(); n < 2000 {
		b.Fatalf("the answer has %d bytes", n)
	}
	b.ReportAllocs()
	for b.Loop() {
		call()
	}
}
