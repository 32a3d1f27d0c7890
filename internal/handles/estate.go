package handles

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"v3gate/internal/store"
)

// errRehearsed ends the transaction of a dry run.
var errRehearsed = errors.New("that was a dry run")

// Import brings entries in, in one commit: each of them whole or not at all. What
// became of each is told in their order. The error is the store's.
func (b *Book) Import(batch Batch) ([]Outcome, error) {
	im := importer{b: b, Batch: &batch, assumed: map[string]bool{}}
	for _, handle := range batch.Assume {
		im.assumed[handle] = true
	}
	var out []Outcome
	err := b.db.Update(func(tx *store.Tx) error {
		out = make([]Outcome, 0, len(batch.Entries))
		for i := range batch.Entries {
			o, err := im.entry(tx, &batch.Entries[i])
			if err != nil {
				return fmt.Errorf("import %s: %w", batch.Entries[i].Name(), err)
			}
			out = append(out, o)
		}
		if batch.DryRun {
			return errRehearsed
		}
		return nil
	})
	if err != nil && !errors.Is(err, errRehearsed) {
		return nil, err
	}
	return out, nil
}

type importer struct {
	*Batch
	b       *Book
	assumed map[string]bool
}

func refused(format string, args ...any) (Outcome, error) {
	return Outcome{State: Refused, Why: fmt.Sprintf(format, args...)}, nil
}

func (im *importer) entry(tx *store.Tx, e *Entry) (Outcome, error) {
	if err := e.Check(); err != nil {
		return refused("%v", err)
	}
	switch e.Kind() {
	case "contact":
		return im.contact(tx, e)
	case "domain":
		if shown, ok := im.Shown[e.FQDN]; ok {
			return im.shown(tx, e, shown)
		}
		return im.domain(tx, e)
	}
	if tx.LastID(e.Counter) >= e.ID {
		return Outcome{State: Equal}, nil
	}
	return Outcome{State: Replaced}, tx.RaiseID(e.Counter, e.ID)
}

// contact brings a contact in. Its id, its tenant and its date are for ever: the
// gateway may have told callers of them.
func (im *importer) contact(tx *store.Tx, e *Entry) (Outcome, error) {
	var was Contact
	there, err := store.GetJSON(tx, store.ContactKey(e.Handle), &was)
	if err != nil {
		return Outcome{}, err
	}
	own := string(tx.Get(store.OwnKey(e.Tenant)))
	holder := string(tx.Get(store.ContactIDKey(e.ID)))
	adopt := e.Own && own != e.Handle
	switch {
	case there && was.Tenant != e.Tenant:
		return refused("the handle is tenant %s's here", was.Tenant)
	case there && e.ID != 0 && e.ID != was.ID:
		return refused("it has the id %d here, which callers may know, and %d there; import before the gateway first starts", was.ID, e.ID)
	case !there && holder != "":
		return refused("the id %d is %s's here", e.ID, holder)
	case adopt && own != "" && !im.Overwrite:
		return refused("the tenant's own contact is %s here; --overwrite replaces it", own)
	}
	next := was
	state := Added
	switch {
	case !there:
		next = Contact{Handle: e.Handle, ID: e.ID, Tenant: e.Tenant, Created: im.b.now().UTC(), Empty: e.Empty,
			Version: e.Version, Shown: e.Shown, Fields: e.Fields}
		if e.Created != nil {
			next.Created = e.Created.UTC()
		}
		if e.ID == 0 {
			if next.ID, err = tx.NextID("contact", im.b.floors.ID); err != nil {
				return Outcome{}, err
			}
		}
	case !e.Empty:
		next = was.With(func(f *Fields) { *f = e.Fields })
		next.Empty = false
		state = Replaced
		if reflect.DeepEqual(was, next) && !adopt {
			return Outcome{State: Equal}, nil
		}
		if names := differing(&was.Fields, &next.Fields); !was.Empty && len(names) > 0 && !im.Overwrite {
			return refused("it has other content here (%s); --overwrite replaces it", strings.Join(names, ", "))
		}
	case !adopt:
		return Outcome{State: Equal}, nil
	default:
		state = Replaced
	}
	return Outcome{State: state}, im.putContact(tx, there, &was, &next, adopt)
}

