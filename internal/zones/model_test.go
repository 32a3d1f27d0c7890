package zones

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"v3gate/internal/query"
	"v3gate/internal/store"
)

const acme, firstID = "acme", 1_000_000_000

func open(t testing.TB) (*Book, *store.DB) {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "store.db"), time.Second, store.RunTwice())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return New(db, firstID, func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }), db
}

// sound checks every index of the store.
func sound(t testing.TB, db *store.DB) {
	t.Helper()
	none := func([]byte) (string, string, error) { return "", "", nil }
	r, err := db.Check(context.Background(), store.Records{Zone: ZoneRecord, ZonePages: PagesOf, ZoneLink: ZoneOfLink, DomainID: none}, false, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range r.Found {
		t.Errorf("store: %s", found)
	}
}

// model is zones as maps.
type model struct {
	zones map[int64]*modelZone
}

type modelZone struct {
	name     string
	active   int64
	last     int64
	versions map[int64][]Record
}

func records(t testing.TB, options ...query.Option) *query.Query[Record] {
	t.Helper()
	q, err := ListOptions().Parse(options)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// player plays random calls on both.
type player struct {
	t  *testing.T
	r  *rand.Rand
	b  *Book
	db *store.DB
	m  model
}

func (p *player) record() Record {
	types := []string{"A", "TXT", "MX"}
	r := Record{Name: fmt.Sprintf("h%d", p.r.IntN(60)), Type: types[p.r.IntN(3)], TTL: 300 + p.r.Int64N(3)*100}
	switch r.Type {
	case "A":
		r.Value = fmt.Sprintf("192.0.2.%d", p.r.IntN(4))
	case "TXT":
		r.Value = fmt.Sprintf(`"text %d"`, p.r.IntN(4))
	case "MX":
		r.Value = fmt.Sprintf("10 mx%d", p.r.IntN(4))
	}
	return r
}

func (p *player) pick() (int64, *modelZone, int64) {
	var ids []int64
	for id := range p.m.zones {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	id := ids[p.r.IntN(len(ids))]
	z := p.m.zones[id]
	var versions []int64
	for n := range z.versions {
		versions = append(versions, n)
	}
	slices.Sort(versions)
	return id, z, versions[p.r.IntN(len(versions))]
}

func has(records []Record, r Record) bool {
	return slices.ContainsFunc(records, func(o Record) bool { return o.Name == r.Name && o.Type == r.Type && o.Value == r.Value })
}

func (p *player) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// edited makes a change of records.
func (p *player) edited(fn func(tx *store.Tx) (Edited, error)) (out Edited, err error) {
	err = p.db.Update(func(tx *store.Tx) (err error) { out, err = fn(tx); return err })
	return out, err
}

func is(err error, why Why) bool {
	var wrong *Error
	return errors.As(err, &wrong) && wrong.Why == why
}

func (p *player) step() {
	id, z, n := p.pick()
	switch what := p.r.IntN(100); {
	case what < 5:
		p.changeZones(id, z, n)
	case what < 12:
		made, err := p.b.NewVersion(acme, id, n)
		p.must(err)
		if z.last++; made != z.last {
			p.t.Fatalf("version %d, want %d", made, z.last)
		}
		z.versions[made] = slices.Clone(z.versions[n])
	case what < 18:
		err := p.b.DeleteVersion(acme, id, n)
		if n == z.active && !is(err, Attached) || n != z.active && err != nil {
			p.t.Fatalf("delete version %d of %d with %d active: %v", n, id, z.active, err)
		}
		if n != z.active {
			delete(z.versions, n)
		}
	default:
		p.changeRecords(what, id, z, n)
	}
}

func (p *player) changeZones(id int64, z *modelZone, n int64) {
	switch what := p.r.IntN(5); {
	case what < 2 && len(p.m.zones) < 6:
		made, err := p.b.Create(acme, "AD1-GANDI", "new")
		p.must(err)
		p.m.zones[made.ID] = &modelZone{name: "new", active: 1, last: 1, versions: map[int64][]Record{1: nil}}
	case what < 4 && len(p.m.zones) < 6:
		made, err := p.b.Clone(acme, "AD1-GANDI", id, n, "copy")
		p.must(err)
		p.m.zones[made.ID] = &modelZone{name: "copy", active: 1, last: 1, versions: map[int64][]Record{1: slices.Clone(z.versions[n])}}
	case what == 4 && len(p.m.zones) > 2:
		p.must(p.b.Delete(acme, id))
		delete(p.m.zones, id)
	}
}

func (p *player) changeRecords(what int, id int64, z *modelZone, n int64) {
	switch {
	case what < 60:
		r := p.record()
		_, err := p.edited(func(tx *store.Tx) (Edited, error) { return p.b.Add(tx, acme, id, n, r) })
		if has(z.versions[n], r) != is(err, Twice) {
			p.t.Fatalf("add %v: %v", r, err)
		}
		if err == nil {
			z.versions[n] = append(z.versions[n], r)
		}
	case what < 75 && len(z.versions[n]) > 0:
		p.update(id, z, n)
	case what < 90:
		name := fmt.Sprintf("h%d", p.r.IntN(60))
		out, err := p.edited(func(tx *store.Tx) (Edited, error) {
			return p.b.Remove(tx, acme, id, n, records(p.t, query.Option{Key: "name", Value: name}))
		})
		p.must(err)
		before := len(z.versions[n])
		z.versions[n] = slices.DeleteFunc(slices.Clone(z.versions[n]), func(o Record) bool { return o.Name == name })
		if out.Count != before-len(z.versions[n]) {
			p.t.Errorf("%d removed, want %d", out.Count, before-len(z.versions[n]))
		}
	default:
		var given []Record
		for range p.r.IntN(200) {
			if r := p.record(); !has(given, r) {
				given = append(given, r)
			}
		}
		_, err := p.edited(func(tx *store.Tx) (Edited, error) { return p.b.Set(tx, acme, id, n, given) })
		p.must(err)
		z.versions[n] = given
	}
}

func (p *player) update(id int64, z *modelZone, n int64) {
	list, err := p.b.Page(acme, id, n, records(p.t, query.Option{Key: "items_per_page", Value: int64(100000)}))
	p.must(err)
	old, r := list[p.r.IntN(len(list))], p.record()
	left := slices.DeleteFunc(slices.Clone(z.versions[n]), func(o Record) bool {
		return o.Name == old.Name && o.Type == old.Type && o.Value == old.Value
	})
	out, err := p.edited(func(tx *store.Tx) (Edited, error) {
		return p.b.Update(tx, acme, id, n, old.ID, func(Record) Record { return r })
	})
	if has(left, r) != is(err, Twice) {
		p.t.Fatalf("update %v: %v", r, err)
	}
	if err == nil {
		z.versions[n] = append(left, r)
		if out.Records[0].ID != old.ID {
			p.t.Errorf("id %d became %d", old.ID, out.Records[0].ID)
		}
	}
}

// compare holds the whole book against the model.
func (p *player) compare() {
	p.t.Helper()
	ids := map[int64]bool{}
	seen := 0
	err := p.b.List(acme, false, func(z *Zone) error {
		want := p.m.zones[z.ID]
		if want == nil {
			if !z.Public {
				p.t.Errorf("zone %d is there", z.ID)
			}
			return nil
		}
		seen++
		if z.Name != want.name || z.Active != want.active {
			p.t.Errorf("zone %d is %+v", z.ID, z)
		}
		versions, err := p.b.Versions(acme, z.ID)
		if err != nil || len(versions) != len(want.versions) {
			p.t.Errorf("zone %d has %d versions, want %d: %v", z.ID, len(versions), len(want.versions), err)
		}
		for _, v := range versions {
			list, err := p.b.Page(acme, z.ID, v.N, records(p.t, query.Option{Key: "items_per_page", Value: int64(100000)}))
			if err != nil {
				p.t.Fatal(err)
			}
			if !slices.IsSortedFunc(list, func(a, b Record) int { return order(&a, &b) }) {
				p.t.Errorf("zone %d version %d is out of order", z.ID, v.N)
			}
			if !slices.Equal(v.Digest, digest(rrsets(list))) {
				p.t.Errorf("zone %d version %d: the digest is wrong", z.ID, v.N)
			}
			var plain []Record
			for _, r := range list {
				if ids[r.ID] {
					p.t.Errorf("two records have the id %d", r.ID)
				}
				ids[r.ID] = true
				r.ID, r.Slot = 0, 0
				plain = append(plain, r)
			}
			byContent := func(a, b Record) int {
				return cmp.Or(order(&a, &b), cmp.Compare(a.Value, b.Value), cmp.Compare(a.TTL, b.TTL))
			}
			wanted := slices.Clone(want.versions[v.N])
			slices.SortFunc(plain, byContent)
			slices.SortFunc(wanted, byContent)
			if diff := gocmp.Diff(wanted, plain); diff != "" && len(wanted)+len(plain) > 0 {
				p.t.Fatalf("zone %d version %d (-want +got):\n%s", z.ID, v.N, diff)
			}
		}
		return nil
	})
	if err != nil || seen != len(p.m.zones) {
		p.t.Errorf("%d zones, want %d: %v", seen, len(p.m.zones), err)
	}
	sound(p.t, p.db)
}

// Zones, versions and records are what a few maps would make of the same calls,
// no page is left behind, and no id stands for two records.
func TestZonesAreLikeAModel(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			b, db := open(t)
			first, err := b.Create(acme, "AD1-GANDI", "first")
			if err != nil {
				t.Fatal(err)
			}
			p := &player{t: t, r: rand.New(rand.NewPCG(seed, 1)), b: b, db: db, m: model{map[int64]*modelZone{
				first.ID: {name: "first", active: 1, last: 1, versions: map[int64][]Record{1: nil}}}}}
			for i := range 400 {
				if p.step(); i%40 == 39 {
					p.compare()
				}
			}
			for id := range p.m.zones {
				if err := b.Delete(acme, id); err != nil {
					t.Error(err)
				}
			}
			left := 0
			err = db.View(func(tx *store.Tx) error {
				return tx.ScanKeys(nil, func(key []byte) error {
					if kind := store.KeyStrings(key)[0]; kind != "meta" && kind != "counter" {
						left++
					}
					return nil
				})
			})
			if left > 0 || err != nil {
				t.Errorf("%d keys are left of deleted zones: %v", left, err)
			}
		})
	}
}
