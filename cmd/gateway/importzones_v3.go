package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"v3gate/internal/gateway"
)

// zones reads all zones that are the account's, with everything in them.
func (s *v3Server) zones(ctx context.Context) ([]gateway.ImportedZone, error) {
	domains, err := s.linked(ctx)
	if err != nil {
		return nil, err
	}
	var list []gateway.ImportedZone
	seen := map[int64]bool{}
	err = s.list(ctx, "domain.zone.list", nil, nil, func(m map[string]any) (bool, error) {
		id := number(m["id"])
		if id == 0 {
			return false, fmt.Errorf("domain.zone.list there: id %v", m["id"])
		}
		if seen[id] {
			return false, nil
		}
		seen[id] = true
		if public, _ := m["public"].(bool); public {
			return true, nil
		}
		z, err := s.zone(ctx, id)
		z.Domains = domains[id]
		list = append(list, z)
		return true, err
	})
	return list, err
}

// linked reads which domains have which zone.
func (s *v3Server) linked(ctx context.Context) (map[int64][]string, error) {
	domains := map[int64][]string{}
	seen := map[string]bool{}
	err := s.list(ctx, "domain.list", nil, nil, func(m map[string]any) (bool, error) {
		fqdn := strings.ToLower(text(m["fqdn"]))
		if seen[fqdn] {
			return false, nil
		}
		seen[fqdn] = true
		d, err := s.structOf(ctx, "domain.info", fqdn)
		if zone := number(d["zone_id"]); err == nil && zone != 0 {
			domains[zone] = append(domains[zone], fqdn)
		}
		return true, err
	})
	return domains, err
}

// structOf makes a call that answers a struct.
func (s *v3Server) structOf(ctx context.Context, method string, params ...any) (map[string]any, error) {
	v, err := s.call(ctx, method, params...)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s there: the answer is no struct", method)
	}
	return m, nil
}

// zone reads one zone.
func (s *v3Server) zone(ctx context.Context, id int64) (z gateway.ImportedZone, err error) {
	m, err := s.structOf(ctx, "domain.zone.info", id)
	if err != nil {
		return z, err
	}
	z.ID, z.Name, z.Owner, z.Active = id, text(m["name"]), text(m["owner"]), number(m["version"])
	z.Updated = ofParis(m["date_updated"])
	versions, err := s.call(ctx, "domain.zone.version.list", id) // it has no pages
	if err != nil {
		return z, err
	}
	list, ok := versions.([]any)
	if !ok {
		return z, errors.New("domain.zone.version.list there: the answer is no list")
	}
	for _, item := range list {
		m, _ := item.(map[string]any)
		v := gateway.ImportedVersion{N: number(m["id"]), Created: ofParis(m["date_created"])}
		if v.Records, err = s.records(ctx, id, v.N); err != nil {
			return z, err
		}
		z.Versions = append(z.Versions, v)
	}
	return z, nil
}

// records reads those of one version. Their ids are digits (recorded).
func (s *v3Server) records(ctx context.Context, zone, version int64) (list []gateway.ImportedRecord, err error) {
	seen := map[string]bool{}
	err = s.list(ctx, "domain.zone.record.list", []any{zone, version}, nil, func(m map[string]any) (bool, error) {
		id := text(m["id"])
		if id == "" {
			return false, fmt.Errorf("domain.zone.record.list of zone %d there: a record without id", zone)
		}
		if seen[id] {
			return false, nil
		}
		seen[id] = true
		list = append(list, gateway.ImportedRecord{Name: text(m["name"]), Type: text(m["type"]), Value: text(m["value"]), TTL: number(m["ttl"])})
		return true, nil
	})
	return list, err
}

// ofParis reads a date of the old service, which was its local time (recorded).
func ofParis(date any) time.Time {
	t, _ := date.(time.Time)
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil || t.IsZero() {
		return t
	}
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, zone)
}
