package contract

import (
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

func readFile[T any](t *testing.T, name string, read func(io.Reader) (T, error)) T {
	t.Helper()
	f, err := os.Open("../../testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	v, err := read(f)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

func v3File(t *testing.T) *V3 { return readFile(t, "v3/reference.txt", ReadV3) }
func v5File(t *testing.T) *V5 { return readFile(t, "v5/routes.txt", ReadV5) }

func TestV3Counts(t *testing.T) {
	v := v3File(t)
	sections := map[string]int{}
	for _, m := range v.Methods {
		sections[m.Section]++
	}
	for section, want := range map[string]int{
		"domain":       89, // the v3 domain reference
		"domain-later": 12,
		"contact":      19,
		"operation":    10,
		"other":        6,
	} {
		if got := sections[section]; got != want {
			t.Errorf("section %s has %d methods, want %d", section, got, want)
		}
		delete(sections, section)
	}
	if len(sections) != 0 {
		t.Errorf("more sections: %v", sections)
	}
	for name, want := range map[string][2]int{ // members in all, of which always or required
		"Operation":             {13, 13},
		"DomainReturn":          {26, 26},
		"DomainListReturn":      {16, 16},
		"ContactReturn":         {33, 29},
		"DomainCreate":          {17, 5},
		"DomainTransfer":        {12, 4},
		"DomainListOptions":     {34, 0},
		"DomainExtraParameters": {65, 0},
		"ContactCreate":         {34, 9},
	} {
		required := 0
		s := v.Struct(name)
		for _, m := range s.Members {
			if m.Required() {
				required++
			}
		}
		if got := [2]int{len(s.Members), required}; got != want {
			t.Errorf("%s has %v members, want %v", name, got, want)
		}
	}
	if got := len(v.Enum("CountryIso").Values); got != 251 {
		t.Errorf("%d countries, want 251", got)
	}
	var paid []string
	for _, m := range v.Methods {
		if m.Class == "paid" {
			paid = append(paid, m.Name)
		}
	}
	if want := []string{"domain.create", "domain.renew", "domain.restore", "domain.owner.set", "domain.packmail.create",
		"domain.packmail.renew", "domain.packmail.update", "domain.transferin.proceed", "changeowner.create"}; !slices.Equal(paid, want) {
		t.Errorf("paid: %v, want %v", paid, want)
	}
}

func TestV3MustHold(t *testing.T) {
	v := v3File(t)
	for _, c := range []struct{ owner, member, typ, documented string }{
		{"Operation", "eta", "int", "string"},
		{"Operation", "infos", "OperationInfos", "array<struct>"},
		{"Operation", "errortype", "array|nil", "struct"},
		{"DomainReturn", "contacts", "DomainContactReturn", "array<struct>"},
		{"DomainReturn", "status", "array<string>", "string"},
		{"DomainReturn", "zone_id", "int|nil", "int"},
		{"ZoneRecordReturn", "id", "string", "int"},
		{"MailboxQuota", "used", "string", ""},
		{"BalanceReturn", "annual_balance", "string", ""},
		{"RecordListOptions", "id", "int|string", "int"},
		{"DomainCreate", "nameservers_ips", "map<array<string>>", ""},
	} {
		m := v.Struct(c.owner).Members.Get(c.member)
		documented := ""
		if m.Documented != nil {
			documented = m.Documented.String()
		}
		if m.Type.String() != c.typ || documented != c.documented {
			t.Errorf("%s.%s is %s, documented %q; want %s, %q", c.owner, c.member, m.Type, documented, c.typ, c.documented)
		}
	}
	if m := v.Method("domain.tld.region"); m.Returns.String() != "map<array<string>>" || m.Documented == nil {
		t.Errorf("domain.tld.region returns %s", m.Returns)
	}
	for name, op := range map[string]string{
		"domain.owner.set":                    "domain_change_owner",
		"domain.mailbox.delete":               "mailbox_delete",
		"domain.mailbox.responder.activate":   "mailbox_responder_activate",
		"domain.mailbox.responder.deactivate": "mailbox_responder_deactivate",
	} {
		if got := v.Method(name).Op; !slices.Equal(got, []string{op}) {
			t.Errorf("%s starts %v, want %s", name, got, op)
		}
	}
	if m := v.Method("domain.delete.accept"); m.Key != "optional" || !m.ArgsUnknown || len(m.Args) != 0 {
		t.Errorf("domain.delete.accept: %+v", m)
	}
	if d := v.Method("domain.zone.clone").Args.Get("version_id"); d.Required() || !d.HasDefault || d.Default != "0" {
		t.Errorf("domain.zone.clone: version_id %+v", d)
	}
	if e := v.OperationErrors("HostDeleteOperationReturn"); !slices.Contains(e.Errors, OperationError{"host_delete:association_error", "fatal"}) {
		t.Errorf("errors of host_delete: %v", e.Errors)
	}
	if v.Method("domain.nothing") != nil || v.Struct("Nothing") != nil || v.Enum("Nothing") != nil {
		t.Error("found what is not there")
	}
}

// TestV3Consistent checks what the reader cannot know to be wrong.
func TestV3Consistent(t *testing.T) {
	v := v3File(t)
	for _, s := range v.Structs {
		for _, m := range s.Members {
			// The documents themselves have a default outside the enumeration there.
			if e := v.Enum(m.Enum); e != nil && m.HasDefault && !e.Has(m.Default) && s.Name != "DomainAvailableOptions" {
				t.Errorf("line %d: the default is not in %s", m.Line, m.Enum)
			}
			for _, name := range m.Sort {
				if s.Members.Get(name) == nil {
					t.Errorf("line %d: sort_by %s, which is no member", m.Line, name)
				}
			}
		}
	}
	for _, m := range v.Methods {
		returnsOperation := m.Returns.Name == "Operation" && !strings.HasPrefix(m.Name, "operation.")
		if returnsOperation && len(m.Op) == 0 || m.Errors != "" && len(m.Op) == 0 {
			t.Errorf("line %d: %s has no op=", m.Line, m.Name)
		}
		group, isList := strings.CutSuffix(m.Name, ".list")
		count := v.Method(group + ".count")
		if !isList || count == nil || count.Args.Get("opts") == nil {
			continue
		}
		if a, b := m.Args.Get("opts").Type.String(), count.Args.Get("opts").Type.String(); a != b {
			t.Errorf("%s takes %s, but its count takes %s", m.Name, a, b)
		}
	}
}

func TestV5Counts(t *testing.T) {
	v := v5File(t)
	sections := map[string]int{}
	var dryRun []string
	for _, r := range v.Routes {
		sections[r.Section]++
		if r.DryRun {
			dryRun = append(dryRun, r.Method+" "+r.Path)
		}
		if !strings.HasPrefix(r.Path, "/v5/"+r.Section+"/") {
			t.Errorf("line %d: %s in section %s", r.Line, r.Path, r.Section)
		}
	}
	for section, want := range map[string]int{
		"domain": 57, "livedns": 30, "linkedzone": 11, "email": 20, "billing": 3, "organization": 13,
	} {
		if sections[section] != want {
			t.Errorf("section %s has %d routes, want %d", section, sections[section], want)
		}
	}
	if want := []string{
		"POST /v5/domain/domains",
		"PUT /v5/domain/domains/{d}/contacts/owner",
		"POST /v5/domain/domains/{d}/renew",
		"POST /v5/domain/transferin",
		"POST /v5/domain/changeowner/{d}",
		"POST /v5/email/mailboxes/{d}",
		"POST /v5/email/mailboxes/{d}/{email}/renew",
		"POST /v5/email/mailboxes/{d}/renew",
	}; !slices.Equal(dryRun, want) {
		t.Errorf("Dry-Run on %v, want %v", dryRun, want)
	}
}

func TestV5Route(t *testing.T) {
	v := v5File(t)
	for _, c := range []struct{ method, path, want string }{
		{"GET", "/v5/domain/domains", "/v5/domain/domains"},
		{"GET", "/v5/domain/domains/example.com", "/v5/domain/domains/{d}"},
		{"GET", "/v5/domain/domains/{fqdn}", "/v5/domain/domains/{d}"},
		{"POST", "/v5/email/mailboxes/example.com/renew", "/v5/email/mailboxes/{d}/renew"},
		{"GET", "/v5/livedns/domains/example.com/records/%40/A", "/v5/livedns/domains/{d}/records/{name}/{type}"},
		{"DELETE", "/v5/email/forwards/example.com/a%2Fb", "/v5/email/forwards/{d}/{source}"},
		{"PATCH", "/v5/domain/domains", ""},
		{"GET", "/v5/domain/domains/", ""},
		{"GET", "/v5/domain/domains/example.com/", ""},
		{"GET", "/domain/domains", ""},
	} {
		got := ""
		if r := v.Route(c.method, c.path); r != nil {
			got = r.Path
		}
		if got != c.want {
			t.Errorf("%s %s goes to %q, want %q", c.method, c.path, got, c.want)
		}
	}
	create := v.Route("POST", "/v5/domain/domains")
	if !create.DryRun || create.SharingID() == nil || !slices.Equal(create.Statuses(), []int{202}) {
		t.Errorf("POST domains: %+v", create)
	}
	if ips := create.Body.Get("nameservers_ips"); !ips.Unsettled || ips.Alt != "nameserver_ips" || ips.Required() {
		t.Errorf("nameservers_ips: %+v", ips)
	}
	if owner := create.Body.Get("owner"); !owner.Required() || owner.Type.Name != "Contact" {
		t.Errorf("owner: %+v", owner)
	}
	if r := v.Route("PATCH", "/v5/domain/domains/x/contacts"); r.DryRun || r.SharingID() != nil || r.Body.Get("owner") != nil {
		t.Errorf("PATCH contacts: %+v", r)
	}
	if r := v.Route("POST", "/v5/email/mailboxes/x/renew"); r.SharingID() == nil || !r.BodyUnknown {
		t.Errorf("renew of all mailboxes: %+v", r)
	}
	if r := v.Route("GET", "/v5/livedns/nameservers/x"); r.Auth {
		t.Error("the LiveDNS nameservers need no credential")
	}
	if icann := v.Struct("Contact").Members.Get("icann_contract_accept"); !icann.Unsettled || icann.Alt == "" {
		t.Errorf("icann_contract_accept: %+v", icann)
	}
	if m := v.Struct("ContactExtraParameters").Members; m.Get("birth_city") == nil || m.Get("x-it_pin") == nil {
		t.Error("the extra parameters of a contact lack one of the two kinds")
	}
}

func TestErrorsNameTheLine(t *testing.T) {
	const (
		v3   = "# comment\n\nsection s from=reference\n"
		v5   = "section s from=documented\n"
		good = "method a.b key=none class=read returns=int\n"
		get  = "route GET /a\n answer 200 -\n"
	)
	for _, c := range []struct{ name, text, want string }{
		{"v3", "method a key=none class=read returns=int", "line 1: method a stands before the first section"},
		{"v3", "section s", "line 1: a section needs from="},
		{"v3", "section s from=hearsay", `line 1: unknown source "hearsay"`},
		{"v3", " arg x int required", "line 1: indented line outside a block"},
		{"v3", v3 + "route GET /a", `line 4: unknown word "route"`},
		{"v3", v3 + "method", `line 4: "method" wants 2 fields`},
		{"v3", v3 + "method a key=maybe class=read returns=int", `line 4: key "maybe"`},
		{"v3", v3 + "method a key=none class=free returns=int", `line 4: class "free"`},
		{"v3", v3 + "method a key=none class=read", `line 4: type ""`},
		{"v3", v3 + "method a key=none class=read returns=long", `line 4: type "long": unknown word "long"`},
		{"v3", v3 + "method a key=none class=read returns=array<int", `line 4: type "array<int": > is missing`},
		{"v3", v3 + "method a key=none class=read returns=int>", `line 4: type "int>": unexpected ">"`},
		{"v3", v3 + "method a key=none class=read returns=int|", `line 4: type "int|": unknown word ""`},
		{"v3", v3 + "method a key=none class=read returns=int colour=red", `line 4: unknown word "colour=red"`},
		{"v3", v3 + "method a key=none key=none class=read returns=int", `line 4: "key" twice`},
		{"v3", v3 + "method a key= class=read returns=int", `line 4: "key=" has no value`},
		{"v3", v3 + good + good, "line 5: method a.b is already on line 4"},
		{"v3", v3 + good + " argument x int required", `line 5: unknown word "argument"`},
		{"v3", v3 + good + " arg x int", `line 5: "arg" wants 4 fields`},
		{"v3", v3 + good + " arg x int always", `line 5: x: "always" is none of required, optional`},
		{"v3", v3 + good + " arg x int required\n arg x int required", "line 6: x is already there"},
		{"v3", v3 + good + " arg x int optional\n arg y int required", "line 6: y is required, but the one before it is not"},
		{"v3", v3 + good + " arg ?\n arg x int required", `line 6: "arg ?" is the last one`},
		{"v3", v3 + good + " arg x int required from=rumour", `line 5: unknown source "rumour"`},
		{"v3", v3 + good + " arg x int required range=9", `line 5: range "9" is not LOW-HIGH`},
		{"v3", v3 + good + " arg x int required documented=long", `line 5: type "long"`},
		{"v3", v3 + good + " arg x Thing required", "line 5: there is no struct Thing"},
		{"v3", v3 + good + " arg x string required enum=Words", "line 5: there is no enum Words"},
		{"v3", v3 + "method a key=none class=read returns=int errors=E", "line 4: there is no errors E"},
		{"v3", v3 + "method a key=none class=read returns=int op=x", "line 4: OperationType has no x"},
		{"v3", v3 + "struct A kind=wide", `line 4: unknown kind "wide"`},
		{"v3", v3 + "struct A kind=return", "line 4: nothing mentions struct A"},
		{"v3", v3 + "struct A kind=return\nmethod a key=none class=read returns=A\nstruct A kind=return", "line 6: struct A is already on line 4"},
		{"v3", v3 + "struct A kind=return unreferenced\nmethod a key=none class=read returns=A", "line 4: struct A is marked unreferenced, but line 5"},
		{"v3", v3 + "struct A kind=return unreferenced\n x int required", `line 5: x: "required" is none of always, sometimes`},
		{"v3", v3 + "enum E", "line 4: nothing mentions enum E"},
		{"v3", v3 + "enum E unreferenced\n a b a", "line 5: a is already there"},
		{"v3", v3 + "errors E\n x deadly", `line 5: unknown class "deadly"`},
		{"v3", v3 + "errors E\n x fatal\n x fatal", "line 6: x is already there"},
		{"v5", v5 + "route HEAD /a", `line 2: unknown method "HEAD"`},
		{"v5", v5 + "route GET a", `line 2: path "a": bad element "a"`},
		{"v5", v5 + "route GET /a/", `line 2: path "/a/": bad element ""`},
		{"v5", v5 + "route GET /a{b}", `line 2: path "/a{b}": bad element "a{b}"`},
		{"v5", v5 + "route GET /a auth=some", `line 2: auth "some"`},
		{"v5", v5 + "route GET /a", "line 2: GET /a has no answer"},
		{"v5", v5 + "route GET /{a}\n answer 200 -\nroute GET /{b}", "line 4: route GET /{} is already on line 2"},
		{"v5", v5 + get + " body x int required", "line 4: GET has no body"},
		{"v5", v5 + get + " query x boolean required", `line 4: type "boolean": unknown word "boolean"`},
		{"v5", v5 + get + " query x int required format=iban", `line 4: unknown format "iban"`},
		{"v5", v5 + get + " answer 404 -", `line 4: "404" is no status from 200 to 399`},
		{"v5", v5 + get + " error 200", `line 4: "200" is no status from 400 to 599`},
		{"v5", v5 + get + " answer 200", `line 4: "answer" wants 3 fields`},
		{"v5", v5 + get + " answer 200 Thing", "line 4: there is no object Thing"},
		{"v5", v5 + get + " cookie x", `line 4: unknown word "cookie"`},
		{"v5", v5 + "struct A", `line 2: unknown word "struct"`},
		{"v5", v5 + "object A includes=B unreferenced", "line 2: there is no object B"},
		{"v5", v5 + "object A includes=B unreferenced\n x int listed\nobject B\n x int listed", "line 2: x is already there"},
		{"v5", v5 + "object A includes=B unreferenced\nobject B includes=C\nobject C", "line 2: B includes others itself"},
	} {
		var err error
		if c.name == "v3" {
			_, err = ReadV3(strings.NewReader(c.text))
		} else {
			_, err = ReadV5(strings.NewReader(c.text))
		}
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s\n\terror %v\n\twant %s", c.text, err, c.want)
		}
	}
}
