package gateway

import (
	"context"
	"time"

	"go.uber.org/zap"

	"v3gate/internal/portfolio"
	"v3gate/internal/translate"
	"v3gate/internal/v5"
)

// newPortfolio makes the mirrors of domains, which read v5 as their tenants.
func (g *Gateway) newPortfolio(now func() time.Time) *portfolio.Mirror {
	return portfolio.New(g.db, portfolio.Options{
		Page: func(ctx context.Context, tenant string, page int) ([]v5.DomainItem, bool, error) {
			s, err := g.session(tenant)
			if err != nil {
				return nil, false, err
			}
			return s.DomainPage(ctx, page)
		},
		Owns: func(tenant string, item *v5.DomainItem) bool {
			t, ok := g.tenants.Load().Named(tenant)
			return ok && (t.SharingID == "" || t.SharingID == item.SharingID)
		},
		Read: func(ctx context.Context, tenant, fqdn string) (portfolio.Shown, error) {
			t, ok := g.tenants.Load().Named(tenant)
			if !ok {
				return portfolio.Shown{}, errNoTenant(tenant)
			}
			c := translate.Call{Services: g.services, Tenant: t, V5: g.sessionOf(t)}
			return c.Mirrored(ctx, fqdn)
		},
		Account: func(tenant string) string {
			if t, ok := g.tenants.Load().Named(tenant); ok {
				return t.SharingID
			}
			return ""
		},
		Refresh: g.cfg.ListRefresh, Reread: g.cfg.ListReread, Now: now,
		Failed: func(tenant string, err error) {
			g.log.Warn("domains were not read for lists; it is tried again", zap.String("tenant", tenant), zap.Error(err))
		},
		Progress: g.metrics.List,
	})
}
