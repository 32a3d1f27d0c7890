package zones

import (
	"encoding/json"

	"v3gate/internal/store"
)

// ZoneRecord reads of a stored zone what indexes depend on.
func ZoneRecord(value []byte) (store.ZoneRecord, error) {
	var z Zone
	if err := json.Unmarshal(value, &z); err != nil {
		return store.ZoneRecord{}, err
	}
	r := store.ZoneRecord{ID: z.ID, Tenant: z.Tenant, Active: z.Active, Pages: z.Pages}
	if z.Unread != "" {
		r.Active = 0
	}
	return r, nil
}

// PagesOf reads which pages a stored version has.
func PagesOf(value []byte) (pages []int64, err error) {
	var v Version
	err = readVersion(value, &v)
	for i := range v.Pages {
		pages = append(pages, v.Pages[i].ID)
	}
	return pages, err
}

// ZoneOfLink reads which zone a stored link leads to.
func ZoneOfLink(value []byte) (int64, error) {
	var l Link
	err := json.Unmarshal(value, &l)
	return l.Zone, err
}
