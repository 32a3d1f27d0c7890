package handles

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"v3gate/internal/store"
	"v3gate/internal/v5"
)

// recognise is a reading that is as new as can be.
func recognise(t *testing.T, b *Book, tenant, fqdn string, shown v5.Contacts) Domain {
	t.Helper()
	d, _ := reading(t, b, tenant, fqdn, shown, false)
	return d
}

func reading(t *testing.T, b *Book, tenant, fqdn string, shown v5.Contacts, busy bool) (Domain, int) {
	t.Helper()
	n, err := b.Changes(tenant, fqdn)
	if err != nil {
		t.Fatal(err)
	}
	d, drifted, err := b.Recognise(Reading{Tenant: tenant, FQDN: fqdn, Shown: shown, Changes: n,
		Busy: func(*store.Tx) (bool, error) { return busy, nil }})
	if err != nil {
		t.Fatal(err)
	}
	return d, drifted
}

// as is what v5 makes of a contact, in all roles: it normalises more than this
// gateway knows how to even out.
func as(c Contact, street string) v5.Contacts {
	shown := c.Expand().Contact
	shown.City, shown.State = strings.ToUpper(shown.City), "FR-IDF"
	if street != "" {
		shown.StreetAddr = street
	}
	return v5.Contacts{Owner: &shown, Admin: &shown, Bill: &shown, Tech: &shown}
}

func inTx(t *testing.T, b *Book, fn func(*store.Tx) error) {
	t.Helper()
	if err := b.db.Update(fn); err != nil {
		t.Fatal(err)
	}
}

func give(t *testing.T, b *Book, fqdn string, c Contact) {
	t.Helper()
	roles := Roles{Owner: c.Handle, Admin: c.Handle, Bill: c.Handle, Tech: c.Handle}
	inTx(t, b, func(tx *store.Tx) error {
		return b.SetRoles(tx, "a", fqdn, roles, map[string]int64{c.Handle: c.Version})
	})
}

func change(t *testing.T, b *Book, c *Contact, fn func(*Fields)) {
	t.Helper()
	inTx(t, b, func(tx *store.Tx) (err error) {
		_, *c, err = b.Change(tx, c.Tenant, c.Handle, fn)
		return err
	})
}

// Whatever v5 makes of what it was given is the form of it, and only another form
// is drift: then the role gets another handle, and other domains keep theirs.
func TestDriftIsAnotherFormThanV5sOwn(t *testing.T) {
	b := newBook(t)
	c, _ := b.Create("a", faq())
	give(t, b, "x.net", c)
	give(t, b, "y.net", c)
	normal := as(c, "My Street Addr.")
	for range 3 {
		for _, fqdn := range []string{"x.net", "y.net"} {
			if d, drifted := reading(t, b, "a", fqdn, normal, false); drifted != 0 || d.Roles.Tech != c.Handle {
				t.Fatalf("v5's form of %s is taken for drift: %+v", fqdn, d.Roles)
			}
		}
	}
	moved := normal
	stranger := *normal.Tech
	stranger.Email = "other@example.org"
	moved.Tech = &stranger
	first, drifted := reading(t, b, "a", "x.net", moved, false)
	if drifted != 1 || first.Roles.Tech == c.Handle || first.Roles.Owner != c.Handle {
		t.Fatalf("%d drifted: %+v", drifted, first.Roles)
	}
	if again, n := reading(t, b, "a", "x.net", moved, false); n != 0 || again != first {
		t.Errorf("the second reading: %d, %+v", n, again)
	}
	if d, n := reading(t, b, "a", "y.net", normal, false); n != 0 || d.Roles.Tech != c.Handle {
		t.Errorf("the other domain: %d, %+v", n, d.Roles)
	}
	// Equal content elsewhere is the same new handle.
	if d, n := reading(t, b, "a", "y.net", moved, false); n != 1 || d.Roles.Tech != first.Roles.Tech {
		t.Errorf("equal drift: %d, %+v", n, d.Roles)
	}
	inTx(t, b, func(tx *store.Tx) error {
		var uses []string
		err := b.EachUse(tx, "a", c.Handle, func(fqdn, role string) error { uses = append(uses, fqdn+" "+role); return nil })
		if got := fmt.Sprint(uses); got != "[x.net admin x.net bill x.net owner y.net admin y.net bill y.net owner]" {
			t.Errorf("uses %s", got)
		}
		return err
	})
}

