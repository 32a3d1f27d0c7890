package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"v3gate/internal/config"
	"v3gate/internal/handles"
	"v3gate/internal/v5"
)

// Walk reads the domains of a tenant from v5, each with its contacts, at half the
// rate of the configuration, since a gateway may be at work. wanted tells which of
// some names are to be read. Domains of other organizations are left out; left
// counts them, and those that v5 listed and no longer has.
func Walk(ctx context.Context, cfg config.Config, tenantName string, wanted func([]string) ([]string, error),
	each func(fqdn string, contacts handles.Shown) error) (left int, err error) {
	i := slices.IndexFunc(cfg.Tenants, func(t config.Tenant) bool { return t.Name == tenantName })
	if i < 0 {
		return 0, fmt.Errorf("there is no tenant %q in the configuration", tenantName)
	}
	set, err := tenants(cfg.Tenants[i : i+1])
	if err != nil {
		return 0, err
	}
	t := set.All()[0]
	client, err := v5.New(v5.Options{BaseURL: cfg.V5URL, PerMinute: max(1, cfg.V5Rate/2), UserAgent: "v3gate/" + Build().Version})
	if err != nil {
		return 0, err
	}
	defer client.Close()
	s := client.SessionFor(t.Name, v5.Credential{Scheme: t.AuthScheme, Secret: t.AuthSecret}, t.SharingID)
	for page, last := 1, false; !last; page++ {
		var items []v5.DomainItem
		if items, last, err = s.DomainPage(ctx, page); err != nil {
			return left, err
		}
		names := make([]string, len(items))
		for i := range items {
			names[i] = items[i].FQDN
		}
		if names, err = wanted(names); err != nil {
			return left, err
		}
		for _, fqdn := range names {
			d, err := s.Domain(ctx, fqdn)
			var e *v5.Error
			switch {
			case errors.As(err, &e) && (e.Status == http.StatusNotFound || e.Status == http.StatusForbidden):
				left++
				continue
			case err != nil:
				return left, err
			case !s.Owns(d):
				left++
				continue
			}
			if err := each(d.FQDN, d.Contacts); err != nil {
				return left, err
			}
		}
	}
	return left, nil
}
