package v5

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// secret is no key of anybody. It is long enough to be hidden in texts.
const secret = "s3cr3t-t0ken-0123456789abcdef"

// sharing has characters that a query must not hold bare.
const sharing = "org&id=1 ü#"

var owner = &Contact{Type: "individual", Given: "Alice", Family: "Doe", StreetAddr: "1 Main Street",
	City: "Paris", Zip: "75001", Country: "FR", Email: "alice@example.com", Phone: "+33.123456789"}

// open makes a session on a base URL without limits.
func open(t *testing.T, o Options) *Session {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(c.Close)
	return c.Session(Credential{Scheme: "Bearer", Secret: secret}, sharing)
}

// serve makes a session on a server.
func serve(t *testing.T, h http.HandlerFunc) *Session {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return open(t, Options{BaseURL: srv.URL + "/v5"})
}

// script is a RoundTripper that plays one step for each request.
type script struct {
	mu    sync.Mutex
	steps []func(*http.Request) (*http.Response, error)
	sent  []*http.Request
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	n := len(s.sent)
	s.sent = append(s.sent, r)
	s.mu.Unlock()
	if n >= len(s.steps) {
		return nil, fmt.Errorf("request %d is beyond the script", n+1)
	}
	return s.steps[n](r)
}

func (s *script) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sent)
}

// says answers with a status, a body and headers ("Name: value").
func says(status int, body string, headers ...string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		h := http.Header{}
		for _, line := range headers {
			name, value, _ := strings.Cut(line, ": ")
			h.Set(name, value)
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
}

// fails gives an error without having reported anything.
func fails(err error) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// asError is the *Error of err; the test fails without one.
func asError(t *testing.T, err error) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error is %v (%T), want an *Error", err, err)
	}
	return e
}

const example = `{"id":"1d1d6b4c","fqdn":"example.com"}`

func TestNewNamesWhatIsWrong(t *testing.T) {
	for _, tc := range []struct {
		o    Options
		want string
	}{
		{Options{}, "http"},
		{Options{BaseURL: "api.gandi.net/v5"}, "http"},
		{Options{BaseURL: "ftp://api.gandi.net"}, "http"},
		{Options{BaseURL: "https:///v5"}, "host"},
		{Options{BaseURL: "https://h/v5?x=1"}, "query"},
		{Options{BaseURL: "https://h/v5?"}, "query"},
		{Options{BaseURL: "https://h/v5#x"}, "fragment"},
		{Options{BaseURL: "https://user:" + secret + "@h/v5"}, "user"},
		{Options{BaseURL: "https://user:" + secret + "@h:port/v5"}, "parsed"},
		{Options{BaseURL: "https://h", MaxInFlight: -1}, "in flight"},
		{Options{BaseURL: "https://h", PerMinute: -1}, "per minute"},
		{Options{BaseURL: "https://h", MaxWaiting: -1}, "wait"},
		{Options{BaseURL: "https://h", BreakAfter: -1}, "breaker"},
		{Options{BaseURL: "https://h", BreakFor: -1}, "breaker"},
	} {
		_, err := New(tc.o)
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), secret) {
			t.Errorf("New(%q) = %v, want an error on %s", tc.o.BaseURL, err, tc.want)
		}
	}
}

