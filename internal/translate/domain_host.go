package translate

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"v3gate/internal/fault"
	"v3gate/internal/ops"
	"v3gate/internal/query"
	"v3gate/internal/v5"
)

type hostIn struct {
	FQDN string `v3:"fqdn"`
}

type hostIPsIn struct {
	FQDN string   `v3:"fqdn"`
	IPs  []string `v3:"ips"`
}

// hostListOut is a glue record in a list; its name is the full one.
type hostListOut struct {
	IPs  []string `v3:"ips"`
	Name string   `v3:"name"`
}

type hostOut struct {
	Domain string   `v3:"domain"`
	IPs    []string `v3:"ips"`
	Name   string   `v3:"name"`
}

// longestExtension is how many labels an extension has at most, as in
// city.kobe.jp, so that a long name costs few readings.
const longestExtension = 3

// hostOf finds the domain of a glue record: of the names that it ends in, the
// longest that is on the account.
func (c *Call) hostOf(ctx context.Context, name string) (ops.HostRequest, error) {
	fqdn, err := normal(name)
	if err != nil {
		return ops.HostRequest{}, err
	}
	labels := strings.Split(fqdn, ".")
	for i := max(0, len(labels)-longestExtension-1); i <= len(labels)-2; i++ {
		domain := strings.Join(labels[i:], ".")
		err := c.ownsDomain(ctx, domain)
		if err == nil {
			label := strings.TrimSuffix(strings.TrimSuffix(fqdn, domain), ".")
			if label == "" {
				label = "@"
			}
			return ops.HostRequest{Domain: domain, Label: label}, nil
		}
		if !notOurs(err) {
			return ops.HostRequest{}, err
		}
	}
	return ops.HostRequest{}, noHost(fqdn)
}

// notOurs tells the errors that say that a domain is not on the account.
func notOurs(err error) bool {
	if f, ok := fault.As(err); ok {
		return f.Cause == fault.CauseNotFound
	}
	e := (*v5.Error)(nil)
	return errors.As(err, &e) && (e.Absent() || e.Status == 403)
}

func noHost(fqdn string) error {
	return fault.New(fault.Host, fault.CauseNotFound, "Host '%s' doesn't exist.", fqdn)
}

func hostName(domain, label string) string {
	if label == "@" {
		return domain
	}
	return label + "." + domain
}

// host reads a glue record; nil where there is none.
func (c *Call) host(ctx context.Context, r ops.HostRequest) (*v5.Host, error) {
	host, err := c.V5.Host(ctx, r.Domain, r.Label)
	if e := (*v5.Error)(nil); errors.As(err, &e) && e.Missing() {
		return nil, nil
	}
	if err != nil {
		return nil, onDomain{r.Domain, err}
	}
	return host, nil
}

func hostInfo(ctx context.Context, c *Call, in hostIn) (hostOut, error) {
	r, err := c.hostOf(ctx, in.FQDN)
	if err != nil {
		return hostOut{}, err
	}
	host, err := c.host(ctx, r)
	if err == nil && host == nil {
		err = noHost(hostName(r.Domain, r.Label))
	}
	if err != nil {
		return hostOut{}, err
	}
	return hostOut{Domain: r.Domain, IPs: list(host.IPs), Name: hostName(r.Domain, r.Label)}, nil
}

func hostCreateCheck(ctx context.Context, c *Call, in hostIPsIn) (domainPlan, []FieldError, error) {
	plan, now, err := c.hostPlan(ctx, in)
	if err == nil && now != nil {
		err = fault.New(fault.Host, fault.CauseExist, "Host '%s' already exists.", hostName(plan.fqdn, now.Name))
	}
	plan.typ, plan.kind, plan.action = "host_create", ops.KindHostCreate, "create"
	return plan, nil, err
}

