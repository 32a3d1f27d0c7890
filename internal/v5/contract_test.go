package v5

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"v3gate/internal/contract"
)

// apiRoot stands in front of the paths of this package in testdata/v5/routes.txt.
const apiRoot = "/v5"

// leftOut are the documented members of routes that this client uses without
// them. Those of a query have a question mark in front.
var leftOut = []struct{ route, members, reason string }{
	{"GET /domain/check", "?country ?duration_unit ?max_duration ?extension",
		"they choose among prices, which nobody asks for here, and a name has its extension in it"},
	{"GET /billing/price/{type}", "?active_phase ?discounts ?features ?prices_at", "their types are not documented"},
	{"GET /billing/price/{type}", "?country ?duration_unit ?extension ?lang ?max_duration ?page ?per_page",
		"one extension is asked for at a time, whose prices are few and chosen among here; v3 knows no country of prices"},
	{"GET /domain/domains", "?tld ?nameserver ?sharing_id ?sort_by",
		"all names are wanted, or one, or those of one customer; whose a domain is, its details say"},
	{"GET /domain/changeowner/{d}", "?sharing_id", "not settled for this route, and nobody pays for a reading"},
	{"GET /organization/organizations", "?name ?~name ?permission ?type ?sort_by",
		"the whole list is short, and an organization is found in it by its id"},
	{"PATCH /domain/domains/{d}/webredirs/{host}", "override protocol", "v3 has neither, so both stay as they are"},
	{"GET /domain/tlds", "?category", "v3's lists have all extensions"},
	{"POST /domain/domains", "nameservers_ips", "its spelling is not settled; glue records are made when the domain is there"},
	{"POST /domain/domains", "claims", "its text is not documented; claims are accepted by a request of their own"},
	{"POST /domain/domains", "template_id", "v3 has no templates"},
	{"POST /domain/transferin", "nameservers_ips", "as on POST /domain/domains"},
	{"POST /domain/transferin", "template_id", "v3 has no templates"},
	{"GET /livedns/domains/{d}/records", "?rrset_type ?sort_by", "all are wanted, and compared in an order of our own"},
	{"PUT /livedns/domains/{d}/records/{name}/{type}", "rrset_name", "sent by one client and ignored"},
	{"GET /email/forwards/{d}", "?source ?destination ?sort_by", "v3's filters are not v5's, and are applied here"},
	{"GET /email/mailboxes/{d}", "?~login ?antispam ?mailbox_type ?<created_at", "likewise"},
	{"POST /email/mailboxes/{d}", "aliases", "v3 sets them by a call of its own"},
	{"PATCH /email/mailboxes/{d}/{id}", "antispam login mailbox_type", "v3 has no such change"},
	{"POST /email/slots/{d}", "autorenew", "nothing renews itself that nobody asked for"},
}

