package translate

import (
	"context"
	"maps"
	"slices"
	"strings"

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
	ZoneID    *zoneNumber         `v3:"zone_id,opt"`
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
	q := ops.Sequel{Nameservers: &ops.NameserversRequest{Nameservers: own}}
	plan = domainPlan{
		fqdn: fqdn, typ: "domain_ns_set", kind: ops.KindNameservers, action: "update", request: q.Nameservers,
		params: []param{{"nameservers", in.Nameservers}, {"nameservers_ips", in.Options.IPs}, {"zone_id", in.Options.ZoneID}},
	}
	if q.Hosts, err = c.glue(ctx, "options.nameservers_ips", "", in.Options.IPs); err != nil {
		return plan, nil, err
	}
	if q.Zone, err = c.zoneRequest(ctx, "options.zone_id", in.Options.ZoneID, own == nil); err != nil {
		return plan, nil, err
	}
	if q.Hosts != nil || q.Zone != nil {
		plan.kind, plan.request = ops.KindNameserverHosts, nil
		plan.items, err = q.Items()
	}
	return plan, nil, err
}

// mostServers is as many name servers as a domain can have; of each that has
// addresses v5 is asked which domain it is in.
const mostServers = 13

// glue makes what the journal takes of name servers with their addresses. A name
// below the domain fresh, which may be none of the account's yet, is its own; of
// any other the domain is looked for.
func (c *Call) glue(ctx context.Context, path, fresh string, ips map[string][]string) (hosts []ops.HostRequest, err error) {
	if len(ips) > mostServers {
		return nil, fault.New(fault.Struct, fault.CauseSize, "%s has %d names, and %d is the most", path, len(ips), mostServers).About(path)
	}
	for _, name := range slices.Sorted(maps.Keys(ips)) {
		path := path + "." + clip(name)
		host, err := c.glueOf(ctx, fresh, name)
		if err != nil {
			return nil, err
		}
		if host.IPs, err = addresses(path, ips[name]); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(hosts, func(h ops.HostRequest) bool { return h.Domain == host.Domain && h.Label == host.Label }) {
			return nil, fault.New(fault.Struct, fault.CauseUnexpected, "%s is there twice", path)
		}
		hosts = append(hosts, host)
	}
	return hosts, nil
}

func (c *Call) glueOf(ctx context.Context, fresh, name string) (ops.HostRequest, error) {
	if fresh == "" {
		return c.hostOf(ctx, name)
	}
	fqdn, err := normal(name)
	if label, inside := strings.CutSuffix(fqdn, "."+fresh); inside || err != nil {
		return ops.HostRequest{Domain: fresh, Label: label}, err
	}
	if fqdn == fresh {
		return ops.HostRequest{Domain: fresh, Label: "@"}, nil
	}
	return c.hostOf(ctx, name)
}
