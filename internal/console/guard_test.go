package console

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestEveryAnswerIsGuarded(t *testing.T) {
	r := newRig(t)
	targets := append(r.everyPage(), "/", "/console", "/console/style.css", "/console/icon.svg", "/console/handles?handle=NONE")
	for _, target := range targets {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"} {
			w := r.ask(method, target)
			h := w.Header()
			if h.Get("Content-Security-Policy") != policy || h.Get("X-Content-Type-Options") != "nosniff" ||
				h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("%s %s: header %v", method, target, h)
			}
			reads := method == "GET" || method == "HEAD"
			if (w.Code == http.StatusMethodNotAllowed) == reads || (h.Get("Allow") == "GET, HEAD") == reads {
				t.Errorf("%s %s: %d, allow %q", method, target, w.Code, h.Get("Allow"))
			}
		}
	}
	for _, want := range []string{"default-src 'none'", "style-src 'self'", "img-src 'self'", "frame-ancestors 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy does not have %s", want)
		}
	}
	for _, never := range []string{"unsafe", "script-src", "*", "data:"} {
		if strings.Contains(policy, never) {
			t.Errorf("the policy has %s", never)
		}
	}
}

// What the policy forbids is not on a page either.
func TestPagesNeedNoScriptAndNoInlineStyle(t *testing.T) {
	r := newRig(t)
	for _, target := range r.everyPage() {
		body := strings.ToLower(r.ask("GET", target).Body.String())
		for _, never := range []string{"<script", "<style", " style=", "javascript:", " onclick", "http-equiv", "<iframe", "//cdn"} {
			if strings.Contains(body, never) {
				t.Errorf("%s has %s", target, never)
			}
		}
	}
}

func TestOnlyAddressesAndLocalhostAreHosts(t *testing.T) {
	r := newRig(t)
	for host, want := range map[string]int{
		"127.0.0.1:9090": 200, "127.0.0.1": 200, "localhost:9090": 200, "LOCALHOST": 200, "[::1]:9090": 200, "[::1]": 200, "10.1.2.3:9090": 200,
		"evil.example:9090": 403, "evil.example": 403, "localhost.evil.example": 403, "127.0.0.1.evil.example:9090": 403, "": 403, "[evil]": 403,
		"localhost:9090:1": 403,
	} {
		req := httptest.NewRequest("GET", "/console/", nil)
		req.Host = host
		w := httptest.NewRecorder()
		r.handler.ServeHTTP(w, req)
		if w.Code != want {
			t.Errorf("host %q: %d, want %d", host, w.Code, want)
		}
		if want == 403 && strings.Contains(w.Body.String(), "1.2.3") {
			t.Errorf("host %q sees the page", host)
		}
	}
}

func TestTheRootLeadsToTheConsole(t *testing.T) {
	r := newRig(t)
	for _, target := range []string{"/", "/console"} {
		if w := r.ask("GET", target); w.Code != http.StatusFound || w.Header().Get("Location") != "/console/" {
			t.Errorf("%s: %d to %s", target, w.Code, w.Header().Get("Location"))
		}
	}
}

func TestWhatThereIsNotIsAPageOfItsOwn(t *testing.T) {
	r := newRig(t)
	for _, target := range []string{"/console/nothing", "/console/operations/7", "/console/operations/x", "/console/operations/99999999999999999999",
		"/console/handles/NONE-GANDI", "/console/handles?handle=NONE", "/console/operations?id=-", "/console/calls/", "/console/pages/layout.html",
		"/console/static/style.css", "/console/handles/" + strings.Repeat("x", 5000)} {
		w := r.ask("GET", target)
		if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), `<nav aria-label="Console">`) || w.Body.Len() > 10_000 {
			t.Errorf("%.60s: %d, %d bytes", target, w.Code, w.Body.Len())
		}
	}
}

// A page that cannot be made tells nothing of why.
func TestFailuresAreLoggedAndNotShown(t *testing.T) {
	r := newRig(t)
	r.err = errBroken
	for _, target := range []string{"/console/", "/console/operations", "/console/operations/1000000000", "/console/handles", "/console/v5", "/console/handles/FLN1-GANDI"} {
		r.failed = nil
		w := r.ask("GET", target)
		if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") || len(r.failed) != 1 {
			t.Errorf("%s: %d %s, logged %v", target, w.Code, w.Body, r.failed)
		}
	}
}

func TestPagesAtOnceAreBounded(t *testing.T) {
	r := newRig(t)
	entered, leave := make(chan struct{}), make(chan struct{})
	needs := r.needs
	needs.State = func() (State, error) { entered <- struct{}{}; <-leave; return r.state, nil }
	h := New(needs)
	ask := func() int {
		req := httptest.NewRequest("GET", "/console/", nil)
		req.Host = "localhost"
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		return w.Code
	}
	codes := make(chan int)
	for range mostAtOnce {
		go func() { codes <- ask() }()
		<-entered
	}
	if code := ask(); code != http.StatusServiceUnavailable {
		t.Errorf("one more: %d", code)
	}
	close(leave)
	for range mostAtOnce {
		if code := <-codes; code != http.StatusOK {
			t.Errorf("%d", code)
		}
	}
	go func() { <-entered }()
	if code := ask(); code != http.StatusOK {
		t.Errorf("after that: %d", code)
	}
}

func TestHeadGivesNoMoreThanTheHeader(t *testing.T) {
	r := newRig(t)
	s := httptest.NewServer(r.handler)
	defer s.Close()
	for _, target := range []string{"/console/", "/console/style.css"} {
		res, err := http.Head(s.URL + target)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != 200 || res.ContentLength < 100 {
			t.Errorf("%s: %d, %d bytes announced", target, res.StatusCode, res.ContentLength)
		}
	}
}
