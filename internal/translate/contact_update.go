package translate

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"v3gate/internal/fault"
	"v3gate/internal/handles"
	"v3gate/internal/ops"
	"v3gate/internal/store"
	"v3gate/internal/xmlrpc"
)

type contactUpdateIn struct {
	Handle string              `v3:"handle"`
	Params contactUpdateParams `v3:"params"`
}

// contactUpdateParams are the fields of contactParams, none of them needed. Which
// ones v3 let change is not established; empty strings count as not given, so no
// field can be emptied.
type contactUpdateParams struct {
	Type                   *int64            `v3:"type,opt"`
	Given                  string            `v3:"given,opt"`
	Family                 string            `v3:"family,opt"`
	StreetAddr             string            `v3:"streetaddr,opt"`
	City                   string            `v3:"city,opt"`
	Country                string            `v3:"country,opt"`
	Zip                    string            `v3:"zip,opt"`
	Email                  string            `v3:"email,opt"`
	Phone                  string            `v3:"phone,opt"`
	Password               string            `v3:"password,opt"`
	OrgName                string            `v3:"orgname,opt"`
	State                  string            `v3:"state,opt"`
	Fax                    string            `v3:"fax,opt"`
	Mobile                 string            `v3:"mobile,opt"`
	Lang                   string            `v3:"lang,opt"`
	VATNumber              string            `v3:"vat_number,opt"`
	BrandNumber            string            `v3:"brand_number,opt"`
	Siren                  string            `v3:"siren,opt"`
	JOAnnounceNumber       string            `v3:"jo_announce_number,opt"`
	JOAnnouncePage         string            `v3:"jo_announce_page,opt"`
	JODeclarationDate      *time.Time        `v3:"jo_declaration_date,opt"`
	JOPublicationDate      *time.Time        `v3:"jo_publication_date,opt"`
	DataObfuscated         *bool             `v3:"data_obfuscated,opt"`
	MailObfuscated         *bool             `v3:"mail_obfuscated,opt"`
	Newsletter             *bool             `v3:"newsletter,opt"`
	ThirdPartResell        *bool             `v3:"third_part_resell,opt"`
	AcceptContract         *bool             `v3:"accept_contract,opt"`
	ExtraParameters        map[string]string `v3:"extra_parameters,opt"`
	Community              xmlrpc.Value      `v3:"community" ignore:"a marketing field of the old service"`
	CommunityHash          xmlrpc.Value      `v3:"community_hash" ignore:"a marketing field of the old service"`
	CommunityReferer       xmlrpc.Value      `v3:"community_referer" ignore:"a marketing field of the old service"`
	SecurityQuestionNum    int64             `v3:"security_question_num,opt"`
	SecurityQuestionAnswer string            `v3:"security_question_answer,opt"`
	ShippingAddress        map[string]string `v3:"shippingaddress,opt"`
}

// apply changes the fields that were given. The members of extra_parameters and
// shippingaddress are fields of their own: the contact FAQ gives the birth_ ones
// only.
func (p *contactParams) apply(f *handles.Fields) {
	all, kind := *p, int64(f.Type)
	all.Type = cmp.Or(p.Type, &kind)
	n := all.fields()
	f.Type = n.Type
	for _, t := range []struct {
		to *string
		of string
	}{
		{&f.Given, n.Given}, {&f.Family, n.Family}, {&f.OrgName, n.OrgName}, {&f.StreetAddr, n.StreetAddr},
		{&f.City, n.City}, {&f.Zip, n.Zip}, {&f.State, n.State}, {&f.Country, n.Country}, {&f.Email, n.Email},
		{&f.Phone, n.Phone}, {&f.Fax, n.Fax}, {&f.Mobile, n.Mobile}, {&f.Lang, n.Lang}, {&f.VATNumber, n.VATNumber},
		{&f.BrandNumber, n.BrandNumber}, {&f.Siren, n.Siren},
		{&f.JOAnnounceNumber, n.JOAnnounceNumber}, {&f.JOAnnouncePage, n.JOAnnouncePage},
		{&f.JODeclarationDate, n.JODeclarationDate}, {&f.JOPublicationDate, n.JOPublicationDate},
		{&f.SecurityQuestionAnswer, n.SecurityQuestionAnswer},
	} {
		*t.to = cmp.Or(t.of, *t.to)
	}
	for _, b := range []struct{ to, of **bool }{
		{&f.DataObfuscated, &n.DataObfuscated}, {&f.MailObfuscated, &n.MailObfuscated},
		{&f.Newsletter, &n.Newsletter}, {&f.ThirdPartResell, &n.ThirdPartResell},
	} {
		*b.to = cmp.Or(*b.of, *b.to)
	}
	f.SecurityQuestionNum = cmp.Or(n.SecurityQuestionNum, f.SecurityQuestionNum)
	f.ExtraParameters = merged(f.ExtraParameters, n.ExtraParameters)
	f.ShippingAddress = merged(f.ShippingAddress, n.ShippingAddress)
}

// merged adds the members that are given.
func merged(has, more map[string]string) map[string]string {
	more = given(more)
	if len(more) == 0 {
		return has
	}
	out := maps.Clone(has)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, more)
	return out
}

// contactPlan is a change of a contact, ready to be made.
type contactPlan struct {
	handle string
	change func(*handles.Fields)
}

func contactUpdateCheck(ctx context.Context, c *Call, in contactUpdateIn) (plan contactPlan, wrong []FieldError, err error) {
	has, err := c.contact(ctx, "handle", in.Handle)
	if err != nil {
		return plan, nil, err
	}
	params := contactParams(in.Params)
	plan = contactPlan{has.Handle, params.apply}
	if wrong = checkContact(&params, &has); len(wrong) > 0 {
		return plan, wrong, nil
	}
	err = c.Book.View(func(tx *store.Tx) (err error) {
		u := update{book: c.Book, was: has, is: has.With(plan.change)}
		if err = errors.Join(u.find(tx), u.findComing(tx)); err == nil {
			wrong = u.wrong()
		}
		return err
	})
	return plan, wrong, err
}

