package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWhatIsMade(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, asRSA := range map[string]bool{"ECDSA": false, "RSA": true} {
		t.Run(name, func(t *testing.T) {
			hosts := []string{"RPC.gandi.net.", "rpc.ote.gandi.net", "192.0.2.7", "::1", "rpc.gandi.net"}
			ca, err := MakeCA(Request{Hosts: hosts, RSA: asRSA, Now: now})
			if err != nil {
				t.Fatal(err)
			}
			leaf, err := MakeLeaf(ca, Request{Hosts: hosts, RSA: asRSA, Now: now})
			if err != nil {
				t.Fatal(err)
			}
			checkCA(t, ca.Cert, now)
			checkLeaf(t, leaf.Cert, now)
			usage := x509.KeyUsageDigitalSignature
			if asRSA {
				usage |= x509.KeyUsageKeyEncipherment
			}
			if leaf.Cert.KeyUsage != usage {
				t.Errorf("the leaf's key usage is %b, not %b", leaf.Cert.KeyUsage, usage)
			}
			for who, pair := range map[string]*Pair{"CA": ca, "leaf": leaf} {
				switch key := pair.Key.(type) {
				case *ecdsa.PrivateKey:
					if asRSA || key.Curve != elliptic.P256() || pair.Cert.SignatureAlgorithm != x509.ECDSAWithSHA256 {
						t.Errorf("the %s has an ECDSA key on %s, signed with %s", who, key.Curve.Params().Name, pair.Cert.SignatureAlgorithm)
					}
				case *rsa.PrivateKey:
					if !asRSA || key.N.BitLen() < 2048 || pair.Cert.SignatureAlgorithm != x509.SHA256WithRSA {
						t.Errorf("the %s has an RSA key of %d bits, signed with %s", who, key.N.BitLen(), pair.Cert.SignatureAlgorithm)
					}
				}
			}
		})
	}
}

func checkCA(t *testing.T, ca *x509.Certificate, now time.Time) {
	t.Helper()
	if !ca.IsCA || !ca.MaxPathLenZero || ca.MaxPathLen != 0 || ca.KeyUsage != x509.KeyUsageCertSign {
		t.Errorf("CA: is %v, path length %d, key usage %b", ca.IsCA, ca.MaxPathLen, ca.KeyUsage)
	}
	if !cmp.Equal(ca.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) {
		t.Errorf("CA: extended key usage %v", ca.ExtKeyUsage)
	}
	if asRSA := ca.PublicKeyAlgorithm == x509.RSA; ca.PermittedDNSDomainsCritical == asRSA {
		t.Errorf("CA: RSA %v, critical constraints %v", asRSA, ca.PermittedDNSDomainsCritical)
	}
	if want := now.AddDate(10, 0, 0); !ca.NotAfter.Equal(want) || ca.NotBefore.After(now) {
		t.Errorf("CA: from %s to %s, not %s", ca.NotBefore, ca.NotAfter, want)
	}
	if !strings.HasPrefix(ca.Subject.CommonName, "v3gate private CA ") {
		t.Errorf("CA: subject %s", ca.Subject)
	}
}

func checkLeaf(t *testing.T, leaf *x509.Certificate, now time.Time) {
	t.Helper()
	if leaf.IsCA || !leaf.BasicConstraintsValid || !cmp.Equal(leaf.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) {
		t.Errorf("leaf: CA %v, extended key usage %v", leaf.IsCA, leaf.ExtKeyUsage)
	}
	if diff := cmp.Diff([]string{gandi, "rpc.ote.gandi.net", "192.0.2.7", "::1"}, hosts(leaf)); diff != "" {
		t.Errorf("leaf: hosts (-want +got):\n%s", diff)
	}
	if leaf.Subject.CommonName != gandi {
		t.Errorf("leaf: CN %q", leaf.Subject.CommonName)
	}
	// Both ends count, so a second more would be the 398th day.
	if got := leaf.NotAfter.Sub(leaf.NotBefore) + time.Second; got != 397*24*time.Hour {
		t.Errorf("leaf: lasts %s", got)
	}
	if leaf.NotBefore.After(now) || now.Sub(leaf.NotBefore) > 24*time.Hour {
		t.Errorf("leaf: begins on %s", leaf.NotBefore)
	}
}