func (im *importer) putContact(tx *store.Tx, there bool, was, next *Contact, own bool) error {
	var errs []error
	if there && !was.Empty {
		errs = append(errs, tx.Delete(store.ContactContentKey(was.Tenant, tx.Digest(was.digest()), was.ID)))
	}
	errs = append(errs, putContact(tx, next), im.raise(tx, "contact", next.ID), im.raise(tx, "handle", Number(next.Handle)))
	if own {
		errs = append(errs, tx.Put(store.OwnKey(next.Tenant), []byte(next.Handle)))
	}
	return errors.Join(errs...)
}

// raise has a counter give out only numbers above an imported one, and above the
// floor: what a backup that is taken into use leaves out is counted from there.
func (im *importer) raise(tx *store.Tx, counter string, imported int64) error {
	return tx.RaiseID(counter, max(imported, im.b.floor(counter)-1))
}

func (b *Book) floor(counter string) int64 {
	if counter == "handle" {
		return b.floors.Handle
	}
	return b.floors.ID
}

// differing names the fields in which two contacts differ, never their values.
func differing(a, b *Fields) []string {
	members := func(f *Fields) (m map[string]json.RawMessage) {
		raw, err := json.Marshal(f)
		if err == nil {
			err = json.Unmarshal(raw, &m)
		}
		if err != nil {
			panic(fmt.Sprintf("the fields of a contact are no JSON: %v", err)) // a bug: they are texts, numbers and maps
		}
		return m
	}
	ma, mb := members(a), members(b)
	var names []string
	for _, m := range []map[string]json.RawMessage{ma, mb} {
		for name := range m {
			if string(ma[name]) != string(mb[name]) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// domain brings in a domain's id and the handles of its roles. A role that is ""
// stays as it is.
func (im *importer) domain(tx *store.Tx, e *Entry) (Outcome, error) {
	var was Domain
	if _, err := store.GetJSON(tx, store.DomainKey(e.Tenant, e.FQDN), &was); err != nil {
		return Outcome{}, err
	}
	var key domainKey
	taken, err := store.GetJSON(tx, store.DomainIDKey(e.ID), &key)
	if err != nil {
		return Outcome{}, err
	}
	renumber := was.ID != 0 && e.ID != 0 && e.ID != was.ID
	switch {
	case e.ID != 0 && e.ID != was.ID && taken:
		return refused("the id %d is %s's here", e.ID, key.FQDN)
	case renumber && !im.Overwrite:
		return refused("it has the id %d here and %d there; --overwrite replaces it", was.ID, e.ID)
	}
	why, change := "", Roles{}
	next := was.Roles
	err = next.each(func(role string, handle *string) error {
		to := e.Roles.Of(role)
		if to == "" || to == *handle {
			return nil
		}
		var c Contact
		known, err := store.GetJSON(tx, store.ContactKey(to), &c)
		switch {
		case !known && !im.assumed[to], known && c.Tenant != e.Tenant:
			why = cmp.Or(why, fmt.Sprintf("its %s %s is no contact of the tenant here", role, to))
		case *handle != "" && !im.Overwrite:
			why = cmp.Or(why, fmt.Sprintf("its %s is %s here and %s there; --overwrite replaces it", role, *handle, to))
		}
		*handle = to
		change.set(role, to)
		return err
	})
	if err != nil {
		return Outcome{}, err
	}
	if why != "" {
		return refused("%s", why)
	}
	o := Outcome{State: Replaced, Whole: next.Owner != "" && next.Admin != "" && next.Bill != "" && next.Tech != ""}
	if was.ID == 0 {
		o.State = Added
	} else if !renumber && change == (Roles{}) {
		o.State = Equal
		return o, nil
	}
	if im.DryRun {
		return o, nil // its handles may be assumed ones
	}
	return o, im.putDomain(tx, e, was, change)
}

func (im *importer) putDomain(tx *store.Tx, e *Entry, was Domain, change Roles) error {
	if id := e.ID; id != 0 && id != was.ID {
		var err error
		if was.ID != 0 {
			err = tx.Delete(store.DomainIDKey(was.ID))
		}
		was.ID = id
		err = errors.Join(err, store.PutJSON(tx, store.DomainKey(e.Tenant, e.FQDN), was),
			store.PutJSON(tx, store.DomainIDKey(id), domainKey{e.Tenant, e.FQDN}), im.raise(tx, "domain", id))
		if err != nil {
			return err
		}
	}
	if change == (Roles{}) {
		_, err := im.b.domain(tx, e.Tenant, e.FQDN) // mints the id of one that came without
		return err
	}
	return im.b.SetRoles(tx, e.Tenant, e.FQDN, change, nil)
}

// shown names the contacts of a domain that v5 shows. A role that has a handle keeps
// it: the reading does not say whether it is older than that.
func (im *importer) shown(tx *store.Tx, e *Entry, contacts Shown) (Outcome, error) {
	var was Domain
	there, err := store.GetJSON(tx, store.DomainKey(e.Tenant, e.FQDN), &was)
	if err != nil {
		return Outcome{}, err
	}
	before := tx.LastID("contact")
	is, _, err := im.b.recognise(tx, &Reading{Tenant: e.Tenant, FQDN: e.FQDN, Shown: contacts, Changes: -1})
	o := Outcome{State: Equal, Whole: is.Roles.Owner != "" && is.Roles.Admin != "" && is.Roles.Bill != "" && is.Roles.Tech != ""}
	if after := tx.LastID("contact"); after > before {
		o.Minted = int(after - max(before, im.b.floors.ID-1))
	}
	switch {
	case !there:
		o.State = Added
	case was.Roles != is.Roles:
		o.State = Replaced
	}
	return o, err
}

// Export gives all contacts, then all domains, then the counters, each in order of
// their keys and as of one moment. fn must not keep what it gets.
func (b *Book) Export(fn func(*Entry) error) error {
	return b.db.View(func(tx *store.Tx) error {
		last := map[string]int64{}
		for name := range counters {
			last[name] = tx.LastID(name)
		}
		err := tx.Scan(store.ContactsPrefix(), func(_, value []byte) error {
			var c Contact
			if err := json.Unmarshal(value, &c); err != nil {
				return fmt.Errorf("export contact: %w", err)
			}
			last["handle"], last["contact"] = max(last["handle"], Number(c.Handle), 1), max(last["contact"], c.ID)
			return fn(&Entry{Tenant: c.Tenant, Handle: c.Handle, ID: c.ID, Created: &c.Created, Empty: c.Empty,
				Own: string(tx.Get(store.OwnKey(c.Tenant))) == c.Handle, Version: c.Version, Shown: c.Shown, Fields: c.Fields})
		})
		if err != nil {
			return err
		}
		err = tx.Scan(store.DomainsPrefix(), func(key, value []byte) error {
			var d Domain
			if err := json.Unmarshal(value, &d); err != nil {
				return fmt.Errorf("export domain: %w", err)
			}
			parts := store.KeyStrings(key)
			last["domain"] = max(last["domain"], d.ID)
			return fn(&Entry{Tenant: parts[1], FQDN: parts[2], ID: d.ID, Roles: b.Present(tx, d.Roles)})
		})
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(last)) {
			if last[name] == 0 {
				continue
			}
			if err := fn(&Entry{Counter: name, ID: max(last[name], b.floor(name)-1)}); err != nil {
				return err
			}
		}
		return nil
	})
}
