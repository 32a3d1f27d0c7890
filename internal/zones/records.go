package zones

import (
	"fmt"
	"iter"
	"strings"

	"v3gate/internal/query"
	"v3gate/internal/store"
)

// Edited is what a change of records came to.
type Edited struct {
	Zone    Zone // as it is now
	Version Version
	Records []Record // those that were added or changed
	Count   int      // how many were changed or taken out
	From    []byte   // the version's digest before
	Changes []Change // the rrsets that are others now

	before map[key][]Record // what was touched, as it was
}

// done writes a change and says what it came to.
func (e *edit) done(out *Edited) error {
	out.From, out.before = e.version.Digest, e.before
	changes, err := e.save()
	out.Zone, out.Version, out.Changes = *e.zone, *e.version, changes
	for i := range out.Records {
		out.Records[i].ID = e.version.Serial*mostSlots + out.Records[i].Slot
	}
	return err
}

// Add adds a record to a version; 0 is the active one.
func (b *Book) Add(tx *store.Tx, tenant string, id, n int64, r Record) (out Edited, err error) {
	e, err := b.edit(tx, tenant, id, n)
	if err != nil {
		return out, err
	}
	if r.Slot, err = e.next(); err != nil {
		return out, err
	}
	if err := e.insert(r); err != nil {
		return out, err
	}
	out.Records, out.Count = []Record{r}, 1
	return out, e.done(&out)
}

// Update puts another record in the place of one, which keeps its id.
func (b *Book) Update(tx *store.Tx, tenant string, id, n, record int64, with func(old Record) Record) (out Edited, err error) {
	e, err := b.edit(tx, tenant, id, n)
	if err != nil {
		return out, err
	}
	slot, _ := e.version.slotOf(record)
	for _, p := range e.byID(record) {
		if err := e.open(p); err != nil {
			return out, err
		}
		for i := range p.records {
			if p.records[i].Slot != slot {
				continue
			}
			old := p.records[i]
			if _, err := e.remove([]string{old.Name}, func(r *Record) bool { return r.Slot == slot }); err != nil {
				return out, err
			}
			now := with(old)
			now.Slot = slot
			if err := e.insert(now); err != nil {
				return out, err
			}
			out.Records, out.Count = []Record{now}, 1
			return out, e.done(&out)
		}
	}
	return out, &Error{Why: NoRecord, Zone: id, Version: e.version.N, Reason: fmt.Sprintf("no such record (id: %d)", record)}
}

// Remove takes the records that a query asks for out of a version.
func (b *Book) Remove(tx *store.Tx, tenant string, id, n int64, q *query.Query[Record]) (out Edited, err error) {
	e, err := b.edit(tx, tenant, id, n)
	if err != nil {
		return out, err
	}
	var names []string
	if _, texts, ok := q.Exact("name"); ok {
		names = append([]string{}, texts...)
	}
	gone, err := e.remove(names, q.Match)
	if err != nil {
		return out, err
	}
	if out.Count = len(gone); out.Count == 0 {
		out.Zone, out.Version, out.From = *e.zone, *e.version, e.version.Digest
		return out, nil
	}
	return out, e.done(&out)
}

