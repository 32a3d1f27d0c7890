package v5

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// full is a transfer with all that it can have.
func full() TransferIn {
	yes, no := true, false
	return TransferIn{FQDN: "example.com", Owner: &Contact{Given: "A"}, Admin: &Contact{Given: "B"}, Bill: &Contact{Given: "C"},
		Tech: &Contact{Given: "D"}, AuthInfo: "code", ChangeOwner: &yes, Duration: 2, Nameservers: []string{"ns1.example.net"},
		ExtraParameters: map[string]string{"x-us_app_purpose": "P1"}, EnforcePremium: true, Price: 12.5, Currency: "EUR",
		MailboxOptin: &no, ReselleeID: "r"}
}

const fullBody = `{"fqdn":"example.com","owner":{"given":"A"},"admin":{"given":"B"},"bill":{"given":"C"},"tech":{"given":"D"},"authinfo":"code",` +
	`"change_owner":true,"duration":2,"nameservers":["ns1.example.net"],"extra_parameters":{"x-us_app_purpose":"P1"},` +
	`"enforce_premium":true,"price":12.5,"currency":"EUR","mailbox_optin":false,"resellee_id":"r"}`

// Every call of renewals, restorations and transfers as it is sent: method (DRY
// for a dry run), path and query, and the body.
func TestOrdersAsSent(t *testing.T) {
	no := false
	lean := TransferIn{FQDN: "example.com", Owner: &Contact{Given: "A"}, ChangeOwner: &no}
	const d, in = "/v5/domain/domains/example.com", "/v5/domain/transferin"
	for _, tc := range []struct {
		want, body, answer string
		call               func(*Session) error
	}{
		{"GET " + d + "/renew", "", `{"prohibited":false}`,
			func(s *Session) error { _, err := s.RenewInfo(t.Context(), "example.com"); return err }},
		{"POST " + d + "/renew?sharing_id=org", `{"duration":3}`, "",
			func(s *Session) error { return s.Renew(t.Context(), "example.com", 3) }},
		{"DRY " + d + "/renew?sharing_id=org", `{"duration":1}`, `{"status":"success"}`,
			func(s *Session) error { return s.DryRunRenew(t.Context(), "example.com", 1) }},
		{"GET " + d + "/restore", "", `{"restorable":true}`,
			func(s *Session) error { _, err := s.RestoreInfo(t.Context(), "example.com"); return err }},
		{"POST " + d + "/restore?sharing_id=org", `{}`, "",
			func(s *Session) error { return s.Restore(t.Context(), "example.com") }},
		{"POST " + in + "?sharing_id=org", fullBody, "",
			func(s *Session) error { return s.TransferIn(t.Context(), full()) }},
		{"DRY " + in + "?sharing_id=org", `{"fqdn":"example.com","owner":{"given":"A"},"change_owner":false}`, `{"status":"success"}`,
			func(s *Session) error { return s.DryRunTransferIn(t.Context(), lean) }},
		{"GET " + in + "/example.com", "", `{"step":"WAIT","step_nb":2}`,
			func(s *Session) error { _, err := s.TransferStatus(t.Context(), "example.com"); return err }},
		{"PUT " + in + "/example.com", "", "",
			func(s *Session) error { return s.RelaunchTransfer(t.Context(), "example.com") }},
		{"PUT " + in + "/example.com/authinfo?sharing_id=org", `{"authinfo":"new code"}`, "",
			func(s *Session) error { return s.SetTransferAuthInfo(t.Context(), "example.com", "new code") }},
		{"POST " + in + "/example.com/available", `{"authinfo":"code"}`, `{"available":true}`,
			func(s *Session) error { _, err := s.TransferAvailable(t.Context(), "example.com", "code"); return err }},
		{"POST " + in + "/example.com/available", `{}`, `{"available":false}`,
			func(s *Session) error { _, err := s.TransferAvailable(t.Context(), "example.com", ""); return err }},
	} {
		got, body, err := sentBy(t, tc.answer, tc.call)
		if err != nil || got != tc.want || body != tc.body {
			t.Errorf("%v, sent %s with %s, want %s with %s", err, got, body, tc.want, tc.body)
		}
	}
}

// sentBy is what a call sends to a server that answers 200 with a body, or 202
// without one.
func sentBy(t *testing.T, answer string, call func(*Session) error) (line, body string, err error) {
	t.Helper()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		line, body = r.Method+" "+r.RequestURI, string(b)
		if r.Header.Get("Dry-Run") == "1" {
			line = "DRY " + r.RequestURI
		}
		if (r.Header.Get("Content-Type") == "application/json") != (r.Method != "GET") || r.ContentLength != int64(len(b)) {
			t.Errorf("%s: type %q, length %d", line, r.Header.Get("Content-Type"), r.ContentLength)
		}
		if answer == "" {
			w.WriteHeader(http.StatusAccepted)
		}
		io.WriteString(w, answer)
	})
	err = call(s.c.SessionFor("t", Credential{Scheme: "Bearer", Secret: secret}, "org"))
	return line, body, err
}

