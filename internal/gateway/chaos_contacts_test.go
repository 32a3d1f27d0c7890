package gateway

import (
	"fmt"
	"slices"

	"v3gate/internal/handles"
	"v3gate/internal/ops"
	"v3gate/internal/store"
	"v3gate/internal/v5"
)

// updateContact moves a contact to another street.
func (k *integration) updateContact() {
	k.order("contact.update", oneOf(k.rng, k.known()), map[string]any{"streetaddr": fmt.Sprintf("%d rue neuve", k.rng.IntN(1000))})
}

// copied is an item of a contact.update with its request: what v5 took of it must
// not be sent again.
type copied struct {
	id            int64
	name, request string
}

// carried finds the items of contact.updates that can be behind a request. n.mu is
// held.
func (w *chaosWire) carried(x *chaosRequest) (found []copied) {
	name := x.fqdn
	if x.req.Method == "PUT" {
		name += " owner"
	}
	err := w.p.services.Ops.Everywhere(func(o ops.Operation) error {
		if o.Type != "contact_update" || o.Step.AtEnd() {
			return nil
		}
		return w.p.services.Ops.Items(o.Tenant, o.ID, func(it ops.Item) error {
			if it.State == ops.ItemSending && it.Name == name {
				found = append(found, copied{o.ID, it.Name, string(it.Request)})
			}
			return nil
		})
	})
	if err != nil {
		w.c.t.Error(err)
	}
	return found
}

// departCopy holds a copy that leaves against the journal and what v5 took before.
// Where several handles of a domain change at once, nothing tells whose it is.
func (w *chaosWire) departCopy(x *chaosRequest) {
	switch found := w.carried(x); {
	case len(found) == 0:
		w.c.violated(x.fqdn, "a contact leaves that the journal does not know to be on its way: %s %s", x.req.Method, x.req.URL.Path)
	case len(found) > 1:
	case w.took[found[0]]:
		w.c.violated(x.fqdn, "operation %d sends %s again, which v5 took", found[0].id, found[0].name)
	default:
		x.copied = &found[0]
	}
}

// checkContacts: where a contact's last update is DONE, v5 shows its content
// wherever the gateway says that it is used.
func (c *chaos) checkContacts() {
	p := c.process
	for _, tn := range c.tenants {
		session, err := p.session(tn.name)
		if err != nil {
			c.t.Error(err)
			continue
		}
		for _, handle := range tn.handles {
			if !c.updated(tn.name, handle) {
				continue
			}
			contact, err := p.services.Book.Get(tn.name, handle)
			if err != nil {
				c.violated("", "contact %s: %v", handle, err)
				continue
			}
			uses := map[string][]string{}
			err = p.services.Book.View(func(tx *store.Tx) error {
				return p.services.Book.EachUse(tx, tn.name, handle, func(fqdn, role string) error {
					uses[fqdn] = append(uses[fqdn], role)
					return nil
				})
			})
			if err != nil {
				c.t.Error(err)
			}
			for fqdn, roles := range uses {
				c.checkCopies(session, &contact, fqdn, roles)
			}
		}
	}
}

// updated tells whether the last update of a handle ended well.
func (c *chaos) updated(tenant, handle string) (well bool) {
	for _, o := range c.journal {
		if o.Type == "contact_update" && o.Tenant == tenant && o.FQDN == handle {
			well = o.Step == ops.Done
		}
	}
	return well
}

// crossed tells whether callers have changed the contacts of a domain more than
// once, perhaps at once: whose request came last nobody knows then, since the
// clock leaps, and what it left shows as drift.
func (c *chaos) crossed(fqdn string) bool {
	n := 0
	for _, o := range c.journal {
		if o.FQDN == fqdn && (o.Type == "domain_contact_change" || o.Type == "domain_change_owner") {
			n++
		}
	}
	return n > 1
}

func (c *chaos) checkCopies(session *v5.Session, contact *handles.Contact, fqdn string, roles []string) {
	if slices.ContainsFunc(c.journal, func(o ops.Operation) bool {
		return o.FQDN == fqdn && (o.Step == ops.Support || o.Step == ops.Error && o.State != ops.Refused)
	}) {
		return // nobody knows what v5 made of it
	}
	if c.crossed(fqdn) {
		return
	}
	d, err := session.Domain(c.t.Context(), fqdn)
	if err != nil || !session.Owns(d) {
		return // it has left
	}
	want := contact.Expand().Contact
	for _, role := range roles {
		if shown := handles.In(&d.Contacts, role); !shown.Shows(&want) {
			c.violated(fqdn, "its %s %s lives at %s, and v5 has %s", role, contact.Handle, contact.StreetAddr, shown.StreetAddr)
		}
	}
}
