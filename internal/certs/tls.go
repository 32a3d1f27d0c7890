package certs

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
)

// versions are the minimum versions that an operator can name.
var versions = []struct {
	text string
	id   uint16
}{
	{"1.0", tls.VersionTLS10}, {"1.1", tls.VersionTLS11}, {"1.2", tls.VersionTLS12}, {"1.3", tls.VersionTLS13},
}

// ParseVersion reads the minimum version of TLS as an operator writes it. Empty
// is 1.2.
func ParseVersion(text string) (uint16, error) {
	var known []string
	for _, v := range versions {
		if text == v.text {
			return v.id, nil
		}
		known = append(known, v.text)
	}
	if text == "" {
		return tls.VersionTLS12, nil
	}
	return 0, fmt.Errorf("tls-min: %q is not one of %s; below 1.2 only for clients that know nothing newer", text, strings.Join(known, ", "))
}

// TLSConfig serves a source's certificate to clients of at least a version; 0 is
// TLS 1.2.
//
// With 1.2 or more the suites are Go's own choice. A lower minimum alone would
// not help the clients that need it: since 1.22 Go offers no key exchange by RSA
// unless told to, since 1.23 no 3DES (GODEBUG tlsrsakex and tls3des, both gone in
// 1.27), and CBC with SHA-256 never. So the suites are then named, in Go's order
// of preference, which a server keeps to: a modern client gets the same as
// before. Naming them needs no GODEBUG and outlives it. RC4 stays out; of DHE Go
// knows none.
//
// No protocol is offered by ALPN, so that HTTP/2 is never chosen: the clients
// know none, and the idle time of connections is what they depend on.
func TLSConfig(src *Source, minVersion uint16) *tls.Config {
	if minVersion == 0 {
		minVersion = tls.VersionTLS12
	}
	c := &tls.Config{GetCertificate: src.GetCertificate, MinVersion: minVersion}
	if minVersion < tls.VersionTLS12 {
		c.CipherSuites = oldSuites()
	}
	return c
}

// oldSuites are all suites below TLS 1.3 that Go has, but those with RC4.
func oldSuites() []uint16 {
	var ids []uint16
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		if slices.Contains(s.SupportedVersions, tls.VersionTLS12) && !strings.Contains(s.Name, "_RC4_") {
			ids = append(ids, s.ID)
		}
	}
	return ids
}