func hostUpdateCheck(ctx context.Context, c *Call, in hostIPsIn) (domainPlan, []FieldError, error) {
	plan, now, err := c.hostPlan(ctx, in)
	plan.typ, plan.kind, plan.action = "host_update_ip", ops.KindHostUpdate, "update"
	if err == nil {
		if now == nil {
			err = noHost(clip(in.FQDN))
		} else {
			plan.nothing = ops.SameIPs(now.IPs, plan.request.(ops.HostRequest).IPs)
		}
	}
	return plan, nil, err
}

func hostDeleteCheck(ctx context.Context, c *Call, in hostIn) (plan domainPlan, wrong []FieldError, err error) {
	r, err := c.hostOf(ctx, in.FQDN)
	if err != nil {
		return plan, nil, err
	}
	name := hostName(r.Domain, r.Label)
	now, err := c.host(ctx, r)
	if err == nil && now == nil {
		err = noHost(name)
	}
	return domainPlan{
		fqdn: r.Domain, typ: "host_delete", kind: ops.KindHostDelete, action: "delete",
		request: r, params: []param{{"fqdn", name}},
	}, nil, err
}

// hostPlan is what a creation and an update have in common. now is the glue
// record as it is, nil where there is none.
func (c *Call) hostPlan(ctx context.Context, in hostIPsIn) (plan domainPlan, now *v5.Host, err error) {
	ips, err := addresses("ips", in.IPs)
	if err != nil {
		return plan, nil, err
	}
	r, err := c.hostOf(ctx, in.FQDN)
	if err != nil {
		return plan, nil, err
	}
	r.IPs = ips
	now, err = c.host(ctx, r)
	return domainPlan{fqdn: r.Domain, request: r,
		params: []param{{"fqdn", hostName(r.Domain, r.Label)}, {"ips", ips}}}, now, err
}

// addresses checks a list of IP addresses and brings them into their usual form.
func addresses(path string, texts []string) ([]string, error) {
	if len(texts) == 0 {
		return nil, fault.New(fault.List, fault.CauseExpected, "%s needs an address at least", path).About(path)
	}
	ips := make([]string, len(texts))
	for i, text := range texts {
		ip, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil || ip.Zone() != "" {
			object := fault.IPv4
			if strings.Contains(text, ":") {
				object = fault.IPv6
			}
			return nil, fault.New(object, fault.CauseBadParameter, "%s[%d]: '%s' is not an IP address", path, i, clip(text)).About(path)
		}
		ips[i] = ip.Unmap().String()
	}
	return ips, nil
}

func hostOptions() *query.Schema[hostListOut] {
	return query.New(query.DefaultPerPage,
		query.Texts("ip", query.Eq|query.Sort, func(h *hostListOut) []string { return h.IPs }).Form(plainIP),
		query.Text("name", query.Eq|query.Like|query.Sort, func(h *hostListOut) string { return h.Name }).Form(normal),
	)
}

// plainIP brings an address into the form in which it is compared.
func plainIP(text string) (string, error) {
	ips, err := addresses("opts.ip", []string{text})
	if err != nil {
		return "", err
	}
	return ips[0], nil
}

func hostList(ctx context.Context, c *Call, domain string, q *query.Query[hostListOut]) ([]hostListOut, error) {
	hosts, err := c.hosts(ctx, domain)
	if err != nil {
		return nil, err
	}
	return onPage(q, hosts), nil
}

func hostCount(ctx context.Context, c *Call, domain string, q *query.Query[hostListOut]) (int64, error) {
	hosts, err := c.hosts(ctx, domain)
	return q.Count(each(hosts)(false)), err
}

func (c *Call) hosts(ctx context.Context, domain string) ([]hostListOut, error) {
	found, err := c.V5.Hosts(ctx, domain)
	if err != nil {
		return nil, onDomain{domain, err}
	}
	out := make([]hostListOut, len(found))
	for i, h := range found {
		ips := slices.Clone(h.IPs)
		for i := range ips {
			if ip, err := netip.ParseAddr(ips[i]); err == nil {
				ips[i] = ip.String()
			}
		}
		out[i] = hostListOut{IPs: list(ips), Name: hostName(domain, h.Name)}
	}
	return out, nil
}
