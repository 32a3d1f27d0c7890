package translate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"v3gate/internal/handles"
	"v3gate/internal/ops"
)

// domainPlan is a change of a domain, ready to be journalled.
type domainPlan struct {
	fqdn    string
	typ     string // v3's operation type
	kind    string
	action  string // infos.product_action
	request any    // what the kind sends
	params  []param
	once    string // what may be done once only; see ops.Operation
	secret  string // part of the call that nobody may see again
	nothing bool
	claims  bool       // v5 has to be told before that what is claimed of the name was accepted
	items   []ops.Item // the work list: of a kind that has one, or what follows when it is done
	list    string     // what the list is about, where a newer one replaces it
}

// rehearse asks v5 whether it would take the plan.
func (p domainPlan) rehearse(ctx context.Context, c *Call) error {
	in, err := p.intent(c)
	if err != nil {
		return err
	}
	if err := c.Ops.Check(ctx, in); err != nil {
		return onDomain{p.fqdn, err}
	}
	return nil
}

// param is a member of an operation's params; empty ones are left out.
type param struct {
	name  string
	value any
}

func rolesParams(r handles.Roles) []param {
	return []param{{"owner", strings.ToUpper(r.Owner)}, {"admin", strings.ToUpper(r.Admin)},
		{"bill", strings.ToUpper(r.Bill)}, {"tech", strings.ToUpper(r.Tech)}}
}

// object writes params as a JSON object in the given order.
func object(params []param) (json.RawMessage, error) {
	out := []byte{'{'}
	for _, p := range params {
		value, err := json.Marshal(p.value)
		if err != nil {
			return nil, err
		}
		switch string(value) {
		case `""`, "null", "{}", "[]":
			continue
		}
		name, err := json.Marshal(p.name)
		if err != nil {
			return nil, err
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, name...), ':'), value...)
	}
	return append(out, '}'), nil
}

// submit journals a plan, has it sent, and answers the operation.
func submit(ctx context.Context, c *Call, plan domainPlan) (operationOut, error) {
	in, err := plan.intent(c)
	if err != nil {
		return operationOut{}, err
	}
	op, err := c.Ops.Submit(ctx, in)
	if err != nil {
		return operationOut{}, onDomain{plan.fqdn, err}
	}
	return c.operationAnswer(&op)
}

// intent is the plan as the journal takes it.
func (p domainPlan) intent(c *Call) (in ops.Intent, err error) {
	source, err := c.source()
	if err != nil {
		return in, err
	}
	caller, err := c.Book.Get(c.Tenant.Name, source)
	if err != nil {
		return in, err
	}
	asked, err := object(p.params)
	if err != nil {
		return in, err
	}
	id, err := c.Book.DomainID(c.Tenant.Name, p.fqdn)
	if err != nil {
		return in, err
	}
	// The part that every recorded operation on a domain has, and then what was
	// asked for.
	params, err := object(append([]param{{"domain", p.fqdn}, {"domain_id", id}, {"tld", tld(p.fqdn)},
		{"param_type", "domain"}, {"remote_addr", c.Remote}, {"tracker_id", c.ID}, {"auth_id", caller.ID}}, p.params...))
	if err != nil {
		return in, err
	}
	request, err := json.Marshal(p.request)
	if err != nil {
		return in, err
	}
	in = ops.Intent{List: p.list,
		Tenant: c.Tenant.Name, Type: p.typ, Kind: p.kind, Source: source, FQDN: p.fqdn,
		Params: params, Fingerprint: fingerprint(asked, p.secret), Once: p.once, Request: request, Nothing: p.nothing, Still: c.still, Basis: c.basis(),
		Infos: ops.Infos{Action: p.action, TLD: tld(p.fqdn), Label: p.fqdn},
	}
	if p.items != nil {
		in.Items = ops.ListOf(p.items...)
	}
	return in, nil
}

// fingerprint is equal for equal calls. A secret is part of it without being in
// it.
func fingerprint(asked json.RawMessage, secret string) string {
	if secret == "" {
		return string(asked)
	}
	sum := sha256.Sum256([]byte(secret))
	return string(asked) + hex.EncodeToString(sum[:])
}
