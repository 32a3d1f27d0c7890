package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"v3gate/internal/config"
	"v3gate/internal/exchange"
	"v3gate/internal/handles"
	"v3gate/internal/store"
	"v3gate/internal/translate"
	"v3gate/internal/xmlrpc"
)

// ExplainExchange plays a recorded exchange again, with exactly the answers of v5
// that are in it, and tells what its call became. Its key, right or wrong, is taken
// for the tenant's. e gives what the file does not say: the tenant, who pays, and a
// store.
func ExplainExchange(ctx context.Context, file *exchange.File, e Explaining) (x Explanation, err error) {
	fail := func(err error) (Explanation, error) { return x, fmt.Errorf("explain exchange: %w", err) }
	made, err := xmlrpc.DecodeCall(file.Request, "", xmlrpc.DefaultLimits())
	if err != nil {
		return fail(err)
	}
	row, ok := Table().Find(made.Method)
	if !ok {
		return fail(fmt.Errorf("there is no method %q", made.Method))
	}
	if e.Tenant == "" {
		e.Tenant = "default"
	}
	now, err := file.Now()
	if err != nil {
		return fail(err)
	}
	if now.IsZero() {
		now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) // as internal/exchange says
	}
	entries, err := entriesOf(file.Store)
	if err != nil {
		return fail(err)
	}
	if len(entries) > 0 {
		e.Tenant = entries[0].Tenant
	}
	cfg, last := config.Default(), map[string]int64{}
	cfg.Tenants = []config.Tenant{{Name: e.Tenant, V3Key: explainKey, V5Token: "none", SharingID: cmp.Or(sharingIn(file.V5), e.SharingID)}}
	for _, line := range file.Lines {
		if line.Word == "config" {
			if err := configureExchange(&cfg, last, line.Text); err != nil {
				return fail(err)
			}
		}
	}
	r, err := rehearse(ctx, cfg, e, &explainer{tenant: e.Tenant, recorded: file.V5}, now)
	if err != nil {
		return fail(err)
	}
	defer func() { err = errors.Join(err, r.end()) }()
	if err := fillFor(r.g, file, last); err != nil {
		return fail(err)
	}
	if err := r.before(ctx, file.Lines); err != nil {
		return fail(err)
	}
	x = explanationOf(row)
	return x, r.explain(ctx, &x, row, withKey(row, made.Params))
}

// withKey are recorded parameters with the rehearsal's key in the place of theirs.
func withKey(row *translate.Row, params []xmlrpc.Value) []xmlrpc.Value {
	if row.Key == translate.KeyNone || len(params) == 0 {
		return params
	}
	params = slices.Clone(params)
	if key := params[0]; key.Kind() == xmlrpc.KindStruct {
		var list []xmlrpc.Member
		for i := range key.Len() {
			m := key.Member(i)
			if m.Name == "apikey" {
				m.Value = xmlrpc.String(explainKey)
			}
			list = append(list, m)
		}
		params[0] = xmlrpc.Struct(list...)
	} else if !key.IsNil() && key.Text() != "" {
		params[0] = xmlrpc.String(explainKey)
	}
	return params
}

// fillFor puts into the store of a gateway what an exchange has of one, and has
// numbers go on where they did.
func fillFor(g *Gateway, file *exchange.File, last map[string]int64) error {
	entries, err := entriesOf(file.Store)
	if err != nil {
		return err
	}
	out, err := g.services.Book.Import(handles.Batch{Entries: entries})
	if err != nil {
		return err
	}
	for i, o := range out {
		if o.State == handles.Refused {
			return fmt.Errorf("fill the store: %s: %s", entries[i].Name(), o.Why)
		}
	}
	return g.db.Update(func(tx *store.Tx) error {
		for name, n := range last {
			if err := tx.RaiseID(name, n); err != nil {
				return err
			}
		}
		return nil
	})
}

