package v5

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestErrorForms(t *testing.T) {
	html := "<!DOCTYPE html><html><body><pre>Cannot GET /v5/x</pre></body></html>"
	for _, tc := range []struct {
		name   string
		status int
		ctype  string
		body   string
		want   Error // Route, Status and MaybeSent are filled in
		no     bool
		absent bool
	}{
		{"envelope of 2020", 404, "application/json; charset=UTF-8",
			`{"code": 404, "message": "The resource could not be found.", "object": "HTTPNotFound", "cause": "Not Found"}`,
			Error{Code: 404, Message: "The resource could not be found.", Object: "HTTPNotFound", Cause: "Not Found", IsJSON: true}, true, true},
		{"envelope of 2026", 403, "application/json",
			`{"object":"HTTPForbidden","cause":"Forbidden","code":403,"message":"Access was denied to this resource."}`,
			Error{Code: 403, Message: "Access was denied to this resource.", Object: "HTTPForbidden", Cause: "Forbidden", IsJSON: true}, true, false},
		{"validation", 400, "application/json",
			`{"code":400,"message":"m","object":"HTTPBadRequest","cause":"Bad Request","errors":[{"location":"body","name":"nameservers.0","description":"at least one"}]}`,
			Error{Code: 400, Message: "m", Object: "HTTPBadRequest", Cause: "Bad Request", IsJSON: true,
				Fields: []FieldError{{"body", "nameservers.0", "at least one"}}}, true, false},
		{"validation, second form", 400, "application/json",
			`{"status":"error","errors":[{"location":"body","name":"owner.email","description":"bad"},{"name":null},"loose"]}`,
			Error{IsJSON: true, Fields: []FieldError{{"body", "owner.email", "bad"}, {}, {Description: "loose"}}}, true, false},
		{"v3 cause", 400, "application/json",
			`{"code":400,"cause":"CAUSE_NOTFOUND","message":"Host 'ns1.example.com' doesn't exist"}`,
			Error{Code: 400, Cause: "CAUSE_NOTFOUND", Message: "Host 'ns1.example.com' doesn't exist", IsJSON: true}, true, false},
		{"401 of one member", 401, "application/json", `{"message":"You must provide an access token or an API Key."}`,
			Error{Message: "You must provide an access token or an API Key.", IsJSON: true}, true, false},
		{"message and status_code", 400, "application/json", `{"message":"no","status_code":400}`,
			Error{Code: 400, Message: "no", IsJSON: true}, true, false},
		{"josn", 404, "application/josn", `{"message":"no claims"}`, Error{Message: "no claims", IsJSON: true}, true, true},
		{"no content type", 409, "", `{"code":"409","message":"Record bob already exists","object":"HTTPConflict","cause":"Duplicate Entry"}`,
			Error{Code: 409, Message: "Record bob already exists", Object: "HTTPConflict", Cause: "Duplicate Entry", IsJSON: true}, true, false},
		{"odd members", 400, "application/json", `{"code":null,"message":{"a": 1},"cause":7,"errors":{}}`,
			Error{Message: `{"a":1}`, Cause: "7", IsJSON: true}, true, false},
		{"HTML 404", 404, "text/html", html, Error{}, false, false},
		{"HTML said to be JSON", 400, "application/json", html, Error{}, false, false},
		{"empty 404", 404, "application/json", "", Error{}, false, false},
		{"JSON that is no object", 400, "application/json", `"no"`, Error{}, false, false},
		{"null", 400, "application/json", `null`, Error{}, false, false},
		{"cut JSON", 400, "application/json", `{"code":400,"message":"m"`, Error{}, false, false},
		{"502", 502, "text/html", html, Error{}, false, false},
		{"500 in JSON", 500, "application/json", `{"code":500,"message":"oops"}`, Error{Code: 500, Message: "oops", IsJSON: true}, false, false},
		{"408", 408, "application/json", `{"code":408}`, Error{Code: 408, IsJSON: true}, false, false},
		{"429 without a body", 429, "", "", Error{}, true, false},
		{"too large", 400, "application/json", `{"message":"` + strings.Repeat("x", mostAnswer) + `"}`, Error{Err: errTooLarge}, false, false},
		{"200 to an order", 200, "application/json", `{"status":"success"}`, Error{IsJSON: true, Err: errUnwanted}, false, false},
		{"201 to an order", 201, "application/json", "", Error{Err: errUnwanted}, false, false},
		{"redirect of an order", 303, "", "", Error{Err: errUnwanted}, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			calls := 0
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				calls++
				w.Header()["Content-Type"] = nil
				if tc.ctype != "" {
					w.Header().Set("Content-Type", tc.ctype)
				}
				if tc.status == 303 {
					w.Header().Set("Location", "/v5/domain/domains/example.com")
				}
				w.WriteHeader(tc.status)
				io.WriteString(w, tc.body)
			})
			e := asError(t, s.CreateDomain(t.Context(), DomainCreate{FQDN: "example.com", Owner: owner}))
			want := tc.want
			want.Route, want.Status, want.MaybeSent = "POST /domain/domains", tc.status, true
			if diff := cmp.Diff(want, *e, cmp.Comparer(func(a, b error) bool { return errors.Is(a, b) && errors.Is(b, a) })); diff != "" {
				t.Errorf("error differs (-want +got):\n%s", diff)
			}
			if e.DefiniteNo() != tc.no || e.Absent() != tc.absent || e.Auth() != (tc.status == 401) {
				t.Errorf("DefiniteNo %v, Absent %v, Auth %v", e.DefiniteNo(), e.Absent(), e.Auth())
			}
			if calls != 1 {
				t.Errorf("%d requests, want 1", calls)
			}
		})
	}
}

