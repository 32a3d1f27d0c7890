package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kolo/xmlrpc"

	"v3gate/internal/gateway"
)

// v3Server is a server that still speaks v3, read no faster than it likes: the
// old service took 30 calls in 2 seconds.
type v3Server struct {
	url, key  string
	perSecond int

	client *xmlrpc.Client
	tick   *time.Ticker
}

const v3Page = 100

// zones reads all zones that are the account's, with everything in them.
func (s *v3Server) zones(ctx context.Context) ([]gateway.ImportedZone, error) {
	if s.key == "" {
		return nil, errors.New("from-key: name the key of the account")
	}
	var err error
	if s.client, err = newClient(s.url); err != nil {
		return nil, err
	}
	defer s.client.Close()
	s.tick = time.NewTicker(time.Second / time.Duration(s.perSecond))
	defer s.tick.Stop()
	domains, err := s.linked(ctx)
	if err != nil {
		return nil, err
	}
	var list []gateway.ImportedZone
	err = s.pages(ctx, "domain.zone.list", nil, func(m map[string]any) error {
		if public, _ := m["public"].(bool); public {
			return nil
		}
		id, ok := m["id"].(int64)
		if !ok {
			return fmt.Errorf("read zones: id %v", m["id"])
		}
		z, err := s.zone(ctx, id)
		z.Domains = domains[id]
		list = append(list, z)
		return err
	})
	return list, err
}

// linked reads which domains have which zone.
func (s *v3Server) linked(ctx context.Context) (map[int64][]string, error) {
	domains := map[int64][]string{}
	err := s.pages(ctx, "domain.list", nil, func(m map[string]any) error {
		fqdn, _ := m["fqdn"].(string)
		var d map[string]any
		if err := s.call(ctx, "domain.info", &d, fqdn); err != nil {
			return err
		}
		if zone, ok := d["zone_id"].(int64); ok && zone != 0 {
			domains[zone] = append(domains[zone], strings.ToLower(fqdn))
		}
		return nil
	})
	return domains, err
}

// zone reads one zone.
func (s *v3Server) zone(ctx context.Context, id int64) (z gateway.ImportedZone, err error) {
	var m map[string]any
	if err := s.call(ctx, "domain.zone.info", &m, id); err != nil {
		return z, err
	}
	z.ID = id
	z.Name, _ = m["name"].(string)
	z.Owner, _ = m["owner"].(string)
	z.Active, _ = m["version"].(int64)
	z.Updated = ofParis(m["date_updated"])
	var versions []map[string]any
	if err := s.call(ctx, "domain.zone.version.list", &versions, id); err != nil {
		return z, err
	}
	for _, version := range versions {
		v := gateway.ImportedVersion{Created: ofParis(version["date_created"])}
		v.N, _ = version["id"].(int64)
		err := s.pages(ctx, "domain.zone.record.list", []any{id, v.N}, func(m map[string]any) error {
			r := gateway.ImportedRecord{}
			r.Name, _ = m["name"].(string)
			r.Type, _ = m["type"].(string)
			r.Value, _ = m["value"].(string)
			r.TTL, _ = m["ttl"].(int64)
			v.Records = append(v.Records, r)
			return nil
		})
		if err != nil {
			return z, err
		}
		z.Versions = append(z.Versions, v)
	}
	return z, nil
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

// pages reads a list page by page.
func (s *v3Server) pages(ctx context.Context, method string, params []any, fn func(map[string]any) error) error {
	for page := 0; ; page++ {
		asked := map[string]any{"page": page, "items_per_page": v3Page}
		var items []map[string]any
		if err := s.call(ctx, method, &items, append(append([]any{}, params...), asked)...); err != nil {
			return err
		}
		for _, m := range items {
			if err := fn(m); err != nil {
				return err
			}
		}
		if len(items) < v3Page {
			return nil
		}
	}
}

// call makes one call when its turn has come.
func (s *v3Server) call(ctx context.Context, method string, into any, params ...any) error {
	select {
	case <-s.tick.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := s.client.Call(method, append([]any{s.key}, params...), into); err != nil {
		return fmt.Errorf("%s %v: %w", method, params, err)
	}
	return nil
}
