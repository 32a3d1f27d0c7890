package translate

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"v3gate/internal/fault"
	"v3gate/internal/handles"
	"v3gate/internal/ops"
	"v3gate/internal/tenant"
	"v3gate/internal/v5"
	"v3gate/internal/xmlrpc"
)

// canAssociateIn is what contact.can_associate takes. The contact is not bound
// with the rest: what is wrong with it is an answer and no fault.
type canAssociateIn struct {
	Contact contactParams   `v3:"contact"`
	Params  associationSpec `v3:"params"`
}

type looseAssociateIn struct {
	Contact xmlrpc.Value    `v3:"contact"`
	Params  associationSpec `v3:"params"`
}

type canAssociateDomainIn struct {
	Handle string          `v3:"handle"`
	Params associationSpec `v3:"params"`
}

// associationSpec names a domain, and the roles that the contact is to have
// there. Some clients give the domain only; the contact is then to be the owner.
type associationSpec struct {
	Domain string `v3:"domain"`
	Owner  bool   `v3:"owner,opt"`
	Admin  bool   `v3:"admin,opt"`
	Bill   bool   `v3:"bill,opt"`
	Tech   bool   `v3:"tech,opt"`
}

// roles are those that are asked about.
func (a associationSpec) roles() []string {
	var roles []string
	for _, r := range []struct {
		name  string
		asked bool
	}{{"owner", a.Owner}, {"admin", a.Admin}, {"bill", a.Bill}, {"tech", a.Tech}} {
		if r.asked {
			roles = append(roles, r.name)
		}
	}
	if roles == nil {
		return []string{"owner"}
	}
	return roles
}

// agreed is what is wrong, and goes out as true where that is nothing.
type agreed []fieldErrorOut

// associating makes the row of a method that answers true, or a list of what is
// wrong; never an empty list, which some clients take for a no and some for a yes.
func associating[In any](name string, documented any,
	handle func(context.Context, *Call, In) ([]FieldError, error), r Row) Row {
	r = Method(name, func(ctx context.Context, c *Call, in In) (agreed, error) {
		wrong, err := handle(ctx, c, in)
		return fieldErrors(wrong), err
	}, r)
	r.Params = paramsOf(reflect.TypeOf(documented))
	r.ReturnType = "boolean or array of struct"
	r.Returns = returnsOf(reflect.TypeFor[fieldErrorOut](), "always")
	return r
}

func canAssociate(ctx context.Context, c *Call, in looseAssociateIn) ([]FieldError, error) {
	if err := isStruct("contact", in.Contact); err != nil {
		return nil, err
	}
	if wrong := missing[contactParams](in.Contact); len(wrong) > 0 {
		return wrong, nil
	}
	var p contactParams
	err := setStruct(c, "contact", in.Contact, reflect.ValueOf(&p).Elem())
	if f, ok := fault.As(err); ok && f.Field != "" {
		return []FieldError{fieldOfFault(f)}, nil
	} else if err != nil {
		return nil, err
	}
	if wrong := checkContact(&p, nil); len(wrong) > 0 {
		return wrong, nil
	}
	return c.fits(ctx, &handles.Contact{Fields: p.fields()}, in.Params)
}

// missing finds the members of a struct parameter that are needed and not given.
func missing[T any](v xmlrpc.Value) (wrong []FieldError) {
	t := reflect.TypeFor[T]()
	for i, f := range fieldsOf(t) {
		m, ok := v.Get(f.name)
		if !f.optional && (!ok || f.absent(m, reflect.New(t.Field(i).Type).Elem())) {
			wrong = append(wrong, FieldError{Field: f.name, Type: kindOf(t.Field(i).Type), Error: "EC_MISSINGMANDATORY",
				Object: fault.Struct, Cause: fault.CauseExpected, Reason: f.name + " is missing"})
		}
	}
	return wrong
}

// kindOf is v3's kind of a field of this type.
func kindOf(t reflect.Type) string {
	if typeName(t) == "int" {
		return "Integer"
	}
	return "String"
}

func canAssociateDomain(ctx context.Context, c *Call, in canAssociateDomainIn) ([]FieldError, error) {
	contact, err := c.contact(ctx, "handle", in.Handle)
	if err != nil {
		return nil, err
	}
	return c.fits(ctx, &contact, in.Params)
}

// fits finds what keeps a contact from its roles on a domain: first by the rules
// that are known, then by what v5 says of a registration with it.
func (c *Call) fits(ctx context.Context, contact *handles.Contact, spec associationSpec) ([]FieldError, error) {
	fqdn, err := normal(spec.Domain)
	if err != nil {
		return nil, err
	}
	if country := strings.ToUpper(contact.Country); slices.Contains(unsendable, country) {
		return []FieldError{enumError("country", fault.CountryCode, "country: "+country+" no longer exists")}, nil
	}
	roles := spec.roles()
	if wrong := unfit(contact, tld(fqdn), roles); len(wrong) > 0 {
		return wrong, nil
	}
	if c.Tenant.Mode == tenant.ReadOnly {
		return nil, nil // v5 might take the question for the real call
	}
	return c.askRegistration(ctx, contact, fqdn, roles)
}

// askRegistration has v5 look at a registration that is not made. What it says
// that is not about the contact does not count: the name may well be taken. It
// goes through the journal, lest v5 take the question for the real call.
func (c *Call) askRegistration(ctx context.Context, contact *handles.Contact, fqdn string, roles []string) ([]FieldError, error) {
	content := contact.Expand().Contact
	noMailboxes := false
	in, err := domainPlan{
		fqdn: fqdn, typ: "domain_create", kind: ops.KindCreate, action: "create",
		request: v5.DomainCreate{FQDN: fqdn, Owner: &content, Admin: &content, Bill: &content, Tech: &content, Duration: 1, MailboxOptin: &noMailboxes},
		params:  []param{{"duration", 1}},
		secret:  digestOf(content),
	}.intent(c)
	if err != nil {
		return nil, err
	}
	err = c.Ops.Check(ctx, in)
	var exists *ops.ErrExists
	var busy *ops.BusyError
	var rejected *v5.DryRunError
	var answer *v5.Error
	switch {
	case err == nil, errors.As(err, &exists), errors.As(err, &busy):
		return nil, nil // v5 would only say that the name is taken
	case errors.As(err, &rejected):
		return aboutContact(rejected.Fields, roles), nil
	case errors.As(err, &answer) && answer.DefiniteNo() && answer.MaybeSent && !answer.Auth() &&
		answer.Status != http.StatusTooManyRequests && answer.Status != http.StatusForbidden:
		return nil, nil // a refusal of something else
	}
	return nil, onDomain{fqdn, err}
}

// digestOf tells one contact from another in a fingerprint.
func digestOf(c v5.Contact) string {
	text, err := json.Marshal(c)
	if err != nil {
		return c.Digest()
	}
	return string(text)
}

// aboutContact keeps the complaints of v5 about the contact in these roles, each
// member once.
func aboutContact(fields []v5.FieldError, roles []string) (wrong []FieldError) {
	for _, f := range fields {
		role, member, _ := strings.Cut(f.Name, ".")
		if member == "" || !slices.Contains(roles, role) {
			continue
		}
		e := fieldOfV5(f)
		e.Reason = e.Field + ": " + f.Description
		if !slices.ContainsFunc(wrong, func(w FieldError) bool { return w.Field == e.Field && w.Reason == e.Reason }) {
			wrong = append(wrong, e)
		}
	}
	return wrong
}
