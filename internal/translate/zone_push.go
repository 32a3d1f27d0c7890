package translate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"v3gate/internal/ops"
	"v3gate/internal/store"
	"v3gate/internal/v5"
	"v3gate/internal/zones"
)

// KindZone is the kind of operations that bring domains to what the active
// version of their zone says: a work list with one item a domain.
const KindZone = "zone"

// What becomes of records that somebody changed in LiveDNS past the gateway, and
// that a push would overwrite.
const (
	DriftAdopt     = "adopt"     // they become a version of the zone, and then the push goes on
	DriftRefuse    = "refuse"    // the call is refused
	DriftOverwrite = "overwrite" // nobody looks
)

// ZonePush writes zones to LiveDNS.
type ZonePush struct {
	Zones *zones.Book
	Drift string        // one of the words above
	Wait  time.Duration // how long a call waits for all domains of a zone
	Now   func() time.Time
	// Drifted is told of records that were changed past the gateway, and of the
	// version that has them now.
	Drifted func(fqdn string, zone, version int64)

	mu   sync.Mutex
	busy map[string]chan struct{} // domains that are written to
}

// pushed is the request of one domain's item.
type pushed struct {
	Zone    int64
	Version int64
	Digest  []byte // of the version
	// Changes are all that differ from what has the digest From; empty where
	// that is not known.
	From    []byte         `json:",omitempty"`
	Changes []zones.Change `json:",omitempty"`
	Moving  bool           `json:",omitempty"` // the domain is not on LiveDNS yet
	Unseen  bool           `json:",omitempty"` // nobody looked at the domain before
}

// mostChanges bounds the rrsets that are written one by one.
const mostChanges = 5

// rereadAfter is the age of an operation from which what was read before it began
// is too old to be overwritten.
const rereadAfter = time.Minute

// Kind is the kind for the engine.
func (p *ZonePush) Kind() ops.Kind {
	return ops.Kind{
		DoItem: func(ctx context.Context, s *v5.Session, op *ops.Operation, item *ops.Item) error {
			leave, err := p.enter(ctx, op.Tenant, item.Name)
			if err != nil {
				return err
			}
			defer leave()
			return p.do(ctx, s, op, item)
		},
		ShownItem: p.shown,
		WantItem: func(tx *store.Tx, op *ops.Operation, item *ops.Item) error {
			var r pushed
			if err := json.Unmarshal(item.Request, &r); err != nil {
				return err
			}
			l, err := p.Zones.LinkIn(tx, op.Tenant, item.Name)
			if err == nil && l.Zone != r.Zone {
				err = &ops.SkipError{Reason: "the domain has another zone now"}
			}
			return err
		},
	}
}

