package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"v3gate/internal/sandbox"
	"v3gate/internal/store"
	"v3gate/internal/v5"
)

const (
	tenantA = "alpha"
	tenantB = "beta"
	fqdn    = "money.com"
)

// rig is an engine over a store in a file and a sandbox in process. Inside a
// bubble all three and the tests share the fake time.
type rig struct {
	t    *testing.T
	sim  *sandbox.Sandbox
	wire *wire
	path string
	db   *store.DB
	e    *Engine
	opt  Options // of every engine that restart makes
	logs *observer.ObservedLogs

	mu        sync.Mutex
	at        map[string]func() // what happens at a point of the journal
	ignored   []int64
	undecided []int64
	overshot  []int64
	lost      error // what Session gives
	settle    error // what Settle gives
}

// bubble runs a test in fake time; what it leaves running fails it.
func bubble(t *testing.T, o sandbox.Options, fn func(*rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { fn(newRig(t, o)) })
}

func newRig(t *testing.T, o sandbox.Options) *rig {
	t.Helper()
	if o.PendingChecks == 0 {
		o.PendingChecks = -1
	}
	o.Now = time.Now
	r := &rig{t: t, sim: sandbox.New(o), path: filepath.Join(t.TempDir(), "store.db"), at: map[string]func(){}}
	r.wire = &wire{handler: r.sim.Handler()}
	client, err := v5.New(v5.Options{BaseURL: "http://v5.test/v5", Transport: r.wire})
	r.must(err)
	core, logs := observer.New(zapcore.ErrorLevel)
	r.logs = logs
	r.opt = Options{
		Session: func(tenant string) (*v5.Session, error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			return client.Session(v5.Credential{Scheme: "Bearer", Secret: sandbox.DefaultToken}, sandbox.DefaultSharingID), r.lost
		},
		Settle: func(tx *store.Tx, op *Operation) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			key := settledKey(op.ID)
			return errors.Join(r.settle, store.PutID(tx, key, store.GetID(tx, key)+1))
		},
		Log:           zap.New(core),
		DryRunIgnored: func(op *Operation) { r.mu.Lock(); defer r.mu.Unlock(); r.ignored = append(r.ignored, op.ID) },
		Undecided:     func(op *Operation) { r.mu.Lock(); defer r.mu.Unlock(); r.undecided = append(r.undecided, op.ID) },
		Overshoot:     func(op *Operation) { r.mu.Lock(); defer r.mu.Unlock(); r.overshot = append(r.overshot, op.ID) },
		At:            r.reach,
	}
	r.open()
	t.Cleanup(func() {
		r.close()
		r.wire.served.Wait()
	})
	return r
}

func settledKey(id int64) []byte { return store.Key("test-settled", id) }

func (r *rig) open() {
	r.t.Helper()
	var err error
	r.db, err = store.Open(r.path, time.Second)
	r.must(err)
	r.e, err = New(r.db, r.opt)
	r.must(err)
}

func (r *rig) close() {
	cut, cancel := context.WithCancel(context.Background())
	cancel()
	r.e.Close(cut)
	r.db.Close()
}

// restart ends the engine and makes another over the same store, as a new
// process would.
func (r *rig) restart() {
	r.t.Helper()
	r.close()
	r.open()
}

// die lets the engine lose its store at a point, so that nothing after it is
// written, and gives what a kill there leaves: a new engine on the old state.
// Unless the network outlives the process, nothing after it is sent either.
func (r *rig) die(point string, network bool, in Intent) {
	r.t.Helper()
	r.once(point, func() {
		r.db.Close()
		if !network {
			r.wire.fail(trouble{kind: "lose-before"})
		}
	})
	r.submit(in)
	r.wire.heal()
	r.restart()
}

func (r *rig) on(point string, do func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at[point] = do
}

// once is on for the first time only.
func (r *rig) once(point string, do func()) {
	r.on(point, func() { r.on(point, nil); do() })
}

func (r *rig) reach(point string) {
	r.mu.Lock()
	do := r.at[point]
	r.mu.Unlock()
	if do != nil {
		do()
	}
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) seed(s sandbox.Seed) {
	r.t.Helper()
	r.must(r.sim.Seed(s))
}

// nextError lets the next request to a path of v5 go wrong.
func (r *rig) nextError(method, path string, status int, body any, afterWork bool) {
	r.must(r.sim.Seed(sandbox.Seed{NextError: &sandbox.NextError{
		Method: method, Path: path, Status: status, Body: body, AfterWork: afterWork,
	}}))
}

func (r *rig) submit(in Intent) (Operation, error) { return r.e.Submit(context.Background(), in) }

