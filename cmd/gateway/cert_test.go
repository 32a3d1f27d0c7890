package main

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func leafOf(t *testing.T, dir string) *x509.Certificate {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "server.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(raw)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

func TestCert(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	out, err := run(t, "cert", "--host", "rpc.gandi.net", "--host", "rpc.ote.gandi.net", "--out", dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"for rpc.gandi.net, rpc.ote.gandi.net\nin " + dir + "\n", "127.0.0.1 rpc.gandi.net rpc.ote.gandi.net",
		"SSL_CERT_FILE", "openssl.cafile", "PERL_LWP_SSL_CA_FILE", "NODE_EXTRA_CA_CERTS", "keytool -importcert", "CURL_CA_BUNDLE",
		"--tls-cert " + filepath.Join(dir, "server.pem") + " --tls-key " + filepath.Join(dir, "server-key.pem") + "\n",
		"gateway cert --renew --out " + dir, leafOf(t, dir).NotAfter.Format(time.DateOnly),
	} {
		if !strings.Contains(out, want) {
			t.Errorf("what to do next does not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "PRIVATE KEY") || strings.Contains(out, "%!") {
		t.Errorf("what to do next:\n%s", out)
	}
	first := leafOf(t, dir)
	if _, err := run(t, "cert", "--host", "rpc.gandi.net", "--out", dir); err == nil || !strings.Contains(err.Error(), "--renew") {
		t.Errorf("a second time: %v", err)
	}
	out, err = run(t, "cert", "--renew", "--days", "30", "--out", dir)
	second := leafOf(t, dir)
	if err != nil || !strings.Contains(out, "rpc.ote.gandi.net, until "+second.NotAfter.Format(time.DateOnly)) {
		t.Errorf("renewed: %v\n%s", err, out)
	}
	if second.SerialNumber.Cmp(first.SerialNumber) == 0 || time.Until(second.NotAfter) > 30*24*time.Hour || len(second.DNSNames) != 2 {
		t.Errorf("renewed: serial %s, until %s, for %v", second.SerialNumber, second.NotAfter, second.DNSNames)
	}
}

func TestCertForVeryOldClientsAndAddresses(t *testing.T) {
	dir := t.TempDir()
	out, err := run(t, "cert", "--host", "192.0.2.7,::1", "--rsa", "--out", dir)
	if err != nil {
		t.Fatal(err)
	}
	if leaf := leafOf(t, dir); leaf.PublicKeyAlgorithm != x509.RSA || len(leaf.IPAddresses) != 2 || len(leaf.DNSNames) != 0 {
		t.Errorf("%s for %v and %v", leaf.PublicKeyAlgorithm, leaf.IPAddresses, leaf.DNSNames)
	}
	if !strings.Contains(out, "server-key.pem --tls-min 1.0\n") || !strings.Contains(out, "for addresses only") {
		t.Errorf("what to do next:\n%s", out)
	}
}

func TestCertErrorsSayTheWayOut(t *testing.T) {
	empty := t.TempDir()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--host", "rpc.gandi.net"}, "--out /etc/v3gate/tls"},
		{[]string{"--out", empty}, "--host rpc.gandi.net"},
		{[]string{"--out", empty, "--host", "https://rpc.gandi.net/"}, "leave out scheme"},
		{[]string{"--out", empty, "--host", "rpc.gandi.net", "--days", "825"}, "from 1 to 397"},
		{[]string{"--out", empty, "--host", "rpc.gandi.net", "--days", "0"}, "from 1 to 397"},
		{[]string{"--out", empty, "--renew"}, "make a new CA without --renew"},
	} {
		if _, err := run(t, append([]string{"cert"}, c.args...)...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.args, err, c.want)
		}
	}
	if entries, err := os.ReadDir(empty); err != nil || len(entries) > 0 {
		t.Errorf("%d files were written, %v", len(entries), err)
	}
}

func TestCertTakesItsFlagsFromTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("GATEWAY_HOST", "rpc.gandi.net,rpc.ote.gandi.net")
	t.Setenv("GATEWAY_OUT", dir)
	if _, err := run(t, "cert"); err != nil {
		t.Fatal(err)
	}
	if leaf := leafOf(t, dir); len(leaf.DNSNames) != 2 {
		t.Errorf("for %v", leaf.DNSNames)
	}
}
