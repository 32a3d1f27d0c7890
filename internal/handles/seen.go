package handles

import (
	"crypto/sha256"
	"errors"

	"v3gate/internal/store"
	"v3gate/internal/v5"
)

// Seen is what v5 shows of a domain's contacts, as far as the gateway knows it.
type Seen struct {
	// Changes counts what the gateway has written of the domain's contacts. A
	// reading of v5 that was begun before the last of it proves nothing.
	Changes int64 `json:"changes,omitempty"`
	Owner   Sight `json:"owner,omitzero"`
	Admin   Sight `json:"admin,omitzero"`
	Bill    Sight `json:"bill,omitzero"`
	Tech    Sight `json:"tech,omitzero"`
}

// Sight is what v5 shows in one role.
type Sight struct {
	// Form is the digest of the contact as v5 shows it, "" until that was read.
	// v5 normalises what it gets, so only another form than this one tells that
	// somebody has changed the contact, never the handle's own text.
	Form string `json:"form,omitempty"`
	// Version is the one of the handle's content that v5 was last given.
	Version int64 `json:"version,omitempty"`
}

func (s *Seen) of(role string) *Sight {
	switch role {
	case "owner":
		return &s.Owner
	case "admin":
		return &s.Admin
	case "bill":
		return &s.Bill
	}
	return &s.Tech
}

func readSeen(tx *store.Tx, tenant, fqdn string) (s Seen, err error) {
	_, err = store.GetJSON(tx, store.SeenKey(tenant, fqdn), &s)
	return s, err
}

// UpdateList names the work list that carries a contact's new content to the
// domains that use it.
func UpdateList(handle string) string { return "contact " + handle }

// Reading is what v5 shows of a domain, to be recognised.
type Reading struct {
	Tenant, FQDN string
	Shown        v5.Contacts
	// Changes is what Changes gave before v5 was asked.
	Changes int64
	// Busy tells whether an operation that may change the domain's contacts is at
	// work. It is asked only where it matters.
	Busy func(*store.Tx) (bool, error)
}

// Changes counts what the gateway has written of a domain's contacts; see
// Reading.
func (b *Book) Changes(tenant, fqdn string) (int64, error) {
	k, err := b.known(tenant, fqdn)
	if err != nil {
		return 0, err
	}
	return k.seen.Changes, nil
}

// Recognise names the contacts of a domain by handles. Where the domain was
// written through the gateway it knows them; the rest are recognised by their
// content, or minted, and then kept. A contact that somebody else has changed
// since is recognised anew: drifted counts the roles, and other domains of the
// handle are not touched.
func (b *Book) Recognise(r Reading) (d Domain, drifted int, err error) {
	before, err := b.known(r.Tenant, r.FQDN)
	if err != nil {
		return d, 0, err
	}
	known, named := r.asKnown(before)
	if known {
		return before.Domain, 0, nil
	}
	return b.recogniseAnew(r, before, named)
}

// recogniseAnew is Recognise for what is not as it was before; named as of asKnown.
func (b *Book) recogniseAnew(r Reading, before *known, named bool) (d Domain, drifted int, err error) {
	err = b.db.Update(func(tx *store.Tx) (err error) {
		d, drifted, err = b.recognise(tx, &r)
		return err
	})
	if named && (errors.Is(err, store.ErrCommit) || errors.Is(err, store.ErrUnsure)) {
		return before.Domain, 0, nil // what is new will be noted when the disk takes it
	}
	return d, drifted, err
}

// asKnown tells whether v5 shows nothing that is not written down, and whether
// every contact that it shows has a handle.
func (r *Reading) asKnown(k *known) (known, named bool) {
	known, named = k.ID != 0, k.ID != 0
	seen := &k.seen
	var last *v5.Contact
	var buf [2 * sha256.Size]byte
	form := buf[:0]
	for _, role := range roles {
		c := In(&r.Shown, role)
		if c == nil {
			continue
		}
		if seen.Changes == r.Changes && (last == nil || !c.Same(last)) {
			last, form = c, c.AppendDigest(buf[:0])
		}
		has := k.Roles.Of(role) != ""
		known = known && has && (seen.Changes != r.Changes || seen.of(role).Form == string(form))
		named = named && has
	}
	return known, named
}