// routes reads the contract of v5.
func routes(t *testing.T) *contract.V5 {
	t.Helper()
	f, err := os.Open("../../testdata/v5/routes.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := contract.ReadV5(f)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRoutesAreDocumented(t *testing.T) {
	rest := routes(t)
	var missing []string
	for _, r := range Routes() {
		name := r.Method + " " + r.Path
		d := rest.Route(r.Method, apiRoot+r.Path)
		if d == nil || d.Path != apiRoot+r.Path {
			t.Errorf("%s is not documented", name)
			continue
		}
		missing = append(missing, compareNames(t, name+" ?", r.Query, d.Query)...)
		missing = append(missing, compareNames(t, name+" ", r.Body, d.Body)...)
		if r.DryRun && !d.DryRun {
			t.Errorf("%s does not honour Dry-Run", name)
		}
		compareCodes(t, name, r.OK, d)
		if body := endpointOf(name).body; body != nil {
			compareTypes(t, name, reflect.TypeOf(body), d.Body)
		}
	}
	for _, u := range leftOut {
		for _, member := range strings.Split(u.members, " ") {
			i := slices.Index(missing, u.route+" "+member)
			if i < 0 {
				t.Errorf("%s %s is sent, or not documented", u.route, member)
				continue
			}
			missing = slices.Delete(missing, i, i+1)
		}
	}
	for _, m := range missing {
		t.Errorf("%s is documented and cannot be sent; if that is meant, give the reason in leftOut", m)
	}
}

// compareNames gives the documented members that are not sent, each with where
// in front of it.
func compareNames(t *testing.T, where string, sent []string, documented contract.Members) (missing []string) {
	t.Helper()
	for _, name := range sent {
		if documented.Get(name) == nil {
			t.Errorf("%s%s is not documented", where, name)
		}
	}
	for _, m := range documented {
		switch {
		case slices.Contains(sent, m.Name):
		case m.Required():
			t.Errorf("%s%s is required and cannot be sent", where, m.Name)
		default:
			missing = append(missing, where+m.Name)
		}
	}
	return missing
}

// compareCodes wants the success codes of the documents, and no other. Where
// they say redirect and the code is not settled, all redirects will do.
func compareCodes(t *testing.T, name string, taken []int, d *contract.Route) {
	t.Helper()
	var documented []int
	for _, a := range d.Answers {
		if a.Unsettled && a.Status >= 300 {
			documented = append(documented, redirects...)
		} else {
			documented = append(documented, a.Status)
		}
	}
	for _, code := range taken {
		if !slices.Contains(documented, code) {
			t.Errorf("%s: %d is taken for a success and not documented", name, code)
		}
	}
	for _, code := range documented {
		if !slices.Contains(taken, code) {
			t.Errorf("%s: %d is a documented success and not taken for one", name, code)
		}
	}
}

// compareTypes wants every field of a sent struct to encode as documented.
func compareTypes(t *testing.T, where string, sent reflect.Type, documented contract.Members) {
	t.Helper()
	for i := range sent.NumField() {
		f := sent.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		m := documented.Get(name)
		if name == "-" || m == nil {
			continue // compareNames has told
		}
		if !encodesAs(f.Type, m.Type) {
			t.Errorf("%s %s is sent from a %s, documented %s", where, name, f.Type, m.Type)
		}
		if m.ReadOnly {
			t.Errorf("%s %s is for answers only", where, name)
		}
	}
}

func encodesAs(from reflect.Type, to contract.Type) bool {
	switch from.Kind() {
	case reflect.Pointer:
		return encodesAs(from.Elem(), to)
	case reflect.String:
		return to.Kind == "string"
	case reflect.Bool:
		return to.Kind == "bool"
	case reflect.Int:
		return to.Kind == "int" || to.Kind == "number"
	case reflect.Float64:
		return to.Kind == "number"
	case reflect.Slice:
		return to.Kind == "array" && len(to.Elems) == 1 && encodesAs(from.Elem(), to.Elems[0])
	case reflect.Map:
		// The members of the two objects are data here.
		return to.Name == "ExtraParameters" || to.Name == "ContactExtraParameters"
	case reflect.Struct:
		return to.Name == from.Name()
	}
	return false
}

func TestExtraParametersAreText(t *testing.T) {
	rest := routes(t)
	for _, m := range rest.Struct("ContactExtraParameters").Members {
		if m.Type.Kind != "string" {
			t.Errorf("%s is a %s; both objects are sent as text", m.Name, m.Type)
		}
	}
}

func TestContactMembersAreDocumented(t *testing.T) {
	documented := routes(t).Struct("Contact").Members
	sendable := slices.DeleteFunc(slices.Clone(documented), func(m contract.Member) bool { return m.ReadOnly })
	for _, missing := range compareNames(t, "contact ", ContactMembers(), sendable) {
		t.Errorf("%s is documented and cannot be sent", missing)
	}
	compareTypes(t, "contact", reflect.TypeFor[Contact](), documented)
}
