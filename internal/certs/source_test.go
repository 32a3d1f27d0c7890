package certs

import (
	"context"
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Certificates are replaced by new ones, and by broken files, while clients
// connect: each of them gets a pair that belongs together.
func TestReloadUnderLoad(t *testing.T) {
	dir, _ := create(t, Request{Hosts: []string{gandi}})
	src := load(t, dir)
	addr, roots := listen(t, TLSConfig(src, 0)), pool(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var clients sync.WaitGroup
	var shakes atomic.Int64
	serials := make([]map[string]bool, 4)
	for i := range serials {
		serials[i] = map[string]bool{}
		clients.Go(func() {
			for ctx.Err() == nil {
				state, err := shake(t.Context(), addr, &tls.Config{RootCAs: roots, ServerName: gandi})
				if err != nil {
					t.Error(err)
					return
				}
				serials[i][state.PeerCertificates[0].SerialNumber.String()] = true
				shakes.Add(1)
				if time.Until(src.NotAfter()) < 24*time.Hour || len(src.Names()) != 1 {
					t.Errorf("the source has %v until %s", src.Names(), src.NotAfter())
				}
			}
		})
	}
	for i := range 40 {
		before := shakes.Load()
		if _, err := Renew(dir, Request{}); err != nil {
			t.Fatal(err)
		}
		if i%4 == 0 {
			reloadHalfAKey(t, src, filepath.Join(dir, KeyFile))
		}
		if err := src.Reload(); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(10 * time.Second); shakes.Load() == before; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("no client gets through")
			}
		}
	}
	cancel()
	clients.Wait()
	all := map[string]bool{}
	for _, m := range serials {
		for s := range m {
			all[s] = true
		}
	}
	if len(all) < 20 {
		t.Errorf("the clients saw %d certificates of 41 in %d handshakes", len(all), shakes.Load())
	}
}

// reloadHalfAKey reloads while a file is only half written.
func reloadHalfAKey(t *testing.T, src *Source, path string) {
	t.Helper()
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, good[:len(good)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := src.Reload(); err == nil || !strings.Contains(err.Error(), "the old certificate stays") {
		t.Errorf("half a key: %v", err)
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestReloadKeepsTheOldOne(t *testing.T) {
	dir, _ := create(t, Request{Hosts: []string{gandi}})
	other, _ := create(t, Request{Hosts: []string{"example.com"}})
	src := load(t, dir)
	was, ends := src.current.Load(), src.NotAfter()
	good := contents(t, dir)
	for _, c := range []struct{ name, data, want string }{
		{CertFile, "", "one pair in PEM"},
		{CertFile, contents(t, other)[CertFile], "one pair in PEM"},
		{KeyFile, contents(t, other)[KeyFile], "one pair in PEM"},
		{KeyFile, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", "without a passphrase"},
	} {
		path := filepath.Join(dir, c.name)
		if err := os.WriteFile(path, []byte(c.data), 0o600); err != nil {
			t.Fatal(err)
		}
		err := src.Reload()
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "the old certificate stays") {
			t.Errorf("%s: %v", c.name, err)
		}
		if err := os.WriteFile(path, []byte(good[c.name]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, CertFile)); err != nil {
		t.Fatal(err)
	}
	if err := src.Reload(); err == nil || !strings.Contains(err.Error(), "make both with gateway cert") {
		t.Errorf("no file: %v", err)
	}
	if got, _ := src.GetCertificate(nil); got != was || !src.NotAfter().Equal(ends) {
		t.Error("the old certificate did not stay")
	}
}

// A certificate that has ended does not take the place of one that has not, but
// at the start it is better than none: many old clients do not look.
func TestACertificateThatHasEnded(t *testing.T) {
	begin := time.Now().AddDate(-2, 0, 0)
	dir, made := create(t, Request{Hosts: []string{gandi}, Now: begin})
	src := load(t, dir)
	if !src.NotAfter().Equal(made.Leaf.NotAfter) || time.Now().Before(src.NotAfter()) {
		t.Errorf("it ends on %s", src.NotAfter())
	}
	if err := src.Reload(); err == nil || !strings.Contains(err.Error(), "gateway cert --renew") {
		t.Errorf("reload: %v", err)
	}
	if _, err := Renew(dir, Request{}); err != nil {
		t.Fatal(err)
	}
	if err := src.Reload(); err != nil || time.Until(src.NotAfter()) < 300*24*time.Hour {
		t.Errorf("renewed: %v, until %s", err, src.NotAfter())
	}
}

func TestLoadThatFails(t *testing.T) {
	dir, _ := create(t, Request{Hosts: []string{gandi}})
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, c := range []struct{ cert, key, want string }{
		{in("none.pem"), in(KeyFile), "make both with gateway cert"},
		{in(CertFile), in("none.pem"), "make both with gateway cert"},
		{in(CertFile), in(CAKeyFile), "one pair in PEM"},
		{in(KeyFile), in(CertFile), "one pair in PEM"},
		{in(CAFile), in(CAKeyFile), "put the server's own certificate first"},
	} {
		if _, err := Load(c.cert, c.key); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %s: %v, want %q", c.cert, c.key, err, c.want)
		}
	}
}
