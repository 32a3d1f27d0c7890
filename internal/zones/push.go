package zones

import (
	"bytes"
	"slices"
	"strings"

	"v3gate/internal/store"
)

// Commit runs a change of zones in one commit, with what belongs to it.
func (b *Book) Commit(fn func(*store.Tx) error) error { return b.db.Update(fn) }

// Target is a domain that does not have what its zone's active version says.
type Target struct {
	FQDN string
	Link Link
}

// Behind gives the linked domains that do not have what the active version says,
// as far as the gateway knows, with that version.
func (b *Book) Behind(tx *store.Tx, tenant string, id int64) (targets []Target, active Version, err error) {
	_, v, err := b.version(tx, tenant, id, 0)
	if err != nil {
		return nil, active, err
	}
	domains, err := linked(tx, tenant, id)
	for _, fqdn := range domains {
		var l Link
		if l, err = link(tx, tenant, fqdn); err != nil {
			break
		}
		if !l.Away && !bytes.Equal(l.Digest, v.Digest) {
			targets = append(targets, Target{fqdn, l})
		}
	}
	return targets, *v, err
}

// LinkedIn is Linked inside a transaction.
func (b *Book) LinkedIn(tx *store.Tx, tenant string, id int64) ([]string, error) {
	return linked(tx, tenant, id)
}

// LinkIn is Link inside a transaction.
func (b *Book) LinkIn(tx *store.Tx, tenant, fqdn string) (Link, error) { return link(tx, tenant, fqdn) }

// Activate makes a version the active one and gives the one that was.
func (b *Book) Activate(tx *store.Tx, tenant string, id, n int64) (was int64, err error) {
	z, err := b.own(tx, tenant, id)
	if err != nil {
		return 0, err
	}
	v, err := b.load(tx, z, n)
	if err != nil {
		return 0, err
	}
	if was = z.Active; was == v.N {
		return was, nil
	}
	z.Active = v.N
	return was, b.put(tx, z)
}

// Deactivate goes back to the version that was active before, if no domain has
// the records of the one that is.
func (b *Book) Deactivate(tenant string, id, n, was int64) error {
	return b.db.Update(func(tx *store.Tx) error {
		z, err := b.own(tx, tenant, id)
		if err != nil || z.Active != n || n == was {
			return err
		}
		if _, err := b.load(tx, z, was); err != nil {
			return nil // it was deleted meanwhile
		}
		targets, _, err := b.Behind(tx, tenant, id)
		if err != nil {
			return err
		}
		domains, err := linked(tx, tenant, id)
		if err != nil || len(targets) < len(domains) {
			return err
		}
		z.Active = was
		return b.put(tx, z)
	})
}

// Connect links a domain to a zone. What the domain has in LiveDNS stays as it
// is known.
func (b *Book) Connect(tx *store.Tx, tenant, fqdn string, id int64) error {
	if _, err := b.zone(tx, tenant, id); err != nil {
		return err
	}
	l, err := link(tx, tenant, fqdn)
	if err != nil || l.Zone == id && !l.Away {
		return err
	}
	l.Zone, l.Away, l.Gone = id, false, false
	return putLink(tx, tenant, fqdn, l)
}

// Undo takes an edit back that no domain took, unless the version was changed
// again since.
func (b *Book) Undo(tenant string, e *Edited) error {
	return b.db.Update(func(tx *store.Tx) error {
		undo, err := b.edit(tx, tenant, e.Zone.ID, e.Version.N)
		if err != nil || !bytes.Equal(undo.version.Digest, e.Version.Digest) || undo.version.Slots != e.Version.Slots {
			return err
		}
		targets, _, err := b.Behind(tx, tenant, e.Zone.ID)
		if err != nil {
			return err
		}
		domains, err := linked(tx, tenant, e.Zone.ID)
		if err != nil || len(targets) < len(domains) {
			return err // somebody took it
		}
		var names []string
		for k := range e.before {
			names = append(names, k.name)
		}
		slices.Sort(names)
		if _, err := undo.remove(slices.Compact(names), func(r *Record) bool {
			_, touched := e.before[key{r.Name, r.Type}]
			return touched
		}); err != nil {
			return err
		}
		for _, records := range e.before {
			for _, r := range records {
				if err := undo.insert(r); err != nil {
					return err
				}
			}
		}
		_, err = undo.save()
		return err
	})
}

// PushedChanges are the changes of rrsets that LiveDNS takes.
func PushedChanges(changes []Change) []Change {
	return slices.DeleteFunc(slices.Clone(changes), func(c Change) bool {
		return !(&RRset{Name: c.Name, Type: c.Type}).Pushed()
	})
}

// Slashed tells whether a name has a slash in it (RFC 2317), which cannot be part
// of a path.
func Slashed(changes []Change) bool {
	return slices.ContainsFunc(changes, func(c Change) bool { return strings.Contains(c.Name, "/") })
}
