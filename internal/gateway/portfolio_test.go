package gateway

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"v3gate/internal/config"
	"v3gate/internal/sandbox"
)

// names are the domains that an account lists.
func (r *rig) names(t *testing.T, key string, options map[string]any) string {
	t.Helper()
	list, err := r.ask(t, "domain.list", key, options)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range list.([]any) {
		names = append(names, d.(map[string]any)["fqdn"].(string))
	}
	count, err := r.ask(t, "domain.count", key, options)
	if _, paged := options["page"]; paged {
		return strings.Join(names, " ")
	}
	if err != nil || count != int64(len(names)) {
		t.Errorf("domain.count of %v gives %v, %v for %v", options, count, err, names)
	}
	return strings.Join(names, " ")
}

// What is done through the gateway shows in the next list, and to no other account.
func TestAListShowsWhatWasDone(t *testing.T) {
	t.Parallel()
	r := newPaidRig(t, sandbox.Options{}, nil)
	r.seed(t, sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "first.de"}, {FQDN: "second.com"}}})
	wants := func(when, want string, options map[string]any) {
		t.Helper()
		if got := r.names(t, keyA, options); got != want {
			t.Errorf("%s: %s, want %s", when, got, want)
		}
	}
	wants("at first", "first.de second.com", nil)
	wants("backward", "second.com first.de", map[string]any{"sort_by": "fqdn DESC"})

	params := r.createParams(t)
	owner := params["owner"].(string)
	op := r.must(t, "domain.create", keyA, "new.net", params)
	r.becomes(t, op["id"], "DONE")
	wants("registered", "first.de new.net second.com", nil)
	wants("by its handle", "new.net", map[string]any{"handle": owner})
	wants("page 1 of one", "new.net", map[string]any{"items_per_page": 1, "page": 1, "~fqdn": "%"})

	op = r.must(t, "domain.nameservers.set", keyA, "second.com", []string{"ns1.example.org", "ns2.example.org"})
	r.becomes(t, op["id"], "DONE")
	list, err := r.ask(t, "domain.list", keyA, map[string]any{"fqdn": "second.com"})
	if err != nil || fmt.Sprint(list.([]any)[0].(map[string]any)["nameservers"]) != "[ns1.example.org ns2.example.org]" {
		t.Errorf("name servers: %v, %v", list, err)
	}

	op = r.must(t, "domain.delete", keyA, "first.de")
	r.becomes(t, op["id"], "DONE")
	wants("deleted", "new.net second.com", nil)
	if got := r.names(t, keyB, nil); got != "" {
		t.Errorf("another account lists %s", got)
	}
}

// Who asks for more than can be read in time is told how far it is, and pages that
// need less are answered meanwhile.
func TestAListThatIsBeingRead(t *testing.T) {
	t.Parallel()
	sim := sandbox.New(sandbox.Options{Tokens: []sandbox.Token{{Secret: "v5-secret-token", Orgs: []string{orgA}}}})
	stuck := make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		name, one := strings.CutPrefix(req.URL.Path, "/v5/domain/domains/")
		if one && !strings.HasPrefix(name, "d00") {
			select {
			case <-stuck:
			case <-req.Context().Done():
				return
			}
		}
		sim.Handler().ServeHTTP(w, req)
	}))
	t.Cleanup(api.Close)
	t.Cleanup(func() { close(stuck) })
	var seed sandbox.Seed
	for i := range 150 {
		seed.Domains = append(seed.Domains, sandbox.SeedDomain{FQDN: fmt.Sprintf("d%03d.net", i)})
	}
	if err := sim.Seed(seed); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(c *config.Config) {
		c.V5URL, c.CallTimeout = api.URL+"/v5", 4*time.Second
		c.Tenants = slices.DeleteFunc(c.Tenants, func(t config.Tenant) bool { return t.Name != "a" })
	})
	_, err := r.ask(t, "domain.list", keyA, map[string]any{"sort_by": "date_updated"})
	faults(t, "all of them", err, 150005, "[domain list is being read: 10 of 150]")
	list, err := r.ask(t, "domain.list", keyA, map[string]any{"items_per_page": 10})
	if err != nil || len(list.([]any)) != 10 {
		t.Errorf("the first page: %v, %v", list, err)
	}
	if n, err := r.ask(t, "domain.count", keyA); err != nil || n != int64(150) {
		t.Errorf("their number: %v, %v", n, err)
	}
}
