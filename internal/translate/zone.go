package translate

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"v3gate/internal/fault"
	"v3gate/internal/query"
	"v3gate/internal/store"
	"v3gate/internal/v5"
	"v3gate/internal/xmlrpc"
	"v3gate/internal/zones"
)

// zoneNumber is the number of a zone or of a version. The original took it as an
// int only (recorded).
type zoneNumber int64

func setZoneNumber(path string, v xmlrpc.Value, to *zoneNumber) error {
	n, ok := v.Int()
	if !ok {
		return fault.New(fault.Zone, fault.CauseBadParameter, "invalid method parameter(s)").About(path)
	}
	*to = zoneNumber(n)
	return nil
}

// later is a writing call whose parameters are right: what is left is to do it.
type later[Out any] func(context.Context, *Call) (Out, error)

func carry[Out any](ctx context.Context, c *Call, do later[Out]) (Out, error) { return do(ctx, c) }

// zoneOut is a zone as v3 gave it (recorded).
type zoneOut struct {
	DateUpdated time.Time `v3:"date_updated"`
	Domains     int64     `v3:"domains"`
	ID          int64     `v3:"id"`
	Name        string    `v3:"name"`
	Owner       string    `v3:"owner"`
	Public      bool      `v3:"public"`
	Version     int64     `v3:"version"`
	Versions    []int64   `v3:"versions"`
}

// zoneItemOut is a zone in a list.
type zoneItemOut struct {
	DateUpdated time.Time `v3:"date_updated"`
	ID          int64     `v3:"id"`
	Name        string    `v3:"name"`
	Public      bool      `v3:"public"`
	Version     int64     `v3:"version"`
}

// zone finds a zone that the caller may see. One that stands for what a domain
// has in LiveDNS is read from there when it is looked at first.
func (c *Call) zone(ctx context.Context, id zoneNumber) (zones.Zone, error) {
	z, err := c.Zones.Get(c.Tenant.Name, int64(id))
	if err != nil || z.Unread == "" {
		return z, err
	}
	if err := c.ownsDomain(ctx, z.Unread); err != nil {
		return z, err
	}
	sets, err := c.V5.Records(ctx, z.Unread)
	if absent(err) {
		return z, &zones.Error{Why: zones.Misplaced, Zone: z.ID, Reason: z.Unread + " is not on LiveDNS"}
	}
	if err != nil {
		return z, onDomain{z.Unread, err}
	}
	if err := c.Zones.Read(c.Tenant.Name, z.ID, zones.Shown(sets)); err != nil {
		return z, err
	}
	return c.Zones.Get(c.Tenant.Name, z.ID)
}

func (c *Call) zoneAnswer(z *zones.Zone) (zoneOut, error) {
	domains, err := c.Zones.Linked(c.Tenant.Name, z.ID)
	if err != nil {
		return zoneOut{}, err
	}
	versions, err := c.Zones.Numbers(c.Tenant.Name, z.ID)
	return zoneOut{DateUpdated: paris(z.Updated), Domains: int64(len(domains)), ID: z.ID, Name: z.Name, Owner: z.Owner,
		Public: z.Public, Version: z.Active, Versions: versions}, err
}

type zoneIn struct {
	Zone zoneNumber `v3:"zone_id"`
}

func zoneInfo(ctx context.Context, c *Call, in zoneIn) (zoneOut, error) {
	z, err := c.zone(ctx, in.Zone)
	if err != nil {
		return zoneOut{}, err
	}
	return c.zoneAnswer(&z)
}

// zoneOptions are those of zone.list and zone.count. Zones come by their ids.
func zoneOptions() *query.Schema[zones.Zone] {
	type z = zones.Zone
	return query.New(query.DefaultPerPage,
		query.Time("date_updated", query.Eq|query.Lt|query.Gt|query.Sort, parisZone, func(z *z) time.Time { return z.Updated }),
		query.Int("id", query.Eq|query.Many|query.Sort|query.Natural, func(z *z) int64 { return z.ID }),
		query.Text("name", query.Eq|query.Like|query.Sort, func(z *z) string { return z.Name }),
		query.Text("owner", query.Eq|query.Ne|query.Sort, func(z *z) string { return z.Owner }).Form(handleForm),
		query.Bool("public", query.Eq|query.Sort, func(z *z) bool { return z.Public }),
	)
}