// enter lets one writer at a time to a domain: requests for two zones must not
// overtake one another.
func (p *ZonePush) enter(ctx context.Context, tenant, fqdn string) (leave func(), err error) {
	name := tenant + "\n" + fqdn
	for {
		p.mu.Lock()
		ahead := p.busy[name]
		if ahead == nil {
			mine := make(chan struct{})
			if p.busy == nil {
				p.busy = map[string]chan struct{}{}
			}
			p.busy[name] = mine
			p.mu.Unlock()
			return func() {
				p.mu.Lock()
				delete(p.busy, name)
				p.mu.Unlock()
				close(mine)
			}, nil
		}
		p.mu.Unlock()
		select {
		case <-ahead:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// do brings one domain to what the active version says at this moment, which may
// be more than was asked for when the item was made.
func (p *ZonePush) do(ctx context.Context, s *v5.Session, op *ops.Operation, item *ops.Item) error {
	var r pushed
	if err := json.Unmarshal(item.Request, &r); err != nil {
		return err
	}
	l, err := p.Zones.Link(op.Tenant, item.Name)
	if err != nil {
		return err
	}
	if l.Zone != r.Zone {
		return &ops.SkipError{Reason: "the domain has another zone now"}
	}
	_, v, err := p.Zones.Version(op.Tenant, r.Zone, 0)
	if wrong := (*zones.Error)(nil); errors.As(err, &wrong) {
		return &ops.SkipError{Reason: "the zone is no longer there"}
	}
	if err != nil {
		return err
	}
	if r.Moving {
		if err := s.EnableLiveDNS(ctx, item.Name); err != nil {
			return err
		}
	}
	if !r.Unseen && len(r.Changes) > 0 && bytes.Equal(r.Digest, v.Digest) && bytes.Equal(r.From, l.Digest) {
		err = pushChanges(ctx, s, item.Name, r.Changes)
	} else {
		v, err = p.pushAll(ctx, s, op, item, &r)
	}
	if err != nil {
		return err
	}
	return p.Zones.Wrote(op.Tenant, item.Name, v.Digest, r.Zone, v.N)
}

// pushChanges writes single rrsets. Written twice they are the same.
func pushChanges(ctx context.Context, s *v5.Session, fqdn string, changes []zones.Change) error {
	for _, c := range changes {
		var err error
		switch {
		case c.Now == nil:
			err = s.DeleteRRset(ctx, fqdn, c.Name, c.Type)
		default:
			err = s.PutRRset(ctx, fqdn, v5.RRset{Name: c.Name, Type: c.Type, TTL: int(c.Now.TTL), Values: c.Now.Values})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// pushAll replaces all that a domain has, and gives the version that it has then.
func (p *ZonePush) pushAll(ctx context.Context, s *v5.Session, op *ops.Operation, item *ops.Item, r *pushed) (v zones.Version, err error) {
	late := item.Tries > 1 || p.Now().Sub(op.Updated) > rereadAfter
	if late || r.Moving || r.Unseen {
		if err := p.again(ctx, s, op, item.Name, r.Moving); err != nil {
			return v, err
		}
	}
	sets, v, err := p.Zones.RRsets(op.Tenant, r.Zone, 0)
	if err != nil {
		return v, err
	}
	return v, s.ReplaceRecords(ctx, item.Name, zones.Items(sets))
}

// again looks at a domain once more, some time after its operation began.
func (p *ZonePush) again(ctx context.Context, s *v5.Session, op *ops.Operation, fqdn string, moving bool) error {
	d, err := s.Domain(ctx, fqdn)
	if err != nil {
		return err
	}
	if !s.Owns(d) {
		return &ops.StaleError{Reason: "it is no longer on the account"}
	}
	_, err = p.compare(ctx, s, op.Tenant, op.Source, fqdn)
	var wrong *zones.Error
	switch {
	case !moving && errors.As(err, &wrong) && wrong.Why == zones.Misplaced:
		if err := p.Zones.Left(op.Tenant, fqdn, true, false); err != nil {
			return err
		}
		return &ops.SkipError{Reason: "it is not on LiveDNS"}
	case moving && errors.As(err, &wrong) && wrong.Why == zones.Misplaced:
		return errNotThere
	case errors.As(err, &wrong):
		return &ops.StaleError{Reason: wrong.Reason}
	}
	return err
}

// shown tells whether a domain has what the active version says.
func (p *ZonePush) shown(ctx context.Context, s *v5.Session, op *ops.Operation, item *ops.Item) (bool, error) {
	var r pushed
	if err := json.Unmarshal(item.Request, &r); err != nil {
		return false, err
	}
	leave, err := p.enter(ctx, op.Tenant, item.Name)
	if err != nil {
		return false, err
	}
	defer leave()
	_, v, err := p.Zones.Version(op.Tenant, r.Zone, 0)
	if err != nil {
		return false, nil // do says why
	}
	sets, err := s.Records(ctx, item.Name)
	if absent(err) {
		return false, nil
	}
	if err != nil || !bytes.Equal(zones.Digest(zones.Shown(sets)), v.Digest) {
		return false, err
	}
	return true, p.Zones.Wrote(op.Tenant, item.Name, v.Digest, r.Zone, v.N)
}

// examine reads what a linked domain has in LiveDNS before it is overwritten.
// What nobody here wrote is kept or refused, as is set; adopted is the version of
// the domain's zone that has it then, 0 for none.
func (p *ZonePush) examine(ctx context.Context, s *v5.Session, tenant, owner, fqdn string) (adopted int64, err error) {
	leave, err := p.enter(ctx, tenant, fqdn) // between a request and its being noted they differ
	if err != nil {
		return 0, err
	}
	defer leave()
	return p.compare(ctx, s, tenant, owner, fqdn)
}

// compare is examine for who has entered the domain.
func (p *ZonePush) compare(ctx context.Context, s *v5.Session, tenant, owner, fqdn string) (adopted int64, err error) {
	sets, err := s.Records(ctx, fqdn)
	if absent(err) {
		return 0, &zones.Error{Why: zones.Misplaced, Reason: fqdn + " is not on LiveDNS"}
	}
	if err != nil {
		return 0, err
	}
	shown := zones.Shown(sets)
	now := zones.Digest(shown)
	l, err := p.Zones.Link(tenant, fqdn)
	if err == nil && l.Away {
		l.Digest = nil
		err = p.Zones.Left(tenant, fqdn, false, false)
	}
	if err != nil || bytes.Equal(l.Digest, now) || p.Drift == DriftOverwrite {
		return 0, err
	}
	z, v, err := p.Zones.Version(tenant, l.Zone, 0)
	switch wrong := (*zones.Error)(nil); {
	case errors.As(err, &wrong) && wrong.Why == zones.NoVersion && z.Unread == fqdn:
		// Its own zone, which nobody has looked at: this is what it is.
		return 0, p.Zones.Read(tenant, l.Zone, shown)
	case err != nil:
		return 0, err
	case bytes.Equal(v.Digest, now):
		return 0, p.Zones.Wrote(tenant, fqdn, now, l.Zone, v.N)
	case p.Drift == DriftRefuse && l.Digest != nil:
		return 0, &zones.Error{Why: zones.Drifted, Zone: l.Zone,
			Reason: fmt.Sprintf("the records of %s were changed past this gateway; nothing was overwritten", fqdn)}
	}
	zone, version, err := p.Zones.Adopt(tenant, owner, fqdn, shown)
	if err != nil {
		return 0, err
	}
	p.Drifted(fqdn, zone, version)
	if zone != l.Zone {
		version = 0
	}
	return version, nil
}

// manyRecords is from where on a change reads single rrsets before it writes
// them.
const manyRecords = 500

// unchanged tells whether a domain has those rrsets that an edit changes as the
// edit found them, and everything else as far as is known.
func (p *ZonePush) unchanged(ctx context.Context, s *v5.Session, tenant, fqdn string, e *zones.Edited) (bool, error) {
	l, err := p.Zones.Link(tenant, fqdn)
	if err != nil || l.Away || !bytes.Equal(l.Digest, e.From) {
		return false, err
	}
	for _, change := range zones.PushedChanges(e.Changes) {
		set, err := s.RRset(ctx, fqdn, change.Name, change.Type)
		if err != nil {
			return false, err
		}
		var shown, was []zones.RRset
		if set != nil {
			shown = zones.Shown([]v5.RRset{*set})
		}
		if change.Was != nil {
			was = []zones.RRset{*change.Was}
		}
		if !bytes.Equal(zones.Digest(shown), zones.Digest(was)) {
			return false, nil
		}
	}
	return true, nil
}

// absent tells a 404 of v5 itself.
func absent(err error) bool {
	var answer *v5.Error
	return errors.As(err, &answer) && answer.Status == http.StatusNotFound && answer.IsJSON
}
