package zones

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"v3gate/internal/store"
)

const (
	// pageSize is the most records of a page: a change of one record writes one
	// page, and a list of one name reads one.
	pageSize = 64
	// mostRecords bounds a version. What v5 takes in a zone is not established.
	mostRecords = 50_000
	// mostSlots bounds the slots of a version, which are the end of its records'
	// ids.
	mostSlots = 1 << 20
)

// pageRef is a page of a version.
type pageRef struct {
	ID    int64  `json:"p"`
	First string `json:"f"` // name of its first record
	N     int    `json:"n"` // how many records it has
	// Low and High are the lowest and the highest slot in it.
	Low  int64 `json:"l"`
	High int64 `json:"h"`
}

func readVersion(value []byte, v *Version) error { return json.Unmarshal(value, v) }

// order is the order of a version's records: by name, type, and then as they
// came.
func order(a, b *Record) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Slot, b.Slot))
}

// readPage gives the records of a page of a version, with their ids.
func readPage(tx *store.Tx, z *Zone, v *Version, ref *pageRef) (records []Record, err error) {
	if z.Public {
		records = publicRecords()
	} else {
		ok, err := store.GetJSON(tx, store.ZonePageKey(z.ID, ref.ID), &records)
		if err == nil && !ok {
			err = fmt.Errorf("page %d of zone %d is missing", ref.ID, z.ID)
		}
		if err != nil {
			return nil, err
		}
	}
	for i := range records {
		records[i].ID = v.Serial*mostSlots + records[i].Slot
	}
	return records, nil
}

// all gives all records of a version.
func (b *Book) all(tx *store.Tx, z *Zone, v *Version) (records []Record, err error) {
	for i := range v.Pages {
		page, err := readPage(tx, z, v, &v.Pages[i])
		if err != nil {
			return nil, err
		}
		records = append(records, page...)
	}
	return records, nil
}

// fresh gives records the next slots of a version, and puts them in order.
func fresh(v *Version, records []Record) []Record {
	for i := range records {
		v.Slots++
		records[i].Slot = v.Slots
		records[i].ID = v.Serial*mostSlots + v.Slots
	}
	slices.SortFunc(records, func(a, b Record) int { return order(&a, &b) })
	return records
}

// fill makes version 1, the active one, of a new zone and writes both.
func (b *Book) fill(tx *store.Tx, z *Zone, records []Record) error {
	v, err := b.begin(tx, z)
	if err != nil {
		return err
	}
	if err := b.write(tx, z, v, fresh(v, records)); err != nil {
		return err
	}
	v.Digest = digest(rrsets(records))
	if err := putVersion(tx, z, v); err != nil {
		return err
	}
	return store.PutJSON(tx, store.ZoneKey(z.ID), z)
}

// write appends records, which are in order, to the pages of a version.
func (b *Book) write(tx *store.Tx, z *Zone, v *Version, records []Record) error {
	for run := range slices.Chunk(records, pageSize) {
		ref, err := putPage(tx, z, run)
		if err != nil {
			return err
		}
		v.Pages = append(v.Pages, ref)
	}
	return nil
}

func putPage(tx *store.Tx, z *Zone, records []Record) (pageRef, error) {
	z.Pages++
	ref := pageRef{ID: z.Pages, First: records[0].Name, N: len(records), Low: records[0].Slot}
	for i := range records {
		ref.Low, ref.High = min(ref.Low, records[i].Slot), max(ref.High, records[i].Slot)
	}
	return ref, store.PutJSON(tx, store.ZonePageKey(z.ID, ref.ID), records)
}

// dropUnused takes pages out of the store that no version has any more. It looks
// through the lists of all versions, which are short next to the pages, and so
// needs no counts that could be wrong.
func dropUnused(tx *store.Tx, z *Zone, pages []pageRef) error {
	if len(pages) == 0 {
		return nil
	}
	unused := make(map[int64]bool, len(pages))
	for i := range pages {
		unused[pages[i].ID] = true
	}
	err := tx.Scan(store.ZoneVersionsPrefix(z.ID), func(key, value []byte) error {
		var v Version
		if err := readVersion(value, &v); err != nil {
			return fmt.Errorf("read %q: %w", key, err)
		}
		for i := range v.Pages {
			delete(unused, v.Pages[i].ID)
		}
		if len(unused) == 0 {
			return store.Stop
		}
		return nil
	})
	for id := range unused {
		if err == nil {
			err = tx.Delete(store.ZonePageKey(z.ID, id))
		}
	}
	return err
}
