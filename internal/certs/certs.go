// Package certs makes the private CA and the certificate that let a client of a
// hard-coded https address talk to the gateway, and serves that certificate so
// that it can be renewed under a running gateway. It knows nothing of Gandi.
package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"time"
)

const (
	// MostDays is the longest that a leaf may last: what browsers and Apple's
	// libraries take is 398 days.
	MostDays = 397

	caYears = 10
	// early dates a certificate back, for clients whose clock is behind.
	early = time.Hour
)

// Request says what to make. The zero value of all but Hosts is a good choice.
type Request struct {
	Hosts []string  // host names and IP addresses; the first name is the leaf's CN too
	RSA   bool      // RSA keys instead of ECDSA P-256, for clients that know no elliptic curves
	Days  int       // how long the leaf lasts, at most MostDays; 0 is MostDays
	Now   time.Time // zero: the present
}

// Pair is a certificate and its private key.
type Pair struct {
	Cert *x509.Certificate
	Key  crypto.Signer
}

// MakeCA makes a private CA of ten years. Its name constraints let it speak for
// the given hosts (and, which X.509 cannot rule out, names below them) and for
// nothing else, so that a client that trusts it lends it no other name.
func MakeCA(r Request) (*Pair, error) {
	r, names, ips, err := r.checked()
	if err != nil {
		return nil, err
	}
	key, err := makeKey(r.RSA, 3072) // it has to last longer than a leaf
	if err != nil {
		return nil, err
	}
	serial, err := makeSerial()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		// A subject of its own, for stores that find a CA by its subject.
		Subject: pkix.Name{
			Organization: []string{"v3gate"},
			CommonName:   "v3gate private CA " + hex.EncodeToString(serial.FillBytes(make([]byte, 16))[:4]),
		},
		NotBefore: r.Now.Add(-early), NotAfter: r.Now.AddDate(caYears, 0, 0),
		KeyUsage: x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
	}
	constrain(template, names, ips)
	// A client of OpenSSL 0.9.8, which RSA is for, knows no constraints and would
	// refuse a CA that has critical ones. Who knows them keeps to them either way.
	template.PermittedDNSDomainsCritical = !r.RSA
	return sign(template, template, key, key)
}

// constrain limits a CA to the given hosts. A kind of name that has no permitted
// one is excluded whole: without a word about it, it would be unlimited.
func constrain(ca *x509.Certificate, names []string, ips []net.IP) {
	ca.PermittedDNSDomains = names
	if len(names) == 0 {
		ca.ExcludedDNSDomains = []string{""}
	}
	var four, six bool
	for _, ip := range ips {
		bits := 8 * len(ip)
		four, six = four || bits == 32, six || bits == 128
		ca.PermittedIPRanges = append(ca.PermittedIPRanges, &net.IPNet{IP: ip, Mask: net.CIDRMask(bits, bits)})
	}
	if !four {
		ca.ExcludedIPRanges = append(ca.ExcludedIPRanges, &net.IPNet{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)})
	}
	if !six {
		ca.ExcludedIPRanges = append(ca.ExcludedIPRanges, &net.IPNet{IP: net.IPv6zero, Mask: net.CIDRMask(0, 128)})
	}
}

// MakeLeaf makes a server's certificate, signed by the CA. It lasts no longer
// than the CA, and hosts that the CA may not speak for are an error. Its key is
// of the CA's kind: a client must be able to check both.
func MakeLeaf(ca *Pair, r Request) (*Pair, error) {
	r, names, ips, err := r.checked()
	if err != nil {
		return nil, err
	}
	_, isRSA := ca.Key.(*rsa.PrivateKey)
	if r.RSA && !isRSA {
		return nil, errors.New("rsa: the CA's key is ECDSA, which a client without elliptic curves cannot check; " +
			"make a new CA with --rsa in another directory")
	}
	r.RSA = isRSA
	key, err := makeKey(r.RSA, 2048)
	if err != nil {
		return nil, err
	}
	serial, err := makeSerial()
	if err != nil {
		return nil, err
	}
	begin := r.Now.Add(-early)
	end := begin.AddDate(0, 0, r.Days).Add(-time.Second) // both ends count
	if end.After(ca.Cert.NotAfter) {
		end = ca.Cert.NotAfter
	}
	usage := x509.KeyUsageDigitalSignature
	if r.RSA {
		usage |= x509.KeyUsageKeyEncipherment // key exchange by RSA, for TLS of old
	}
	leaf, err := sign(&x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: commonName(names, ips)},
		DNSNames: names, IPAddresses: ips, NotBefore: begin, NotAfter: end,
		KeyUsage: usage, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}, ca.Cert, key, ca.Key)
	if err != nil {
		return nil, err
	}
	return leaf, check(leaf.Cert, ca.Cert, r.Now)
}

// check verifies a leaf as a client would.
func check(leaf, ca *x509.Certificate, now time.Time) error {
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now})
	var invalid x509.CertificateInvalidError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &invalid) && invalid.Reason == x509.CANotAuthorizedForThisName:
		return fmt.Errorf("host: the CA may speak for %s only; make a new CA, in another directory, for other hosts",
			strings.Join(permitted(ca), ", "))
	case now.After(ca.NotAfter):
		return fmt.Errorf("the CA ended on %s; make a new one in another directory, and let the clients trust that",
			ca.NotAfter.Format(time.DateOnly))
	}
	return fmt.Errorf("check the certificate that was made: %w", err)
}

// permitted are the hosts that a CA may speak for.
func permitted(ca *x509.Certificate) []string {
	hosts := append([]string(nil), ca.PermittedDNSDomains...)
	for _, n := range ca.PermittedIPRanges {
		hosts = append(hosts, n.IP.String())
	}
	return hosts
}

// commonName is the first name that fits: clients from before subjectAltName
// look at nothing else.
func commonName(names []string, ips []net.IP) string {
	for _, name := range names {
		if len(name) <= 64 {
			return name
		}
	}
	if len(names) == 0 {
		return ips[0].String()
	}
	return ""
}

func sign(template, parent *x509.Certificate, key, parentKey crypto.Signer) (*Pair, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		return nil, fmt.Errorf("sign the certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read the certificate that was made: %w", err)
	}
	return &Pair{Cert: cert, Key: key}, nil
}

func makeKey(asRSA bool, bits int) (crypto.Signer, error) {
	if asRSA {
		return rsa.GenerateKey(rand.Reader, bits)
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

// makeSerial draws 128 bits; 0 is no serial number.
func makeSerial() (*big.Int, error) {
	for {
		n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
		if err != nil || n.Sign() > 0 {
			return n, err
		}
	}
}
