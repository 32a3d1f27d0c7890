package translate

import (
	"context"

	"v3gate/internal/fault"
	"v3gate/internal/handles"
	"v3gate/internal/ops"
	"v3gate/internal/v5"
	"v3gate/internal/xmlrpc"
)

type transferinAvailableIn struct {
	FQDN     string `v3:"fqdn"`
	Authinfo string `v3:"authinfo,opt"`
}

// transferinAvailable answers nil when the domain can be transferred, as v3 did,
// and a fault with v5's reason when it cannot.
func transferinAvailable(ctx context.Context, c *Call, in transferinAvailableIn) (nothing, error) {
	fqdn, err := normal(in.FQDN)
	if err != nil {
		return nothing{}, err
	}
	got, err := c.V5.TransferAvailable(ctx, fqdn, in.Authinfo)
	if err != nil {
		return nothing{}, onDomain{fqdn, err}
	}
	if !got.Available {
		reason := got.Msg
		if reason == "" {
			reason = fqdn + " cannot be transferred now"
		}
		return nothing{}, fault.New(fault.Transfer, fault.CauseState, "%s", clip(reason))
	}
	return nothing{}, nil
}

type transferinProceedIn struct {
	Domain string           `v3:"domain"`
	Params transferinParams `v3:"params"`
}

type transferinParams struct {
	Admin       string            `v3:"admin"`
	Bill        string            `v3:"bill"`
	Owner       string            `v3:"owner"`
	Tech        string            `v3:"tech"`
	Authinfo    string            `v3:"authinfo,opt"`
	ChangeOwner *int64            `v3:"change_owner,opt"`
	Duration    *int64            `v3:"duration,opt"`
	Extra       map[string]string `v3:"extra,opt"`
	Lang        xmlrpc.Value      `v3:"lang" refuse:"v5 takes no language with a transfer; it knows the domain's"`
	Nameservers []string          `v3:"nameservers,opt"`
	Webredir    string            `v3:"webredir,opt"`
	ZoneID      *zoneNumber       `v3:"zone_id,opt"`
}

func transferinProceedCheck(ctx context.Context, c *Call, in transferinProceedIn) (domainPlan, []FieldError, error) {
	var plan domainPlan
	fqdn, err := normal(in.Domain)
	if err != nil {
		return plan, nil, err
	}
	p := &in.Params
	duration := 0
	if p.Duration != nil {
		if *p.Duration < 1 || *p.Duration > 10 {
			return plan, nil, fault.New(fault.BuyrenewPeriod, fault.CauseBadParameter, "params.duration: %d is not between 1 and 10", *p.Duration).
				About("params.duration")
		}
		duration = int(*p.Duration)
	}
	changeOwner, err := zeroOrOne("params.change_owner", p.ChangeOwner)
	if err != nil {
		return plan, nil, err
	}
	roles := handles.Roles{Owner: p.Owner, Admin: p.Admin, Bill: p.Bill, Tech: p.Tech}
	contacts, err := c.expand(ctx, roles)
	if err != nil {
		return plan, nil, err
	}
	extra, err := domainExtra(contacts.Owner, p.Extra)
	if err != nil {
		return plan, nil, err
	}
	later := sequelIn{Nameservers: p.Nameservers, Webredir: p.Webredir, ZoneID: p.ZoneID}
	nameservers, items, err := c.sequel(ctx, fqdn, &later, transfer)
	if err != nil {
		return plan, nil, err
	}
	premium, err := c.premium(ctx, v5.CheckQuery{Name: fqdn}, "transfer", "domain_transfer_in", max(duration, 1))
	if err != nil {
		return plan, nil, err
	}
	noMailboxes := false
	return domainPlan{
		items: items, fqdn: fqdn, typ: "domain_transfer_in", kind: ops.KindTransferIn, action: "transfer",
		request: v5.TransferIn{
			FQDN: fqdn, Owner: contacts.Owner, Admin: contacts.Admin, Bill: contacts.Bill, Tech: contacts.Tech,
			AuthInfo: p.Authinfo, ChangeOwner: changeOwner, Duration: duration, Nameservers: nameservers,
			ExtraParameters: extra, MailboxOptin: &noMailboxes,
			EnforcePremium: premium.yes, Price: premium.price, Currency: premium.currency,
		},
		// The transfer code is a secret and is no part of what operation.info
		// shows; it still makes a call different from another.
		secret: p.Authinfo,
		params: append(rolesParams(roles), param{"duration", p.Duration}, param{"nameservers", p.Nameservers},
			param{"extra", p.Extra}, param{"change_owner", p.ChangeOwner}, param{"zone_id", p.ZoneID}, param{"webredir", p.Webredir}),
	}, nil, nil
}

// zeroOrOne reads an int that v3 had for a truth value; nil when it is not given.
func zeroOrOne(path string, n *int64) (*bool, error) {
	if n == nil {
		return nil, nil
	}
	if *n != 0 && *n != 1 {
		return nil, fault.New(fault.Integer, fault.CauseValue, "%s: %d is neither 0 nor 1", path, *n).About(path)
	}
	yes := *n == 1
	return &yes, nil
}
