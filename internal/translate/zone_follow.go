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

// zoneItem is the name of the item that gives a domain its zone after it was
// registered or transferred.
const zoneItem = "zone"

// itemsOfZone are what follows a purchase that names a zone; none where it does
// not.
func (c *Call) itemsOfZone(ctx context.Context, id *zoneNumber) ([]ops.Item, error) {
	if id == nil {
		return nil, nil
	}
	z, err := c.zone(ctx, *id)
	if err == nil {
		err = c.checkSets(z.ID, 0)
	}
	if wrong := (*zones.Error)(nil); errors.As(err, &wrong) {
		err = c.zoneFault(wrong).About("params.zone_id")
	}
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(pushed{Zone: z.ID})
	return []ops.Item{{Name: zoneItem, Request: raw}}, err
}

// itemsAgain is itemsOfZone for an operation that is set going again.
func (c *Call) itemsAgain(ctx context.Context, op *ops.Operation) ([]ops.Item, error) {
	var asked struct {
		Zone *zoneNumber `json:"zone_id"`
	}
	if err := json.Unmarshal(op.Params, &asked); err != nil {
		return nil, err
	}
	return c.itemsOfZone(ctx, asked.Zone)
}

// Kinds are the kinds that know of zones: that of this file's owner, and the
// purchases that a zone can follow.
func (p *ZonePush) Kinds() map[string]ops.Kind {
	all := map[string]ops.Kind{KindZone: p.Kind()}
	for _, name := range []string{ops.KindCreate, ops.KindTransferIn, ops.KindRelaunchTransfer} {
		kind := ops.Builtin(name)
		kind.DoItem = p.give
		all[name] = kind
	}
	return all
}

// give links a new domain to its zone and writes the records. What v5 gave to a
// domain that was just registered is nobody's and is not kept.
func (p *ZonePush) give(ctx context.Context, s *v5.Session, op *ops.Operation, item *ops.Item) error {
	var r pushed
	if err := json.Unmarshal(item.Request, &r); err != nil || item.Name != zoneItem {
		return fmt.Errorf("follow %s: item %q: %w", op.Kind, item.Name, err)
	}
	leave, err := p.enter(ctx, op.Tenant, op.FQDN)
	if err != nil {
		return err
	}
	defer leave()
	err = p.Zones.Commit(func(tx *store.Tx) error { return p.Zones.Connect(tx, op.Tenant, op.FQDN, r.Zone) })
	if wrong := (*zones.Error)(nil); errors.As(err, &wrong) {
		return &ops.StaleError{Reason: fmt.Sprintf("zone %d is no longer there; call domain.zone.set", r.Zone)}
	}
	if err != nil {
		return err
	}
	d, err := s.Domain(ctx, op.FQDN)
	if err != nil {
		return err
	}
	if !s.Owns(d) {
		return &ops.StaleError{Reason: "it is not on the account"}
	}
	if !onLiveDNS(d) {
		return p.Zones.Left(op.Tenant, op.FQDN, true, false)
	}
	if op.Kind != ops.KindCreate {
		_, err = p.compare(ctx, s, op.Tenant, op.Source, op.FQDN)
	} else if _, err = s.Records(ctx, op.FQDN); absent(err) {
		err = errNotThere
	}
	if wrong := (*zones.Error)(nil); errors.As(err, &wrong) && wrong.Why == zones.Misplaced {
		err = errNotThere
	}
	if err != nil {
		return err
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

// errNotThere has an item tried again.
var errNotThere = errors.New("wait for LiveDNS: the domain is not there yet")