// While somebody is about to change what v5 shows, nothing proves drift.
func TestNoDriftWhileAChangeIsOnItsWay(t *testing.T) {
	b := newBook(t)
	c, _ := b.Create("a", faq())
	give(t, b, "x.net", c)
	old := as(c, "")
	reading(t, b, "a", "x.net", old, false)
	before, _ := b.Changes("a", "x.net")
	change(t, b, &c, func(f *Fields) { f.StreetAddr = "elsewhere" })
	list := store.OpListKey("a", UpdateList(c.Handle))
	inTx(t, b, func(tx *store.Tx) error { return store.PutID(tx, list, 7) })
	fresh := as(c, "Elsewhere Road")
	for _, shown := range []v5.Contacts{old, fresh, as(c, ""), old} {
		if d, n := reading(t, b, "a", "x.net", shown, false); n != 0 || d.Roles.Tech != c.Handle {
			t.Fatalf("%d drifted: %+v", n, d.Roles)
		}
	}
	forms := map[string]string{}
	for _, role := range []string{"owner", "admin", "bill", "tech"} {
		forms[role] = fresh.Tech.Digest()
	}
	inTx(t, b, func(tx *store.Tx) error {
		return errors.Join(b.Sent(tx, "a", "x.net", &c, forms), tx.Delete(list))
	})
	// A reading that began before the change says nothing.
	late := Reading{Tenant: "a", FQDN: "x.net", Shown: old, Changes: before}
	if d, n, err := b.Recognise(late); n != 0 || err != nil || d.Roles.Tech != c.Handle {
		t.Errorf("an old reading: %d, %v, %+v", n, err, d.Roles)
	}
	if d, n := reading(t, b, "a", "x.net", fresh, false); n != 0 || d.Roles.Tech != c.Handle {
		t.Errorf("the settled form: %d, %+v", n, d.Roles)
	}
	// An operation on the domain itself.
	if d, n := reading(t, b, "a", "x.net", old, true); n != 0 || d.Roles.Tech != c.Handle {
		t.Errorf("while an operation runs: %d, %+v", n, d.Roles)
	}
	if _, n := reading(t, b, "a", "x.net", old, false); n != 4 {
		t.Errorf("%d drifted in the end, want 4", n)
	}
}

func TestTheOldestOfEqualContactsIsFound(t *testing.T) {
	b := newBook(t)
	first, _ := b.Create("a", faq())
	second, _ := b.Create("a", faq())
	third, _ := b.Create("a", faq())
	shown := as(first, "")
	if d := recognise(t, b, "a", "x.net", shown); d.Roles.Owner != first.Handle {
		t.Errorf("%s, want the oldest", d.Roles.Owner)
	}
	change(t, b, &first, func(f *Fields) { f.City = "Lyon" })
	if d := recognise(t, b, "a", "y.net", shown); d.Roles.Owner != second.Handle {
		t.Errorf("%s, want the second", d.Roles.Owner)
	}
	if err := b.Forget("a", "y.net"); err != nil {
		t.Fatal(err)
	}
	if err := b.Delete("a", second.Handle, func(*store.Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if d := recognise(t, b, "a", "z.net", shown); d.Roles.Owner != third.Handle {
		t.Errorf("%s, want the third", d.Roles.Owner)
	}
	change(t, b, &first, func(f *Fields) { f.City = "Paris" })
	if d := recognise(t, b, "a", "w.net", shown); d.Roles.Owner != first.Handle {
		t.Errorf("%s, want the first again", d.Roles.Owner)
	}
}

// One handle for equal content, however many callers see it first, and whatever
// v5 writes that the gateway would write otherwise.
func TestAHandleIsMintedOnce(t *testing.T) {
	b := newBook(t)
	shown := v5.Contacts{Owner: &v5.Contact{Type: "individual", Given: "A", Family: "B", Email: "a@b", Country: "RE", Phone: "+262.262123456"}}
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() { recognise(t, b, "a", fmt.Sprintf("d%d.net", i%8), shown) })
	}
	wg.Wait()
	if n, _ := b.Count(); n != 1 {
		t.Errorf("%d contacts for one content", n)
	}
}