func TestUndecodableSuccessMayHaveBeenSent(t *testing.T) {
	for _, body := range []string{"", "null", "{", "<html>", `{"fqdn":7}`, "{}", `[]`, `{"fqdn":"d","dates":{"updated_at":"soon"}}`} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, body) })
		_, err := s.Domain(t.Context(), "example.com")
		if e := asError(t, err); !e.MaybeSent || e.DefiniteNo() || e.Absent() || e.Status != 200 || e.Err == nil {
			t.Errorf("%q: %+v", body, e)
		}
	}
}

func TestErrorText(t *testing.T) {
	for _, tc := range []struct {
		e    error
		want string
	}{
		{&Error{Route: "GET /x", Status: 404, MaybeSent: true, Message: "Gone.", Cause: "Not Found"}, "call v5 GET /x: status 404: Gone. (Not Found)"},
		{&Error{Route: "GET /x", Status: 400, MaybeSent: true, Fields: []FieldError{{"body", "a.0", "bad"}, {"body", "", "worse"}, {"body", "b", ""}}},
			"call v5 GET /x: status 400; a.0: bad; worse; b"},
		{&Error{Route: "GET /x", MaybeSent: true, Err: io.EOF}, "call v5 GET /x: no answer: EOF"},
		{&Error{Route: "GET /x", Err: io.EOF}, "call v5 GET /x: not sent: EOF"},
		{&Error{Route: "GET /x", Status: 500, MaybeSent: true, Message: strings.Repeat("é", 200)}, "call v5 GET /x: status 500: " + strings.Repeat("é", 150) + "…"},
		{&DryRunError{Route: "GET /x", Fields: []FieldError{{"body", "a", "bad"}}}, "dry-run v5 GET /x: refused; a: bad"},
	} {
		if got := tc.e.Error(); got != tc.want {
			t.Errorf("got  %q\nwant %q", got, tc.want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"":                              0,
		"0":                             0,
		"-5":                            0,
		"7":                             7 * time.Second,
		"1.5":                           1500 * time.Millisecond,
		"NaN":                           0,
		"1e300":                         7 * 24 * time.Hour,
		"soon":                          0,
		"Wed, 25 Nov 2026 12:00:30 GMT": 30 * time.Second,
		"Wed, 25 Nov 2026 11:00:00 GMT": 0,
		"Fri, 25 Nov 2033 11:00:00 GMT": 7 * 24 * time.Hour,
	} {
		if got := retryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestDryRun(t *testing.T) {
	for _, tc := range []struct {
		name    string
		status  int
		body    string
		fields  []FieldError // of a *DryRunError
		is      error        // what the *Error wraps
		status2 int          // of the *Error
	}{
		{name: "yes", status: 200, body: `{"status":"success"}`},
		{name: "no", status: 200, body: `{"status":"error","errors":[{"description":"d","location":"body","name":"owner.zip"}]}`,
			fields: []FieldError{{"body", "owner.zip", "d"}}},
		{name: "no, as 400", status: 400, body: `{"code":400,"errors":[{"description":"d","location":"body","name":"owner.zip"}]}`,
			fields: []FieldError{{"body", "owner.zip", "d"}}, status2: 400},
		{name: "400 without fields", status: 400, body: `{"code":400,"message":"m"}`, status2: 400},
		{name: "ignored", status: 202, body: `{"message":"m"}`, is: ErrDryRunIgnored, status2: 202},
		{name: "201", status: 201, body: `{"message":"m"}`, is: errUnwanted, status2: 201},
		{name: "no verdict", status: 200, body: `{"message":"m"}`, status2: 200},
		{name: "strange verdict", status: 200, body: `{"status":"maybe"}`, status2: 200},
		{name: "HTML", status: 200, body: `<html>`, status2: 200},
		{name: "403", status: 403, body: `{"code":403}`, status2: 403},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, call := range []func(*Session) error{
				func(s *Session) error {
					return s.DryRunCreateDomain(t.Context(), DomainCreate{FQDN: "d.com", Owner: owner})
				},
				func(s *Session) error {
					return s.DryRunChangeOwner(t.Context(), "d.com", ChangeOwner{Owner: owner})
				},
			} {
				header := ""
				s := serve(t, func(w http.ResponseWriter, r *http.Request) {
					header = r.Header.Get("Dry-Run")
					w.Header().Set("Warning", "199 - careful")
					w.WriteHeader(tc.status)
					io.WriteString(w, tc.body)
				})
				err := call(s)
				if header != "1" {
					t.Errorf("Dry-Run header is %q", header)
				}
				var no *DryRunError
				if errors.As(err, &no) != (tc.fields != nil) {
					t.Fatalf("error %v", err)
				}
				if no != nil && !cmp.Equal(no.Fields, tc.fields) {
					t.Errorf("fields %v", no.Fields)
				}
				if no != nil && no.Err == nil && no.Warning != "199 - careful" {
					t.Errorf("warning %q", no.Warning)
				}
				if tc.status2 == 0 {
					if tc.fields == nil && err != nil {
						t.Errorf("error %v, want none", err)
					}
					continue
				}
				e := asError(t, err)
				if e.Status != tc.status2 || !e.MaybeSent || e.DefiniteNo() != (tc.status2 >= 400) {
					t.Errorf("error %+v", e)
				}
				if errors.Is(err, ErrDryRunIgnored) != (tc.is == ErrDryRunIgnored) || tc.is != nil && !errors.Is(err, tc.is) {
					t.Errorf("error %v, want %v in it", err, tc.is)
				}
			}
		})
	}
}
