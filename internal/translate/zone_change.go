package translate

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"v3gate/internal/fault"
	"v3gate/internal/ops"
	"v3gate/internal/store"
	"v3gate/internal/v5"
	"v3gate/internal/zones"
)

// errLinked sends a change back that was not to reach any domain, and that would
// now: its domains were not looked at.
var errLinked = errors.New("a domain was linked to the zone meanwhile")

// zoneChange is a change that domains have to follow.
type zoneChange struct {
	zone   int64
	fqdn   string // the domain that is linked by it, "" for none
	moving bool   // it is not on LiveDNS yet
	many   bool   // there are too many domains to look at before the call is answered
	params []param
	// apply makes the change in the store. It may be run twice.
	apply func(*store.Tx) error
	// edited is what apply did to records, nil for other changes.
	edited func() *zones.Edited
}

// activate makes a version the active one on all domains of its zone.
func (c *Call) activate(ctx context.Context, z *zones.Zone, n int64) error {
	var was int64
	err := c.follow(ctx, zoneChange{
		zone: z.ID, params: []param{{"version_id", n}},
		apply: func(tx *store.Tx) (err error) {
			was, err = c.Zones.Activate(tx, c.Tenant.Name, z.ID, n)
			return err
		},
	})
	if failed := (*pushError)(nil); errors.As(err, &failed) {
		return errors.Join(err, c.Zones.Deactivate(c.Tenant.Name, z.ID, n, was))
	}
	return err
}

// edit changes records of a version. Those of the active one reach its domains,
// as far as they are others now.
func (c *Call) edit(ctx context.Context, z *zones.Zone, n int64, apply func(*store.Tx) (zones.Edited, error)) (zones.Edited, error) {
	var e zones.Edited
	err := c.Zones.Commit(func(tx *store.Tx) (err error) {
		if e, err = apply(tx); err != nil || e.Zone.Active != n {
			return err
		}
		domains, err := c.Zones.LinkedIn(tx, c.Tenant.Name, z.ID)
		if len(domains) > 0 && err == nil {
			err = errLinked
		}
		return err
	})
	if !errors.Is(err, errLinked) {
		return e, err
	}
	err = c.follow(ctx, zoneChange{
		zone: z.ID, params: []param{{"version_id", n}},
		apply: func(tx *store.Tx) (err error) {
			e, err = apply(tx)
			return err
		},
		edited: func() *zones.Edited { return &e },
	})
	if failed := (*pushError)(nil); errors.As(err, &failed) {
		return e, errors.Join(err, c.Zones.Undo(c.Tenant.Name, &e))
	}
	return e, err
}

// connect links a domain to a zone and moves it onto LiveDNS where it is not
// there. What it has now is kept in the zone that it has now.
func (c *Call) connect(ctx context.Context, d *v5.Domain, z *zones.Zone) error {
	if _, err := c.zoneIDOf(d); err != nil {
		return err
	}
	return c.follow(ctx, zoneChange{
		zone: z.ID, fqdn: d.FQDN, moving: !onLiveDNS(d),
		apply: func(tx *store.Tx) error { return c.Zones.Connect(tx, c.Tenant.Name, d.FQDN, z.ID) },
	})
}

// follow looks at all domains that a change concerns, and when none refuses
// commits it with an operation that brings it to them. It waits for that, but not
// for ever.
func (c *Call) follow(ctx context.Context, change zoneChange) error {
	domains, err := c.Zones.Linked(c.Tenant.Name, change.zone)
	if err != nil {
		return err
	}
	if change.fqdn != "" {
		domains = []string{change.fqdn}
	}
	source, err := c.source()
	if err != nil {
		return err
	}
	if change.many = len(domains) > mostLooked; !change.many && !change.moving {
		if err := c.lookAtAll(ctx, source, domains, &change); err != nil {
			return err
		}
	}
	in, err := c.zoneIntent(&change, source, domains)
	if err != nil {
		return err
	}
	op, err := c.Ops.Submit(ctx, in)
	if err != nil {
		return err
	}
	return c.pushed(ctx, &op)
}

const (
	// mostLooked bounds the domains that a call looks at before it changes
	// anything; of a zone with more, each is looked at right before it is written.
	mostLooked = 100
	// looksAtOnce bounds the requests for that which are under way.
	looksAtOnce = 8
)

// lookAtAll looks at the domains that a change concerns. Those that are not the
// caller's any more, or not on LiveDNS, are none of them.
func (c *Call) lookAtAll(ctx context.Context, source string, domains []string, change *zoneChange) error {
	looks, ctx := errgroup.WithContext(ctx)
	looks.SetLimit(looksAtOnce)
	for _, fqdn := range domains {
		looks.Go(func() error {
			err := c.ownsLinked(ctx, fqdn)
			if fqdn != change.fqdn && gone(err) {
				return c.Zones.Left(c.Tenant.Name, fqdn, true, true)
			}
			if err == nil {
				err = c.look(ctx, source, fqdn, change)
			}
			var away *zones.Error
			if errors.As(err, &away) && away.Why == zones.Misplaced && fqdn != change.fqdn {
				err = c.Zones.Left(c.Tenant.Name, fqdn, true, false)
			}
			if err != nil {
				return onDomain{fqdn, err}
			}
			return nil
		})
	}
	return looks.Wait()
}

// gone tells an error that proves that a domain is not the caller's: v5 says that
// it does not exist, or shows another organization's. A 403 proves nothing.
func gone(err error) bool {
	f, ok := fault.As(err)
	return ok && f.Object == fault.Domain && f.Cause == fault.CauseNotFound || absent(err)
}

