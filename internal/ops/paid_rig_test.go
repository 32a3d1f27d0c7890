package ops

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"v3gate/internal/sandbox"
	"v3gate/internal/store"
	"v3gate/internal/v5"
)

// In a bubble it is the first of January 2000.
var (
	firstEnd    = time.Date(2000, 9, 22, 10, 0, 0, 0, time.UTC)
	redeemedEnd = time.Date(1999, 11, 10, 10, 0, 0, 0, time.UTC) // 52 days ago: it can be restored
)

const spentYear = "2000"

// createRig has nothing.
func createRig(t *testing.T, o sandbox.Options, fn func(*rig)) {
	t.Helper()
	bubble(t, o, func(r *rig) {
		r.e.Start()
		fn(r)
	})
}

// renewRig has a domain that ends in this year.
func renewRig(t *testing.T, o sandbox.Options, fn func(*rig)) {
	t.Helper()
	bubble(t, o, func(r *rig) {
		r.seedEnd(firstEnd)
		r.e.Start()
		fn(r)
	})
}

// seedEnd puts the domain in place with an end, or moves the end that it has.
func (r *rig) seedEnd(ends time.Time) {
	r.t.Helper()
	r.seed(sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: fqdn, RegistryEndsAt: ends}}})
}

func renewIntent(years int) Intent {
	return Intent{
		Tenant: tenantA, Type: "domain_renew", Kind: KindRenew, Source: "AD1-GANDI", FQDN: fqdn,
		Params: json.RawMessage(`{}`), Fingerprint: fmt.Sprint("renew for ", years), Once: spentYear,
		Request: marshal(RenewRequest{Duration: years, Ends: firstEnd}),
	}
}

func restoreRig(t *testing.T, o sandbox.Options, fn func(*rig)) {
	t.Helper()
	bubble(t, o, func(r *rig) {
		r.seedEnd(redeemedEnd)
		r.e.Start()
		fn(r)
	})
}

func restoreIntent() Intent {
	return Intent{
		Tenant: tenantA, Type: "domain_restore", Kind: KindRestore, Source: "AD1-GANDI", FQDN: fqdn,
		Params: json.RawMessage(`{}`), Fingerprint: "restore", Request: json.RawMessage(`{}`),
	}
}

// The transfer codes of the tests; nothing but v5 may see them.
const (
	rightCode = "sesame-open-7731"
	wrongCode = "abracadabra-4242"
)

// transferRig has a name that somebody else registered elsewhere. Its registry
// takes some time over each step, as all do.
func transferRig(t *testing.T, o sandbox.Options, fn func(*rig)) {
	t.Helper()
	if o.StepTime == 0 {
		o.StepTime = 3 * time.Second
	}
	bubble(t, o, func(r *rig) {
		r.seed(sandbox.Seed{Taken: []string{fqdn}, TransferCodes: map[string]string{fqdn: rightCode}})
		r.e.Start()
		fn(r)
	})
}

func transferIntent(code string) Intent {
	return Intent{
		Tenant: tenantA, Type: "domain_transfer_in", Kind: KindTransferIn, Source: "AD1-GANDI", FQDN: fqdn,
		Params: json.RawMessage(`{"owner":"BD1-GANDI"}`), Fingerprint: "transfer with " + code[:3],
		Request: marshal(v5.TransferIn{FQDN: fqdn, Owner: person("Bob"), AuthInfo: code}),
	}
}

// elsewhere makes a call of v5 past the engine, as somebody in the web interface
// does.
func (r *rig) elsewhere(method, path, body string) {
	r.t.Helper()
	q := httptest.NewRequest(method, "http://v5.test/v5"+path, bytes.NewReader([]byte(body)))
	q.Header.Set("Authorization", "Bearer "+sandbox.DefaultToken)
	q.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	r.sim.Handler().ServeHTTP(w, q)
	if w.Code >= 300 {
		r.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
}

// departed counts the requests that left and were not asked to be dry runs.
func (r *rig) departed() int { return len(r.wire.departures()) }

// rehearsals counts the dry runs that reached v5.
func (r *rig) rehearsals() (n int) {
	for _, q := range r.sim.Requests() {
		if q.DryRun {
			n++
		}
	}
	return n
}

func (r *rig) overshoots() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.overshot)
}

// isSpent tells whether the year of the tests is spent for a tenant, in whatever
// way.
func (r *rig) isSpent(tenant string) bool {
	r.t.Helper()
	spent, err := r.e.Spent(tenant, fqdn, spentYear)
	if err != nil && !errors.As(err, new(*SpentError)) {
		r.t.Fatal(err)
	}
	return spent || err != nil
}

// raw is everything that the store says of an operation.
func (r *rig) raw(id int64) (text string) {
	r.t.Helper()
	r.must(r.db.View(func(tx *store.Tx) error {
		text = string(tx.Get(store.OpKey(id)))
		return nil
	}))
	if text == "" {
		r.t.Fatalf("no operation %d in the store", id)
	}
	return text
}

// everything counts the operations in the store.
func (r *rig) everything() (n int) {
	r.t.Helper()
	r.must(r.e.Everywhere(func(Operation) error { n++; return nil }))
	return n
}

// asks are the requests for a path of v5 with this method.
func (r *rig) asks(method, end string) int {
	n := 0
	for _, q := range r.sim.Requests() {
		if q.Method == method && strings.HasSuffix(q.Path, end) {
			n++
		}
	}
	return n
}

// lose lets the one real request of the rig's next operation go wrong as kind
// says, and then does more.
func (r *rig) lose(kind string, more ...func()) {
	r.once("sending", func() {
		r.wire.fail(trouble{kind: kind, method: "POST", real: true, times: 1})
		for _, do := range more {
			do()
		}
	})
}