func handleForm(handle string) (string, error) { return strings.ToUpper(handle), nil }

// allZones gives the zones that the caller may see, and afterwards what went
// wrong.
func (c *Call) allZones(err *error) func(backward bool) iter.Seq[*zones.Zone] {
	return func(backward bool) iter.Seq[*zones.Zone] {
		return func(yield func(*zones.Zone) bool) {
			*err = c.Zones.List(c.Tenant.Name, backward, func(z *zones.Zone) error {
				if !yield(z) {
					return store.Stop
				}
				return nil
			})
		}
	}
}

func zoneList(_ context.Context, c *Call, q *query.Query[zones.Zone]) ([]zoneItemOut, error) {
	var err error
	out := []zoneItemOut{}
	for _, z := range q.Page(c.allZones(&err)) {
		out = append(out, zoneItemOut{paris(z.Updated), z.ID, z.Name, z.Public, z.Active})
	}
	return out, err
}

func zoneCount(_ context.Context, c *Call, q *query.Query[zones.Zone]) (int64, error) {
	var err error
	n := q.Count(c.allZones(&err)(false))
	return n, err
}

type zoneCreateIn struct {
	Params zoneCreateParams `v3:"params"`
}

type zoneCreateParams struct {
	Name string `v3:"name"`
}

func zoneCreateCheck(_ context.Context, c *Call, in zoneCreateIn) (later[zoneOut], []FieldError, error) {
	return func(_ context.Context, c *Call) (zoneOut, error) {
		owner, err := c.source()
		if err != nil {
			return zoneOut{}, err
		}
		z, err := c.Zones.Create(c.Tenant.Name, owner, in.Params.Name)
		if err != nil {
			return zoneOut{}, err
		}
		return c.zoneAnswer(&z)
	}, nil, checkZoneName(in.Params.Name)
}

// mostZoneName bounds a name; what v3 took is not established.
const mostZoneName = 255

func checkZoneName(name string) error {
	if len(name) > mostZoneName {
		return fault.New(fault.Zone, fault.CauseBadParameter, "params.name has more than %d bytes", mostZoneName).About("params.name")
	}
	return nil
}

type zoneCloneIn struct {
	Zone    zoneNumber      `v3:"zone_id"`
	Version zoneNumber      `v3:"version_id,opt"`
	Params  zoneCloneParams `v3:"params,opt"`
}

type zoneCloneParams struct {
	Name string `v3:"name,opt"`
}

func zoneCloneCheck(ctx context.Context, c *Call, in zoneCloneIn) (later[zoneOut], []FieldError, error) {
	if err := checkZoneName(in.Params.Name); err != nil {
		return nil, nil, err
	}
	z, err := c.zone(ctx, in.Zone)
	if err == nil {
		_, _, err = c.Zones.Version(c.Tenant.Name, z.ID, int64(in.Version))
	}
	return func(ctx context.Context, c *Call) (zoneOut, error) {
		owner, err := c.source()
		if err == nil && in.Version == 0 {
			err = c.catchUpZone(ctx, &z)
		}
		if err != nil {
			return zoneOut{}, err
		}
		made, err := c.Zones.Clone(c.Tenant.Name, owner, z.ID, int64(in.Version), in.Params.Name)
		if err != nil {
			return zoneOut{}, err
		}
		return c.zoneAnswer(&made)
	}, nil, err
}

type zoneUpdateIn struct {
	Zone   zoneNumber      `v3:"zone_id"`
	Params zoneCloneParams `v3:"params"`
}

func zoneUpdateCheck(ctx context.Context, c *Call, in zoneUpdateIn) (later[zoneOut], []FieldError, error) {
	if err := checkZoneName(in.Params.Name); err != nil {
		return nil, nil, err
	}
	z, err := c.ownZone(ctx, in.Zone)
	return func(_ context.Context, c *Call) (zoneOut, error) {
		if in.Params.Name != "" {
			var err error
			if z, err = c.Zones.Rename(c.Tenant.Name, z.ID, in.Params.Name); err != nil {
				return zoneOut{}, err
			}
		}
		return c.zoneAnswer(&z)
	}, nil, err
}

