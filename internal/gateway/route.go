package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.uber.org/zap"

	"v3gate/internal/config"
	"v3gate/internal/fault"
	"v3gate/internal/oldv3"
	"v3gate/internal/tenant"
	"v3gate/internal/translate"
	"v3gate/internal/xmlrpc"
)

// way is who answers a method. The zero value is this gateway.
type way int

const (
	local  way = iota
	old        // the old server alone
	shadow     // both, to be compared
)

// CheckRoutes says everything that is wrong with the methods that the old server
// is to answer: config knows no methods.
func CheckRoutes(cfg config.Config) error {
	_, err := routesOf(&cfg, Table())
	return err
}

// routesOf gives the way of each method that is not answered here alone.
func routesOf(cfg *config.Config, table *translate.Table) (map[string]way, error) {
	routes := map[string]way{}
	var wrong []error
	for _, list := range []struct {
		key      string
		to       way
		patterns []string
	}{{"old_v3_methods", old, cfg.OldV3Methods}, {"shadow_methods", shadow, cfg.ShadowMethods}} {
		if len(list.patterns) > 0 && cfg.OldV3URL == "" {
			wrong = append(wrong, fmt.Errorf("%s: there is no old_v3_url to send them to", list.key))
		}
		for _, pattern := range list.patterns {
			found, err := covered(table, pattern, list.to)
			if err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", list.key, err))
			}
			for _, method := range found {
				if was, ok := routes[method]; ok && was != list.to {
					wrong = append(wrong, fmt.Errorf("%s: %s is in old_v3_methods, too", list.key, method))
				}
				routes[method] = list.to
			}
		}
	}
	return routes, errors.Join(wrong...)
}

// covered are the methods of a pattern. What has a * covers only what reads: a call
// that changes something or costs money goes to the old server only when somebody
// has named it, and never to both.
func covered(table *translate.Table, pattern string, to way) (methods []string, err error) {
	if !strings.Contains(pattern, "*") {
		row, ok := table.Find(pattern)
		switch {
		case !ok:
			return nil, fmt.Errorf("there is no method %s; gateway methods lists them", pattern)
		case to == shadow && row.Class != translate.Read:
			return nil, fmt.Errorf("%s changes something (%s) and is never sent twice", pattern, row.Class)
		}
		return []string{pattern}, nil
	}
	for i := range table.Rows {
		if row := &table.Rows[i]; row.Class == translate.Read && oldv3.Match(pattern, row.Name) {
			methods = append(methods, row.Name)
		}
	}
	if len(methods) == 0 {
		return nil, fmt.Errorf("no method that reads is like %s", pattern)
	}
	return methods, nil
}

// forwarder sends calls to the old server.
type forwarder struct {
	to      map[string]way
	client  *oldv3.Client
	compare *comparer
}

// newForwarder makes what the configuration asks for; nil where every method is
// answered here.
func (g *Gateway) newForwarder() error {
	routes, err := routesOf(&g.cfg, Table())
	if err != nil || len(routes) == 0 {
		return err
	}
	client, err := oldv3.NewClient(g.cfg.OldV3URL, g.cfg.OldV3ConnectTo, g.cfg.MaxBody)
	if err != nil {
		return fmt.Errorf("old_v3_url: %w", err)
	}
	g.forwarder = &forwarder{to: routes, client: client}
	g.forwarder.compare = g.newComparer()
	for _, t := range g.tenants.Load().All() {
		if t.OldV3Key == "" {
			g.log.Warn("a tenant has no old_v3_key: its calls to methods of the old server are refused, and none is compared", zap.String("tenant", t.Name))
		}
	}
	return nil
}

func (g *Gateway) closeForwarder() {
	if g.forwarder != nil {
		g.forwarder.compare.close()
		g.forwarder.client.Close()
	}
}

// route sends a call the way that its method goes.
func (g *Gateway) route(next handler) handler {
	if g.forwarder == nil {
		return next
	}
	return func(ctx context.Context, c *call) (xmlrpc.Answer, error) {
		to := g.forwarder.to[c.Method]
		if to == shadow && (c.userAgent == oldv3.Agent || c.Tenant != nil && c.Tenant.OldV3Key == "") {
			to = local
		}
		switch {
		case to == local:
			return next(ctx, c)
		case to == shadow && g.cfg.ShadowAnswer == "local":
			c.job = &job{}
			return next(ctx, c)
		}
		if err := mayForward(c); err != nil {
			return nil, err
		}
		a, err := g.forward(ctx, c)
		if err != nil {
			return nil, err
		}
		if to == shadow {
			c.job = &job{theirs: a, ours: next}
		}
		c.forwarded = true
		switch {
		case a.Fault != nil:
			return nil, &foreignFault{a}
		case a.Document != nil:
			return xmlrpc.Document(a.Document), nil
		}
		return a.Value, nil
	}
}

// mayForward refuses what must not leave.
func mayForward(c *call) error {
	switch {
	case c.userAgent == oldv3.Agent:
		return fault.Disabled("this gateway sends the method to the old server, which sent it here: old_v3_url leads to a gateway")
	case c.Tenant != nil && c.Tenant.Mode == tenant.NoSpend && c.row.Class == translate.Paid:
		return fault.Disabled("this account may not spend at the gateway, and the old server cannot only check a call")
	case c.Tenant != nil && c.Tenant.OldV3Key == "":
		return fault.Disabled("the old server answers this method, and this account has no key there")
	}
	return nil
}

// forward makes the call at the old server, with the tenant's key there.
func (g *Gateway) forward(ctx context.Context, c *call) (*oldv3.Answer, error) {
	key, params := "", c.params
	if c.Tenant != nil {
		key = c.Tenant.OldV3Key
		first := xmlrpc.String(key)
		if c.As != "" {
			first = xmlrpc.Struct(xmlrpc.M("apikey", first), xmlrpc.M("handle", xmlrpc.String(c.As)))
		}
		params = append([]xmlrpc.Value{first}, params...)
	}
	a, err := g.forwarder.client.Call(ctx, key, c.Method, params, c.row.Class != translate.Read)
	switch {
	case err == nil && a.Fault != nil:
		g.metrics.OldV3(c.Method, "fault")
	case err == nil:
		g.metrics.OldV3(c.Method, "answered")
	default:
		g.metrics.OldV3(c.Method, "failed")
		g.log.Warn("the old server did not answer", zap.String("request_id", c.ID), zap.String("method", c.Method), zap.Error(err))
		text := "the old server cannot be reached"
		if c.row.Class != translate.Read && errors.Is(err, oldv3.ErrMaybe) {
			text = "the old server did not answer; it may have carried the call out, so look before you send it again"
		}
		return nil, fault.New(fault.Service, fault.CauseServerUnavailable, "%s", text)
	}
	return a, nil
}

// foreignFault is a fault of the old server.
type foreignFault struct{ a *oldv3.Answer }

func (f *foreignFault) Error() string                  { return f.a.Fault.Error() }
func (f *foreignFault) Fault() (code int, text string) { return f.a.Fault.Code, f.a.Fault.Text }

// Document is the fault as it came.
func (f *foreignFault) Document() []byte { return f.a.Document }

// routedMethods are those that are not answered here alone, in order.
func (f *forwarder) routedMethods(to way) (methods []string) {
	for method, w := range f.to {
		if w == to {
			methods = append(methods, method)
		}
	}
	slices.Sort(methods)
	return methods
}
