package translate

import (
	"context"
	"slices"
	"strings"

	"v3gate/internal/fault"
	"v3gate/internal/ops"
	"v3gate/internal/tenant"
	"v3gate/internal/xmlrpc"
)

// operationCancel ends an operation of which nothing was sent yet. v5 cannot
// call work back, so it is mostly too late.
func operationCancel(_ context.Context, c *Call, in operationIDIn) (bool, error) {
	if err := c.Ops.Cancel(c.Tenant.Name, in.ID); err != nil {
		return false, err
	}
	return true, nil
}

type operationRelaunchIn struct {
	ID     int64 `v3:"id"`
	Params keyed `v3:"params,opt"`
}

// operationRelaunch sets an operation going again that ended in ERROR, or that
// nobody knows the outcome of. params replace those that were wrong.
func operationRelaunch(ctx context.Context, c *Call, in operationRelaunchIn) (bool, error) {
	op, err := c.Ops.Get(c.Tenant.Name, in.ID)
	if err != nil {
		return false, err
	}
	undecided := op.Step == ops.Support && op.State == ops.Unknown
	switch {
	case undecided && len(in.Params) > 0:
		return false, unsupported("params", "nobody knows yet whether the first call happened; relaunch without parameters to find out")
	case op.Step != ops.Error && !undecided:
		err = ops.ErrStep // v5's own SUPPORT too: its people have it
	case op.Kind == KindZone:
		err = c.relaunchZone(ctx, &op, in.Params)
	case op.Step == ops.Error && c.Ops.SequelLeft(&op):
		err = c.relaunchSequel(ctx, &op, in.Params)
	case c.Tenant.Mode == tenant.NoSpend:
		err = fault.Disabled("this account may not spend, and a relaunch can cost money")
	case undecided:
		_, err = c.Ops.Reconsider(ctx, c.Tenant.Name, op.ID)
	default:
		err = c.relaunch(ctx, &op, in.Params)
	}
	return err == nil, err
}

// relaunch makes the intent of the second try.
func (c *Call) relaunch(ctx context.Context, op *ops.Operation, params keyed) error {
	step := ops.Wait
	var plan domainPlan
	var err error
	switch {
	case op.Type == "domain_transfer_in" && (op.State == ops.Accepted || op.Kind == ops.KindRelaunchTransfer):
		// v5 took the transfer once: another order would be paid for again.
		var relaunch ops.RelaunchRequest
		if relaunch, err = correctedAuthinfo(params); relaunch.AuthInfo != "" {
			step = ops.Run
		}
		plan = domainPlan{kind: ops.KindRelaunchTransfer, request: relaunch, secret: relaunch.AuthInfo}
		if err == nil {
			plan.items, err = c.sequelAgain(ctx, op)
		}
	case op.Type == "domain_transfer_in" && hadSecret(op) && !params.has("authinfo"):
		err = fault.New(fault.Struct, fault.CauseExpected,
			"params.authinfo is missing: the first call had one, and the gateway does not keep it").About("authinfo")
	case op.Type == "domain_transfer_in":
		plan, err = replan(ctx, c, op, params, transferinProceedCheck)
	case op.Type == "domain_create":
		plan, err = replan(ctx, c, op, params, domainCreateCheck)
	case op.Type == "domain_change_owner":
		plan, err = replan(ctx, c, op, params, ownerSetCheck)
	default:
		err = fault.New(fault.Operation, fault.CauseInvalidStep, "%s cannot be relaunched; call its method again", op.Type)
	}
	if err != nil {
		return err
	}
	if plan.items == nil && op.Work.Next > 0 {
		plan.items = []ops.Item{} // what was to follow no longer is
	}
	plan.fqdn, plan.typ, plan.action = op.FQDN, op.Type, op.Infos.Action
	in, err := plan.intent(c)
	if err != nil {
		return err
	}
	if plan.kind == ops.KindRelaunchTransfer {
		in.Params = op.Params
	}
	if plan.claims {
		if err := c.acceptClaims(ctx, plan.fqdn); err != nil {
			return err
		}
	}
	if _, err = c.Ops.Relaunch(ctx, op.ID, in, step); err != nil {
		return onDomain{op.FQDN, err}
	}
	return nil
}

// correctedAuthinfo reads the only parameter that a running transfer takes.
func correctedAuthinfo(params keyed) (r ops.RelaunchRequest, err error) {
	for _, m := range params {
		if m.Name == "authinfo" && m.Value.IsNil() {
			continue // not given
		}
		if m.Name != "authinfo" {
			return r, unsupported("params."+clip(m.Name), "v5 takes only another authinfo for a transfer that was begun")
		}
		if err := setText("params.authinfo", m.Value, &r.AuthInfo); err != nil {
			return r, err
		}
	}
	return r, nil
}

// hadSecret tells whether a call had a secret, by what fingerprint made of it.
func hadSecret(op *ops.Operation) bool { return !strings.HasSuffix(op.Fingerprint, "}") }

// has tells whether a member is given.
func (k keyed) has(name string) bool {
	return slices.ContainsFunc(k, func(m xmlrpc.Member) bool {
		return m.Name == name && !m.Value.IsNil() && !(m.Value.Kind() == xmlrpc.KindString && m.Value.Text() == "")
	})
}

// bookkeeping are the members of an operation's params that the gateway added.
var bookkeeping = []string{"domain", "domain_id", "tld", "param_type", "remote_addr", "tracker_id", "auth_id"}

// replan makes the plan anew, by the method's own check, from what the operation
// was asked for and what replaces it.
func replan[In any](ctx context.Context, c *Call, op *ops.Operation, params keyed,
	check func(context.Context, *Call, In) (domainPlan, []FieldError, error)) (domainPlan, error) {
	asked, err := fromJSON(op.Params)
	if err != nil {
		return domainPlan{}, err
	}
	var members []xmlrpc.Member
	for i := range asked.Len() {
		m := asked.Member(i)
		replaced := slices.ContainsFunc(params, func(p xmlrpc.Member) bool { return p.Name == m.Name })
		if !replaced && !slices.Contains(bookkeeping, m.Name) {
			members = append(members, m)
		}
	}
	members = append(members, params...)
	var in In
	if err := bind(c, []xmlrpc.Value{xmlrpc.String(op.FQDN), xmlrpc.Struct(members...)}, &in); err != nil {
		return domainPlan{}, err
	}
	plan, wrong, err := check(ctx, c, in)
	if err == nil && len(wrong) > 0 {
		err = wrong[0].Fault()
	}
	return plan, err
}