func TestSerialsAreRandom(t *testing.T) {
	seen := map[string]bool{}
	most := 0
	for range 1000 {
		n, err := makeSerial()
		if err != nil {
			t.Fatal(err)
		}
		if n.Sign() <= 0 || n.BitLen() > 128 || seen[n.String()] {
			t.Fatalf("serial %s", n)
		}
		seen[n.String()] = true
		most = max(most, n.BitLen())
	}
	if most < 120 {
		t.Errorf("the longest of 1000 serials has %d bits", most)
	}
}

func TestALeafEndsWithItsCA(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ca, err := MakeCA(Request{Hosts: []string{gandi}, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := MakeLeaf(ca, Request{Hosts: []string{gandi}, Now: now.AddDate(9, 11, 0)})
	if err != nil {
		t.Fatal(err)
	}
	if !leaf.Cert.NotAfter.Equal(ca.Cert.NotAfter) {
		t.Errorf("the leaf ends on %s, its CA on %s", leaf.Cert.NotAfter, ca.Cert.NotAfter)
	}
	if _, err := MakeLeaf(ca, Request{Hosts: []string{gandi}, Now: now.AddDate(10, 0, 1)}); err == nil || !strings.Contains(err.Error(), "the CA ended on 2036-03-01") {
		t.Errorf("a leaf of a CA that has ended: %v", err)
	}
	short, err := MakeLeaf(ca, Request{Hosts: []string{gandi}, Now: now, Days: 30})
	if err != nil || short.Cert.NotAfter.Sub(now) > 30*24*time.Hour {
		t.Errorf("30 days: until %s, %v", short.Cert.NotAfter, err)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		r    Request
		want string
	}{
		{Request{}, "host: name at least one host"},
		{Request{Hosts: []string{"https://rpc.gandi.net/xmlrpc/"}}, "leave out scheme"},
		{Request{Hosts: []string{"rpc.gandi.net:443"}}, "leave out scheme"},
		{Request{Hosts: []string{"*.gandi.net"}}, "name each host"},
		{Request{Hosts: []string{"bücher.example"}}, "xn--"},
		{Request{Hosts: []string{"300.1.2.3"}}, "is no host name or IP address"},
		{Request{Hosts: []string{"fe80::1%eth0"}}, "is no host name or IP address"},
		{Request{Hosts: []string{""}}, "is no host name or IP address"},
		{Request{Hosts: []string{strings.Repeat("a", 64) + ".example"}}, "is no host name or IP address"},
		{Request{Hosts: []string{strings.Repeat("a.", 127) + "example"}}, "is no host name or IP address"},
		{Request{Hosts: []string{gandi}, Days: 398}, "days: 398 is not from 1 to 397"},
		{Request{Hosts: []string{gandi}, Days: -1}, "days: -1"},
		{Request{Hosts: []string{"a b"}, Days: 400}, "days: 400"},
	} {
		if _, err := MakeCA(c.r); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.r, err, c.want)
		}
	}
}

// A client that trusts the CA lends it the given hosts only. Whoever has its key
// can sign anything; the verifiers have to refuse it.
func TestTheCASpeaksForItsHostsOnly(t *testing.T) {
	program := openssl(t)
	named, addressed := Request{Hosts: []string{gandi, "rpc.ote.gandi.net"}}, Request{Hosts: []string{"192.0.2.7"}}
	old := Request{Hosts: []string{gandi}, RSA: true}
	both, six := Request{Hosts: []string{gandi, "192.0.2.7"}}, Request{Hosts: []string{"2001:db8::7"}}
	for _, c := range []struct {
		ca    Request
		name  string
		ip    string
		valid bool
	}{
		{named, gandi, "", true},
		{named, "below.rpc.gandi.net", "", true}, // X.509 cannot say otherwise
		{named, "api.gandi.net", "", false},
		{named, "gandi.net", "", false},
		{named, "xrpc.gandi.net", "", false},
		{named, "example.com", "", false},
		{named, "", "192.0.2.7", false},
		{named, "", "::1", false},
		{old, gandi, "", true},
		{old, "example.com", "", false},
		{old, "", "192.0.2.7", false},
		{addressed, "", "192.0.2.7", true},
		{addressed, "", "192.0.2.8", false},
		{addressed, "", "2001:db8::7", false},
		{addressed, gandi, "", false},
		{both, gandi, "", true},
		{both, "", "192.0.2.7", true},
		{both, "", "192.0.2.8", false},
		{both, "", "::ffff:1", false},
		{both, "example.com", "", false},
		{six, "", "2001:db8::7", true},
		{six, "", "2001:db8::8", false},
		{six, "", "192.0.2.7", false},
	} {
		t.Run(fmt.Sprintf("%v RSA %v signs %s%s", c.ca.Hosts, c.ca.RSA, c.name, c.ip), func(t *testing.T) {
			ca, err := MakeCA(c.ca)
			if err != nil {
				t.Fatal(err)
			}
			leaf := forge(t, ca, c.name, c.ip)
			err = check(leaf, ca.Cert, time.Now())
			if (err == nil) != c.valid {
				t.Errorf("Go: %v, want valid %v", err, c.valid)
			}
			out, err := verifyWithOpenSSL(t, program, ca.Cert, leaf)
			if (err == nil) != c.valid {
				t.Errorf("openssl: %v, want valid %v\n%s", err, c.valid, out)
			}
			if err != nil && !strings.Contains(out, "subtree violation") {
				t.Errorf("openssl refused it for something else:\n%s", out)
			}
		})
	}
}

