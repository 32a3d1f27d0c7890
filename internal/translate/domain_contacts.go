package translate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"v3gate/internal/fault"
	"v3gate/internal/handles"
	"v3gate/internal/ops"
	"v3gate/internal/store"
	"v3gate/internal/v5"
	"v3gate/internal/xmlrpc"
	"v3gate/internal/zones"
)

type contactsSetIn struct {
	Domain string            `v3:"domain"`
	Params contactsSetParams `v3:"params"`
}

type contactsSetParams struct {
	Admin string       `v3:"admin,opt"`
	Bill  string       `v3:"bill,opt"`
	Extra xmlrpc.Value `v3:"extra" refuse:"v5 takes no extra parameters here; give them to the contacts"`
	Tech  string       `v3:"tech,opt"`
}

func contactsSetCheck(ctx context.Context, c *Call, in contactsSetIn) (domainPlan, []FieldError, error) {
	fqdn, err := normal(in.Domain)
	if err != nil {
		return domainPlan{}, nil, err
	}
	roles := handles.Roles{Admin: in.Params.Admin, Bill: in.Params.Bill, Tech: in.Params.Tech}
	if roles == (handles.Roles{}) {
		return domainPlan{}, nil, fault.New(fault.Struct, fault.CauseExpected, "params needs admin, bill or tech")
	}
	contacts, err := c.expand(ctx, roles)
	if err != nil {
		return domainPlan{}, nil, err
	}
	if err := c.ownsDomain(ctx, fqdn); err != nil {
		return domainPlan{}, nil, err
	}
	return domainPlan{
		fqdn: fqdn, typ: "domain_contact_change", kind: ops.KindContacts, action: "update",
		request: contacts, params: rolesParams(roles),
	}, nil, nil
}

type ownerSetIn struct {
	Domain string         `v3:"domain"`
	Params ownerSetParams `v3:"params"`
}

type ownerSetParams struct {
	Admin    string `v3:"admin"`
	Bill     string `v3:"bill"`
	OldOwner string `v3:"old_owner"`
	Owner    string `v3:"owner"`
	Tech     string `v3:"tech"`
}

// ownerSetCheck reads the domain freshly: what is to be done, and whether it
// costs money, depends on who owns it now.
func ownerSetCheck(ctx context.Context, c *Call, in ownerSetIn) (domainPlan, []FieldError, error) {
	fqdn, err := normal(in.Domain)
	if err != nil {
		return domainPlan{}, nil, err
	}
	p := in.Params
	roles := handles.Roles{Owner: p.Owner, Admin: p.Admin, Bill: p.Bill, Tech: p.Tech}
	contacts, err := c.expand(ctx, roles)
	if err != nil {
		return domainPlan{}, nil, err
	}
	d, known, err := c.recognised(ctx, fqdn, c.domain)
	if err != nil {
		return domainPlan{}, nil, err
	}
	if !strings.EqualFold(known.Roles.Owner, p.OldOwner) {
		return domainPlan{}, nil, fault.New(fault.ChangeOwner, fault.CauseBadParameter,
			"params.old_owner: '%s' is not the owner of %s; domain.info names it", clip(p.OldOwner), fqdn)
	}
	plan := domainPlan{
		fqdn: fqdn, typ: "domain_change_owner", kind: ops.KindChangeOwner, action: "change_owner",
		request: v5.ChangeOwner{Owner: contacts.Owner, Admin: contacts.Admin, Bill: contacts.Bill, Tech: contacts.Tech},
		params:  append(rolesParams(roles), param{"old_owner", strings.ToUpper(p.OldOwner)}),
	}
	if d.Contacts.Owner.Shows(contacts.Owner) || strings.EqualFold(known.Roles.Owner, p.Owner) {
		// The holder stays the same, so nothing is for sale: at most the other
		// contacts change, which is free. The same handle is the same holder, though
		// an update of its content may be on its way to v5.
		contacts.Owner = nil
		plan.kind, plan.request = ops.KindContacts, contacts
		plan.nothing = d.Contacts.Admin.Shows(contacts.Admin) && d.Contacts.Bill.Shows(contacts.Bill) &&
			d.Contacts.Tech.Shows(contacts.Tech)
	}
	return plan, nil, nil
}

