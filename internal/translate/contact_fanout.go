package translate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"v3gate/internal/handles"
	"v3gate/internal/ops"
	"v3gate/internal/store"
	"v3gate/internal/v5"
)

// kindContactUpdate is the work list of a contact's new content: in v3 a handle
// was one object, in v5 each domain has a copy of it.
const kindContactUpdate = "contact_update"

// Kinds are the kinds of work that know contacts by handles.
func Kinds(book *handles.Book) map[string]ops.Kind {
	f := fanOut{book}
	return map[string]ops.Kind{
		kindContactUpdate: {WantItem: f.want, DoItem: f.do, ShownItem: f.shown, DoneItem: f.done, AwaitItem: true, Looks: 2},
		kindResend:        {WantItem: f.wantOwner, DoItem: resend},
	}
}

// copyOf is the request of an item. The content is not in it: it is read when it
// is sent, and only one that uses the contact in that moment gets it.
type copyOf struct {
	FQDN    string
	Owner   bool
	Version int64
}

// items makes the work list.
func (u *update) items() ([]ops.Item, error) {
	items := make([]ops.Item, 0, len(u.uses))
	for _, one := range u.uses {
		request, err := json.Marshal(copyOf{one.fqdn, one.owner, u.is.Version})
		if err != nil {
			return nil, err
		}
		name := one.fqdn
		if one.owner {
			name += " owner"
		}
		items = append(items, ops.Item{Name: name, Request: request})
	}
	return items, nil
}

type fanOut struct{ book *handles.Book }

// send is what one item sends: the contact in the roles that name it.
type send struct {
	contact handles.Contact
	fqdn    string
	sights  map[string]handles.Sight // by role
	forms   map[string]string        // what v5 shows, by role
}

// want reads what is to be sent, in the roles that still name the contact.
func (f fanOut) want(tx *store.Tx, op *ops.Operation, item *ops.Item) error {
	var r copyOf
	if err := json.Unmarshal(item.Request, &r); err != nil {
		return err
	}
	contact, err := f.book.Read(tx, op.Tenant, op.FQDN)
	if errors.Is(err, handles.ErrUnknown) {
		return &ops.SkipError{Reason: "the contact was deleted"}
	} else if err != nil {
		return err
	}
	roles, err := f.book.Roles(tx, op.Tenant, r.FQDN)
	if err != nil {
		return err
	}
	s := &send{contact: contact, fqdn: r.FQDN, sights: map[string]handles.Sight{}}
	for _, role := range []string{"owner", "admin", "bill", "tech"} {
		if (role == "owner") == r.Owner && roles.Of(role) == contact.Handle {
			if s.sights[role], err = f.book.Sight(tx, op.Tenant, r.FQDN, role); err != nil {
				return err
			}
		}
	}
	if len(s.sights) == 0 {
		return &ops.SkipError{Reason: "the domain no longer uses the contact"}
	}
	if err := f.given(tx, op.Tenant, s); err != nil {
		return err
	}
	item.Loaded = s
	return nil
}

// given puts a send off while an operation gives the domain a contact in one of its
// roles, be it the same: the operation is DONE when v5 shows what it asked for, and
// would never see that, or come after what is sent now.
func (f fanOut) given(tx *store.Tx, tenant string, s *send) (later error) {
	err := ops.EachOn(tx, tenant, s.fqdn, func(op *ops.Operation) error {
		if op.Work.Settled {
			return nil // it has given them
		}
		roles, err := rolesOf(op)
		for role := range s.sights {
			if roles.Of(role) != "" {
				later = &ops.LaterError{Reason: fmt.Sprintf("operation %d, which gives it a contact, is not at its end", op.ID)}
				return cmp.Or(err, store.Stop)
			}
		}
		return err
	})
	return errors.Join(err, later)
}

func (f fanOut) do(ctx context.Context, s *v5.Session, _ *ops.Operation, item *ops.Item) error {
	send := item.Loaded.(*send)
	content := send.contact.Expand().Contact
	if _, owner := send.sights["owner"]; owner {
		return s.SetOwner(ctx, send.fqdn, ownerData(content))
	}
	var roles v5.Contacts
	for role, to := range map[string]**v5.Contact{"admin": &roles.Admin, "bill": &roles.Bill, "tech": &roles.Tech} {
		if _, ok := send.sights[role]; ok {
			*to = &content
		}
	}
	return s.SetContacts(ctx, send.fqdn, roles)
}

// ownerData leaves out of an owner what makes them who they are: v5 refuses these
// members when they differ, be it by what v5 itself made of them. A new mail
// address needs the owner's consent, which v3 took as given.
func ownerData(c v5.Contact) v5.Contact {
	if c.Type == "individual" {
		c.Given, c.Family = "", ""
	}
	c.Type, c.OrgName = "", ""
	yes := true
	c.ICANNContractAccept = &yes
	return c
}

// shown tells whether v5 shows what an item sends. An item that v5 took is only
// waited for, and any change of what is shown will do in the end: v5 makes its own
// form of what it gets. One of which nobody knows whether v5 got it is sent again
// unless all of it is there.
func (f fanOut) shown(ctx context.Context, s *v5.Session, _ *ops.Operation, item *ops.Item) (bool, error) {
	send := item.Loaded.(*send)
	now, err := s.DomainContacts(ctx, send.fqdn)
	if err != nil {
		return false, err
	}
	want := send.contact.Expand().Contact
	send.forms = map[string]string{}
	for role, sight := range send.sights {
		shown := handles.In(now, role)
		form := shown.Digest()
		send.forms[role] = form
		changed, patient := sight.Form != "" && form != sight.Form, item.Tries >= 3
		switch {
		case item.State != ops.ItemTaken:
			if !showsAll(shown, &want) {
				return false, nil
			}
		case form == want.Digest():
		case shown.Shows(&want) && (changed || patient):
		case changed && patient:
		default:
			return false, nil
		}
	}
	return true, nil
}

// showsAll is Shows for every member, those too that v5 fills in by itself.
func showsAll(shown, want *v5.Contact) bool {
	same := func(has, want *bool) bool { return want == nil || has != nil && *has == *want }
	return shown.Shows(want) &&
		(want.State == "" || shown.State == want.State) && (want.Lang == "" || shown.Lang == want.Lang) &&
		same(shown.DataObfuscated, want.DataObfuscated) && same(shown.MailObfuscated, want.MailObfuscated) &&
		maps.Equal(given(shown.ExtraParameters), given(want.ExtraParameters))
}

// done records the form in which v5 shows what it was given.
func (f fanOut) done(tx *store.Tx, op *ops.Operation, item *ops.Item) error {
	send := item.Loaded.(*send)
	return f.book.Sent(tx, op.Tenant, send.fqdn, &send.contact, send.forms)
}
