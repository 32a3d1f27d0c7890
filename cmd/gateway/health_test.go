package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestHealth(t *testing.T) {
	status, answer := http.StatusOK, "ok"
	admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/readyz" {
			t.Errorf("it asks %s %s", r.Method, r.URL)
		}
		w.Header().Set("Location", "http://127.0.0.1:1/")
		http.Error(w, answer, status)
	}))
	defer admin.Close()
	address := admin.Listener.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")

	for _, where := range []string{admin.URL, admin.URL + "/", address, ":" + port, "0.0.0.0:" + port} {
		if out, err := run(t, "health", "--admin", where); err != nil || out != "ok\n" {
			t.Errorf("--admin %s: %q, %v", where, out, err)
		}
	}
	t.Setenv("GATEWAY_ADMIN", address)
	if out, err := run(t, "health"); err != nil || out != "ok\n" {
		t.Errorf("GATEWAY_ADMIN=%s: %q, %v", address, out, err)
	}
	status, answer = http.StatusServiceUnavailable, "store is closed"
	if _, err := run(t, "health"); err == nil || !strings.Contains(err.Error(), "store is closed") {
		t.Errorf("an unready daemon: %v", err)
	}
	status = http.StatusFound
	if _, err := run(t, "health"); err == nil || !strings.Contains(err.Error(), "302") {
		t.Errorf("a redirect: %v", err)
	}
}

func TestHealthOfADaemonThatDoesNotAnswer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	begun := time.Now()
	if _, err := run(t, "health", "--admin", l.Addr().String(), "--timeout", "50ms"); err == nil || time.Since(begun) > 5*time.Second {
		t.Errorf("%v after %s", err, time.Since(begun))
	}
	l.Close()
	if _, err := run(t, "health", "--admin", l.Addr().String()); err == nil || !strings.Contains(err.Error(), "not ready") {
		t.Errorf("nobody listens: %v", err)
	}
	for _, bad := range []string{"9090", "ftp://127.0.0.1", "http://", "unix:///run/x"} {
		if _, err := run(t, "health", "--admin", bad); err == nil || !strings.Contains(err.Error(), "admin:") {
			t.Errorf("--admin %s: %v", bad, err)
		}
	}
}
