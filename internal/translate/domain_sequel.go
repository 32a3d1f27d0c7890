package translate

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"

	"v3gate/internal/fault"
	"v3gate/internal/ops"
	"v3gate/internal/v5"
	"v3gate/internal/xmlrpc"
)

// sequelIn are the parameters of a purchase that v5 takes only when the domain is
// there.
type sequelIn struct {
	Nameservers    []string            `v3:"nameservers,opt"`
	NameserversIPs map[string][]string `v3:"nameservers_ips,opt"`
	Webredir       string              `v3:"webredir,opt"`
	ZoneID         *zoneNumber         `v3:"zone_id,opt"`
}

// redirected is the host that a default redirection is made for: the domain
// itself. v3 does not say which it was.
const redirected = "@"

// purchase is which one a sequel follows.
type purchase int

const (
	registration purchase = iota
	transfer
	bought // it is done already, and nothing goes with it any more
)

// sequel splits what a purchase asks for into the name servers that are ordered
// with it and the work list that follows. Name servers with glue records come
// with the latter, since v5 refuses them before the records are there; Gandi's own
// do so in a transfer, where to leave them out means the present ones.
func (c *Call) sequel(ctx context.Context, fqdn string, in *sequelIn, after purchase) (ordered []string, items []ops.Item, err error) {
	own, err := ownNameservers("params.nameservers", in.Nameservers)
	if err != nil {
		return nil, nil, err
	}
	var q ops.Sequel
	if q.Hosts, err = c.glue(ctx, "params.nameservers_ips", fqdn, in.NameserversIPs); err != nil {
		return nil, nil, err
	}
	switch {
	case own != nil && q.Hosts == nil && after != bought:
		ordered = own
	case own != nil, len(in.Nameservers) > 0 && after != registration:
		q.Nameservers = &ops.NameserversRequest{Nameservers: own}
	}
	live := own == nil && (after == registration || q.Nameservers != nil)
	if q.Zone, err = c.zoneRequest(ctx, "params.zone_id", in.ZoneID, live); err != nil {
		return nil, nil, err
	}
	if q.Webredir, err = defaultWebredir(fqdn, in.Webredir); err != nil {
		return nil, nil, err
	}
	items, err = q.Items()
	return ordered, items, err
}

// sequelParams are the names of those parameters.
var sequelParams = []string{"nameservers", "nameservers_ips", "webredir", "zone_id"}

// params are those members as an operation shows them.
func (in *sequelIn) params() []param {
	return []param{{"nameservers", in.Nameservers}, {"nameservers_ips", in.NameserversIPs}, {"webredir", in.Webredir}, {"zone_id", in.ZoneID}}
}

// defaultWebredir is the redirection of a whole domain to an address; nil for
// none.
func defaultWebredir(fqdn, target string) (*v5.NewWebredir, error) {
	if target == "" {
		return nil, nil
	}
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, fault.New(fault.WebRedirection, fault.CauseBadParameter,
			"params.webredir: '%s' is not an address such as http://www.example.org/", clip(target)).About("params.webredir")
	}
	host, err := webredirHost("params.webredir", redirected, fqdn)
	return &v5.NewWebredir{Host: host, Override: true, Protocol: "http", Type: "http301", URL: target}, err
}

// relaunchSequel does what follows a purchase once more, as far as it is not done,
// for an operation that ended in ERROR after it. It costs nothing.
func (c *Call) relaunchSequel(ctx context.Context, op *ops.Operation, params keyed) error {
	after := registration
	if op.Type == "domain_transfer_in" {
		after = transfer
	}
	for _, m := range params {
		if !slices.Contains(sequelParams, m.Name) || m.Name == "nameservers_ips" && after == transfer {
			return unsupported("params."+clip(m.Name), "the domain is bought; only what follows can still be another, such as zone_id or webredir")
		}
		if m.Name == "nameservers" {
			after = bought
		}
	}
	asked, err := fromJSON(op.Params)
	if err != nil {
		return err
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(op.Params, &values); err != nil {
		return err
	}
	var kept []param
	for i := range asked.Len() {
		m := asked.Member(i)
		switch {
		case !slices.Contains(sequelParams, m.Name):
			kept = append(kept, param{m.Name, values[m.Name]})
		case !params.names(m.Name):
			params = append(params, m)
		}
	}
	var in struct {
		Params sequelIn `v3:"params,opt"`
	}
	if err := bind(c, []xmlrpc.Value{xmlrpc.Struct(params...)}, &in); err != nil {
		return err
	}
	_, items, err := c.sequel(ctx, op.FQDN, &in.Params, after)
	if err != nil {
		return err
	}
	raw, err := object(append(kept, in.Params.params()...))
	if err != nil {
		return err
	}
	_, err = c.Ops.RelaunchSequel(ctx, c.Tenant.Name, op.ID, raw, items)
	return err
}

// sequelAgain is the work list of a transfer that is set going again.
func (c *Call) sequelAgain(ctx context.Context, op *ops.Operation) ([]ops.Item, error) {
	asked, err := fromJSON(op.Params)
	if err != nil {
		return nil, err
	}
	var members keyed
	for i := range asked.Len() {
		if m := asked.Member(i); slices.Contains(sequelParams, m.Name) {
			members = append(members, m)
		}
	}
	var in struct {
		Params sequelIn `v3:"params,opt"`
	}
	if err := bind(c, []xmlrpc.Value{xmlrpc.Struct(members...)}, &in); err != nil {
		return nil, err
	}
	_, items, err := c.sequel(ctx, op.FQDN, &in.Params, transfer)
	return items, err
}

// names tells whether a member is there, be it empty.
func (k keyed) names(name string) bool {
	return slices.ContainsFunc(k, func(m xmlrpc.Member) bool { return m.Name == name })
}
