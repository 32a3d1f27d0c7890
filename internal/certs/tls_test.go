package certs

import (
	"crypto/tls"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMinimumVersion(t *testing.T) {
	dir, _ := create(t, Request{Hosts: []string{gandi}})
	src, roots := load(t, dir), pool(t, dir)
	for _, c := range []struct {
		setting string
		min     uint16
	}{{"", tls.VersionTLS12}, {"1.0", tls.VersionTLS10}, {"1.1", tls.VersionTLS11}, {"1.2", tls.VersionTLS12}, {"1.3", tls.VersionTLS13}} {
		minVersion, err := ParseVersion(c.setting)
		if err != nil {
			t.Fatal(err)
		}
		addr := listen(t, TLSConfig(src, minVersion))
		for _, v := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13} {
			state, err := shake(t.Context(), addr, &tls.Config{RootCAs: roots, ServerName: gandi, MinVersion: v, MaxVersion: v})
			if (err == nil) != (v >= c.min) || err == nil && state.Version != v {
				t.Errorf("minimum %q, client %s: %v", c.setting, tls.VersionName(v), err)
			}
		}
		if state, err := shake(t.Context(), addr, &tls.Config{RootCAs: roots, ServerName: gandi}); err != nil || state.Version != tls.VersionTLS13 {
			t.Errorf("minimum %q, modern client: %s, %v", c.setting, tls.VersionName(state.Version), err)
		}
	}
	for _, text := range []string{"1", "1.4", "tls1.0", "TLSv1", "771", "3.0"} {
		if _, err := ParseVersion(text); err == nil || !strings.Contains(err.Error(), "tls-min") || !strings.Contains(err.Error(), "1.0, 1.1, 1.2, 1.3") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What clients of old have, each alone: refused by default, taken with a lowered
// minimum and an RSA key.
func TestOldSuites(t *testing.T) {
	dir, _ := create(t, Request{Hosts: []string{gandi}, RSA: true})
	src, roots := load(t, dir), pool(t, dir)
	modern, lowered := listen(t, TLSConfig(src, 0)), listen(t, TLSConfig(src, tls.VersionTLS10))
	for _, c := range []struct {
		suite          uint16
		version        uint16
		byDefault, low bool
	}{
		{tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, tls.VersionTLS10, false, true},
		{tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.VersionTLS10, false, true},
		{tls.TLS_RSA_WITH_AES_256_CBC_SHA, tls.VersionTLS11, false, true},
		{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, tls.VersionTLS10, false, true},
		{tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA, tls.VersionTLS10, false, true},
		{tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.VersionTLS12, false, true},
		{tls.TLS_RSA_WITH_AES_128_CBC_SHA256, tls.VersionTLS12, false, true},
		{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.VersionTLS12, false, true},
		{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, tls.VersionTLS12, false, true},
		{tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, tls.VersionTLS12, true, true},
		{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.VersionTLS12, true, true},
		{tls.TLS_RSA_WITH_RC4_128_SHA, tls.VersionTLS10, false, false},
		{tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA, tls.VersionTLS12, false, false},
	} {
		client := &tls.Config{RootCAs: roots, ServerName: gandi, CipherSuites: []uint16{c.suite}, MinVersion: c.version, MaxVersion: c.version}
		for addr, want := range map[string]bool{modern: c.byDefault, lowered: c.low} {
			state, err := shake(t.Context(), addr, client)
			if (err == nil) != want || err == nil && state.CipherSuite != c.suite {
				t.Errorf("%s with %s, lowered %v: %v", tls.VersionName(c.version), tls.CipherSuiteName(c.suite), addr == lowered, err)
			}
		}
	}
}

// A lowered minimum takes nothing from modern clients: the server's order wins.
func TestAModernClientGetsTheSameFromALoweredServer(t *testing.T) {
	dir, _ := create(t, Request{Hosts: []string{gandi}, RSA: true})
	src, roots := load(t, dir), pool(t, dir)
	lowered := listen(t, TLSConfig(src, tls.VersionTLS10))
	suites := oldSuites()
	slices.Reverse(suites)
	state, err := shake(t.Context(), lowered, &tls.Config{
		RootCAs: roots, ServerName: gandi, CipherSuites: suites, MaxVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
	})
	if err != nil || !strings.Contains(tls.CipherSuiteName(state.CipherSuite), "_GCM_") && !strings.Contains(tls.CipherSuiteName(state.CipherSuite), "CHACHA20") {
		t.Errorf("%s, %v", tls.CipherSuiteName(state.CipherSuite), err)
	}
	if state.NegotiatedProtocol != "" {
		t.Errorf("protocol %q was chosen", state.NegotiatedProtocol)
	}
	if c := TLSConfig(src, tls.VersionTLS12); c.CipherSuites != nil {
		t.Error("suites are named without a lowered minimum")
	}
}

// Clients of before 2006 send no name, some a first message in SSL 2's form.
func TestClientsWithoutAName(t *testing.T) {
	dir, _ := create(t, Request{Hosts: []string{gandi}})
	src := load(t, dir)
	addr := listen(t, TLSConfig(src, tls.VersionTLS10))
	state, err := shake(t.Context(), addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil || state.PeerCertificates[0].Subject.CommonName != gandi {
		t.Errorf("no name: %v", err)
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	// CLIENT-HELLO of SSL 2 that offers TLS 1.0 with RSA and 3DES.
	conn.Write(append([]byte{0x80, 0x1c, 0x01, 0x03, 0x01, 0x00, 0x03, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x0a}, make([]byte, 16)...))
	answer := make([]byte, 16)
	if n, _ := conn.Read(answer); n < 7 || answer[0] != 0x15 {
		t.Errorf("SSL 2's form is answered with %x, not an alert: docs/clients.md says that it is refused", answer[:n])
	}
}
