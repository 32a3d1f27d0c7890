package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// someContact, someDomain and someOperation stand for the records of the
// packages that own them.
type (
	someContact struct {
		ID                     int64
		Handle, Tenant, Digest string
	}
	someDomain struct {
		ID    int64
		Roles map[string]string
	}
	someOperation OperationRecord
)

func someRecords() Records {
	return Records{
		Contact: func(v []byte) (ContactRecord, error) {
			var c someContact
			err := json.Unmarshal(v, &c)
			return ContactRecord(c), err
		},
		Domain: func(v []byte) (DomainRecord, error) {
			var d someDomain
			err := json.Unmarshal(v, &d)
			return DomainRecord(d), err
		},
		DomainID: func(v []byte) (tenant, fqdn string, err error) {
			var k [2]string
			err = json.Unmarshal(v, &k)
			return k[0], k[1], err
		},
		Operation: func(v []byte) (OperationRecord, error) {
			var o someOperation
			err := json.Unmarshal(v, &o)
			return OperationRecord(o), err
		},
		Zone: func(v []byte) (z ZoneRecord, err error) {
			err = json.Unmarshal(v, &z)
			return z, err
		},
		ZonePages: func(v []byte) (pages []int64, err error) {
			err = json.Unmarshal(v, &pages)
			return pages, err
		},
		ZoneLink: func(v []byte) (zone int64, err error) {
			err = json.Unmarshal(v, &zone)
			return zone, err
		},
	}
}

func putSome(tx *Tx, c someContact) error {
	content := func() error {
		if c.Digest == "" {
			return nil
		}
		return tx.Put(ContactContentKey(c.Tenant, tx.Digest(c.Digest), c.ID), []byte(c.Handle))
	}
	return errors.Join(PutJSON(tx, ContactKey(c.Handle), c), tx.Put(ContactIDKey(c.ID), []byte(c.Handle)),
		tx.Put(ContactTenantKey(c.Tenant, c.ID), []byte(c.Handle)), content())
}