// configureExchange applies a config line of an exchange. last takes the numbers that
// were given out last, by counter.
func configureExchange(cfg *config.Config, last map[string]int64, text string) (err error) {
	name, value, _ := strings.Cut(text, "=")
	tenant := &cfg.Tenants[0]
	switch name {
	case "own_handle":
		tenant.OwnHandle = value
	case "anonymous":
		tenant.Anonymous = value == "1"
	case "mode":
		tenant.Mode = value
	case "buy_premium":
		tenant.BuyPremium = value == "1"
	case "buy_mail_slots":
		tenant.BuyMailSlots = value == "1"
	case "no_sharing_id":
		tenant.SharingID = ""
	case "zone_drift":
		cfg.ZoneDrift = value
	case "v5_dry_run":
		cfg.V5DryRun = value == "1"
	case "last_handle", "last_contact", "last_domain", "last_operation", "last_session", "last_zone":
		last[strings.TrimPrefix(name, "last_")], err = strconv.ParseInt(value, 10, 64)
	default:
		err = errors.New("there is no such setting of an exchange")
	}
	if err != nil {
		return fmt.Errorf("config %q: %w", text, err)
	}
	return nil
}

// payer is where a request names the organization that pays.
var payer = regexp.MustCompile(`(?:sharing_id=|/organizations/|/billing/info/)([0-9a-f-]{36})`)

// sharingIn is the organization that the recorded requests name, "" for none.
func sharingIn(turns []exchange.Turn) string {
	for _, t := range turns {
		if m := payer.FindStringSubmatch(t.Target); m != nil {
			return m[1]
		}
	}
	return ""
}

// entriesOf reads what an exchange has of the store.
func entriesOf(raw []byte) (entries []handles.Entry, err error) {
	for dec := json.NewDecoder(strings.NewReader(string(raw))); ; {
		var e handles.Entry
		switch err := dec.Decode(&e); {
		case errors.Is(err, io.EOF):
			return entries, nil
		case err != nil:
			return nil, fmt.Errorf("read the store's part: %w", err)
		}
		entries = append(entries, e)
	}
}

// before makes the calls that an exchange says came first.
func (r *rehearsal) before(ctx context.Context, lines []exchange.Line) error {
	for _, line := range lines {
		switch line.Word {
		case "wait":
			d, err := time.ParseDuration(line.Text)
			if err != nil {
				return fmt.Errorf("wait %q: %w", line.Text, err)
			}
			if err := r.wait(ctx, d); err != nil {
				return err
			}
		case "call":
			method, params, err := callLine(line.Text)
			if err != nil {
				return fmt.Errorf("call %q: %w", line.Text, err)
			}
			row, ok := Table().Find(method)
			if !ok {
				return fmt.Errorf("call: there is no method %q", method)
			}
			raw, err := r.call(ctx, row, keyed(row, params))
			if err == nil {
				_, err = xmlrpc.DecodeResponse(raw, xmlrpc.DefaultLimits())
			}
			if err != nil {
				return fmt.Errorf("call %s before: %w", method, err)
			}
		}
	}
	return nil
}

// wait lets time pass in so many steps that what is tried again meanwhile is.
func (r *rehearsal) wait(ctx context.Context, d time.Duration) error {
	const steps = 20
	for range steps {
		r.pass(d / steps)
		if err := r.quiet(ctx); err != nil {
			return err
		}
	}
	return nil
}

// callLine reads "method.name JSON...".
func callLine(text string) (method string, params []xmlrpc.Value, err error) {
	method, rest, _ := strings.Cut(text, " ")
	values, err := jsonValues(rest)
	if err != nil {
		return "", nil, err
	}
	params, err = valuesOf(values)
	return method, params, err
}

// jsonValues reads JSON values with blanks between them.
func jsonValues(text string) (values []any, err error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	for {
		var v any
		switch err := dec.Decode(&v); {
		case errors.Is(err, io.EOF):
			return values, nil
		case err != nil:
			return nil, err
		}
		values = append(values, v)
	}
}
