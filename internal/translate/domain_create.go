package translate

import (
	"context"
	"encoding/json"

	"v3gate/internal/fault"
	"v3gate/internal/handles"
	"v3gate/internal/ops"
	"v3gate/internal/store"
	"v3gate/internal/v5"
	"v3gate/internal/xmlrpc"
)

type domainCreateIn struct {
	Domain string             `v3:"domain"`
	Params domainCreateParams `v3:"params"`
}

type domainCreateParams struct {
	Admin          string              `v3:"admin"`
	Bill           string              `v3:"bill"`
	Duration       int64               `v3:"duration"`
	Owner          string              `v3:"owner"`
	Tech           string              `v3:"tech"`
	AcceptContract *bool               `v3:"accept_contract,opt"`
	Authinfo       xmlrpc.Value        `v3:"authinfo" refuse:"v5 has no such field on a registration"`
	EOIID          xmlrpc.Value        `v3:"eoi_id" refuse:"v5 has no expressions of interest"`
	Extra          map[string]string   `v3:"extra,opt"`
	Lang           string              `v3:"lang,opt"`
	Nameservers    []string            `v3:"nameservers,opt"`
	NameserversIPs map[string][]string `v3:"nameservers_ips,opt"`
	SMD            string              `v3:"smd,opt"`
	SMDID          *int64              `v3:"smd_id,opt"`
	TLDPhase       string              `v3:"tld_phase,opt"`
	Webredir       string              `v3:"webredir,opt"`
	ZoneID         *zoneNumber         `v3:"zone_id,opt"`
}

func domainCreateCheck(ctx context.Context, c *Call, in domainCreateIn) (domainPlan, []FieldError, error) {
	var plan domainPlan
	fqdn, err := normal(in.Domain)
	if err != nil {
		return plan, nil, err
	}
	p := &in.Params
	if p.Duration < 1 || p.Duration > 10 {
		return plan, nil, fault.New(fault.BuyrenewPeriod, fault.CauseBadParameter, "params.duration: %d is not between 1 and 10", p.Duration)
	}
	if p.AcceptContract != nil && !*p.AcceptContract {
		return plan, nil, fault.New(fault.Boolean, fault.CauseValue, "params.accept_contract: it must be true to register a domain")
	}
	inClaims := p.TLDPhase == "claims"
	phase := p.TLDPhase
	if inClaims {
		phase = "open" // v5 has no period of that name: it is open, with a notice
	}
	period, err := tldPeriod("params.tld_phase", phase)
	if err != nil {
		return plan, nil, err
	}
	claims, err := c.acceptance(ctx, fqdn, inClaims)
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
	smd, err := c.smdOf(p.SMD, p.SMDID)
	if err != nil {
		return plan, nil, err
	}
	later := sequelIn{Nameservers: p.Nameservers, NameserversIPs: p.NameserversIPs, Webredir: p.Webredir, ZoneID: p.ZoneID}
	nameservers, items, err := c.sequel(ctx, fqdn, &later, registration)
	if err != nil {
		return plan, nil, err
	}
	premium, err := c.premium(ctx, v5.CheckQuery{Name: fqdn, Lang: p.Lang, Period: period}, "create", "domain_create", int(p.Duration))
	if err != nil {
		return plan, nil, err
	}
	noMailboxes := false
	plan = domainPlan{
		claims: claims, items: items, fqdn: fqdn, typ: "domain_create", kind: ops.KindCreate, action: "create",
		request: v5.DomainCreate{
			FQDN: fqdn, Owner: contacts.Owner, Admin: contacts.Admin, Bill: contacts.Bill, Tech: contacts.Tech,
			Duration: int(p.Duration), Nameservers: nameservers, ExtraParameters: extra, Lang: p.Lang,
			TLDPeriod: period, SMD: smd,
			EnforcePremium: premium.yes, Price: premium.price, Currency: premium.currency,
			// v5 adds mailboxes unless told not to; v3 never did.
			MailboxOptin: &noMailboxes,
		},
		params: append(rolesParams(roles), param{"duration", p.Duration}, param{"nameservers", p.Nameservers},
			param{"extra", p.Extra}, param{"lang", p.Lang}, param{"tld_phase", p.TLDPhase}, param{"smd", p.SMD}, param{"smd_id", p.SMDID}, param{"zone_id", p.ZoneID},
			param{"nameservers_ips", p.NameserversIPs}, param{"webredir", p.Webredir}),
	}
	return plan, nil, nil
}