// ownZone is zone for what is to be changed.
func (c *Call) ownZone(ctx context.Context, id zoneNumber) (zones.Zone, error) {
	z, err := c.zone(ctx, id)
	if err == nil && z.Public {
		err = &zones.Error{Why: zones.NoRight, Zone: z.ID}
	}
	return z, err
}

func zoneDeleteCheck(_ context.Context, c *Call, in zoneIn) (later[bool], []FieldError, error) {
	z, err := c.Zones.Get(c.Tenant.Name, int64(in.Zone)) // what it was in LiveDNS need not be read for this
	if err == nil && z.Public {
		err = &zones.Error{Why: zones.NoRight, Zone: z.ID}
	}
	return func(_ context.Context, c *Call) (bool, error) {
		err := c.Zones.Delete(c.Tenant.Name, z.ID)
		return err == nil, err
	}, nil, err
}

// zoneIDOf is the zone_id that a domain shows: that of the zone it is linked to,
// or of one of its own where it is on LiveDNS; nil elsewhere.
func (c *Call) zoneIDOf(d *v5.Domain) (*int64, error) {
	l, err := c.Zones.Link(c.Tenant.Name, d.FQDN)
	if err == nil && l.Zone == 0 && onLiveDNS(d) {
		var owner string
		if owner, err = c.Book.Own(c.Tenant.Name, c.Tenant.OwnHandle); err == nil {
			l, err = c.Zones.Own(c.Tenant.Name, owner, d.FQDN)
		}
		if errors.Is(err, store.ErrCommit) || errors.Is(err, store.ErrUnsure) {
			return nil, nil // a disk that takes nothing does not keep a domain from being shown
		}
	}
	if err != nil || l.Zone == 0 {
		return nil, err
	}
	zone := l.Zone
	return &zone, nil
}

// onLiveDNS tells a domain that has its records in LiveDNS, by v5's word for it.
func onLiveDNS(d *v5.Domain) bool { return slices.Contains(d.Services, "gandilivedns") }

// zoneFault is the fault of what cannot be done with a zone. The texts of the
// first three are recorded.
func (c *Call) zoneFault(e *zones.Error) *fault.Error {
	switch e.Why {
	case zones.NoZone:
		return fault.New(fault.Zone, fault.CauseNotFound, "no such zone (id: %d)", e.Zone)
	case zones.NoVersion:
		return fault.New(fault.Zone, fault.CauseNotFound, "No such version '%d'", e.Version)
	case zones.NoRight:
		who, err := c.source()
		if err != nil {
			who = "the caller"
		}
		return fault.New(fault.Zone, fault.CauseNoRight, "%s isn't allowed to modify zone %d", who, e.Zone)
	case zones.NoRecord:
		return fault.New(fault.DNSRecord, fault.CauseNotFound, "%s", e.Reason)
	case zones.BadRecord:
		f := fault.New(fault.DNSRecord, fault.CauseBadParameter, "%s", e.Reason)
		if e.Field != "" {
			f = f.About("params." + e.Field)
		}
		return f
	case zones.Twice:
		return fault.New(fault.DNSRecord, fault.CauseExist, "%s", e.Reason)
	case zones.TooMany:
		return fault.New(fault.Zone, fault.CauseQuotaReached, "%s", e.Reason)
	case zones.Attached:
		return fault.New(fault.Zone, fault.CauseAttached, "%s", e.Reason)
	}
	return fault.New(fault.Zone, fault.CauseState, "%s", e.Reason)
}

// pushError says that a domain did not take what its zone says.
type pushError struct {
	operation int64
	reason    string // names the domains
}

func (e *pushError) Error() string { return fmt.Sprintf("operation %d: %s", e.operation, e.reason) }

// zoneErrors finds the errors of this file.
func (c *Call) zoneErrors(err error) *fault.Error {
	var wrong *zones.Error
	var failed *pushError
	switch {
	case errors.As(err, &wrong):
		return c.zoneFault(wrong)
	case errors.As(err, &failed):
		return fault.New(fault.Zone, fault.CauseFailure, "%s (operation %d can be relaunched)", failed.reason, failed.operation)
	}
	return nil
}
