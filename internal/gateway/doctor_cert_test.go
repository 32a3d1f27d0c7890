package gateway

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// issued is a certificate with its key.
type issued struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func issue(t *testing.T, by *issued, template x509.Certificate) *issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	parent, signer := &template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &issued{cert, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// pemCase is a PEM file and what is to be found in it.
type pemCase struct {
	text  [][]byte
	host  string
	mode  os.FileMode
	level Level
	says  string
}

func pemCases(t *testing.T, now time.Time) map[string]pemCase {
	t.Helper()
	day := 24 * time.Hour
	ca := x509.Certificate{Subject: pkix.Name{CommonName: "Test CA"}, NotBefore: now.Add(-100 * day), NotAfter: now.Add(1000 * day),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	root := issue(t, nil, ca)
	other := issue(t, nil, ca)
	ca.NotAfter = now.Add(-day)
	ended := issue(t, nil, ca)
	server := func(by *issued, from, to time.Duration, names ...string) *issued {
		return issue(t, by, x509.Certificate{Subject: pkix.Name{CommonName: "rpc.example.net"}, DNSNames: names,
			NotBefore: now.Add(from), NotAfter: now.Add(to)})
	}
	const name = "rpc.example.net"
	good := server(root, -30*day, 60*day, name)
	numeric := issue(t, root, x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: now.Add(-day), NotAfter: now.Add(60 * day)})
	raw, err := x509.MarshalPKCS8PrivateKey(good.key)
	if err != nil {
		t.Fatal(err)
	}
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
	return map[string]pemCase{
		"good":             {[][]byte{good.pem, root.pem}, name, 0o644, Fine, "until 2026-04-01"},
		"an address":       {[][]byte{numeric.pem}, "127.0.0.1", 0o644, Fine, "127.0.0.1"},
		"with its key":     {[][]byte{key, good.pem}, name, 0o600, Fine, name},
		"short-lived":      {[][]byte{server(root, -day, 6*day, name).pem}, name, 0o644, Fine, name},
		"its key is open":  {[][]byte{good.pem, key}, name, 0o644, Broken, "private key"},
		"ends soon":        {[][]byte{server(root, -80*day, 10*day, name).pem}, name, 0o644, Warning, "ends in 10 days"},
		"ended":            {[][]byte{server(root, -80*day, -day, name).pem}, name, 0o644, Broken, "ended on 2026-01-30"},
		"begins later":     {[][]byte{server(root, day, 80*day, name).pem}, name, 0o644, Broken, "begins on 2026-02-01"},
		"issuer ended":     {[][]byte{server(ended, -80*day, 80*day, name).pem, ended.pem}, name, 0o644, Broken, "Test CA ended"},
		"of another host":  {[][]byte{good.pem}, "rpc.gandi.net", 0o644, Broken, "not good for rpc.gandi.net, only for rpc.example.net"},
		"subject alone":    {[][]byte{server(root, -30*day, 60*day).pem}, "", 0o644, Warning, "subject"},
		"wrong order":      {[][]byte{good.pem, other.pem, root.pem}, name, 0o644, Warning, "order"},
		"no certificate":   {[][]byte{key}, name, 0o600, Broken, "no certificate"},
		"a broken one":     {[][]byte{pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})}, name, 0o644, Broken, "anew"},
		"nothing readable": {[][]byte{[]byte("hello")}, name, 0o644, Broken, "no certificate"},
	}
}

func TestDoctorOfCertificates(t *testing.T) {
	now := time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)
	for what, c := range pemCases(t, now) {
		path := filepath.Join(t.TempDir(), "tls.pem")
		if err := errors.Join(os.WriteFile(path, slices.Concat(c.text...), 0o600), os.Chmod(path, c.mode)); err != nil {
			t.Fatal(err)
		}
		d := Doctor{Now: func() time.Time { return now }}
		if c.host != "" {
			d.Names = []string{c.host}
		}
		found := d.lookAtCertificate(path)
		says := slices.ContainsFunc(found, func(f Finding) bool { return strings.Contains(f.What+f.Do, c.says) })
		if Worst(found) != c.level || !says {
			t.Errorf("%s: %+v, want %s that says %q", what, found, c.level, c.says)
		}
	}
	if found := (&Doctor{}).lookAtCertificate(filepath.Join(t.TempDir(), "absent.pem")); Worst(found) != Broken {
		t.Errorf("absent: %+v", found)
	}
}
