package sandbox

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"v3gate/internal/contract"
)

// neverShown are the documented members of answers that the sandbox leaves out,
// with the reason. The members of extra parameters are data.
var neverShown = []struct{ object, members, reason string }{
	{"Message", "code", "inferred from one client"},
	{"Contact", "icann_contract_accept", "a flag of the request"},
	{"Contact", "sharing_id", "seen in one client only"},
	{"Webredir", "cert_status cert_uuid", "what they hold is not known"},
	{"UserInfo", "state fax", "the user has none"},
	{"CheckPeriod", "ends_at", "the open phase has no end"},
	{"CheckPrice", "normal_price_before_taxes normal_price_after_taxes", "nothing is cheaper than usual"},
	{"MailboxItem", "aliases responder", "in lists of 2020, not today"},
	{"BillingInfo", "prepaid_monthly_invoice", "its type is not known"},
	{"TransferParams", "reseller version", "what they hold is not known"},
	{"TransferStatus", "regac_at transfer_link transfer_procedure", "what they hold is not known"},
}

// TestAnswersAreDocumented goes once through all routes and through the states
// of an order, and holds every answer against the documents.
func TestAnswersAreDocumented(t *testing.T) {
	r := newRig(t, Options{Tokens: []Token{{Secret: DefaultToken, Orgs: []string{DefaultSharingID, resellerID}}}})
	company := bob(map[string]any{
		"type": "company", "orgname": "Roe SARL", "state": "FR-BRE", "fax": "+33.1234", "mobile": "+33.1234", "lang": "fr",
		"siren": "1", "brand_number": "2", "jo_announce_number": "3", "jo_announce_page": "4",
		"jo_publication_date": "2020-01-01", "jo_declaration_date": "2020-01-01",
		"extra_parameters": map[string]any{"birth_city": "", "x-it_pin": "5"},
	})
	r.seed(Seed{
		Domains: []SeedDomain{
			{FQDN: "own.com", Owner: company, Tags: []string{"a"}, Status: []string{"clientTransferProhibited"},
				Nameservers: []string{"a.dns.gandi.net"}, Hosts: map[string][]string{"ns1": {"192.0.2.1"}},
				Mail: SeedMail{Forwards: map[string][]string{"alice": {"a@example.org"}}, Mailboxes: []string{"bob"}, FreeSlots: 1}},
			{FQDN: "late.com", RegistryEndsAt: winter.AddDate(0, 0, -60)},
			{FQDN: "else.org", SharingID: strangerID},
		},
		Taken: []string{"there.com", "locked.com"}, TransferCodes: map[string]string{"locked.com": "right"},
		Claimed:         []string{"claimed.com"},
		Premium:         map[string]string{"gold.com": "900.00"},
		FailCreate:      map[string]FailedOrder{"bad.com": failed("domain_create:refused")},
		FailChangeOwner: map[string]FailedOrder{"late.com": failed("domain_change_owner:refused")},
	})
	c := checker{t: t, r: r, rest: documented(t), answered: map[string]bool{}, shown: map[string]map[string]bool{}}
	const own = "/domain/domains/own.com"
	bobs := "/email/mailboxes/own.com/" + r.send("GET", "/email/mailboxes/own.com", nil).array[0].(map[string]any)["id"].(string)
	for _, s := range []struct {
		request string // method, path, and a header where one is needed
		status  int
		body    any
	}{
		{"GET /organization/user-info", 200, nil},
		{"GET /organization/organizations", 200, nil},
		{"GET /billing/info", 200, nil},
		{"GET /billing/info/" + resellerID, 200, nil},
		{"GET /billing/price/domain?name=.com&processes=create", 200, nil},
		{"GET /billing/price/nothing", 404, nil},
		{"GET /domain/tlds", 200, nil},
		{"GET /domain/tlds/com", 200, nil},
		{"GET /domain/check?name=new.com", 200, nil}, // pending
		{"GET /domain/check?name=new.com&processes=create&processes=transfer", 200, nil},
		{"GET /domain/check?name=own.com&processes=renew&processes=restore", 200, nil},
		{"GET /domain/check?name=gold.com", 200, nil},
		{"GET /domain/check?name=gold.com", 200, nil},
		{"GET /domain/check?name=a.nowhere", 200, nil},
		{"GET /domain/check?name=-.com", 200, nil},
		{"GET /domain/check", 400, nil},
		{"GET /domain/domains", 200, nil},
		{"GET " + own, 200, nil},
		{"GET " + own + "/contacts", 200, nil},
		{"GET " + own + "/renew", 200, nil},
		{"GET " + own + "/restore", 200, nil},
		{"GET " + own + "/nameservers", 200, nil},
		{"GET " + own + "/livedns", 200, nil},
		{"GET " + own + "/hosts", 200, nil},
		{"GET " + own + "/hosts/ns1", 200, nil},
		{"GET " + own + "/tags", 200, nil},
		{"GET /domain/domains/else.org", 403, nil},
		{"GET /domain/domains/new.com", 404, nil},
		{"GET /domain/domains/new.com/createstatus", 404, nil},

		{"GET /domain/domains/new.com/claims", 404, nil},
		{"GET /domain/domains/claimed.com/claims", 200, nil},
		{"POST /domain/domains", 400, order("claimed.com", nil)},
		{"POST /domain/domains/claimed.com/claims", 202, nil},
		{"POST /domain/domains Dry-Run: 1", 200, order("new.com", nil)},
		{"POST /domain/domains Dry-Run: 1", 200, order("own.com", nil)},
		{"POST /domain/domains", 400, order("new.com", map[string]any{"owner": nil})},
		{"POST /domain/domains", 409, order("own.com", nil)},
		{"POST /domain/domains?sharing_id=" + resellerID, 202, order("new.com", map[string]any{"owner": company})},
		{"POST /domain/domains", 202, order("bad.com", nil)},
		{"GET /domain/domains/new.com/createstatus", 200, nil},
		{"POST /domain/transferin", 202, order("there.com", nil)},
		{"POST /domain/transferin", 202, order("locked.com", map[string]any{"authinfo": "wrong"})},
		{"POST /domain/transferin Dry-Run: 1", 200, order("own.com", nil)},
		{"POST /domain/transferin/there.com/available", 200, map[string]any{}},
		{"POST /domain/transferin/own.com/available", 200, map[string]any{}},
		{"POST /domain/changeowner/own.com Dry-Run: 1", 200, map[string]any{"owner": bob(nil)}},
		{"POST /domain/changeowner/own.com", 202, map[string]any{"owner": bob(nil)}},
		{"POST /domain/changeowner/late.com", 202, map[string]any{"owner": bob(nil)}},
		{"GET /domain/changeowner/own.com", 200, nil},
		{"POST /domain/changeowner/own.com/foa", 202, map[string]any{"email": "bob@example.org"}},
		{"PATCH " + own + "/contacts", 202, map[string]any{"admin": bob(nil)}},
		{"PUT " + own + "/contacts/owner", 202,
			map[string]any{"country": "FR", "streetaddr": "9 rue neuve", "email": "bob@example.org"}},
		{"PUT " + own + "/contacts/owner Dry-Run: 1", 200, map[string]any{"country": "FR"}},
		{"POST " + own + "/renew Dry-Run: 1", 200, map[string]any{}},
		{"POST " + own + "/renew", 202, map[string]any{"duration": 1}},
		{"POST " + own + "/restore", 400, map[string]any{}},
		{"POST /domain/domains/late.com/restore", 202, map[string]any{}},
		{"POST " + own + "/dnskeys", 202, map[string]any{"algorithm": 8, "public_key": "AwEAAQ==", "type": "ksk"}},
		{"POST " + own + "/webredirs", 202, map[string]any{"host": "www.own.com", "override": true, "protocol": "http", "type": "cloak", "url": "http://a.example/"}},
		{"POST " + own + "/hosts", 202, map[string]any{"name": "ns2", "ips": []string{"192.0.2.2"}}},
		{"PUT " + own + "/hosts/ns1", 202, map[string]any{"ips": []string{"192.0.2.3"}}},
		{"PUT " + own + "/nameservers", 202, map[string]any{"nameservers": []string{"ns1.example.net"}}},
		{"POST " + own + "/livedns", 202, nil},
		{"PATCH " + own + "/status", 202, map[string]any{"clientTransferProhibited": false}},
		{"PATCH " + own + "/autorenew", 202, map[string]any{"enabled": true}},
		{"PUT " + own + "/authinfo", 202, map[string]any{}},
		{"PATCH " + own + "/reachability", 202, map[string]any{"action": "resend"}},
		{"POST " + own + "/tags", 202, map[string]any{"tag": "b"}},
		{"PUT " + own + "/tags", 202, map[string]any{"tags": []string{"c"}}},
		{"PATCH " + own + "/tags", 202, map[string]any{"add": []string{"d"}, "remove": []string{"c"}}},
		{"DELETE " + own + "/tags", 200, nil},
		{"GET /livedns/domains/late.com", 200, nil},
		{"GET /livedns/domains/late.com/records", 200, nil},
		{"GET /livedns/domains/late.com/records?rrset_type=MX&per_page=1&page=1", 200, nil},
		{"PUT /livedns/domains/late.com/records", 201, map[string]any{"items": []any{map[string]any{
			"rrset_name": "@", "rrset_type": "A", "rrset_values": []string{"192.0.2.1"}, "rrset_ttl": 300}}}},
		{"PUT /livedns/domains/late.com/records", 400, map[string]any{"items": []any{map[string]any{
			"rrset_name": "@", "rrset_type": "NS", "rrset_values": []string{"ns.example.net."}}}}},
		{"POST /livedns/domains/late.com/records/www/TXT", 201, map[string]any{"rrset_values": []string{"a"}}},
		{"POST /livedns/domains/late.com/records/www/TXT", 200, map[string]any{"rrset_values": []string{`"a"`}}},
		{"POST /livedns/domains/late.com/records/www/TXT", 409, map[string]any{"rrset_values": []string{"b"}}},
		{"PUT /livedns/domains/late.com/records/www/TXT", 201, map[string]any{"rrset_values": []string{"b"}, "rrset_name": "www"}},
		{"PUT /livedns/domains/late.com/records/www/CNAME", 400, map[string]any{"rrset_values": []string{"b"}}},
		{"GET /livedns/domains/late.com/records/www/TXT", 200, nil},
		{"DELETE /livedns/domains/late.com/records/www/TXT", 204, nil},
		{"GET /livedns/domains/late.com/records/www/TXT", 404, nil},
		{"GET /livedns/domains/own.com/records", 404, nil},
		{"GET /email/forwards/own.com", 200, nil},
		{"POST /email/forwards/own.com", 202, map[string]any{"source": "eve", "destinations": []string{"e@example.org"}}},
		{"POST /email/forwards/own.com", 409, map[string]any{"source": "eve", "destinations": []string{"e@example.org"}}},
		{"PUT /email/forwards/own.com/eve", 202, map[string]any{"destinations": []string{"f@example.org"}}},
		{"DELETE /email/forwards/own.com/eve", 202, nil},
		{"DELETE /email/forwards/own.com/eve", 404, nil},
		{"GET /email/mailboxes/own.com", 200, nil},
		{"GET " + bobs, 200, nil},
		{"POST /email/mailboxes/own.com", 202, map[string]any{"login": "dan", "mailbox_type": "standard_2023", "password": "Secret-123"}},
		{"POST /email/mailboxes/own.com", 400, map[string]any{"login": "eve", "mailbox_type": "standard_2023", "password": "Secret-123"}},
		{"PATCH " + bobs, 202, map[string]any{"aliases": []string{"robert"}, "responder": map[string]any{
			"enabled": true, "message": "away", "starts_at": "2026-01-01T00:00:00Z", "ends_at": "2027-01-01T00:00:00Z"}}},
		{"POST /email/mailboxes/own.com/bob@own.com/renew", 202, map[string]any{"duration": 12}},
		{"GET /email/slots/own.com", 200, nil},
		{"POST /email/slots/own.com", 202, map[string]any{"mailbox_type": "standard_2023", "duration": 12}},
		{"GET /email/offers/own.com", 200, nil},
		{"advance", 0, nil},
		{"POST /domain/transferin/there.com/foa", 202, map[string]any{"email": "bob@example.org"}},
		{"GET /domain/transferin/there.com", 200, nil},
		{"GET " + own + "/dnskeys", 200, nil},
		{"GET " + own + "/webredirs", 200, nil},
		{"GET " + own + "/webredirs/www.own.com", 200, nil},
		{"PATCH " + own + "/webredirs/www.own.com", 200, map[string]any{"type": "http301"}},
		{"DELETE " + own + "/webredirs/www", 400, nil},
		{"DELETE " + own + "/webredirs/www.own.com", 200, nil},
		{"DELETE " + own + "/dnskeys/7", 202, nil},
		{"DELETE " + own + "/hosts/ns1", 202, nil},
		{"advance", 0, nil},
		{"advance", 0, nil},
		{"GET /domain/domains/new.com/createstatus", 303, nil},
		{"GET /domain/domains/bad.com/createstatus", 200, nil},
		{"GET /domain/domains/new.com", 200, nil},
		{"GET /domain/domains", 200, nil},
		{"GET /domain/changeowner/own.com", 200, nil},
		{"GET /domain/changeowner/late.com", 200, nil},
		{"GET " + own + "/hosts/ns1", 400, nil},
		{"GET /domain/transferin/locked.com", 200, nil},
		{"GET " + bobs, 200, nil},
		{"DELETE " + bobs + "/contents", 202, nil},
		{"DELETE " + bobs, 202, nil},
		{"PUT /domain/transferin/locked.com/authinfo", 202, map[string]any{"authinfo": "right"}},
		{"PUT /domain/transferin/locked.com", 202, map[string]any{}},
		{"GET /organization/organizations/" + resellerID + "/customers", 200, nil},
		{"DELETE " + own, 202, nil},
		{"DELETE " + own, 400, nil},
		{"DELETE /domain/domains/else.org", 403, nil},
		{"advance", 0, nil},
		{"GET " + own, 200, nil},
		{"GET " + own + "/restore", 200, nil},
	} {
		if s.request == "advance" {
			r.s.Advance(time.Second)
			continue
		}
		c.send(s.request, s.status, s.body)
	}
	customers := r.send("GET", "/organization/organizations/"+resellerID+"/customers", nil).array
	id, _ := customers[0].(map[string]any)["id"].(string)
	c.send("GET /organization/organizations/"+resellerID+"/customers/"+id, 200, nil)
	release := map[string]any{"action": "release_resellee", "params": map[string]any{"id": id}}
	c.send("POST /organization/organizations/"+resellerID+"/action", 200, release)
	c.send("POST /organization/organizations/"+resellerID+"/action", 404, release)
	r.s.opts.IntContactType = true
	c.send("GET "+own, 200, nil)
	c.report()
}