// domainCreateDo orders the domain. What was known of its name no longer holds.
func domainCreateDo(ctx context.Context, c *Call, plan domainPlan) (operationOut, error) {
	defer c.checks.forget(plan.fqdn)
	if plan.claims {
		if err := c.acceptClaims(ctx, plan.fqdn); err != nil {
			return operationOut{}, err
		}
	}
	return submit(ctx, c, plan)
}

// given drops members that are empty, which clients send for "not given".
func given(m map[string]string) map[string]string {
	var out map[string]string
	for k, v := range m {
		if v != "" {
			if out == nil {
				out = map[string]string{}
			}
			out[k] = v
		}
	}
	return out
}

// gandiNameservers are the old service's, in production and in its test system.
// Asking for them meant asking for Gandi's DNS, which is LiveDNS now.
var gandiNameservers = []string{
	"a.dns.gandi.net", "b.dns.gandi.net", "c.dns.gandi.net",
	"a.dns.gandi-ote.net", "b.dns.gandi-ote.net", "c.dns.gandi-ote.net",
}

// ownNameservers gives the list to send: none when the caller means Gandi's DNS,
// since v5 then takes LiveDNS. A list that mixes both cannot be meant.
func ownNameservers(path string, list []string) ([]string, error) {
	var own, gandi []string
	for _, name := range list {
		fqdn, err := normal(name)
		if err != nil {
			return nil, err
		}
		if isGandiNameserver(fqdn) {
			gandi = append(gandi, fqdn)
		} else {
			own = append(own, fqdn)
		}
	}
	if len(own) > 0 && len(gandi) > 0 {
		return nil, unsupported(path, "it mixes "+gandi[0]+", which means Gandi's DNS, with "+clip(own[0])+"; give one kind")
	}
	return own, nil
}

func isGandiNameserver(fqdn string) bool {
	for _, name := range gandiNameservers {
		if fqdn == name {
			return true
		}
	}
	return false
}

// expand turns handles into whole contacts; a role without a handle stays nil.
func (c *Call) expand(ctx context.Context, roles handles.Roles) (v5.Contacts, error) {
	var out v5.Contacts
	for _, r := range []struct {
		name, handle string
		to           **v5.Contact
	}{
		{"owner", roles.Owner, &out.Owner}, {"admin", roles.Admin, &out.Admin},
		{"bill", roles.Bill, &out.Bill}, {"tech", roles.Tech, &out.Tech},
	} {
		if r.handle == "" {
			continue
		}
		contact, err := c.contact(ctx, "params."+r.name, r.handle)
		if err != nil {
			return out, err
		}
		expanded := contact.Expand()
		for _, code := range unsendable {
			if expanded.Contact.Country == code {
				return out, fault.New(fault.CountryCode, fault.CauseValue,
					"params.%s: country %s of %s no longer exists; give the contact another one", r.name, code, contact.Handle)
			}
		}
		*r.to = &expanded.Contact
		if c.used == nil {
			c.used = map[string]int64{}
		}
		c.used[contact.Handle] = contact.Version
	}
	return out, nil
}

// basis are the versions of the contacts that the call has expanded.
func (c *Call) basis() json.RawMessage {
	if len(c.used) == 0 {
		return nil
	}
	raw, err := json.Marshal(c.used)
	if err != nil {
		panic(err) // it is a map of numbers
	}
	return raw
}

// still tells whether the contacts that the call has expanded are as they were.
// What of an owner cannot change may be changed until the domain is being bought.
func (c *Call) still(tx *store.Tx) error {
	for handle, version := range c.used {
		contact, err := c.Book.Read(tx, c.Tenant.Name, handle)
		if err != nil {
			return contactFault(err, "params", handle)
		}
		if contact.Version != version {
			return fault.New(fault.Contact, fault.CauseRunning, "%s was changed in this moment, and nothing was done; call again", handle)
		}
	}
	return nil
}
