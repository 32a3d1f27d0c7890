package translate

import (
	"context"
	"time"

	"v3gate/internal/handles"
	"v3gate/internal/v5"
	"v3gate/internal/zones"
)

// zoneVersionOut is a version as v3 gave it.
type zoneVersionOut struct {
	DateCreated time.Time `v3:"date_created"`
	ID          int64     `v3:"id"`
}

type versionListIn struct {
	Zone    zoneNumber  `v3:"zone_id"`
	Version *zoneNumber `v3:"version_id,opt"`
}

func versionList(ctx context.Context, c *Call, in versionListIn) ([]zoneVersionOut, error) {
	z, err := c.zone(ctx, in.Zone)
	if err != nil {
		return nil, err
	}
	if in.Version != nil {
		_, v, err := c.Zones.Version(c.Tenant.Name, z.ID, int64(*in.Version))
		return []zoneVersionOut{{paris(v.Created), v.N}}, err
	}
	versions, err := c.Zones.Versions(c.Tenant.Name, z.ID)
	out := []zoneVersionOut{}
	for _, v := range versions {
		out = append(out, zoneVersionOut{paris(v.Created), v.N})
	}
	return out, err
}

func versionCount(ctx context.Context, c *Call, in zoneIn) (int64, error) {
	z, err := c.zone(ctx, in.Zone)
	if err != nil {
		return 0, err
	}
	versions, err := c.Zones.Numbers(c.Tenant.Name, z.ID)
	return int64(len(versions)), err
}

type versionNewIn struct {
	Zone    zoneNumber `v3:"zone_id"`
	Version zoneNumber `v3:"version_id,opt"`
}

type zoneVersionIn struct {
	Zone    zoneNumber `v3:"zone_id"`
	Version zoneNumber `v3:"version_id"`
}

// ownVersion checks that a version is there and may be changed.
func (c *Call) ownVersion(ctx context.Context, zone, version zoneNumber) (z zones.Zone, v zones.Version, err error) {
	if z, err = c.ownZone(ctx, zone); err == nil {
		z, v, err = c.Zones.Version(c.Tenant.Name, z.ID, int64(version))
	}
	return z, v, err
}

func versionNewCheck(ctx context.Context, c *Call, in versionNewIn) (later[int64], []FieldError, error) {
	z, _, err := c.ownVersion(ctx, in.Zone, in.Version)
	return func(ctx context.Context, c *Call) (int64, error) {
		if in.Version == 0 {
			if err := c.catchUpZone(ctx, &z); err != nil {
				return 0, err
			}
		}
		return c.Zones.NewVersion(c.Tenant.Name, z.ID, int64(in.Version))
	}, nil, err
}

func versionDeleteCheck(ctx context.Context, c *Call, in zoneVersionIn) (later[bool], []FieldError, error) {
	z, v, err := c.ownVersion(ctx, in.Zone, in.Version)
	return func(_ context.Context, c *Call) (bool, error) {
		err := c.Zones.DeleteVersion(c.Tenant.Name, z.ID, v.N)
		return err == nil, err
	}, nil, err
}

// versionSetCheck looks for what no DNS would take before anything is sent.
func versionSetCheck(ctx context.Context, c *Call, in zoneVersionIn) (later[bool], []FieldError, error) {
	z, v, err := c.ownVersion(ctx, in.Zone, in.Version)
	if err == nil {
		err = c.checkSets(z.ID, v.N)
	}
	return func(ctx context.Context, c *Call) (bool, error) {
		err := c.activate(ctx, &z, v.N)
		return err == nil, err
	}, nil, err
}

func (c *Call) checkSets(zone, version int64) error {
	sets, _, err := c.Zones.RRsets(c.Tenant.Name, zone, version)
	if err != nil {
		return err
	}
	return zones.Conflict(sets)
}

type zoneSetIn struct {
	Domain string     `v3:"domain"`
	Zone   zoneNumber `v3:"zone_id"`
}

func zoneSetCheck(ctx context.Context, c *Call, in zoneSetIn) (later[domainOut], []FieldError, error) {
	fqdn, err := normal(in.Domain)
	if err != nil {
		return nil, nil, err
	}
	z, err := c.zone(ctx, in.Zone)
	if err == nil {
		err = c.checkSets(z.ID, 0)
	}
	var d *v5.Domain
	var known handles.Domain
	if err == nil {
		d, known, err = c.recognised(ctx, fqdn, c.domain)
	}
	return func(ctx context.Context, c *Call) (domainOut, error) {
		if err := c.connect(ctx, d, &z); err != nil {
			return domainOut{}, err
		}
		return c.domainAnswer(d, known)
	}, nil, err
}
