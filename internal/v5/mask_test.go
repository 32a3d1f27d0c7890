package v5

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestMask(t *testing.T) {
	for _, tc := range []struct {
		name, body, want string
		secrets          []string
	}{
		{"none", ``, ``, nil},
		{"empty", `{}`, `{}`, nil},
		{"nothing to hide", `{"b":1.50,"a":[1,"x",{"c":null}],"d":"<é"}`, `{"b":1.50,"a":[1,"x",{"c":null}],"d":"<é"}`, nil},
		{"a code", `{"fqdn":"d.com","authinfo":"8vyhljvJg+","duration":1}`, `{"fqdn":"d.com","authinfo":"[redacted]","duration":1}`, []string{"8vyhljvJg+"}},
		{"escapes", `{"authinfo":"a\"b\\c\u003c}"}`, `{"authinfo":"[redacted]"}`, []string{`a"b\c<}`}},
		{"no text", `{"authinfo":{"a":1},"password":null,"Password":7}`, `{"authinfo":"[redacted]","password":"[redacted]","Password":"[redacted]"}`, nil},
		{"deep", `{"a":[{"password":"one two"},[{"password":"three"}]]}`, `{"a":[{"password":"[redacted]"},[{"password":"[redacted]"}]]}`, []string{"one two", "three"}},
		{"extra parameters", `{"extra_parameters":{"x-my_admin_contact_password":"p","x-aero_ens_authkey":"k","x-aero_ens_authid":"i"}}`,
			`{"extra_parameters":{"x-my_admin_contact_password":"[redacted]","x-aero_ens_authkey":"[redacted]","x-aero_ens_authid":"i"}}`, []string{"p", "k"}},
		{"only as a value", `{"name":"authinfo","kind":"password"}`, `{"name":"authinfo","kind":"password"}`, nil},
		{"the name escaped", `{"auth\u0069nfo":"code"}`, `{"authinfo":"[redacted]"}`, []string{"code"}},
		{"cut", `{"authinfo":"8vyh`, `[redacted]`, nil},
		{"not JSON", `authinfo=8vyh`, `[redacted]`, nil},
	} {
		shown, secrets := mask([]byte(tc.body))
		if shown != tc.want || !slices.Equal(secrets, tc.secrets) {
			t.Errorf("%s: %s with %q, want %s with %q", tc.name, shown, secrets, tc.want, tc.secrets)
		}
	}
}

func TestWithout(t *testing.T) {
	if got := without("code 8vyhljvJg+ of 8vyhljvJg+, d.com", []string{"8vyhljvJg+", "d.com", ""}); got != "code [redacted] of [redacted], d.com" {
		t.Error(got)
	}
}

// A transfer code is seen by v5 alone, even where v5 repeats it.
func TestTransferCodeIsNeverShown(t *testing.T) {
	const code = `8vy"hljv<Jg+`
	var seen []Exchange
	status, sent := 400, 0
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var body struct{ AuthInfo string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.AuthInfo != code {
			t.Errorf("%s was sent %q, %v", r.URL.Path, body.AuthInfo, err)
		}
		sent++
		w.Header().Set("Warning", code)
		w.WriteHeader(status)
		verdict := "error"
		if sent == 5 {
			verdict = code
		}
		json.NewEncoder(w).Encode(map[string]any{"status": verdict, "message": "bad code " + code, "cause": code, "object": code,
			"errors": []any{map[string]string{"location": code, "name": code, "description": code}, code}})
	})
	s.c.observe = func(x Exchange) { seen = append(seen, x) }
	order := TransferIn{FQDN: "d.com", Owner: owner, AuthInfo: code}
	_, available := s.TransferAvailable(t.Context(), "d.com", code)
	errs := []error{available, s.TransferIn(t.Context(), order), s.SetTransferAuthInfo(t.Context(), "d.com", code)}
	status = 200
	errs = append(errs, s.DryRunTransferIn(t.Context(), order), s.DryRunTransferIn(t.Context(), order))
	for i, err := range errs {
		if text := fmt.Sprintf("%v %+v %q %#v", err, err, err, err); err == nil || strings.Contains(text, "hljv") {
			t.Errorf("call %d: %s", i, text)
		}
	}
	if len(seen) != 5 {
		t.Fatalf("%d exchanges", len(seen))
	}
	for _, x := range seen {
		if text := fmt.Sprintf("%+v %#v", x, x.Err); strings.Contains(text, "hljv") || !strings.Contains(x.Body, `"authinfo":"[redacted]"`) {
			t.Errorf("observed %s", text)
		}
	}
	if want := `{"fqdn":"d.com","owner":{"type":"individual",`; !strings.HasPrefix(seen[1].Body, want) {
		t.Errorf("body %s", seen[1].Body)
	}
}