func (b *Book) recognise(tx *store.Tx, r *Reading) (d Domain, drifted int, err error) {
	if d, err = b.domain(tx, r.Tenant, r.FQDN); err != nil {
		return d, 0, err
	}
	seen, err := readSeen(tx, r.Tenant, r.FQDN)
	if err != nil {
		return d, 0, err
	}
	found, next := d.Roles, seen
	err = found.each(func(role string, handle *string) error {
		c := In(&r.Shown, role)
		if c == nil {
			return nil
		}
		was := *handle
		sight, err := b.recogniseRole(tx, r, *next.of(role), seen.Changes == r.Changes, c, handle)
		if *next.of(role) = sight; was != "" && was != *handle {
			drifted++
		}
		return err
	})
	if err == nil && found != d.Roles {
		b.Changed()
		next.Changes++
		err = b.assign(tx, r.Tenant, r.FQDN, found)
		d.Roles = found
	}
	if err == nil && next != seen {
		err = store.PutJSON(tx, store.SeenKey(r.Tenant, r.FQDN), next)
	}
	return d, drifted, err
}

// recogniseRole decides what a contact that v5 shows means for the handle of its
// role. proves tells that the reading is not older than the gateway's own writes.
func (b *Book) recogniseRole(tx *store.Tx, r *Reading, s Sight, proves bool, shown *v5.Contact, handle *string) (Sight, error) {
	form := shown.Digest()
	var has *Contact
	if *handle != "" {
		c, err := b.Read(tx, r.Tenant, *handle)
		switch {
		case err == nil:
			has = &c
		case !errors.Is(err, ErrUnknown):
			return s, err
		}
	}
	switch {
	case has == nil:
	case !proves || s.Form == form:
		return s, nil
	case has.digest() == form:
		s.Form = form
		return s, nil
	default:
		if unsettled, err := r.unsettled(tx, has, s); unsettled || err != nil {
			return s, err
		}
		if s.Form == "" {
			s.Form = form
			return s, nil
		}
	}
	c, err := b.withContent(tx, r.Tenant, shown, form)
	if err != nil {
		return s, err
	}
	*handle = c.Handle
	if s = (Sight{Version: c.Version}); proves {
		s.Form = form
	}
	return s, nil
}

// unsettled tells whether v5 may be about to show something else: both the old
// and the new content are then known.
func (r *Reading) unsettled(tx *store.Tx, c *Contact, s Sight) (bool, error) {
	if c.Version != s.Version && store.GetID(tx, store.OpListKey(r.Tenant, UpdateList(c.Handle))) != 0 {
		return true, nil
	}
	if r.Busy == nil {
		return false, nil
	}
	return r.Busy(tx)
}

// withContent gives the contact for what v5 shows: the tenant's oldest one with
// that content, or a new one made from it.
func (b *Book) withContent(tx *store.Tx, tenant string, shown *v5.Contact, form string) (c Contact, err error) {
	handle := ""
	err = tx.Scan(store.ContactContentPrefix(tenant, tx.Digest(form)), func(_, value []byte) error {
		handle = string(value)
		return store.Stop
	})
	switch {
	case err != nil:
		return c, err
	case handle != "":
		return b.Read(tx, tenant, handle)
	}
	return b.mintShown(tx, tenant, fromV5(shown), form, false)
}

// Sent records that v5 shows, in these roles of a domain, the content of a handle
// that it was given, in the form with this digest. A role that names another
// handle by now is left alone.
func (b *Book) Sent(tx *store.Tx, tenant, fqdn string, c *Contact, forms map[string]string) error {
	b.Changed()
	d, err := b.domain(tx, tenant, fqdn)
	if err != nil {
		return err
	}
	seen, err := readSeen(tx, tenant, fqdn)
	if err != nil {
		return err
	}
	seen.Changes++
	for role, form := range forms {
		if d.Roles.Of(role) == c.Handle {
			*seen.of(role) = Sight{Form: form, Version: c.Version}
		}
	}
	return store.PutJSON(tx, store.SeenKey(tenant, fqdn), seen)
}
