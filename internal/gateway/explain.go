package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"v3gate/internal/config"
	"v3gate/internal/handles"
	"v3gate/internal/ops"
	"v3gate/internal/store"
	"v3gate/internal/translate"
	"v3gate/internal/xmlrpc"
)

// Explaining is a v3 call that is to be explained: what it would become is found
// by making it, at a gateway of its own with a store of its own, in front of a v5
// that is not there.
type Explaining struct {
	Method string
	// Params are the parameters behind the key, as encoding/json reads them, with
	// whole numbers as int64 or json.Number.
	Params []any
	// Tenant is whose the contacts are; "" is default.
	Tenant string
	// SharingID is the organization that pays, "" for none.
	SharingID string
	// Store is what handles are expanded from. It is copied and never written.
	// Without a path a handle is a contact that is marked as a placeholder.
	Store StoreFile
	// Beside is a file beside which the call's own store is made, "" for the system's
	// directory of temporary files. It is removed when the call is explained.
	Beside string
	// Simulation makes the v5 that answers.
	Simulation func(Explaining) Simulation
}

// Simulation is a v5 in the same process.
type Simulation struct {
	Handler http.Handler
	// Domain makes a name a domain of the account, with contacts by their role, in
	// v5's form, where they are known.
	Domain func(fqdn string, contacts map[string]map[string]any) error
	// Taken makes a name somebody else's.
	Taken func(fqdn string) error
	// Advance moves its clock.
	Advance func(time.Duration)
	Token   string // that it takes as Bearer
}

// Explanation is what a call becomes.
type Explanation struct {
	Method  string   `json:"method"`
	Support string   `json:"support"` // as in the table
	Note    string   `json:"note,omitempty"`
	V5      []string `json:"v5"`   // what the table says that it becomes
	Call    string   `json:"call"` // as it was made, with secrets as variables
	// Requests are what it becomes, in their order.
	Requests []Explained `json:"requests"`
	// Answer is what the caller gets, as JSON; "" where it is a fault.
	Answer string `json:"answer,omitempty"`
	Fault  string `json:"fault,omitempty"`
	// Placeholders are the handles in whose place something stands.
	Placeholders []string `json:"placeholders,omitempty"`
	// Assumed: the answers of v5 are those of a simulation.
	Assumed bool `json:"assumed"`
	// Left is how many recorded answers nobody asked for.
	Left int `json:"left,omitempty"`
	// Open: an operation goes on behind what is shown.
	Open bool `json:"open,omitempty"`
	// Variables are those that stand for secrets in the requests and in Call.
	Variables []string `json:"variables"`
}

// explainKey is the v3 key that explained calls are made with. It never leaves the
// process.
const explainKey = "explainexplainexplainexp"

// explainFor bounds how long the work behind an explained call is followed, and
// explainMost how many requests are written down.
const (
	explainFor  = 3 * time.Second
	explainMost = 200
)

// Explain makes the call where nothing can be sent. A fault is no error, but what
// the caller would get.
func Explain(ctx context.Context, e Explaining) (x Explanation, err error) {
	row, ok := Table().Find(e.Method)
	if !ok {
		return x, fmt.Errorf("explain %s: there is no such method; gateway methods lists those that there are", e.Method)
	}
	params, err := valuesOf(e.Params)
	if err != nil {
		return x, fmt.Errorf("explain %s: %w", e.Method, err)
	}
	if e.Tenant == "" {
		e.Tenant = "default"
	}
	sim := e.Simulation(e)
	cfg := config.Default()
	cfg.Tenants = []config.Tenant{{Name: e.Tenant, V3Key: explainKey, V5Token: sim.Token, SharingID: e.SharingID}}
	r, err := rehearse(ctx, cfg, e, &explainer{sim: &sim, tenant: e.Tenant}, time.Time{})
	if err != nil {
		return x, fmt.Errorf("explain %s: %w", e.Method, err)
	}
	defer func() { err = errors.Join(err, r.end()) }()
	x = explanationOf(row)
	x.Assumed = true
	if e.Store.Path == "" {
		if x.Placeholders, err = r.placeholders(e.Tenant, params); err != nil {
			return x, fmt.Errorf("explain %s: %w", e.Method, err)
		}
	}
	if err := r.peer.arrange(row, params); err != nil {
		return x, fmt.Errorf("explain %s: %w", e.Method, err)
	}
	return x, r.explain(ctx, &x, row, keyed(row, params))
}

// keyed are parameters behind the rehearsal's key.
func keyed(row *translate.Row, params []xmlrpc.Value) []xmlrpc.Value {
	if row.Key == translate.KeyNone {
		return params
	}
	return slices.Insert(slices.Clone(params), 0, xmlrpc.String(explainKey))
}

func explanationOf(row *translate.Row) Explanation {
	return Explanation{Method: row.Name, Support: string(row.Support), Note: row.Note, V5: row.V5,
		Requests: []Explained{}, Variables: []string{}}
}