// contactOps are the types of operations that give a domain contacts.
var contactOps = []string{"domain_create", "domain_transfer_in", "domain_change_owner", "domain_contact_change"}

// rolesOf are the handles that such an operation gives its domain; none for any
// other type.
func rolesOf(op *ops.Operation) (roles handles.Roles, err error) {
	if !slices.Contains(contactOps, op.Type) {
		return roles, nil
	}
	if err := json.Unmarshal(op.Params, &roles); err != nil { // params names them as Roles does
		return roles, fmt.Errorf("params of operation %d: %w", op.ID, err)
	}
	return roles, nil
}

// Settle records, in the commit that makes an operation DONE, which handles its
// domain uses from now on, and what else became of the domain.
func Settle(book *handles.Book, zoneBook *zones.Book) func(*store.Tx, *ops.Operation) error {
	return func(tx *store.Tx, op *ops.Operation) error {
		book.Changed()
		if err := errors.Join(settleMailbox(tx, book, op), settleDomain(tx, book, zoneBook, op), touch(tx, op)); err != nil {
			return err
		}
		roles, err := rolesOf(op)
		if roles = book.Present(tx, roles); err != nil || roles == (handles.Roles{}) {
			return err
		}
		versions, err := versionsOf(op)
		if err != nil {
			return err
		}
		return book.SetRoles(tx, op.Tenant, op.FQDN, roles, versions)
	}
}

// versionsOf are those of the contacts that an operation was made from, by handle.
func versionsOf(op *ops.Operation) (versions map[string]int64, err error) {
	if len(op.Basis) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(op.Basis, &versions); err != nil {
		return nil, fmt.Errorf("basis of operation %d: %w", op.ID, err)
	}
	return versions, nil
}

// Follow gives the updates that a DONE operation has made needed: of contacts that
// were changed after it was made from them.
func Follow(book *handles.Book) func(*store.Tx, *ops.Operation) ([]ops.Intent, error) {
	return func(tx *store.Tx, op *ops.Operation) (intents []ops.Intent, err error) {
		roles, err := rolesOf(op)
		if err != nil {
			return nil, err
		}
		var done []string
		for _, role := range []string{"owner", "admin", "bill", "tech"} {
			handle := roles.Of(role)
			if handle == "" || slices.Contains(done, handle) {
				continue
			}
			done = append(done, handle)
			contact, err := book.Read(tx, op.Tenant, handle)
			if errors.Is(err, handles.ErrUnknown) {
				continue
			} else if err != nil {
				return nil, err
			}
			sight, err := book.Sight(tx, op.Tenant, op.FQDN, role)
			if err != nil {
				return nil, err
			}
			if sight.Version != contact.Version {
				intents = append(intents, catchUp(book, op, &contact))
			}
		}
		return intents, nil
	}
}

// catchUp is an update that changes nothing and sends what some domains lack.
func catchUp(book *handles.Book, op *ops.Operation, contact *handles.Contact) ops.Intent {
	params, err := object([]param{{"handle", contact.Handle}, {"contact_id", contact.ID}, {"param_type", "contact"}})
	if err != nil {
		panic(err) // they are texts and a number
	}
	return ops.Intent{
		Tenant: op.Tenant, Type: "contact_update", Kind: kindContactUpdate, Source: op.Source, FQDN: contact.Handle,
		Params: params, Fingerprint: contact.Handle, List: handles.UpdateList(contact.Handle),
		Infos: ops.Infos{Action: "update", Label: contact.Handle},
		Items: func(tx *store.Tx) ([]ops.Item, error) {
			u := update{book: book, was: *contact, is: *contact}
			if err := u.find(tx); err != nil {
				return nil, err
			}
			return u.items()
		},
	}
}
