package v5

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestCredentialIsNeverShown(t *testing.T) {
	cred := Credential{Scheme: "Bearer", Secret: secret}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		// A server that repeats all that it was sent.
		a := r.Header.Get("Authorization")
		w.WriteHeader(http.StatusBadRequest)
		json.NewEncoder(w).Encode(map[string]any{"message": a, "cause": a, "object": a,
			"errors": []any{map[string]string{"location": a, "name": a, "description": a}, a}})
	})
	var seen []Exchange
	s.c.observe = func(x Exchange) { seen = append(seen, x) }
	_, refused := s.Domain(t.Context(), "example.com")
	dry := s.DryRunCreateDomain(t.Context(), DomainCreate{FQDN: "example.com", Owner: owner})
	newline := s.c.Session(Credential{Scheme: "Bearer", Secret: secret + "\n"}, "")
	_, broken := newline.UserInfo(t.Context())
	scheme := s.c.Session(Credential{Scheme: secret, Secret: secret}, "")
	_, noScheme := scheme.UserInfo(t.Context())
	dead := open(t, Options{BaseURL: "http://127.0.0.1:1", Transport: &script{steps: []func(*http.Request) (*http.Response, error){fails(io.EOF)}}})
	unsent := dead.CreateDomain(t.Context(), DomainCreate{FQDN: "example.com", Owner: owner})

	values := []any{cred, &cred, s, *s, newline, []Credential{cred}, map[string]Credential{"a": cred}, struct{ C Credential }{cred},
		refused, dry, broken, noScheme, unsent, *asError(t, refused), seen, struct{ s Session }{Session{credential: s.credential}}}
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%t"} {
			shown(t, fmt.Sprintf("%T with %s", v, verb), fmt.Sprintf(verb, v))
		}
		if b, err := json.Marshal(v); err == nil {
			shown(t, fmt.Sprintf("%T as JSON", v), string(b))
		}
	}
	if b, err := xml.Marshal(cred); err != nil {
		t.Error(err)
	} else {
		shown(t, "XML", string(b))
	}
	if !strings.Contains(refused.Error(), "Bearer "+hidden) {
		t.Errorf("error %v", refused)
	}
	if got := fmt.Sprintf("%d", s); got != fmt.Sprintf("v5 session %q", sharing) {
		t.Errorf("session is shown as %s", got)
	}
	if cred.String() != "Bearer [redacted]" || fmt.Sprint(cred) != cred.String() || cred.GoString() != cred.String() {
		t.Errorf("credential is shown as %s", cred)
	}
	for e := refused; e != nil; e = errors.Unwrap(e) {
		shown(t, "chain", e.Error())
	}
}

// shown fails the test when text has the secret, plain or in hexadecimal.
func shown(t *testing.T, what, text string) {
	t.Helper()
	text = strings.ToLower(text)
	if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
		t.Errorf("%s shows the secret: %s", what, text)
	}
}

func TestCredentialIsChecked(t *testing.T) {
	rt := &script{steps: []func(*http.Request) (*http.Response, error){says(200, `{"id":"u"}`)}}
	c := open(t, Options{BaseURL: "https://h/v5", Transport: rt}).c
	for _, cred := range []Credential{{}, {Scheme: "Bearer"}, {Secret: secret}, {"bearer", secret}, {"Basic", secret},
		{"Apikey", "a b"}, {"Apikey", "a\nX: y"}, {"Apikey", "é"}} {
		_, err := c.Session(cred, "").UserInfo(t.Context())
		if e := asError(t, err); e.MaybeSent || !strings.Contains(err.Error(), "check credential") {
			t.Errorf("%v: %v", cred, err)
		}
	}
	if _, err := c.Session(Credential{"Apikey", secret}, "").UserInfo(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := rt.sent[0].Header.Get("Authorization"); got != "Apikey "+secret || rt.count() != 1 {
		t.Errorf("Authorization %q, %d requests", got, rt.count())
	}
}
