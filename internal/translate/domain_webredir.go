package translate

import (
	"context"
	"errors"
	"slices"
	"strings"

	"v3gate/internal/fault"
	"v3gate/internal/ops"
	"v3gate/internal/query"
	"v3gate/internal/v5"
)

type webredirOut struct {
	Host string `v3:"host"`
	Type string `v3:"type"`
	URL  string `v3:"url"`
}

type webredirCreateIn struct {
	Domain string            `v3:"domain"`
	Params webredirNewParams `v3:"params"`
}

type webredirNewParams struct {
	Host string `v3:"host"`
	URL  string `v3:"url"`
	Type string `v3:"type,opt"`
}

type webredirDeleteIn struct {
	Domain string `v3:"domain"`
	Host   string `v3:"host"`
}

type webredirUpdateIn struct {
	Domain string         `v3:"domain"`
	Host   string         `v3:"host"`
	Params webredirParams `v3:"params"`
}

type webredirParams struct {
	Host string `v3:"host,opt"`
	Type string `v3:"type,opt"`
	URL  string `v3:"url,opt"`
}

// webredirPlan is a change of a redirection. v3 answers it at once and not by an
// operation.
type webredirPlan struct {
	fqdn  string
	host  string // the one that is changed, in full
	to    v5.NewWebredir
	shown webredirOut // the answer
	now   *v5.Webredir
}

// webredirHost gives the full name of a host, which v3 took relative to its domain
// or in full.
func webredirHost(path, host, fqdn string) (string, error) {
	if host == "@" {
		return fqdn, nil
	}
	bare := strings.ToLower(strings.TrimSuffix(host, "."))
	if bare != fqdn && !strings.HasSuffix(bare, "."+fqdn) {
		bare += "." + fqdn
	}
	full, err := normal(bare)
	if err != nil {
		return "", fault.New(fault.WebRedirection, fault.CauseBadParameter, "%s: '%s' is no host of %s", path, clip(host), fqdn).About(path)
	}
	return full, nil
}

func checkWebredirType(word string) error {
	if word == "" || slices.Contains([]string{"cloak", "http301", "http302"}, word) {
		return nil
	}
	return fault.New(fault.RedirectionType, fault.CauseValue, "params.type must be cloak, http301 or http302, not '%s'", clip(word)).About("params.type")
}

// webredir reads a redirection; nil where there is none.
func (c *Call) webredir(ctx context.Context, fqdn, host string) (*v5.Webredir, error) {
	w, err := c.V5.Webredir(ctx, fqdn, host)
	if e := (*v5.Error)(nil); errors.As(err, &e) && e.Missing() {
		return nil, nil
	}
	if err != nil {
		return nil, onDomain{fqdn, err}
	}
	return w, nil
}

// webredirOn makes sure of domain and host, and reads what is there.
func (c *Call) webredirOn(ctx context.Context, domain, path, host string) (plan webredirPlan, err error) {
	if plan.fqdn, err = normal(domain); err != nil {
		return plan, err
	}
	if plan.host, err = webredirHost(path, host, plan.fqdn); err != nil {
		return plan, err
	}
	if err = c.ownsDomain(ctx, plan.fqdn); err != nil {
		return plan, err
	}
	plan.now, err = c.webredir(ctx, plan.fqdn, plan.host)
	return plan, err
}

func noWebredir(host string) error {
	return fault.New(fault.WebRedirection, fault.CauseNotFound, "no redirection of %s", host)
}

func webredirExists(host string) error {
	return fault.New(fault.WebRedirection, fault.CauseExist, "%s has a redirection", host)
}

func webredirCreateCheck(ctx context.Context, c *Call, in webredirCreateIn) (webredirPlan, []FieldError, error) {
	if err := checkWebredirType(in.Params.Type); err != nil {
		return webredirPlan{}, nil, err
	}
	plan, err := c.webredirOn(ctx, in.Domain, "params.host", in.Params.Host)
	if err == nil && plan.now != nil {
		err = webredirExists(plan.host)
	}
	plan.to = v5.NewWebredir{Host: plan.host, Override: true, Protocol: "http", Type: in.Params.Type, URL: in.Params.URL}
	if plan.to.Type == "" {
		plan.to.Type = "http301"
	}
	plan.shown = webredirOut{in.Params.Host, plan.to.Type, plan.to.URL}
	return plan, nil, err
}

// webredirCreateDo sends the creation once. One whose answer got lost is looked
// for, and not sent again.
func webredirCreateDo(ctx context.Context, c *Call, p webredirPlan) (webredirOut, error) {
	err := c.V5.CreateWebredir(ctx, p.fqdn, p.to)
	if e := (*v5.Error)(nil); errors.As(err, &e) && !e.DefiniteNo() {
		if w, readErr := c.webredir(ctx, p.fqdn, p.host); readErr == nil && w != nil && w.Type == p.to.Type && w.URL == p.to.URL {
			err = nil
		}
	}
	if err != nil {
		return webredirOut{}, onDomain{p.fqdn, err}
	}
	return p.shown, nil
}