// Set puts other records in the place of all of a version's.
func (b *Book) Set(tx *store.Tx, tenant string, id, n int64, records []Record) (out Edited, err error) {
	if len(records) > mostRecords {
		return out, &Error{Why: TooMany, Zone: id, Version: n, Reason: fmt.Sprintf("more than %d records", mostRecords)}
	}
	seen := make(map[string]bool, len(records))
	for i := range records {
		if what := records[i].identity(); seen[what] {
			return out, &Error{Why: Twice, Zone: id, Version: n, Reason: strings.ReplaceAll(clip(what), "\n", " ") + " is there twice"}
		} else {
			seen[what] = true
		}
	}
	e, err := b.edit(tx, tenant, id, n)
	if err != nil {
		return out, err
	}
	if _, err := e.remove(nil, func(*Record) bool { return true }); err != nil {
		return out, err
	}
	for _, p := range e.pages {
		e.gone = append(e.gone, p.ref)
	}
	e.pages = nil
	if e.version.Slots+int64(len(records)) >= mostSlots {
		return out, &Error{Why: TooMany, Zone: id, Version: e.version.N, Reason: "the version was changed too often; make a new version"}
	}
	records = fresh(e.version, append([]Record(nil), records...))
	for _, k := range rrsets(records) {
		if _, ok := e.before[key{k.Name, k.Type}]; !ok {
			e.before[key{k.Name, k.Type}] = nil
		}
	}
	for start := 0; start < len(records); start += pageSize {
		run := records[start:min(start+pageSize, len(records))]
		e.pages = append(e.pages, &page{records: run, read: true, changed: true})
	}
	out.Records, out.Count = records, len(records)
	return out, e.done(&out)
}

// Page gives the records of a version that a query asks for, and no others are
// kept. Pages of the store that cannot have them are not read.
func (b *Book) Page(tenant string, id, n int64, q *query.Query[Record]) (page []Record, err error) {
	err = b.db.View(func(tx *store.Tx) error {
		page = nil
		records, failed, err := b.stream(tx, tenant, id, n, q)
		if err != nil {
			return err
		}
		for _, r := range q.Page(records) {
			page = append(page, *r)
		}
		return *failed
	})
	return page, err
}

// Count is how many records of a version a query asks for.
func (b *Book) Count(tenant string, id, n int64, q *query.Query[Record]) (count int64, err error) {
	err = b.db.View(func(tx *store.Tx) error {
		records, failed, err := b.stream(tx, tenant, id, n, q)
		if err != nil {
			return err
		}
		count = q.Count(records(false))
		return *failed
	})
	return count, err
}

// stream reads a version page by page. What goes wrong is in failed afterwards.
func (b *Book) stream(tx *store.Tx, tenant string, id, n int64, q *query.Query[Record]) (
	records func(backward bool) iter.Seq[*Record], failed *error, err error) {
	z, v, err := b.version(tx, tenant, id, n)
	if err != nil {
		return nil, nil, err
	}
	pages := v.asked(q)
	failed = new(error)
	return func(backward bool) iter.Seq[*Record] {
		return func(yield func(*Record) bool) {
			for i := range pages {
				if backward {
					i = len(pages) - 1 - i
				}
				records, err := readPage(tx, z, v, &pages[i])
				if err != nil {
					*failed = err
					return
				}
				for j := range records {
					if backward {
						j = len(records) - 1 - j
					}
					if !yield(&records[j]) {
						return
					}
				}
			}
		}
	}, failed, nil
}

// asked are the pages of a version that can have what a query asks for.
func (v *Version) asked(q *query.Query[Record]) (pages []pageRef) {
	_, names, byName := q.Exact("name")
	ids, _, byID := q.Exact("id")
	for i := range v.Pages {
		ref := &v.Pages[i]
		wanted := !byID
		for _, id := range ids {
			slot, ok := v.slotOf(id)
			wanted = wanted || ok && ref.Low <= slot && slot <= ref.High
		}
		if wanted && byName {
			wanted = false
			for _, name := range names {
				wanted = wanted || ref.First <= name && (i+1 == len(v.Pages) || name <= v.Pages[i+1].First)
			}
		}
		if wanted {
			pages = append(pages, *ref)
		}
	}
	return pages
}

// RRsets gives the rrsets of a version; 0 is the active one.
func (b *Book) RRsets(tenant string, id, n int64) (sets []RRset, v Version, err error) {
	err = b.db.View(func(tx *store.Tx) error {
		z, found, err := b.version(tx, tenant, id, n)
		if err != nil {
			return err
		}
		records, err := b.all(tx, z, found)
		sets, v = rrsets(records), *found
		return err
	})
	return sets, v, err
}