func TestRequestAsSent(t *testing.T) {
	var got *http.Request
	var body string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, body = r, string(b)
		if r.Method == "GET" {
			io.WriteString(w, example)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
	if _, err := s.Domain(t.Context(), "exämple.com"); err != nil {
		t.Fatal(err)
	}
	if got.RequestURI != "/v5/domain/domains/ex%C3%A4mple.com" {
		t.Errorf("path %q", got.RequestURI)
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer " + secret, "Accept": "application/json", "User-Agent": "v3gate",
		"Content-Type": "", "Dry-Run": "",
	} {
		if v := got.Header.Get(name); v != want {
			t.Errorf("GET: header %s is %q, want %q", name, v, want)
		}
	}
	no := false
	err := s.CreateDomain(t.Context(), DomainCreate{FQDN: "example.com", Owner: &Contact{Type: "individual"}, MailboxOptin: &no})
	if err != nil {
		t.Fatal(err)
	}
	if want := "/v5/domain/domains?sharing_id=org%26id%3D1+%C3%BC%23"; got.RequestURI != want {
		t.Errorf("path %q, want %q", got.RequestURI, want)
	}
	if want := `{"fqdn":"example.com","owner":{"type":"individual"},"mailbox_optin":false}`; body != want {
		t.Errorf("body %s, want %s", body, want)
	}
	if got.Header.Get("Content-Type") != "application/json" || got.ContentLength != int64(len(body)) {
		t.Errorf("type %q, length %d", got.Header.Get("Content-Type"), got.ContentLength)
	}
}

func TestPathsThatLeadElsewhereAreRefused(t *testing.T) {
	rt := &script{}
	s := open(t, Options{BaseURL: "https://h/v5", Transport: rt})
	for _, fqdn := range []string{"", ".", "..", "a/b", `a\b`, "a b", "a\n"} {
		_, err := s.Domain(t.Context(), fqdn)
		if e := asError(t, err); e.MaybeSent || !e.DefiniteNo() {
			t.Errorf("%q: %v", fqdn, err)
		}
	}
	if rt.count() != 0 {
		t.Errorf("%d requests were sent", rt.count())
	}
}

func TestSharingIDGoesOnlyWhereItIsDocumented(t *testing.T) {
	queries := map[string]string{}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		queries[r.Method+" "+r.URL.Path] = r.URL.Query().Get("sharing_id")
		w.WriteHeader(http.StatusTeapot)
	})
	ctx := t.Context()
	s.Domain(ctx, "d")
	s.Check(ctx, CheckQuery{Name: "d"})
	s.Organizations(ctx)
	s.ChangeOwner(ctx, "d", ChangeOwner{Owner: owner})
	s.SetContacts(ctx, "d", Contacts{Admin: owner})
	for route, want := range map[string]string{
		"GET /v5/domain/domains/d":            "",
		"GET /v5/domain/check":                sharing,
		"GET /v5/organization/organizations":  "",
		"POST /v5/domain/changeowner/d":       sharing,
		"PATCH /v5/domain/domains/d/contacts": "",
	} {
		if got, ok := queries[route]; !ok || got != want {
			t.Errorf("%s: sharing_id %q (sent %v), want %q", route, got, ok, want)
		}
	}
	if s.SharingID() != sharing {
		t.Errorf("SharingID() = %q", s.SharingID())
	}
}

func TestObserveSeesEachAttempt(t *testing.T) {
	var seen []Exchange
	rt := &script{steps: []func(*http.Request) (*http.Response, error){
		says(202, ""), says(404, `{"code":404}`), fails(errors.New("cut")),
	}}
	s := open(t, Options{BaseURL: "https://h/v5", Transport: rt, Observe: func(x Exchange) { seen = append(seen, x) }})
	s.ChangeOwner(t.Context(), "example.com", ChangeOwner{Owner: &Contact{Given: "A"}})
	s.Domain(t.Context(), "example.com")
	s.DryRunChangeOwner(t.Context(), "example.com", ChangeOwner{Owner: owner})
	s.Domain(t.Context(), "")
	if len(seen) != 3 {
		t.Fatalf("%d exchanges, want 3", len(seen))
	}
	x := seen[0]
	if x.Route != "POST /domain/changeowner/{d}" || x.Method != "POST" || x.Status != 202 || x.Err != nil || x.DryRun ||
		!strings.HasPrefix(x.URL, "/v5/domain/changeowner/example.com?sharing_id=") || x.Body != `{"owner":{"given":"A"}}` {
		t.Errorf("first exchange: %+v", x)
	}
	if x := seen[1]; x.Status != 404 || asError(t, x.Err).Status != 404 || x.Body != "" {
		t.Errorf("second exchange: %+v", x)
	}
	if x := seen[2]; x.Status != 0 || !x.DryRun || x.Err == nil {
		t.Errorf("third exchange: %+v", x)
	}
}

func TestConnectionsAreReusedForReadsAndNotForOrders(t *testing.T) {
	var mu sync.Mutex
	from := map[string][]string{}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		from[r.Method] = append(from[r.Method], r.RemoteAddr)
		mu.Unlock()
		if r.Method == "POST" {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, strings.Repeat("<p>Cannot GET</p>", 5000))
	})
	for range 3 {
		s.Domain(t.Context(), "example.com")
		s.CreateDomain(t.Context(), DomainCreate{FQDN: "example.com", Owner: owner})
	}
	if g := from["GET"]; len(g) != 3 || g[0] != g[1] || g[1] != g[2] {
		t.Errorf("reads came from %v, want one connection", g)
	}
	if p := from["POST"]; len(p) != 3 || p[0] == p[1] || p[1] == p[2] || p[0] == from["GET"][0] {
		t.Errorf("orders came from %v, want a connection each", p)
	}
}