// submitted is submit where no error is expected.
func (r *rig) submitted(in Intent) Operation {
	r.t.Helper()
	op, err := r.submit(in)
	r.must(err)
	return op
}

func (r *rig) get(id int64) Operation {
	r.t.Helper()
	op, err := r.e.get(id)
	r.must(err)
	return op
}

func (r *rig) refresh(id int64) Operation {
	r.t.Helper()
	op, err := r.e.Refresh(context.Background(), r.get(id).Tenant, id)
	r.must(err)
	return op
}

// posts counts the requests that were not asked to be dry runs.
func (r *rig) posts() (n int) {
	for _, q := range r.sim.Requests() {
		if q.Method != "GET" && !q.DryRun {
			n++
		}
	}
	return n
}

// asked tells whether v5 has ever been asked for a path with this end.
func (r *rig) asked(end string) bool {
	return slices.ContainsFunc(r.sim.Requests(), func(q sandbox.Request) bool { return strings.HasSuffix(q.Path, end) })
}

func (r *rig) all() int { return len(r.sim.Requests()) }

func (r *rig) settled(id int64) (n int64) {
	r.must(r.db.View(func(tx *store.Tx) error { n = store.GetID(tx, settledKey(id)); return nil }))
	return n
}

func (r *rig) events() (ignored, undecided int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ignored), len(r.undecided)
}

// end is how an operation and the money have to stand. A text is looked for
// inside last_error; "" wants none.
type end struct {
	step    Step
	state   State
	text    string
	charges int
	posts   int
}

func (r *rig) check(id int64, want end) {
	r.t.Helper()
	op := r.get(id)
	if op.Step != want.step || op.State != want.state {
		r.t.Errorf("operation is %s and %s, want %s and %s", op.Step, op.State, want.step, want.state)
	}
	if want.text == "" && op.LastError != "" || !strings.Contains(op.LastError, want.text) {
		r.t.Errorf("last error %q, want %q in it", op.LastError, want.text)
	}
	if got := r.sim.Ledger(); len(got) != want.charges {
		r.t.Errorf("ledger %v, want %d charges", got, want.charges)
	}
	if got := r.posts(); got != want.posts {
		r.t.Errorf("%d requests without Dry-Run, want %d", got, want.posts)
	}
	if settled := r.settled(id); settled != map[bool]int64{true: 1}[want.step == Done || op.Work.Settled] {
		r.t.Errorf("settled %d times in step %s", settled, op.Step)
	}
	if op.Step.AtEnd() != (op.Request == nil) {
		r.t.Errorf("request in step %s: %.20q", op.Step, op.Request)
	}
}

// free tells whether a paid call of another kind of content would get the name.
func (r *rig) free() bool {
	r.t.Helper()
	in := createIntent(fqdn)
	in.Fingerprint = "other"
	running, err := r.e.running(in)
	return running == nil && err == nil
}

func marshal(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func person(given string) *v5.Contact {
	return &v5.Contact{
		Type: "individual", Given: given, Family: "Roe", StreetAddr: "8 rue neuve", Zip: "75001", City: "Paris",
		Country: "FR", Phone: "+33.123456788", Email: strings.ToLower(given) + "@example.org",
	}
}

func createIntent(fqdn string) Intent {
	return Intent{
		Tenant: tenantA, Type: "domain_create", Kind: KindCreate, Source: "AD1-GANDI", FQDN: fqdn,
		Params: json.RawMessage(`{"domain":"` + fqdn + `"}`), Fingerprint: "create for bob",
		Request: marshal(v5.DomainCreate{FQDN: fqdn, Owner: person("Bob"), Duration: 1}),
	}
}

func ownerIntent(given string) Intent {
	return Intent{
		Tenant: tenantA, Type: "domain_change_owner", Kind: KindChangeOwner, Source: "AD1-GANDI", FQDN: fqdn,
		Params: json.RawMessage(`{}`), Fingerprint: "owner " + given,
		Request: marshal(v5.ChangeOwner{Owner: person(given)}),
	}
}

func contactsIntent(given string) Intent {
	return Intent{
		Tenant: tenantA, Type: "domain_contact_change", Kind: KindContacts, Source: "AD1-GANDI", FQDN: fqdn,
		Params: json.RawMessage(`{}`), Fingerprint: "contacts " + given,
		Request: marshal(v5.Contacts{Admin: person(given), Tech: person(given)}),
	}
}

// steps writes a list of operations for comparing.
func steps(ops ...Operation) string {
	var out []string
	for _, op := range ops {
		out = append(out, fmt.Sprintf("%d:%s", op.ID-1_000_000_000, op.Step))
	}
	return strings.Join(out, " ")
}
