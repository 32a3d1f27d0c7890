package zones

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"v3gate/internal/store"
)

// Import is a zone of the old service, with the ids that it had there.
type Import struct {
	ID       int64
	Name     string
	Owner    string // handle, "" where it is not known
	Active   int64
	Updated  time.Time
	Versions []ImportVersion
	Domains  []string // that are linked to it, in the form that v5 is asked with
}

// ImportVersion is one version of it. The ids of its records are not kept: they
// were others in each version.
type ImportVersion struct {
	N       int64
	Created time.Time
	Records []Record // as the old service gave them
}

// ErrImported is given for a zone that is in the store already.
var ErrImported = errors.New("the zone is there already")

// Import keeps a zone of the old service under its ids. Domains get their link,
// and nothing is written to them; linkedElsewhere are those that have one already
// and keep it. What cannot be kept as a whole is an error, and then nothing is.
func (b *Book) Import(tenant string, in Import) (linkedElsewhere []string, err error) {
	versions, err := b.checkImport(&in)
	if err != nil {
		return nil, fmt.Errorf("import zone %d: %w", in.ID, err)
	}
	err = b.db.Update(func(tx *store.Tx) error {
		linkedElsewhere = nil
		if tx.Get(store.ZoneKey(in.ID)) != nil {
			if _, err := b.zone(tx, tenant, in.ID); err != nil {
				return errors.New("another tenant has a zone with this id")
			}
			return ErrImported
		}
		z := &Zone{ID: in.ID, Tenant: tenant, Name: in.Name, Owner: in.Owner, Active: in.Active, Updated: in.Updated.UTC()}
		for _, v := range versions {
			z.Last = v.N - 1
			made, err := b.begin(tx, z)
			if err != nil {
				return err
			}
			made.Created = v.Created.UTC()
			if err := b.write(tx, z, made, fresh(made, v.Records)); err != nil {
				return err
			}
			made.Digest = digest(rrsets(v.Records))
			if err := putVersion(tx, z, made); err != nil {
				return err
			}
		}
		for _, fqdn := range in.Domains {
			l, err := link(tx, tenant, fqdn)
			if err != nil {
				return err
			}
			if l.Zone != 0 {
				linkedElsewhere = append(linkedElsewhere, fqdn)
				continue
			}
			if err := putLink(tx, tenant, fqdn, Link{Zone: in.ID}); err != nil {
				return err
			}
		}
		return errors.Join(tx.Put(store.ZoneTenantKey(tenant, in.ID), nil), store.PutJSON(tx, store.ZoneKey(in.ID), z))
	})
	if err != nil && !errors.Is(err, ErrImported) {
		err = fmt.Errorf("import zone %d: %w", in.ID, err)
	}
	return linkedElsewhere, err
}

// checkImport brings the records into their form. The versions are in order.
func (b *Book) checkImport(in *Import) ([]ImportVersion, error) {
	switch {
	case in.ID < 1 || in.ID >= b.public:
		return nil, fmt.Errorf("ids of the old service are between 1 and %d, where this gateway's begin", b.public)
	case len(in.Versions) == 0:
		return nil, errors.New("it has no version")
	case !slices.ContainsFunc(in.Versions, func(v ImportVersion) bool { return v.N == in.Active }):
		return nil, fmt.Errorf("version %d, the active one, is not among its versions", in.Active)
	}
	versions := slices.Clone(in.Versions)
	slices.SortFunc(versions, func(a, b ImportVersion) int { return int(a.N - b.N) })
	for i := range versions {
		v := &versions[i]
		if v.N < 1 || v.N >= 1<<31 || i > 0 && versions[i-1].N == v.N {
			return nil, fmt.Errorf("version %d is there twice, or is no number of a version", v.N)
		}
		if len(v.Records) > mostRecords {
			return nil, fmt.Errorf("version %d has more than %d records", v.N, mostRecords)
		}
		seen, kept := map[string]bool{}, make([]Record, 0, len(v.Records))
		for _, given := range v.Records {
			r, err := Normal(in.Domains, given.Name, given.Type, given.Value, given.TTL)
			if wrong := (*Error)(nil); errors.As(err, &wrong) {
				return nil, fmt.Errorf("version %d: %s %s: %s", v.N, clip(given.Name), clip(given.Type), wrong.Reason)
			}
			if what := r.identity(); !seen[what] { // the same twice says nothing more
				seen[what] = true
				kept = append(kept, r)
			}
		}
		v.Records = kept
	}
	in.Name = strings.TrimSpace(in.Name)
	return versions, nil
}