// look reads what a domain has, or no more than what is to be changed of it where
// all would be many pages.
func (c *Call) look(ctx context.Context, source, fqdn string, change *zoneChange) error {
	if change.edited != nil {
		e := change.edited()
		if e.Version.Count() > manyRecords && len(e.Changes) <= mostChanges && !zones.Slashed(e.Changes) {
			if same, err := c.Push.unchanged(ctx, c.V5, c.Tenant.Name, fqdn, e); same || err != nil {
				return err
			}
		}
	}
	_, err := c.Push.examine(ctx, c.V5, c.Tenant.Name, source, fqdn)
	return err
}

// ownsLinked makes sure that a domain that was linked once is still the caller's.
func (c *Call) ownsLinked(ctx context.Context, fqdn string) error {
	if c.V5.SharingID() == "" {
		return nil // what the credential can reach is the caller's, and LiveDNS says so itself
	}
	return c.ownsDomain(ctx, fqdn)
}

// pushed waits for an operation that pushes a zone. One that is still at work
// when the time is up goes on, and is no error.
func (c *Call) pushed(ctx context.Context, op *ops.Operation) error {
	end, err := c.Ops.WaitList(ctx, c.Tenant.Name, op.ID, c.Push.Wait)
	if err == nil && end.Step == ops.Error {
		err = &pushError{operation: end.ID, reason: end.LastError}
	}
	return err
}

// zoneWork is the name of the work on a zone, of which there is one at a time.
func zoneWork(id int64) string { return "zone " + strconv.FormatInt(id, 10) }

// recent is how long a domain that was read or written needs no other look before
// its zone's active version is copied.
const recent = time.Minute

// catchUpZone makes what somebody changed in LiveDNS the active version of a zone
// that is one domain's alone, before that version is copied: the copy is going
// to be written there. Where zone_drift does not adopt it does nothing.
func (c *Call) catchUpZone(ctx context.Context, z *zones.Zone) error {
	domains, err := c.Zones.Linked(c.Tenant.Name, z.ID)
	if err != nil || z.Public || len(domains) != 1 || c.Push.Drift != DriftAdopt {
		return err
	}
	l, err := c.Zones.Link(c.Tenant.Name, domains[0])
	if err != nil || l.Away || c.Now().Sub(l.Seen) < recent {
		return err
	}
	source, err := c.source()
	if err != nil || c.ownsLinked(ctx, domains[0]) != nil {
		return err // what is wrong with the domain is said when it is to be written
	}
	adopted, err := c.Push.examine(ctx, c.V5, c.Tenant.Name, source, domains[0])
	var wrong *zones.Error
	var answer *v5.Error
	if errors.As(err, &wrong) || errors.As(err, &answer) {
		return nil // likewise
	}
	if err != nil || adopted == 0 {
		return err
	}
	return c.Zones.Follow(c.Tenant.Name, z.ID, adopted, zoneWork(z.ID))
}

// zoneIntent is the operation that brings a change to the domains.
func (c *Call) zoneIntent(change *zoneChange, source string, domains []string) (in ops.Intent, err error) {
	fqdn := ""
	if len(domains) == 1 {
		fqdn = domains[0]
	}
	caller, err := c.Book.Get(c.Tenant.Name, source)
	if err != nil {
		return in, err
	}
	params, err := object(append([]param{{"domain", fqdn}, {"zone_id", change.zone}, {"param_type", "zone"},
		{"remote_addr", c.Remote}, {"tracker_id", c.ID}, {"auth_id", caller.ID}}, change.params...))
	tenant := c.Tenant.Name
	return ops.Intent{
		Tenant: tenant, Type: "domain_update", Kind: KindZone, Source: source, FQDN: fqdn, Params: params,
		Fingerprint: c.ID, Request: json.RawMessage(`{}`),
		List:  zoneWork(change.zone),
		Infos: ops.Infos{Action: "update", Label: fqdn},
		Items: func(tx *store.Tx) ([]ops.Item, error) {
			if err := change.apply(tx); err != nil {
				return nil, err
			}
			return c.zoneItems(tx, tenant, change)
		},
	}, err
}

// zoneItems are the domains that do not have what their zone says.
func (c *Call) zoneItems(tx *store.Tx, tenant string, change *zoneChange) (items []ops.Item, err error) {
	targets, v, err := c.Zones.Behind(tx, tenant, change.zone)
	for _, target := range targets {
		r := pushed{Zone: change.zone, Version: v.N, Digest: v.Digest, Unseen: change.many,
			Moving: change.moving && target.FQDN == change.fqdn}
		if change.edited != nil {
			if e := change.edited(); len(e.Changes) <= mostChanges && !zones.Slashed(e.Changes) {
				r.From, r.Changes = e.From, zones.PushedChanges(e.Changes)
			}
		}
		raw, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		items = append(items, ops.Item{Name: target.FQDN, Request: raw})
	}
	return items, err
}

// relaunchZone brings the domains of a zone to its active version, for an
// operation that did not get there.
func (c *Call) relaunchZone(ctx context.Context, op *ops.Operation, params keyed) error {
	if len(params) > 0 {
		return unsupported("params", "the domains get the records of the zone's active version; change those")
	}
	var asked struct {
		Zone int64 `json:"zone_id"`
	}
	if err := json.Unmarshal(op.Params, &asked); err != nil {
		return err
	}
	if _, err := c.Zones.Get(c.Tenant.Name, asked.Zone); err != nil {
		return err
	}
	change := zoneChange{zone: asked.Zone, apply: func(*store.Tx) error { return nil }}
	in, err := c.zoneIntent(&change, op.Source, nil)
	if err != nil {
		return err
	}
	in.FQDN, in.Params = op.FQDN, op.Params
	again, err := c.Ops.Relaunch(ctx, op.ID, in, ops.Wait)
	if err != nil {
		return err
	}
	return c.pushed(ctx, &again)
}