// populate writes a store in which everything leads where it should. n is how
// many contacts there are besides.
func populate(t *testing.T, db *DB, n int) {
	t.Helper()
	err := db.Update(func(tx *Tx) error {
		errs := []error{
			putSome(tx, someContact{1, "AB1-GANDI", "acme", "Zebulon"}),
			putSome(tx, someContact{2, "AB2-GANDI", "acme", "Zebulon"}),
			putSome(tx, someContact{3, "AB3-GANDI", "acme", ""}),
			PutJSON(tx, SeenKey("acme", "a.net"), "Zebulon"),
			tx.Put(OwnKey("acme"), []byte("AB3-GANDI")),
			PutJSON(tx, DomainKey("acme", "a.net"), someDomain{9, map[string]string{"owner": "AB1-GANDI", "tech": "AB2-GANDI"}}),
			PutJSON(tx, DomainIDKey(9), [2]string{"acme", "a.net"}),
			tx.Put(UsesKey("AB1-GANDI", "acme", "a.net", "owner"), nil), tx.Put(UsesKey("AB2-GANDI", "acme", "a.net", "tech"), nil),
			PutJSON(tx, OpKey(20), someOperation{ID: 20, Tenant: "acme", FQDN: "a.net", AtEnd: true, Once: "2030", Spent: true}),
			PutJSON(tx, OpKey(21), someOperation{ID: 21, Tenant: "acme", FQDN: "b.net", Guards: true}),
			PutJSON(tx, OpKey(22), someOperation{ID: 22, Tenant: "acme", List: "dns", Lists: true, Places: 2}),
			tx.Put(OpTenantKey("acme", 20), nil), tx.Put(OpTenantKey("acme", 21), nil), tx.Put(OpTenantKey("acme", 22), nil),
			tx.Put(OpOpenKey(21), nil), tx.Put(OpOpenKey(22), nil),
			tx.Put(OpAboutKey("acme", "b.net", 21), nil), tx.Put(OpAboutKey("acme", "", 22), nil),
			PutID(tx, OpGuardKey("b.net"), 21), PutID(tx, OpOnceKey("a.net", "2030"), 20),
			PutID(tx, OpOnceKey("gone.net", "2030"), 5), // pruned
			PutID(tx, OpListKey("acme", "dns"), 22), tx.Put(OpItemKey(22, 1), []byte("{}")), tx.Put(OpItemKey(22, 2), []byte("{}")),
			PutID(tx, Key(kindCounter, "contact"), int64(100+n)), PutID(tx, Key(kindCounter, "operation"), 22),
			PutJSON(tx, ZoneKey(30), ZoneRecord{30, "acme", 1, 2}), tx.Put(ZoneTenantKey("acme", 30), nil),
			PutJSON(tx, ZoneVersionKey(30, 1), []int64{1}), PutJSON(tx, ZoneVersionKey(30, 2), []int64{1, 2}),
			tx.Put(ZonePageKey(30, 1), []byte("[]")), tx.Put(ZonePageKey(30, 2), []byte("[]")),
			PutJSON(tx, ZoneLinkKey("acme", "a.net"), 30), tx.Put(ZoneDomainKey("acme", 30, "a.net"), nil),
		}
		for i := range int64(n) {
			c := someContact{100 + i, fmt.Sprintf("XY%d-GANDI", i), "acme", fmt.Sprint("Quackenbush ", i)}
			errs = append(errs, putSome(tx, c))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checked(t *testing.T, db *DB, quick bool) []string {
	t.Helper()
	r, err := db.Check(t.Context(), someRecords(), true, quick)
	if err != nil {
		t.Fatal(err)
	}
	found := []string{}
	for _, i := range r.Found {
		found = append(found, i.String())
	}
	if r.Wrong != len(found) {
		t.Errorf("%d are counted and %d listed", r.Wrong, len(found))
	}
	return found
}

func TestCheckFindsNothingWrongWithASoundStore(t *testing.T) {
	for _, ring := range []*Ring{nil, NewRing(sealKey(t, 1))} {
		db := open(t, WithKeys(ring))
		populate(t, db, 50)
		if found := append(checked(t, db, false), checked(t, db, true)...); len(found) > 0 {
			t.Errorf("sealed %t: %q", ring != nil, found)
		}
		r, err := db.Check(t.Context(), someRecords(), true, false)
		if err != nil || !r.Pages || r.Unread || r.Keys[kindContact] != 53 || r.Keys[kindOpOnce] != 2 {
			t.Errorf("%+v, %v", r, err)
		}
	}
}

// harm breaks one thing behind the store's back; want are the lines that check
// then says.
type harm struct {
	do   func(*Tx) error
	want string
}

func harms() []harm {
	put := func(key []byte, value any) func(*Tx) error {
		return func(tx *Tx) error { return PutJSON(tx, key, value) }
	}
	text := func(key []byte, value string) func(*Tx) error {
		return func(tx *Tx) error { return tx.Put(key, []byte(value)) }
	}
	id := func(key []byte, n int64) func(*Tx) error { return func(tx *Tx) error { return PutID(tx, key, n) } }
	gone := func(key []byte) func(*Tx) error { return func(tx *Tx) error { return tx.Delete(key) } }
	op := someOperation{ID: 20, Tenant: "acme", FQDN: "a.net", AtEnd: true, Once: "2030", Spent: true}
	return []harm{
		{gone(ContactKey("AB1-GANDI")), "contact-content acme Zebulon 1: contact AB1-GANDI is not there\n" +
			"contact-id 1: contact AB1-GANDI is not there\ncontact-tenant acme 1: contact AB1-GANDI is not there\n" +
			"uses AB1-GANDI acme a.net owner: contact AB1-GANDI is not there"},
		{gone(SeenKey("b c", "a.net")), ""},
		{text(SeenKey("acme", "b.net"), ""), "seen acme b.net: domain acme b.net is not there"},
		{gone(ContactTenantKey("acme", 2)), "contact AB2-GANDI: contact-tenant acme 2 is missing"},
		{text(ContactTenantKey("acme", 7), "AB2-GANDI"), "contact-tenant acme 7: contact AB2-GANDI has the id 2"},
		{text(ContactTenantKey("z", 2), "AB2-GANDI"), "contact-tenant z 2: contact AB2-GANDI is tenant acme's"},
		{gone(ContactKey("AB3-GANDI")), "contact-id 3: contact AB3-GANDI is not there\ncontact-tenant acme 3: contact AB3-GANDI is not there\nown acme: contact AB3-GANDI is not there"},
		{gone(ContactIDKey(2)), "contact AB2-GANDI: contact-id 2 is missing"},
		{text(ContactIDKey(2), "AB1-GANDI"), "contact AB2-GANDI: contact-id 2 leads to AB1-GANDI\ncontact-id 2: contact AB1-GANDI has the id 1"},
		{gone(ContactContentKey("acme", "Zebulon", 1)), "contact AB1-GANDI: contact-content acme Zebulon 1 is missing"},
		{text(ContactContentKey("acme", "Zebulon", 1), "AB3-GANDI"), "contact AB1-GANDI: contact-content acme Zebulon 1 leads to AB3-GANDI\n" +
			"contact-content acme Zebulon 1: contact AB3-GANDI has the id 3"},
		{text(ContactContentKey("acme", "Zebulon", 3), "AB3-GANDI"), "contact-content acme Zebulon 3: contact AB3-GANDI has other content"},
		{text(ContactContentKey("b c", "Zebulon", 1), "AB1-GANDI"), `contact-content "b c" Zebulon 1: contact AB1-GANDI is tenant acme's`},
		{put(ContactKey("AB3-GANDI"), someContact{3, "AB9-GANDI", "acme", ""}), "contact AB3-GANDI: its value is that of AB9-GANDI"},
		{text(ContactKey("AB3-GANDI"), "{"), "contact AB3-GANDI: its value cannot be read: unexpected end of JSON input"},
		{gone(DomainKey("acme", "a.net")), "domain-id 9: domain acme a.net is not there\nseen acme a.net: domain acme a.net is not there\n" +
			"uses AB1-GANDI acme a.net owner: domain acme a.net is not there\nuses AB2-GANDI acme a.net tech: domain acme a.net is not there"},
		{gone(DomainIDKey(9)), "domain acme a.net: domain-id 9 is missing"},
		{put(DomainIDKey(9), [2]string{"acme", "z.net"}), "domain acme a.net: domain-id 9 leads to z.net of tenant acme\ndomain-id 9: domain acme z.net is not there"},
		{put(DomainIDKey(8), [2]string{"acme", "a.net"}), "domain-id 8: domain a.net has the id 9"},
		{text(DomainIDKey(8), "?"), "domain-id 8: its value cannot be read: invalid character '?' looking for beginning of value"},
		{gone(UsesKey("AB2-GANDI", "acme", "a.net", "tech")), "domain acme a.net: uses AB2-GANDI acme a.net tech is missing"},
		{text(UsesKey("AB3-GANDI", "acme", "a.net", "bill"), ""), `uses AB3-GANDI acme a.net bill: the domain's bill is ""`},
		{gone(OpAboutKey("acme", "b.net", 21)), "op 21: op-about acme b.net 21 is missing, and it is not at its end"},
		{text(OpAboutKey("acme", "a.net", 20), ""), "op-about acme a.net 20: the operation is at its end"},
		{text(OpAboutKey("acme", "a.net", 21), ""), "op-about acme a.net 21: the operation is about b.net of tenant acme"},
		{gone(OpKey(21)), "op-about acme b.net 21: op 21 is not there\nop-guard b.net: op 21 is not there\nop-open 21: op 21 is not there\nop-tenant acme 21: op 21 is not there"},
		{gone(OpKey(22)), "op-about acme \"\" 22: op 22 is not there\nop-item 22 1: op 22 is not there\nop-item 22 2: op 22 is not there\nop-list acme dns: op 22 is not there\n" +
			"op-open 22: op 22 is not there\nop-tenant acme 22: op 22 is not there"},
		{put(OpKey(20), someOperation{ID: 30}), "op 20: its value is that of operation 30\nop-once a.net 2030: operation 20 is about \"\" \"\"\n" +
			`op-tenant acme 20: the operation is tenant ""'s`},
		{gone(OpTenantKey("acme", 20)), "op 20: op-tenant acme 20 is missing"},
		{text(OpTenantKey("other", 20), ""), "op-tenant other 20: the operation is tenant acme's"},
		{gone(OpOpenKey(21)), "op 21: op-open 21 is missing, and it is not at its end"},
		{text(OpOpenKey(20), ""), "op-open 20: the operation is at its end"},
		{gone(OpGuardKey("b.net")), "op 21: op-guard b.net is missing: nothing keeps another purchase off the name"},
		{id(OpGuardKey("c.net"), 21), "op-guard c.net: operation 21 is about b.net"},
		{id(OpGuardKey("a.net"), 20), "op-guard a.net: operation 20 need not hold the name any more"},
		{gone(OpOnceKey("a.net", "2030")), "op 20: op-once a.net 2030 is missing: nothing keeps it from being done again"},
		{id(OpOnceKey("a.net", "2031"), 20), "op-once a.net 2031: operation 20 is about a.net 2030"},
		{func(tx *Tx) error { o := op; o.Spent = false; return PutJSON(tx, OpKey(20), o) }, "op-once a.net 2030: operation 20 did not do it"},
		{gone(OpListKey("acme", "dns")), "op 22: op-list acme dns is missing"},
		{id(OpListKey("acme", "zone"), 22), "op-list acme zone: operation 22 is at work on list dns of tenant acme"},
		{text(OpItemKey(22, 3), "{}"), "op-item 22 3: the work list of the operation ends at place 2"},
		{id(Key(kindCounter, "operation"), 21), "counter operation: gave out 21 last, but there is op 22, which will be given out again"},
		{text(Key(kindCounter, "session"), "7"), "counter session: its value is not a number"},
		{text(Key(kindMeta, "schema"), "7"), `meta schema: is "7"; this program knows 2, so the rest of this check may be wrong`},
		{gone(ZoneKey(30)), "zone-page 30 1: zone 30 is not there\nzone-page 30 2: zone 30 is not there\nzone-tenant acme 30: zone 30 is not there\n" +
			"zone-version 30 1: zone 30 is not there\nzone-version 30 2: zone 30 is not there"},
		{gone(ZoneTenantKey("acme", 30)), "zone 30: zone-tenant acme 30 is missing"},
		{text(ZoneTenantKey("other", 30), ""), "zone-tenant other 30: the zone is tenant acme's"},
		{gone(ZoneVersionKey(30, 1)), "zone 30: zone-version 30 1 is missing, and it is the active one"},
		{gone(ZoneVersionKey(30, 2)), "zone-page 30 2: no version has it"},
		{gone(ZonePageKey(30, 2)), "zone-version 30 2: zone-page 30 2 is missing"},
		{text(ZonePageKey(30, 3), "[]"), "zone-page 30 3: no version has it"},
		{put(ZoneKey(30), ZoneRecord{30, "acme", 1, 1}), "zone-page 30 2: the pages of the zone end at 1, so it will be given out again"},
		{put(ZoneKey(30), ZoneRecord{31, "acme", 1, 2}), "zone 30: its value is that of zone 31"},
		{text(ZoneVersionKey(30, 3), "?"), "zone-version 30 3: its value cannot be read: invalid character '?' looking for beginning of value"},
		{gone(ZoneDomainKey("acme", 30, "a.net")), "zone-link acme a.net: zone-domain acme 30 a.net is missing"},
		{gone(ZoneLinkKey("acme", "a.net")), "zone-domain acme 30 a.net: zone-link acme a.net is not there"},
		{text(ZoneDomainKey("acme", 31, "a.net"), ""), "zone-domain acme 31 a.net: the domain's zone is 30"},
		{id(Key(kindCounter, "zone"), 29), "counter zone: gave out 29 last, but there is zone 30, which will be given out again"},
		{text(Key(kindMeta, "x"), ""), "meta x: no such name is in the layout"},
		{text(Key("zones", int64(1)), ""), `"zones\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01": no such key is in the layout`},
		{text(append(OpOpenKey(22), 1), ""), `"op-open\x00\x01\x00\x00\x00\x00\x00\x00\x00\x16\x01": no such key is in the layout`},
	}
}

func TestCheckFindsEachInconsistency(t *testing.T) {
	for _, c := range harms() {
		db := open(t)
		populate(t, db, 0)
		if err := db.Update(c.do); err != nil {
			t.Fatal(err)
		}
		found := checked(t, db, false)
		slices.Sort(found)
		if got := strings.Join(found, "\n"); got != c.want {
			t.Errorf("found\n%s\nwant\n%s", got, c.want)
		}
	}
}

func TestTheQuickCheckIsOfWhatIsOpen(t *testing.T) {
	db := open(t)
	populate(t, db, 10)
	err := db.Update(func(tx *Tx) error {
		return errors.Join(tx.Delete(OpKey(21)), tx.Delete(ContactIDKey(1)), PutID(tx, Key(kindCounter, "contact"), 5))
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"counter contact: gave out 5 last, but there is contact-id 109, which will be given out again",
		"op-guard b.net: op 21 is not there", "op-open 21: op 21 is not there"}
	found := checked(t, db, true)
	if slices.Sort(found); !slices.Equal(found, want) {
		t.Errorf("found %q", found)
	}
}

func TestASealedStoreIsCheckedWithoutItsKeyAsFarAsThatGoes(t *testing.T) {
	db := open(t, WithKeys(NewRing(sealKey(t, 1))))
	populate(t, db, 10)
	if err := db.Update(func(tx *Tx) error { return errors.Join(tx.Delete(ContactKey("XY3-GANDI")), tx.Delete(OpOpenKey(21))) }); err != nil {
		t.Fatal(err)
	}
	raw(t, db, func(b *bbolt.Bucket) error { return b.Put(OpItemKey(22, 1), []byte("{}")) })
	if found := checked(t, db, false); len(found) != 5 || !slices.ContainsFunc(found, func(s string) bool { return strings.HasPrefix(s, "op-item 22 1: ") }) {
		t.Errorf("with the key: %q", found)
	}
	db.Close()
	blind, err := Inspect(db.Path(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer blind.Close()
	r, err := blind.Check(t.Context(), someRecords(), true, false)
	if err != nil || !r.Unread || !r.Pages || r.Wrong != 3 {
		t.Errorf("without: %+v, %v", r, err)
	}
	if id, newest := blind.SealedWith(); id != sealKey(t, 1).ID() || newest {
		t.Errorf("sealed with %s, %t", id, newest)
	}
}

func TestCheckEndsWithItsContext(t *testing.T) {
	db := open(t)
	populate(t, db, 2000)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := db.Check(ctx, someRecords(), true, false); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// A file with noise in it is told from a sound one, or its noise did no harm;
// never does it end the process.
func TestADamagedFileIsAnErrorAndNoCrash(t *testing.T) {
	db := open(t)
	populate(t, db, 400)
	db.Close()
	if _, err := Compact(t.Context(), db.Path(), time.Second); err != nil { // no free pages, which bear noise well
		t.Fatal(err)
	}
	sound, err := os.ReadFile(db.Path())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "damaged.db")
	told := 0
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 0))
		damaged := slices.Clone(sound)
		switch at := rng.IntN(len(damaged)); seed % 4 {
		case 0: // cut
			damaged = damaged[:at]
		case 1: // a page of noise
			page := at / os.Getpagesize() * os.Getpagesize()
			for i := page; i < min(page+os.Getpagesize(), len(damaged)); i++ {
				damaged[i] = byte(rng.Uint32())
			}
		case 2: // the head of a page
			page := at / os.Getpagesize() * os.Getpagesize()
			for i := page; i < min(page+64, len(damaged)); i++ {
				damaged[i] = byte(rng.Uint32())
			}
		case 3: // a page over another
			from, to := rng.IntN(len(sound)/os.Getpagesize()), at/os.Getpagesize()
			copy(damaged[to*os.Getpagesize():], sound[from*os.Getpagesize():][:os.Getpagesize()])
		}
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := Inspect(path, time.Second)
		if err != nil {
			told++
			continue
		}
		r, err := db.Check(t.Context(), someRecords(), true, false)
		if err != nil || r.Wrong > 0 {
			told++
		}
		db.Close()
	}
	if told < 180 {
		t.Errorf("only %d of 200 damaged files were told", told)
	}
}

func TestInspectWritesAndMakesNothing(t *testing.T) {
	db := open(t)
	populate(t, db, 3)
	db.Close()
	before, err := os.ReadFile(db.Path())
	if err != nil {
		t.Fatal(err)
	}
	one, err := Inspect(db.Path(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Inspect(db.Path(), time.Second)
	if err != nil {
		t.Fatalf("a second one at a time: %v", err)
	}
	if err := one.Update(putN(1)); err == nil {
		t.Error("it was written to")
	}
	if _, err := Open(db.Path(), 10*time.Millisecond); !errors.Is(err, ErrHeld) {
		t.Errorf("it was opened meanwhile: %v", err)
	}
	one.Close()
	two.Close()
	if after, err := os.ReadFile(db.Path()); err != nil || !slices.Equal(before, after) {
		t.Errorf("the file changed (%v)", err)
	}
	absent := filepath.Join(t.TempDir(), "absent.db")
	if _, err := Inspect(absent, time.Second); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
	if _, err := os.Stat(absent); err == nil {
		t.Error("it was made")
	}
}

// Whoever adds a kind of key tells the check of it.
func TestEveryKindOfTheLayoutIsChecked(t *testing.T) {
	text, err := os.ReadFile("layout.go")
	if err != nil {
		t.Fatal(err)
	}
	drawn := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^//\t([a-z-]+) +[<"]`).FindAllStringSubmatch(string(text), -1) {
		drawn[m[1]] = true
	}
	for kind := range drawn {
		if shapes[kind] == "" || checks[kind] == nil {
			t.Errorf("check_keys.go and check.go do not know %s", kind)
		}
	}
	if len(drawn) != len(shapes) || len(checks) != len(shapes) {
		t.Errorf("%d kinds are drawn, %d have a shape, %d a check", len(drawn), len(shapes), len(checks))
	}
}
