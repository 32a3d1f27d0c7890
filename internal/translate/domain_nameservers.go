package translate

import (
	"context"
	"maps"
	"slices"

	"v3gate/internal/fault"
	"v3gate/internal/ops"
	"v3gate/internal/xmlrpc"
)

type nameserversSetIn struct {
	Domain      string             `v3:"domain"`
	Nameservers []string           `v3:"nameservers"`
	Options     nameserversOptions `v3:"options,opt"`
}

type nameserversOptions struct {
	IPs       map[string][]string `v3:"nameservers_ips,opt"`
	FIAuthKey xmlrpc.Value        `v3:"x-fi_auth_key" refuse:"v5 takes no key of the .fi registry with name servers"`
	ZoneID    xmlrpc.Value        `v3:"zone_id" refuse:"call domain.zone.set once the name servers are set"`
	Override  xmlrpc.Value        `v3:"override" ignore:"no document has it, a known client sends it; the list is always replaced"`
}

// nameserversSetCheck takes Gandi's old servers for LiveDNS. Glue records come
// first, as v5 refuses name servers inside the domain without theirs.
func nameserversSetCheck(ctx context.Context, c *Call, in nameserversSetIn) (plan domainPlan, wrong []FieldError, err error) {
	fqdn, err := normal(in.Domain)
	if err != nil {
		return plan, nil, err
	}
	if len(in.Nameservers) == 0 {
		return plan, nil, fault.New(fault.List, fault.CauseExpected, "nameservers needs a name at least").About("nameservers")
	}
	own, err := ownNameservers("nameservers", in.Nameservers)
	if err != nil {
		return plan, nil, err
	}
	if err := c.ownsDomain(ctx, fqdn); err != nil {
		return plan, nil, err
	}
	request := ops.NameserversRequest{Nameservers: own}
	plan = domainPlan{
		fqdn: fqdn, typ: "domain_ns_set", kind: ops.KindNameservers, action: "update", request: request,
		params: []param{{"nameservers", in.Nameservers}, {"nameservers_ips", in.Options.IPs}},
	}
	if len(in.Options.IPs) == 0 {
		return plan, nil, nil
	}
	var hosts []ops.HostRequest
	for _, name := range slices.Sorted(maps.Keys(in.Options.IPs)) {
		path := "options.nameservers_ips." + clip(name)
		host, err := c.hostOf(ctx, name)
		if err != nil {
			return plan, nil, err
		}
		if host.IPs, err = addresses(path, in.Options.IPs[name]); err != nil {
			return plan, nil, err
		}
		if slices.ContainsFunc(hosts, func(h ops.HostRequest) bool { return h.Domain == host.Domain && h.Label == host.Label }) {
			return plan, nil, fault.New(fault.Struct, fault.CauseUnexpected, "%s is there twice", path)
		}
		hosts = append(hosts, host)
	}
	plan.kind, plan.request = ops.KindNameserverHosts, nil
	plan.items, err = ops.NameserverItems(hosts, request)
	return plan, nil, err
}