// contactUpdateDo changes the contact and, in the same commit, writes down what is
// to be sent to each domain that uses it. The sending is background work: v3
// answered the new contact at once.
func contactUpdateDo(ctx context.Context, c *Call, plan contactPlan) (contactOut, error) {
	in, err := c.contactIntent("contact_update", plan.handle)
	if err != nil {
		return contactOut{}, err
	}
	in.Kind, in.List = kindContactUpdate, handles.UpdateList(plan.handle)
	in.Items = func(tx *store.Tx) (items []ops.Item, err error) {
		u := update{book: c.Book}
		if u.was, u.is, err = c.Book.Change(tx, c.Tenant.Name, plan.handle, plan.change); err != nil {
			return nil, err
		}
		if err := errors.Join(u.find(tx), u.findComing(tx)); err != nil {
			return nil, err
		}
		if wrong := u.wrong(); len(wrong) > 0 {
			return nil, wrong[0].Fault()
		}
		return u.items()
	}
	if _, err := c.Ops.Submit(ctx, in); err != nil {
		return contactOut{}, err
	}
	is, err := c.Book.Get(c.Tenant.Name, plan.handle)
	if err != nil {
		return contactOut{}, contactFault(err, "handle", plan.handle)
	}
	expanded := is.Expand()
	for _, name := range expanded.Dropped {
		c.ignored("params." + name)
	}
	return contactAnswer(&is), nil
}

// contactIntent is what every operation about a contact has.
func (c *Call) contactIntent(typ, handle string) (in ops.Intent, err error) {
	source, err := c.source()
	if err != nil {
		return in, err
	}
	caller, err := c.Book.Get(c.Tenant.Name, source)
	if err != nil {
		return in, err
	}
	id, err := c.Book.Ref(c.Tenant.Name, handle)
	if err != nil {
		return in, err
	}
	params, err := object([]param{{"handle", handle}, {"contact_id", id}, {"param_type", "contact"},
		{"remote_addr", c.Remote}, {"tracker_id", c.ID}, {"auth_id", caller.ID}})
	return ops.Intent{
		Tenant: c.Tenant.Name, Type: typ, Source: source, FQDN: handle, Params: params, Fingerprint: handle,
		Infos: ops.Infos{Action: "update", Label: handle},
	}, err
}

// update is a contact before and after a change, with the domains it concerns.
type update struct {
	book    *handles.Book
	was, is handles.Contact
	uses    []use
	coming  []use
}

// use is a domain that is to get the new content, in the role of the owner or in
// those of the others.
type use struct {
	fqdn  string
	owner bool
}

// find looks for the domains that have something else than the new content.
func (u *update) find(tx *store.Tx) error {
	return u.book.Stale(tx, &u.is, func(fqdn, role string, stale bool) error {
		one := use{fqdn, role == "owner"}
		if stale && !slices.Contains(u.uses[max(0, len(u.uses)-2):], one) {
			u.uses = append(u.uses, one)
		}
		return nil
	})
}

// findComing looks for the domains that an open operation is about to give the
// contact. They have no item: when the operation is DONE an update follows.
func (u *update) findComing(tx *store.Tx) error {
	if u.is.Version == u.was.Version {
		return nil
	}
	return ops.EachOpen(tx, func(op *ops.Operation) error {
		roles, err := rolesOf(op)
		if op.Tenant != u.is.Tenant || err != nil {
			return err
		}
		if roles.Owner == u.is.Handle {
			u.coming = append(u.coming, use{op.FQDN, true})
		}
		if slices.Contains([]string{roles.Admin, roles.Bill, roles.Tech}, u.is.Handle) {
			u.coming = append(u.coming, use{op.FQDN, false})
		}
		return nil
	})
}

// wrong finds what v5 cannot do with the change: an owner's type and organization
// never change, nor does a person's name (v5 documentation), and two countries
// are not known to it.
func (u *update) wrong() (wrong []FieldError) {
	uses := slices.Concat(u.uses, u.coming)
	if len(uses) == 0 {
		return nil
	}
	if country := strings.ToUpper(u.is.Country); slices.Contains(unsendable, country) {
		wrong = append(wrong, enumError("country", fault.CountryCode,
			"country: "+country+" no longer exists, and "+uses[0].fqdn+" uses the contact"))
	}
	owns := slices.IndexFunc(uses, func(one use) bool { return one.owner })
	if owns < 0 {
		return wrong
	}
	fixed := []struct{ name, was, is string }{{"type", strconv.Itoa(u.was.Type), strconv.Itoa(u.is.Type)}}
	if u.was.Type == 0 {
		fixed = append(fixed, struct{ name, was, is string }{"given", u.was.Given, u.is.Given},
			struct{ name, was, is string }{"family", u.was.Family, u.is.Family})
	} else {
		fixed = append(fixed, struct{ name, was, is string }{"orgname", u.was.OrgName, u.is.OrgName})
	}
	for _, f := range fixed {
		if f.was != f.is {
			wrong = append(wrong, FieldError{
				Field: f.name, Type: "String", Error: "!EC_FIELDUPDATEPOSSIBLE", Object: fault.Contact, Cause: fault.CauseBadParameter,
				Reason: f.name + ": it cannot change while the contact owns a domain, as it does " + uses[owns].fqdn +
					"; make another contact and give it the domain with domain.owner.set",
			})
		}
	}
	return wrong
}
