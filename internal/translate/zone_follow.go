package translate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"v3gate/internal/ops"
	"v3gate/internal/store"
	"v3gate/internal/v5"
	"v3gate/internal/zones"
)

// zoneRequest is the request of the item that gives a domain its zone; nil where
// no zone is asked for. moving tells that the domain is to be on LiveDNS by then.
func (c *Call) zoneRequest(ctx context.Context, path string, id *zoneNumber, moving bool) (json.RawMessage, error) {
	if id == nil {
		return nil, nil
	}
	z, err := c.zone(ctx, *id)
	if err == nil {
		err = c.checkSets(z.ID, 0)
	}
	if wrong := (*zones.Error)(nil); errors.As(err, &wrong) {
		err = c.zoneFault(wrong).About(path)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(pushed{Zone: z.ID, Moving: moving})
}

// Kinds are the kinds that know of zones: that of this file's owner, and those
// with a sequel, in which a zone can be.
func (p *ZonePush) Kinds() map[string]ops.Kind {
	all := map[string]ops.Kind{KindZone: p.Kind()}
	for _, name := range []string{ops.KindCreate, ops.KindTransferIn, ops.KindRelaunchTransfer, ops.KindNameserverHosts} {
		kind := ops.Builtin(name)
		do, shown := kind.DoItem, kind.ShownItem
		kind.DoItem = func(ctx context.Context, s *v5.Session, op *ops.Operation, item *ops.Item) error {
			if item.Name == ops.ItemZone {
				return p.give(ctx, s, op, item)
			}
			return do(ctx, s, op, item)
		}
		kind.ShownItem = func(ctx context.Context, s *v5.Session, op *ops.Operation, item *ops.Item) (bool, error) {
			if item.Name == ops.ItemZone {
				return false, nil // giving it looks, and may be done twice
			}
			return shown(ctx, s, op, item)
		}
		all[name] = kind
	}
	return all
}

// give links a domain to its zone and writes the records. What v5 gave to a domain
// that was just registered is nobody's and is not kept; what another has is kept in
// the zone that it has.
func (p *ZonePush) give(ctx context.Context, s *v5.Session, op *ops.Operation, item *ops.Item) error {
	var r pushed
	if err := json.Unmarshal(item.Request, &r); err != nil {
		return fmt.Errorf("follow %s: item %q: %w", op.Kind, item.Name, err)
	}
	leave, err := p.enter(ctx, op.Tenant, op.FQDN)
	if err != nil {
		return err
	}
	defer leave()
	d, err := s.Domain(ctx, op.FQDN)
	switch {
	case err != nil:
		return err
	case !s.Owns(d):
		return &ops.StaleError{Reason: "it is not on the account"}
	case r.Moving && !onLiveDNS(d):
		return errNotThere
	}
	if onLiveDNS(d) {
		if err := p.before(ctx, s, op); err != nil {
			return err
		}
	}
	err = p.Zones.Commit(func(tx *store.Tx) error { return p.Zones.Connect(tx, op.Tenant, op.FQDN, r.Zone) })
	if wrong := (*zones.Error)(nil); errors.As(err, &wrong) {
		return &ops.StaleError{Reason: fmt.Sprintf("zone %d is no longer there; call domain.zone.set", r.Zone)}
	}
	if err != nil {
		return err
	}
	if !onLiveDNS(d) {
		return p.Zones.Left(op.Tenant, op.FQDN, true, false)
	}
	sets, v, err := p.Zones.RRsets(op.Tenant, r.Zone, 0)
	if err != nil {
		return err
	}
	if err := s.ReplaceRecords(ctx, op.FQDN, zones.Items(sets)); err != nil {
		return err
	}
	return p.Zones.Wrote(op.Tenant, op.FQDN, v.Digest, r.Zone, v.N)
}

// before looks at what a domain has in LiveDNS before it gets a zone.
func (p *ZonePush) before(ctx context.Context, s *v5.Session, op *ops.Operation) (err error) {
	if op.Kind == ops.KindCreate {
		_, err = s.Records(ctx, op.FQDN)
	} else if _, err = p.Zones.Own(op.Tenant, op.Source, op.FQDN); err == nil {
		_, err = p.compare(ctx, s, op.Tenant, op.Source, op.FQDN)
	}
	wrong := (*zones.Error)(nil)
	switch {
	case absent(err), errors.As(err, &wrong) && wrong.Why == zones.Misplaced:
		return errNotThere
	case wrong != nil:
		return &ops.StaleError{Reason: wrong.Reason}
	}
	return err
}

// errNotThere has an item tried again.
var errNotThere = &ops.LaterError{Reason: "the domain is not on LiveDNS yet"}