func TestChangeCountsWhatV5Gets(t *testing.T) {
	b := newBook(t)
	c, _ := b.Create("a", faq())
	change(t, b, &c, func(f *Fields) { f.VATNumber = "FR1" })
	if c.Version != 0 {
		t.Errorf("a field that v5 does not have: version %d", c.Version)
	}
	change(t, b, &c, func(f *Fields) { f.City = "Paris" })
	change(t, b, &c, func(f *Fields) { f.ExtraParameters = map[string]string{"birth_city": "Paris"} })
	change(t, b, &c, func(f *Fields) { f.ExtraParameters["birth_city"] = "Lyon" })
	if got, _ := b.Get("a", c.Handle); got.Version != 2 || c.ExtraParameters["birth_city"] != "Lyon" {
		t.Errorf("version %d, %v", got.Version, c.ExtraParameters)
	}
	give(t, b, "x.net", c)
	stale := func() (n int) {
		inTx(t, b, func(tx *store.Tx) error {
			return b.Stale(tx, &c, func(_, _ string, stale bool) error {
				if stale {
					n++
				}
				return nil
			})
		})
		return n
	}
	if n := stale(); n != 0 {
		t.Errorf("%d roles are stale", n)
	}
	change(t, b, &c, func(f *Fields) { f.City = "Lyon" })
	if n := stale(); n != 4 {
		t.Errorf("%d roles are stale after a change, want 4", n)
	}
	// A domain that was given what was before the change.
	inTx(t, b, func(tx *store.Tx) error {
		return b.SetRoles(tx, "a", "x.net", Roles{Tech: c.Handle, Owner: c.Handle}, map[string]int64{c.Handle: c.Version - 1})
	})
	if n := stale(); n != 4 {
		t.Errorf("%d roles are stale, want 4", n)
	}
	inTx(t, b, func(tx *store.Tx) error {
		_, _, err := b.Change(tx, "b", c.Handle, func(*Fields) {})
		if !errors.Is(err, ErrForeign) {
			t.Errorf("another tenant changes it: %v", err)
		}
		return nil
	})
}

func TestDelete(t *testing.T) {
	b := newBook(t)
	free := func(*store.Tx) error { return nil }
	c, _ := b.Create("a", faq())
	give(t, b, "x.net", c)
	var used *UsedError
	if err := b.Delete("a", c.Handle, free); !errors.As(err, &used) || used.FQDN != "x.net" {
		t.Errorf("in use: %v", err)
	}
	other, _ := b.Create("a", Fields{Given: "B", Family: "C"})
	give(t, b, "x.net", other)
	taken := errors.New("taken")
	if err := b.Delete("a", c.Handle, func(*store.Tx) error { return taken }); !errors.Is(err, taken) {
		t.Errorf("not free: %v", err)
	}
	if err := b.Delete("b", c.Handle, free); !errors.Is(err, ErrForeign) {
		t.Errorf("by another tenant: %v", err)
	}
	own, _ := b.Own("a", "")
	if err := b.Delete("a", own, free); !errors.Is(err, ErrOwn) {
		t.Errorf("the own contact: %v", err)
	}
	if err := b.Delete("a", c.Handle, free); err != nil {
		t.Fatal(err)
	}
	if err := b.Delete("a", c.Handle, free); !errors.Is(err, ErrUnknown) {
		t.Errorf("twice: %v", err)
	}
	if _, err := b.Ref("a", c.Handle); !errors.Is(err, ErrUnknown) {
		t.Errorf("it still has an id: %v", err)
	}
	inTx(t, b, func(tx *store.Tx) error {
		if r := b.Present(tx, Roles{Owner: c.Handle, Tech: other.Handle}); r != (Roles{Tech: other.Handle}) {
			t.Errorf("present: %+v", r)
		}
		return nil
	})
	var all []string
	err := b.All("a", true, func(c *Contact) error { all = append(all, c.Handle); return nil })
	if err != nil || fmt.Sprint(all) != "["+other.Handle+"]" {
		t.Errorf("left %v, %v", all, err)
	}
	r, err := b.db.Check(t.Context(), store.Records{Contact: ContactRecord, Domain: DomainRecord, DomainID: DomainOfID}, true, false)
	if err != nil || r.Wrong != 0 {
		t.Errorf("the store: %v, %v", r.Found, err)
	}
}
