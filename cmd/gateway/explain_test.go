package main

import (
	"strings"
	"testing"
)

// What a call is about is there in the simulation, so that it comes to the request
// that matters, which no fault forestalls.
func TestExplainComesToTheRequestThatMatters(t *testing.T) {
	roles := `"owner":"FLN2-GANDI","admin":"FLN2-GANDI","bill":"FLN2-GANDI","tech":"FLN2-GANDI"`
	for want, args := range map[string][]string{
		"-X POST 'https://api.gandi.net/v5/domain/domains'":                            {"domain.create", "New.net.", `{` + roles + `,"duration":1}`},
		"-X POST 'https://api.gandi.net/v5/domain/transferin'":                         {"domain.transferin.proceed", "a.org", `{` + roles + `,"duration":1,"authinfo":"t0psecret"}`},
		"-X POST 'https://api.gandi.net/v5/domain/domains/a.net/renew'":                {"domain.renew", "a.net", `{"duration":1,"current_year":2031}`},
		"-X POST 'https://api.gandi.net/v5/domain/domains/a.net/restore'":              {"domain.restore", "a.net", `{"duration":1}`},
		"-X POST 'https://api.gandi.net/v5/domain/changeowner/a.net'":                  {"domain.owner.set", "a.net", `{` + roles + `,"old_owner":"FLN1-GANDI"}`},
		"-X PATCH 'https://api.gandi.net/v5/domain/domains/a.net/contacts'":            {"domain.contacts.set", "a.net", `{"tech":"FLN2-GANDI"}`},
		"-X PUT 'https://api.gandi.net/v5/domain/domains/a.net/hosts/ns1'":             {"domain.host.update", "ns1.a.net", `["192.0.2.7"]`},
		"-X PATCH 'https://api.gandi.net/v5/domain/domains/a.net/webredirs/www.a.net'": {"domain.webredir.update", "a.net", "www", `{"url":"http://b.org/"}`},
		"-X PUT 'https://api.gandi.net/v5/email/forwards/a.net/box'":                   {"domain.forward.update", "a.net", "box", `{"destinations":["b@c.org"]}`},
		"-X POST 'https://api.gandi.net/v5/email/mailboxes/a.net'":                     {"domain.mailbox.create", "a.net", "box", `{"password":"T0psecret-123"}`},
		"-X PUT 'https://api.gandi.net/v5/domain/domains/a.net/nameservers'":           {"domain.nameservers.set", "a.net", `["ns1.b.org","ns2.b.org"]`},
		"curl -sS 'https://api.gandi.net/v5/domain/check?name=xn--bcher-kva.com'":      {"domain.available", `["b\u00fccher.com"]`},
		"-X PATCH 'https://api.gandi.net/v5/domain/domains/a.net/status'":              {"domain.status.lock", "a.net"},
	} {
		out, err := run(t, append([]string{"explain"}, args...)...)
		if err != nil || !strings.Contains(out, want) || strings.Contains(out, "gets fault") {
			t.Errorf("%v lacks %s: %v\n%s", args, want, err, out)
		}
		if strings.Contains(strings.ToLower(out), "t0psecret") {
			t.Errorf("%v tells the secret:\n%s", args, out)
		}
	}
}
