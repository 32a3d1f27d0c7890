package zones

import (
	"errors"
	"fmt"
	"slices"
	"sort"

	"v3gate/internal/store"
)

// key names an rrset.
type key struct{ name, typ string }

// edit is a change of some records of a version. Only pages that are looked at
// are read, and only those that change are written.
type edit struct {
	b       *Book
	tx      *store.Tx
	zone    *Zone
	version *Version
	pages   []*page
	gone    []pageRef
	before  map[key][]Record // the rrsets that may change, as they were
}

type page struct {
	ref     pageRef // zero for one that is not stored
	records []Record
	read    bool
	changed bool
}

// edit begins a change. The zone has to be the tenant's own.
func (b *Book) edit(tx *store.Tx, tenant string, id, n int64) (*edit, error) {
	z, err := b.own(tx, tenant, id)
	if err != nil {
		return nil, err
	}
	v, err := b.load(tx, z, n)
	if err != nil {
		return nil, err
	}
	e := &edit{b: b, tx: tx, zone: z, version: v, before: map[key][]Record{}}
	for _, ref := range v.Pages {
		e.pages = append(e.pages, &page{ref: ref})
	}
	return e, nil
}

func (e *edit) open(p *page) (err error) {
	if !p.read {
		p.records, err = readPage(e.tx, e.zone, e.version, &p.ref)
		p.read = err == nil
	}
	return err
}

func (p *page) first() string {
	if p.read && len(p.records) > 0 {
		return p.records[0].Name
	}
	return p.ref.First
}

// span are the pages that can hold a name.
func (e *edit) span(name string) (from, to int) {
	from = sort.Search(len(e.pages), func(i int) bool { return e.pages[i].first() >= name })
	to = sort.Search(len(e.pages), func(i int) bool { return e.pages[i].first() > name })
	return max(0, from-1), to
}

// group gives the records of an rrset.
func (e *edit) group(k key) (records []Record, err error) {
	from, to := e.span(k.name)
	for _, p := range e.pages[from:to] {
		if err := e.open(p); err != nil {
			return nil, err
		}
		for _, r := range p.records {
			if r.Name == k.name && r.Type == k.typ {
				records = append(records, r)
			}
		}
	}
	return records, nil
}

// touch remembers how an rrset was.
func (e *edit) touch(k key) error {
	if _, ok := e.before[k]; ok {
		return nil
	}
	records, err := e.group(k)
	e.before[k] = records
	return err
}

// insert adds a record. Its slot says where it belongs among those of its rrset.
func (e *edit) insert(r Record) error {
	k := key{r.Name, r.Type}
	if err := e.touch(k); err != nil {
		return err
	}
	records, err := e.group(k)
	if err != nil {
		return err
	}
	for i := range records {
		if sameValue(r.Type, records[i].Value, r.Value) {
			return &Error{Why: Twice, Zone: e.zone.ID, Version: e.version.N,
				Reason: fmt.Sprintf("%s %s %s is there already", clip(r.Name), r.Type, clip(r.Value))}
		}
	}
	if len(e.pages) == 0 {
		e.pages = []*page{{read: true}}
	}
	from, to := e.span(r.Name)
	at := e.pages[from]
	for _, p := range e.pages[from:to] {
		if err := e.open(p); err != nil {
			return err
		}
		if len(p.records) > 0 && order(&p.records[0], &r) <= 0 {
			at = p
		}
	}
	if err := e.open(at); err != nil {
		return err
	}
	i, _ := slices.BinarySearchFunc(at.records, r, func(a, b Record) int { return order(&a, &b) })
	at.records, at.changed = slices.Insert(slices.Clone(at.records), i, r), true
	return nil
}

// remove takes out the records that match says yes to, of the names given, or
// of all where names is nil.
func (e *edit) remove(names []string, match func(*Record) bool) (gone []Record, err error) {
	for _, p := range e.holding(names) {
		if err := e.open(p); err != nil {
			return nil, err
		}
		var left []Record
		for i := range p.records {
			r := &p.records[i]
			if !match(r) {
				left = append(left, *r)
				continue
			}
			if err := e.touch(key{r.Name, r.Type}); err != nil {
				return nil, err
			}
			gone = append(gone, *r)
		}
		if len(left) < len(p.records) {
			p.records, p.changed = left, true
		}
	}
	return gone, nil
}

// holding are the pages that can hold any of some names.
func (e *edit) holding(names []string) (pages []*page) {
	if names == nil {
		return e.pages
	}
	wanted := map[int]bool{}
	for _, name := range names {
		for from, to := e.span(name); from < to; from++ {
			wanted[from] = true
		}
	}
	for i, p := range e.pages {
		if wanted[i] {
			pages = append(pages, p)
		}
	}
	return pages
}

// byID is the page that can hold a record id.
func (e *edit) byID(id int64) (pages []*page) {
	slot, ok := e.version.slotOf(id)
	for _, p := range e.pages {
		if ok && p.ref.Low <= slot && slot <= p.ref.High {
			pages = append(pages, p)
		}
	}
	return pages
}

func (v *Version) slotOf(id int64) (slot int64, ok bool) {
	return id % mostSlots, id > 0 && id/mostSlots == v.Serial
}

// next gives the slot of a record that is added.
func (e *edit) next() (int64, error) {
	if e.version.Slots >= mostSlots-1 || e.version.Count() >= mostRecords {
		return 0, &Error{Why: TooMany, Zone: e.zone.ID, Version: e.version.N,
			Reason: "the version cannot take more records; make a new version"}
	}
	e.version.Slots++
	return e.version.Slots, nil
}

// save writes what changed and gives the rrsets that are others now.
func (e *edit) save() ([]Change, error) {
	changes, err := e.changes()
	if err != nil {
		return nil, err
	}
	var pages []pageRef
	for _, p := range e.pages {
		if !p.changed {
			pages = append(pages, p.ref)
			continue
		}
		if p.ref.ID != 0 {
			e.gone = append(e.gone, p.ref)
		}
		// Halves leave room for the next record.
		size := pageSize
		if len(p.records) > pageSize {
			size = (len(p.records) + 1) / 2
		}
		for run := range slices.Chunk(p.records, size) {
			ref, err := putPage(e.tx, e.zone, run)
			if err != nil {
				return nil, err
			}
			pages = append(pages, ref)
		}
	}
	e.version.Pages = pages
	err = errors.Join(putVersion(e.tx, e.zone, e.version), dropUnused(e.tx, e.zone, e.gone), e.b.put(e.tx, e.zone))
	return changes, err
}

// changes compares the rrsets that were touched with what they are now, and
// keeps the version's digest true.
func (e *edit) changes() (changes []Change, err error) {
	sum := slices.Clone(e.version.Digest)
	for k, before := range e.before {
		records, err := e.group(k)
		if err != nil {
			return nil, err
		}
		was, now := one(before), one(records)
		if equal(was, now) {
			continue
		}
		mix(sum, was)
		mix(sum, now)
		changes = append(changes, Change{Name: k.name, Type: k.typ, Was: was, Now: now})
	}
	e.version.Digest = sum
	slices.SortFunc(changes, func(a, b Change) int { return cmpKey(a.Name, a.Type, b.Name, b.Type) })
	return changes, nil
}
