package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"v3gate/internal/certs"
	"v3gate/internal/config"
)

// secureRig is a gateway with a TLS endpoint for rpc.gandi.net, and the folder of
// its certificate.
func secureRig(t *testing.T, change func(*config.Config)) (r *rig, dir string) {
	t.Helper()
	dir = t.TempDir()
	if _, err := certs.Create(dir, certs.Request{Hosts: []string{"rpc.gandi.net"}}); err != nil {
		t.Fatal(err)
	}
	return newRig(t, func(c *config.Config) {
		c.ListenTLS, c.TLSCert, c.TLSKey = "127.0.0.1:0", filepath.Join(dir, certs.CertFile), filepath.Join(dir, certs.KeyFile)
		if change != nil {
			change(c)
		}
	}), dir
}

// overTLS makes a call as a client that was pointed here by a hosts entry.
func overTLS(t *testing.T, r *rig, dir, host string, most uint16) (string, error) {
	t.Helper()
	ca, err := os.ReadFile(filepath.Join(dir, certs.CAFile))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS10, MaxVersion: most}}
	client := &http.Client{Transport: transport}
	defer client.CloseIdleConnections()
	transport.Dial = func(network, _ string) (net.Conn, error) { return net.Dial(network, r.TLSAddr()) }
	res, err := client.Post("https://"+host+"/xmlrpc/", "text/xml",
		strings.NewReader("<methodCall><methodName>version.info</methodName></methodCall>"))
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

func TestCallsOverTLS(t *testing.T) {
	r, dir := secureRig(t, nil)
	if body, err := overTLS(t, r, dir, "rpc.gandi.net", 0); err != nil || !strings.Contains(body, "3.3.42") {
		t.Errorf("%v: %s", err, body)
	}
	if _, err := overTLS(t, r, dir, "api.gandi.net", 0); err == nil {
		t.Error("a name that the certificate does not have was taken")
	}
	if _, err := overTLS(t, r, dir, "rpc.gandi.net", tls.VersionTLS11); err == nil {
		t.Error("TLS 1.1 was spoken without the operator's word")
	}
	old, oldDir := secureRig(t, func(c *config.Config) { c.TLSMin = "1.0" })
	if _, err := overTLS(t, old, oldDir, "rpc.gandi.net", tls.VersionTLS10); err != nil {
		t.Errorf("TLS 1.0 with the operator's word: %v", err)
	}
}

func TestReloadTakesANewCertificateAndKeepsTheOldOneOtherwise(t *testing.T) {
	r, dir := secureRig(t, nil)
	r.reread = func() *config.Loaded { return &config.Loaded{Config: r.cfg} }
	serial := func() string {
		conn, err := tls.Dial("tcp", r.TLSAddr(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	first := serial()
	if _, err := certs.Renew(dir, certs.Request{}); err != nil {
		t.Fatal(err)
	}
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	second := serial()
	if second == first {
		t.Error("the new certificate is not in force")
	}
	if err := os.WriteFile(filepath.Join(dir, certs.CertFile), []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.Reload(); err == nil {
		t.Error("a broken file was taken")
	}
	if serial() != second {
		t.Error("the old certificate is no longer in force")
	}
}

func TestAMissingCertificateIsNamed(t *testing.T) {
	cfg := config.Default()
	cfg.Listen, cfg.Admin, cfg.Store = "127.0.0.1:0", "127.0.0.1:0", filepath.Join(t.TempDir(), "s.db")
	cfg.ListenTLS, cfg.TLSCert, cfg.TLSKey = "127.0.0.1:0", filepath.Join(t.TempDir(), "none.pem"), "x"
	cfg.Tenants = []config.Tenant{{Name: "a", V3Key: keyA, V5Token: "x"}}
	if _, err := New(cfg, Hooks{}); err == nil || !strings.Contains(err.Error(), "tls-cert") || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("New = %v", err)
	}
}