// forge signs a leaf without asking what the CA may do.
func forge(t *testing.T, ca *Pair, name, ip string) *x509.Certificate {
	t.Helper()
	key, err := makeKey(false, 0)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := makeSerial()
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "forged"},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if name != "" {
		template.DNSNames = []string{name}
	}
	if ip != "" {
		template.IPAddresses = []net.IP{net.ParseIP(ip)}
	}
	leaf, err := sign(template, ca.Cert, key, ca.Key)
	if err != nil {
		t.Fatal(err)
	}
	return leaf.Cert
}

func verifyWithOpenSSL(t *testing.T, program string, ca, leaf *x509.Certificate) (string, error) {
	t.Helper()
	dir := t.TempDir()
	for name, c := range map[string]*x509.Certificate{"ca.pem": ca, "leaf.pem": leaf} {
		if err := os.WriteFile(filepath.Join(dir, name), certPEM(c), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "ca.pem", "leaf.pem")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestALeafForOtherHostsIsNotMade(t *testing.T) {
	ca, err := MakeCA(Request{Hosts: []string{gandi, "192.0.2.7"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"api.gandi.net", "192.0.2.8"} {
		_, err := MakeLeaf(ca, Request{Hosts: []string{gandi, host}})
		if err == nil || !strings.Contains(err.Error(), "the CA may speak for rpc.gandi.net, 192.0.2.7 only; make a new CA") {
			t.Errorf("%s: %v", host, err)
		}
	}
	if _, err := MakeLeaf(ca, Request{Hosts: []string{gandi}, RSA: true}); err == nil || !strings.Contains(err.Error(), "make a new CA with --rsa") {
		t.Errorf("an RSA leaf of an ECDSA CA: %v", err)
	}
}

func TestHandshake(t *testing.T) {
	for name, asRSA := range map[string]bool{"ECDSA": false, "RSA": true} {
		t.Run(name, func(t *testing.T) {
			dir, _ := create(t, Request{Hosts: []string{gandi, "127.0.0.1"}, RSA: asRSA})
			src := load(t, dir)
			if src.RSA() != asRSA || !cmp.Equal(src.Names(), []string{gandi, "127.0.0.1"}) {
				t.Errorf("the source is for %v, RSA %v", src.Names(), src.RSA())
			}
			addr, roots := listen(t, TLSConfig(src, 0)), pool(t, dir)
			for _, host := range []string{gandi, "127.0.0.1"} {
				state, err := shake(t.Context(), addr, &tls.Config{RootCAs: roots, ServerName: host})
				if err != nil {
					t.Errorf("%s: %v", host, err)
				} else if len(state.PeerCertificates) != 2 {
					t.Errorf("%s: %d certificates were sent, not leaf and CA", host, len(state.PeerCertificates))
				}
			}
			var wrongName x509.HostnameError
			if _, err := shake(t.Context(), addr, &tls.Config{RootCAs: roots, ServerName: "api.gandi.net"}); !errors.As(err, &wrongName) {
				t.Errorf("a wrong name: %v", err)
			}
			var unknown x509.UnknownAuthorityError
			if _, err := shake(t.Context(), addr, &tls.Config{RootCAs: x509.NewCertPool(), ServerName: gandi}); !errors.As(err, &unknown) {
				t.Errorf("without the CA: %v", err)
			}
		})
	}
}