func webredirDeleteCheck(ctx context.Context, c *Call, in webredirDeleteIn) (webredirPlan, []FieldError, error) {
	plan, err := c.webredirOn(ctx, in.Domain, "host", in.Host)
	if err == nil && plan.now == nil {
		err = noWebredir(plan.host)
	}
	return plan, nil, err
}

// webredirDeleteDo sends the deletion once, as webredirCreateDo.
func webredirDeleteDo(ctx context.Context, c *Call, p webredirPlan) (bool, error) {
	err := c.V5.DeleteWebredir(ctx, p.fqdn, p.host)
	if e := (*v5.Error)(nil); errors.As(err, &e) && !e.DefiniteNo() {
		if w, readErr := c.webredir(ctx, p.fqdn, p.host); readErr == nil && w == nil {
			err = nil
		}
	}
	if err != nil {
		return false, onDomain{p.fqdn, err}
	}
	return true, nil
}

func webredirUpdateCheck(ctx context.Context, c *Call, in webredirUpdateIn) (webredirPlan, []FieldError, error) {
	p := in.Params
	if p == (webredirParams{}) {
		return webredirPlan{}, nil, fault.New(fault.Struct, fault.CauseExpected, "params needs host, type or url")
	}
	if err := checkWebredirType(p.Type); err != nil {
		return webredirPlan{}, nil, err
	}
	plan, err := c.webredirOn(ctx, in.Domain, "host", in.Host)
	if err == nil && plan.now == nil {
		err = noWebredir(plan.host)
	}
	if err != nil {
		return plan, nil, err
	}
	plan.to = v5.NewWebredir{Host: plan.host, Override: true, Protocol: or(plan.now.Protocol, "http"), Type: or(p.Type, plan.now.Type), URL: or(p.URL, plan.now.URL)}
	plan.shown = webredirOut{or(p.Host, in.Host), plan.to.Type, plan.to.URL}
	if p.Host == "" {
		return plan, nil, nil
	}
	if plan.to.Host, err = webredirHost("params.host", p.Host, plan.fqdn); err != nil || plan.to.Host == plan.host {
		return plan, nil, err
	}
	there, err := c.webredir(ctx, plan.fqdn, plan.to.Host)
	if err == nil && there != nil {
		err = webredirExists(plan.to.Host)
	}
	return plan, nil, err
}

func or(given, otherwise string) string {
	if given != "" {
		return given
	}
	return otherwise
}

// webredirUpdateDo changes a redirection in place. A change of its host is two
// calls of v5, so it goes through the journal, as an operation that v3 had too.
func webredirUpdateDo(ctx context.Context, c *Call, p webredirPlan) (webredirOut, error) {
	if p.to.Host == p.host {
		if err := c.V5.UpdateWebredir(ctx, p.fqdn, p.host, p.to.Type, p.to.URL); err != nil {
			return webredirOut{}, onDomain{p.fqdn, err}
		}
		return p.shown, nil
	}
	_, err := submit(ctx, c, domainPlan{
		fqdn: p.fqdn, typ: "domain_web_redir_update", kind: ops.KindWebredirMove, action: "update",
		request: p.to, items: ops.WebredirItems(p.host),
		params: []param{{"host", p.host}, {"new_host", p.to.Host}, {"type", p.to.Type}, {"url", p.to.URL}},
	})
	return p.shown, err
}

func webredirOptions() *query.Schema[webredirOut] {
	return query.New(query.DefaultPerPage,
		query.Text("host", query.Like|query.Sort, func(w *webredirOut) string { return w.Host }))
}

func (c *Call) webredirs(ctx context.Context, domain string) ([]webredirOut, error) {
	found, err := c.V5.Webredirs(ctx, domain)
	if err != nil {
		return nil, onDomain{domain, err}
	}
	out := make([]webredirOut, len(found))
	for i, w := range found {
		out[i] = webredirOut{w.Host, w.Type, w.URL}
	}
	return out, nil
}

func webredirList(ctx context.Context, c *Call, domain string, q *query.Query[webredirOut]) ([]webredirOut, error) {
	all, err := c.webredirs(ctx, domain)
	return onPage(q, all), err
}

func webredirCount(ctx context.Context, c *Call, domain string, q *query.Query[webredirOut]) (int64, error) {
	all, err := c.webredirs(ctx, domain)
	return q.Count(each(all)(false)), err
}
