package handles

import (
	"encoding/json"

	"v3gate/internal/store"
)

// ContactRecord reads of a stored contact what indexes depend on.
func ContactRecord(value []byte) (store.ContactRecord, error) {
	var c Contact
	if err := json.Unmarshal(value, &c); err != nil {
		return store.ContactRecord{}, err
	}
	r := store.ContactRecord{ID: c.ID, Handle: c.Handle, Tenant: c.Tenant}
	if !c.Empty {
		r.Digest = c.digest()
	}
	return r, nil
}

// DomainRecord reads of a stored domain what indexes depend on.
func DomainRecord(value []byte) (store.DomainRecord, error) {
	var d Domain
	if err := json.Unmarshal(value, &d); err != nil {
		return store.DomainRecord{}, err
	}
	r := store.DomainRecord{ID: d.ID, Roles: map[string]string{}}
	d.Roles.each(func(role string, handle *string) error {
		if *handle != "" {
			r.Roles[role] = *handle
		}
		return nil
	})
	return r, nil
}

// DomainOfID reads what a domain id leads to.
func DomainOfID(value []byte) (tenant, fqdn string, err error) {
	var k domainKey
	err = json.Unmarshal(value, &k)
	return k.Tenant, k.FQDN, err
}
