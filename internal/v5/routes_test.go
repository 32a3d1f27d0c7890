package v5

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readsByPOST change nothing although their method is POST, and have a body.
var readsByPOST = []string{"POST /domain/transferin/{d}/available"}

func TestTableIsSound(t *testing.T) {
	seen := map[string]bool{}
	for i := range table {
		e := &table[i]
		if seen[e.name()] {
			t.Errorf("%s: twice in the table", e.name())
		}
		seen[e.name()] = true
		if endpointOf(e.name()) != e {
			t.Errorf("%s: cannot be found", e.name())
		}
		byPOST := slices.Contains(readsByPOST, e.name())
		if (e.class == Read) != (e.method == "GET" || byPOST) {
			t.Errorf("%s: class %s", e.name(), e.class)
		}
		if e.class == Read && (e.body != nil && !byPOST || e.dryRun) {
			t.Errorf("%s: a read with a body or a dry run", e.name())
		}
		if e.class == Paid && !slices.Contains(e.query, "sharing_id") {
			t.Errorf("%s: nobody is said to pay", e.name())
		}
		if len(e.ok) == 0 || (e.dryRun && slices.Contains(e.ok, 200)) {
			t.Errorf("%s: success codes %v; a dry run has to differ by its code", e.name(), e.ok)
		}
		if strings.Count(e.path, "{") != strings.Count(e.path, "}") || e.path[0] != '/' {
			t.Errorf("%s: path", e.name())
		}
	}
	if endpointOf("GET /nowhere") != nil || endpointOf("") != nil {
		t.Error("a route that does not exist was found")
	}
}

func TestClassNames(t *testing.T) {
	for class, want := range map[Class]string{Read: "read", Idempotent: "idempotent", Once: "once", Paid: "paid", 9: "unknown"} {
		if class.String() != want {
			t.Errorf("class %d is %s, want %s", int(class), class, want)
		}
	}
}

func TestRoutesSayWhatIsSent(t *testing.T) {
	var got *Route
	for _, r := range Routes() {
		if r.Method == "POST" && r.Path == "/domain/domains" {
			got = &r
		}
	}
	want := &Route{Method: "POST", Path: "/domain/domains", Query: []string{"sharing_id"}, OK: []int{202}, DryRun: true, Class: Paid,
		Body: []string{"fqdn", "owner", "admin", "bill", "tech", "duration", "nameservers", "extra_parameters", "lang", "tld_period", "smd",
			"enforce_premium", "price", "currency", "mailbox_optin", "resellee_id"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("route differs (-want +got):\n%s", diff)
	}
	members := ContactMembers()
	for _, name := range []string{"validation", "reachability", "same_as_owner", "sharing_id"} {
		if slices.Contains(members, name) {
			t.Errorf("contacts can be sent with %s", name)
		}
	}
	if !slices.Contains(members, "icann_contract_accept") || !slices.IsSorted(members) {
		t.Errorf("members %v", members)
	}
}

func TestTableBindsRequests(t *testing.T) {
	s := open(t, Options{BaseURL: "https://h/v5", Transport: &script{}})
	for name, r := range map[string]request{
		"not in the table":        {route: "GET /nowhere"},
		"no value for d":          {route: "GET /domain/domains/{d}"},
		"too many values":         {route: "GET /domain/domains/{d}", path: []string{"a", "b"}},
		"does not take x":         {route: "GET /domain/check", query: url.Values{"x": {"1"}}},
		"not what the route":      {route: "POST /domain/domains", body: ChangeOwner{}},
		"<nil> is not what":       {route: "POST /domain/domains"},
		"has no dry run":          {route: "PATCH /domain/domains/{d}/contacts", path: []string{"a"}, body: contactsPatch{}, dryRun: true},
		"unsupported value: +Inf": {route: "POST /domain/domains", body: DomainCreate{Price: inf()}},
	} {
		_, err := s.do(t.Context(), r)
		if e := asError(t, err); e.MaybeSent || !strings.Contains(e.Error(), name) {
			t.Errorf("%v, want %q in it", err, name)
		}
	}
}

func inf() float64 { zero := 0.0; return 1 / zero }
