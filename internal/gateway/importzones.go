package gateway

import (
	"errors"
	"fmt"
	"time"

	"v3gate/internal/config"
	"v3gate/internal/handles"
	"v3gate/internal/zones"
)

// A zone of the old service, for the commands that import.
type (
	ImportedZone    = zones.Import
	ImportedVersion = zones.ImportVersion
	ImportedRecord  = zones.Record
)

// ZonesImported is what became of an import.
type ZonesImported struct {
	Zones, Versions, Records, Domains int
	Known                             []int64  // zones that were there already; they stay as they are
	Elsewhere                         []string // domains that are linked to another zone already, and stay so
}

// ImportZones keeps zones of the old service for a tenant, each as a whole. It is
// for a store that no gateway runs on. After an error, what was imported before
// stays; doing it again goes on.
func ImportZones(cfg config.Config, tenant string, list []ImportedZone) (done ZonesImported, err error) {
	db, err := openStore(cfg, nil)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	book := zones.New(db, cfg.FirstID, time.Now)
	own := ""
	for _, t := range cfg.Tenants {
		if t.Name == tenant {
			own = t.OwnHandle
		}
	}
	people := handles.New(db, handles.Floors{Handle: cfg.FirstHandle, ID: cfg.FirstID}, time.Now)
	if own, err = people.Own(tenant, own); err != nil {
		return done, err
	}
	for _, z := range list {
		if z.Owner == "" {
			z.Owner = own
		}
		elsewhere, err := book.Import(tenant, z)
		if errors.Is(err, zones.ErrImported) {
			done.Known = append(done.Known, z.ID)
			continue
		}
		if err != nil {
			return done, fmt.Errorf("%w; %d zones were imported before it", err, done.Zones)
		}
		done.Zones++
		done.Versions += len(z.Versions)
		for _, v := range z.Versions {
			done.Records += len(v.Records)
		}
		done.Domains += len(z.Domains) - len(elsewhere)
		done.Elsewhere = append(done.Elsewhere, elsewhere...)
	}
	return done, nil
}
