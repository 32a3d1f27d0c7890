package main

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"v3gate/internal/config"
	"v3gate/internal/gateway"
	"v3gate/internal/sandbox"
)

// A whole migration, rehearsed with a gateway in the place of the old service: a
// second one takes over its contacts, domains and zones with their numbers, answers
// beside it with no difference in anything that is read, and has in the end exactly
// the estate that the first one has.
func TestMigrationRehearsal(t *testing.T) {
	sim := sandbox.New(sandbox.Options{PendingChecks: -1, StepTime: time.Millisecond,
		Tokens: []sandbox.Token{{Secret: doctorsToken, Orgs: []string{sandbox.DefaultSharingID}}}})
	api := httptest.NewServer(sim.Handler())
	t.Cleanup(api.Close)
	bob := map[string]any{"type": "individual", "given": "Bob", "family": "Doe", "email": "b@example.net", "streetaddr": "2 Road",
		"city": "Paris", "zip": "75001", "country": "FR", "phone": "+33.123456788"}
	seed := sandbox.Seed{}
	for i := range 12 {
		d := sandbox.SeedDomain{FQDN: fmt.Sprintf("d%02d.net", i)}
		if i%2 == 0 {
			d.Owner = bob
		}
		seed.Domains = append(seed.Domains, d)
	}
	if err := sim.Seed(seed); err != nil {
		t.Fatal(err)
	}
	start := func(change func(*config.Config)) (store, url string, stop func()) {
		cfg := config.Default()
		cfg.Store, cfg.V5URL = filepath.Join(t.TempDir(), "store.db"), api.URL+"/v5"
		cfg.Tenants = []config.Tenant{{Name: "default", V3Key: demoKey, V5Token: doctorsToken, SharingID: sandbox.DefaultSharingID,
			Limits: config.Limits{Rate: 0}}}
		cfg.TenantLimits.Rate = 0
		change(&cfg)
		g, stop := started(t, cfg, gateway.Hooks{})
		return cfg.Store, "http://" + g.Addr() + "/xmlrpc/", stop
	}

	// The old service has years behind it.
	_, oldURL, _ := start(func(c *config.Config) { c.FirstHandle, c.FirstID = 1000, 5000 })
	call := func(url string, line ...string) string {
		t.Helper()
		return says(t, 0, append([]string{"call", "--url", url, "--key", demoKey}, line...))
	}
	call(oldURL, "contact.create", `{"given":"Zoë","family":"Quackenbush","email":"z@quackenbush.example","streetaddr":"7 Lane","zip":"75011",
		"city":"Paris","country":"FR","phone":"+33.198765432","type":0,"password":"hunter2hunter2"}`)
	call(oldURL, "domain.list") // each domain gets its number, its handles and its zone
	key := write(t, "v3.key", demoKey)

	// In: nothing is written at first, then everything, and again nothing is new.
	newStore := filepath.Join(t.TempDir(), "new.db")
	from := []string{"--url", oldURL, "--key-file", key, "--store", newStore}
	says(t, 0, append([]string{"import", "v3", "--dry-run"}, from...), "domains: 12 new", "nothing was written")
	says(t, 0, append([]string{"import", "v3"}, from...), "domains: 12 new")
	says(t, 0, append([]string{"import", "v3"}, from...), "contacts: 0 new", "domains: 0 new, 12 equal")
	for name, value := range map[string]string{"V3_KEY": demoKey, "V5_TOKEN": doctorsToken, "SHARING_ID": sandbox.DefaultSharingID} {
		t.Setenv("GATEWAY_"+name, value)
	}
	says(t, 0, append([]string{"import", "zones"}, from...), "12")

	// Alongside: what is read goes to both.
	_, url, stop := start(func(c *config.Config) {
		c.Store, c.OldV3URL, c.Tenants[0].OldV3Key = newStore, oldURL, demoKey
		c.ShadowMethods = []string{"contact.*", "domain.*"}
	})
	calls := [][]string{
		{"contact.info"}, {"contact.list"}, {"contact.count"}, {"domain.list"}, {"domain.count"},
		{"domain.list", `{"sort_by": "owner DESC", "items_per_page": 5, "page": 1}`}, {"domain.count", `{"~fqdn": "d0%"}`},
		{"domain.zone.list", `{"public": false}`}, {"domain.zone.count"}, // the public zone has a number of each server's own {"domain.available", `["free.com", "d00.net"]`},
	}
	var listed []struct{ FQDN string }
	if err := json.Unmarshal([]byte(call(url, "domain.list", `{"items_per_page": 3}`)), &listed); err != nil || len(listed) != 3 {
		t.Fatalf("%v, %v", listed, err)
	}
	for _, d := range listed {
		calls = append(calls, []string{"domain.info", d.FQDN}, []string{"domain.webredir.list", d.FQDN})
	}
	for _, line := range calls {
		call(url, line...)
	}
	differences(t, newStore, len(calls)+1)

	// Out: whoever takes over from either has the same estate, to the last byte.
	if was, is := takeOver(t, oldURL, key), takeOver(t, url, key); was != is {
		t.Errorf("from the old one comes\n%s\nfrom the new one\n%s", was, is)
	}
	stop()
	third := filepath.Join(t.TempDir(), "third.db")
	out := says(t, 0, []string{"export", "json", "--store", newStore})
	says(t, 0, []string{"import", "json", write(t, "export.jsonl", out), "--store", third})
	if again := says(t, 0, []string{"export", "json", "--store", third}); again != out {
		t.Errorf("exported\n%s\nimported and exported again\n%s", out, again)
	}
	for _, store := range []string{newStore, third} {
		says(t, 0, []string{"store", "check", "--store", store}, " 0 inconsistencies")
	}
}

// created is when a contact came into a store. v3 does not tell when it was made.
var created = regexp.MustCompile(`"created":"[^"]*",`)

// takeOver imports an account from a server that speaks v3 into a store of its own,
// and gives what that exports.
func takeOver(t *testing.T, url, key string) string {
	t.Helper()
	store := filepath.Join(t.TempDir(), "taken.db")
	says(t, 0, []string{"import", "v3", "--url", url, "--key-file", key, "--store", store}, "domains: 12 new")
	return created.ReplaceAllString(says(t, 0, []string{"export", "json", "--store", store}), "")
}

// differences waits until n answers were compared, and wants them equal.
func differences(t *testing.T, store string, n int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		var report gateway.ShadowReport
		out := says(t, 0, []string{"shadow", "--json", "--store", store})
		if err := json.Unmarshal([]byte(out), &report); err != nil {
			t.Fatal(err)
		}
		compared, wrong := 0, false
		for _, m := range report.Methods {
			compared += m.Equal + m.Different + m.Dropped + m.Failed
			wrong = wrong || m.Different+m.Dropped+m.Failed > 0
		}
		if compared >= n && !wrong {
			return
		}
		if wrong || time.Now().After(deadline) {
			t.Fatalf("%d compared, of %d\n%s", compared, n, out)
		}
	}
}