func TestOrdersThatAreRefusedByName(t *testing.T) {
	rt := &script{}
	s := open(t, Options{BaseURL: "https://h/v5", Transport: rt})
	ctx := t.Context()
	for want, err := range map[string]error{
		"renew domain: duration is required":             s.Renew(ctx, "d.com", 0),
		"duration is required":                           s.DryRunRenew(ctx, "d.com", -1),
		"transfer domain: fqdn and owner are required":   s.TransferIn(ctx, TransferIn{FQDN: "d.com"}),
		"fqdn and owner are required":                    s.DryRunTransferIn(ctx, TransferIn{Owner: owner}),
		"set transfer code: authinfo is required":        s.SetTransferAuthInfo(ctx, "d.com", ""),
		"fill path: value of d cannot be part of a path": s.RelaunchTransfer(ctx, "../domains/d.com"),
		"value of d cannot be part of a path":            s.Restore(ctx, ""),
	} {
		if e := asError(t, err); e.MaybeSent || !e.DefiniteNo() || !strings.Contains(e.Error(), want) || e.Route == "" {
			t.Errorf("%v, want %q in it", err, want)
		}
	}
	if rt.count() != 0 {
		t.Errorf("%d requests were sent", rt.count())
	}
}

func TestRenewInfo(t *testing.T) {
	yes := true
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for body, want := range map[string]*RenewInfo{
		`{"begins_at":"2026-01-02T03:04:05Z","ends_at":"2026-01-02T03:04:05","durations":[1,2],"minimum":1,"maximum":2,"prohibited":false,"in_renew_period":true}`: {
			BeginsAt: at, EndsAt: at, Durations: []int{1, 2}, Minimum: 1, Maximum: 2, InRenewPeriod: &yes},
		`{"renew":{"begins_at":"2026-01-02T03:04:05Z","durations":[1],"minimum":"1","maximum":1.0,"prohibited":true},"contracts":[{"id":1,"name":"n"}]}`: {
			BeginsAt: at, Durations: []int{1}, Minimum: 1, Maximum: 1, Prohibited: true},
		`{"renew":null,"prohibited":true,"durations":null,"ends_at":null}`: {Prohibited: true},
		`{"durations":[]}`:         {Durations: []int{}},
		`{}`:                       nil,
		`{"renew":{}}`:             nil,
		`{"prohibited":"perhaps"}`: nil,
	} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, body) })
		got, err := s.RenewInfo(t.Context(), "d.com")
		if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (want != nil) {
			t.Errorf("%s: %v\n%s", body, err, diff)
		}
	}
}

func TestRestoreInfo(t *testing.T) {
	for body, want := range map[string]*RestoreInfo{
		`{"restorable":true}`: {Restorable: true},
		`{"restorable":false,"contracts":[{"id":12,"name":"a","href":"h"},{"id":"x","name":"b","registry_contract_href":"r"}]}`: {
			Contracts: []Contract{{ID: "12", Name: "a", Href: "h"}, {ID: "x", Name: "b", RegistryContractHref: "r"}}},
		`{}`:                  nil,
		`{"restorable":null}`: nil,
	} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, body) })
		got, err := s.RestoreInfo(t.Context(), "d.com")
		if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (want != nil) {
			t.Errorf("%s: %v\n%s", body, err, diff)
		}
		if err != nil && (asError(t, err).Absent() || asError(t, err).DefiniteNo()) {
			t.Errorf("%s: %+v", body, err)
		}
	}
}

func TestTransferStatus(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z","owner_contact":7,"step":"ERROR","step_nb":3,
			"params":{"domain":"d.com","duration":1,"reseller":null,"version":2},"foa":[{"email":"a@x","answer":null}],
			"errortype":"domain_transfer_in:domain_transfer_invalid_authinfo","errortype_label":"L","inner_step":null,"transfer_link":"l"}`)
	})
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	got, err := s.TransferStatus(t.Context(), "d.com")
	want := &Progress{Step: "ERROR", StepNb: 3, CreatedAt: at, UpdatedAt: at, FOA: []FOA{{Email: "a@x"}},
		ErrorType: "domain_transfer_in:domain_transfer_invalid_authinfo", ErrorLabel: "L",
		Params: map[string]string{"domain": "d.com", "duration": "1", "reseller": "", "version": "2"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("progress differs (-want +got):\n%s%v", diff, err)
	}
}

// The question is a POST and is asked again like any other read.
func TestTransferAvailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		no := false
		rt := &script{steps: []step{says(503, ""), gone, says(200, `{"available":false,"fqdn":"d.com","fqdn_alabel":"d.com","fqdn_ulabel":"d.com",
			"corporate":false,"durations":[1],"minimum_duration":1,"maximum_duration":"1","msg":null,"internal":null}`), says(200, `{"fqdn":"d.com"}`)}}
		s := open(t, Options{BaseURL: "https://h", Transport: rt})
		got, err := s.TransferAvailable(t.Context(), "d.com", "code")
		want := &TransferAvailable{FQDN: "d.com", FQDNALabel: "d.com", FQDNULabel: "d.com", Corporate: &no,
			Durations: []int{1}, MinimumDuration: 1, MaximumDuration: 1}
		if diff := cmp.Diff(want, got); diff != "" || err != nil || rt.count() != 3 {
			t.Errorf("answer differs (-want +got):\n%s%v after %d requests", diff, err, rt.count())
		}
		if _, err := s.TransferAvailable(t.Context(), "d.com", ""); err == nil {
			t.Error("an answer without available was taken")
		}
	})
}