// checker sends requests, and remembers what was answered.
type checker struct {
	t        *testing.T
	r        *rig
	rest     *contract.V5
	answered map[string]bool            // routes that were answered with a success
	shown    map[string]map[string]bool // members by object
}

func (c *checker) send(request string, status int, body any) {
	c.t.Helper()
	parts := strings.SplitN(request, " ", 3)
	path, _, _ := strings.Cut(parts[1], "?")
	d := c.rest.Route(parts[0], apiRoot+path)
	if d == nil {
		c.t.Errorf("%s is not documented", request)
		return
	}
	g := c.r.send(parts[0], parts[1], body, parts[2:]...)
	if g.status != status {
		c.t.Errorf("%s: status %d, want %d; %s", request, g.status, status, g.raw)
		return
	}
	if status < 400 && len(parts) == 2 {
		c.answered[d.Method+" "+d.Path] = true
	}
	typ, ok := answerType(d, status, len(parts) > 2)
	if !ok {
		c.t.Errorf("%s: no answer %d is documented", request, status)
	}
	if typ == nil {
		if g.raw != "" {
			c.t.Errorf("%s: documented without a body, got %s", request, g.raw)
		}
		return
	}
	dec := json.NewDecoder(strings.NewReader(g.raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		c.t.Errorf("%s: %v in %s", request, err, g.raw)
		return
	}
	c.check(request, v, &contract.Member{Type: *typ})
}

// answerType is the documented type of a body, nil for none.
func answerType(d *contract.Route, status int, dry bool) (typ *contract.Type, ok bool) {
	switch {
	case dry:
		return &contract.Type{Kind: "object", Name: "DryRunAnswer"}, true
	case status >= 400:
		return &contract.Type{Kind: "object", Name: "Error"}, true
	}
	i := slices.IndexFunc(d.Answers, func(a contract.Answer) bool { return a.Status == status })
	if i < 0 {
		return nil, false
	}
	return d.Answers[i].Type, true
}

var (
	dateTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`)
	digits   = regexp.MustCompile(`^-?\d+$`)
)

// check holds a value against its documented type, and against one that was seen
// besides.
func (c *checker) check(at string, v any, m *contract.Member) {
	if m.Seen != nil && c.fits(v, *m.Seen) {
		return
	}
	if !c.fits(v, m.Type) {
		c.t.Errorf("%s is %v, documented %s", at, v, m.Type)
		return
	}
	switch x := v.(type) {
	case string:
		c.checkText(at, x, m)
	case []any:
		for i, e := range x {
			if len(m.Type.Elems) > 0 {
				c.check(fmt.Sprintf("%s.%d", at, i), e, &contract.Member{Type: m.Type.Elems[0], Enum: m.Enum, OneOf: m.OneOf, Format: m.Format})
			}
		}
	case map[string]any:
		if m.Type.Name != "" {
			c.checkObject(at, x, c.rest.Struct(m.Type.Name))
		}
	}
}

func (c *checker) checkText(at, text string, m *contract.Member) {
	words := m.OneOf
	if e := c.rest.Enum(m.Enum); e != nil && !e.Open {
		words = e.Values
	}
	switch {
	case words != nil && !slices.Contains(words, text):
		c.t.Errorf("%s is %q, documented %v", at, text, words)
	case m.Format == "datetime" && !dateTime.MatchString(text), m.Format == "uuid" && !idForm.MatchString(text):
		c.t.Errorf("%s is %q and no %s", at, text, m.Format)
	}
}

func (c *checker) checkObject(at string, have map[string]any, o *contract.Struct) {
	if c.shown[o.Name] == nil {
		c.shown[o.Name] = map[string]bool{}
	}
	for name, v := range have {
		m := o.Members.Get(name)
		if m == nil {
			if !o.Open {
				c.t.Errorf("%s.%s is not documented", at, name)
			}
			continue
		}
		c.shown[o.Name][name] = true
		c.check(at+"."+name, v, m)
	}
	for _, m := range o.Members {
		if _, there := have[m.Name]; m.Required() && !there {
			c.t.Errorf("%s.%s is missing", at, m.Name)
		}
	}
}

func (c *checker) fits(v any, typ contract.Type) bool {
	switch typ.Kind {
	case "?":
		return true
	case "union":
		return slices.ContainsFunc(typ.Elems, func(e contract.Type) bool { return c.fits(v, e) })
	}
	switch x := v.(type) {
	case nil:
		return typ.Kind == "null"
	case string:
		return typ.Kind == "string"
	case bool:
		return typ.Kind == "bool"
	case json.Number:
		return typ.Kind == "number" || typ.Kind == "int" && digits.MatchString(x.String())
	case []any:
		return typ.Kind == "array"
	}
	return typ.Kind == "object" || typ.Kind == "map"
}

// report wants every route to have been answered, and every documented member of
// an answer to have been shown.
func (c *checker) report() {
	c.t.Helper()
	for _, r := range c.r.s.Routes() {
		if !c.answered[r.Method+" "+apiRoot+r.Path] {
			c.t.Errorf("%s %s was not answered", r.Method, r.Path)
		}
	}
	for _, n := range neverShown {
		for _, member := range strings.Split(n.members, " ") {
			if shown := c.shown[n.object]; shown == nil || shown[member] || c.rest.Struct(n.object).Members.Get(member) == nil {
				c.t.Errorf("%s of %s is shown, or not documented", member, n.object)
			} else {
				shown[member] = true
			}
		}
	}
	for name, shown := range c.shown {
		for _, m := range c.rest.Struct(name).Members {
			if !shown[m.Name] && !strings.Contains(name, "ExtraParameters") {
				c.t.Errorf("%s of %s is never shown", m.Name, name)
			}
		}
	}
}