// placeholders makes a contact of each handle among the parameters.
func (r *rehearsal) placeholders(tenant string, params []xmlrpc.Value) (made []string, err error) {
	var batch handles.Batch
	for _, text := range textsIn(params) {
		handle := strings.ToUpper(text)
		if handles.Number(handle) == 0 || slices.Contains(made, handle) {
			continue
		}
		made = append(made, handle)
		batch.Entries = append(batch.Entries, handles.Entry{Tenant: tenant, Handle: handle, Fields: handles.Fields{
			Given: "PLACEHOLDER", Family: handle, StreetAddr: "PLACEHOLDER", City: "PLACEHOLDER", Zip: "75001", Country: "FR",
			Email: "placeholder@example.com", Phone: "+33.100000000",
		}})
	}
	outcomes, err := r.g.services.Book.Import(batch)
	for i, o := range outcomes {
		if o.State == handles.Refused {
			err = errors.Join(err, fmt.Errorf("placeholder for %s: %s", made[i], o.Why))
		}
	}
	return made, err
}

// explain makes the call and tells what became of it.
func (r *rehearsal) explain(ctx context.Context, x *Explanation, row *translate.Row, params []xmlrpc.Value) error {
	known := map[int64]bool{}
	for _, o := range r.g.services.Ops.Standings() {
		known[o.ID] = true
	}
	r.peer.begin()
	raw, err := r.call(ctx, row, params)
	if err != nil {
		return err
	}
	r.peer.answered()
	if err := r.follow(ctx, known); err != nil {
		return err
	}
	x.Open = len(r.opened(known)) > 0
	secret := &secrets{}
	x.Call = secret.call(row, params)
	x.Requests, x.Left = r.peer.told(secret)
	answer, err := xmlrpc.DecodeResponse(raw, xmlrpc.DefaultLimits())
	var f *xmlrpc.Fault
	switch {
	case errors.As(err, &f):
		x.Fault = secret.without(f.Error())
	case err != nil:
		return err
	default:
		x.Answer = secret.without(secret.text(answer))
	}
	x.Variables = secret.variables()
	return nil
}

// opened are the operations that the explained call began and that are not at
// their end.
func (r *rehearsal) opened(known map[int64]bool) (open []ops.Standing) {
	for _, o := range r.g.services.Ops.Standings() {
		if !known[o.ID] && o.Step != ops.Support {
			open = append(open, o)
		}
	}
	return open
}

// follow lets time pass until what the call began is at its end, as callers do who
// poll operation.info.
func (r *rehearsal) follow(ctx context.Context, known map[int64]bool) error {
	const step = 2 * time.Second // of the rehearsal's clock
	for end := time.Now().Add(explainFor); time.Now().Before(end) && !r.peer.done(); {
		before, open := r.peer.count(), r.opened(known)
		if len(open) == 0 {
			if err := r.quiet(ctx); err != nil {
				return err
			}
			if r.peer.count() == before && r.peer.left() == 0 {
				return nil
			}
			continue
		}
		r.pass(step)
		for _, o := range open {
			if _, err := r.g.services.Ops.Refresh(ctx, r.peer.tenant, o.ID); err != nil && !errors.Is(err, ops.ErrUnknown) {
				return err
			}
		}
		if r.peer.count() == before { // a work list is at it, or waits
			if err := r.quiet(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// quiet waits until v5 has not been asked for a little while.
func (r *rehearsal) quiet(ctx context.Context) error {
	for before := -1; before != r.peer.count(); {
		before = r.peer.count()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

// shownOf gives a domain's contacts in v5's form, as far as the store has their
// handles, and forgets what v5 was seen to show: that was the real one. A domain that
// the store does not know is the owner's, where one is named.
func shownOf(db *store.DB, tenant, fqdn, owner string) (shown map[string]map[string]any, err error) {
	err = db.Update(func(tx *store.Tx) error {
		shown = map[string]map[string]any{}
		d := store.DomainRecord{Roles: map[string]string{"owner": owner}}
		if raw := tx.Get(store.DomainKey(tenant, fqdn)); raw != nil {
			var err error
			if d, err = handles.DomainRecord(raw); err != nil {
				return err
			}
		}
		for role, handle := range d.Roles {
			var c handles.Contact
			there, err := store.GetJSON(tx, store.ContactKey(handle), &c)
			if err != nil {
				return err
			}
			if !there || c.Empty || c.Tenant != tenant {
				continue
			}
			if shown[role], err = members(c.Expand().Contact); err != nil {
				return err
			}
		}
		return tx.Delete(store.SeenKey(tenant, fqdn))
	})
	return shown, err
}

// members is a struct as an object of JSON.
func members(v any) (m map[string]any, err error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	return m, dec.Decode(&m)
}

// jsonOf is a value as JSON on one line, in which what a terminal does not print is
// escaped.
func jsonOf(v any) string {
	var raw bytes.Buffer
	enc := json.NewEncoder(&raw)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	var b strings.Builder
	for _, r := range strings.TrimSpace(raw.String()) {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		for _, half := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, "\\u%04x", half)
		}
	}
	return b.String()
}
