package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

func nameserverRoutes() []route {
	return []route{
		{
			method: "GET", pattern: "/domain/domains/{d}/nameservers", success: 200, find: (*Sandbox).findDomain,
			do: func(s *Sandbox, c *call) answer { return reply(http.StatusOK, c.domain.nameservers) },
		},
		{
			method: "PUT", pattern: "/domain/domains/{d}/nameservers", success: 202, find: (*Sandbox).findDomain,
			body: &shape{members: []member{
				{name: "nameservers", need: true, kind: list, min: 1, item: &member{kind: text, check: fqdnError}},
			}},
			check: (*Sandbox).checkNameservers, do: (*Sandbox).putNameservers,
		},
		{
			method: "GET", pattern: "/domain/domains/{d}/livedns", success: 200, find: (*Sandbox).findDomain,
			do: (*Sandbox).showLiveDNS,
		},
		{
			method: "POST", pattern: "/domain/domains/{d}/livedns", success: 202, find: (*Sandbox).findDomain,
			body: &shape{},
			check: func(s *Sandbox, c *call) *answer {
				if serverKind(c.domain.nameservers) == "livedns" {
					return nothingToDo("the domain already uses LiveDNS")
				}
				return nil
			},
			do: func(s *Sandbox, c *call) answer {
				d := c.domain
				s.change(d, func() { d.setServers(liveServers(d.fqdn)) })
				return accepted("LiveDNS is being enabled on "+d.fqdn, "")
			},
		},
	}
}

// nothingToDo is the 409 that a client takes for just that on these two routes.
func nothingToDo(message string) *answer {
	return conflict("Conflict", message, problem{Location: "body", Name: "nameservers"})
}

func (s *Sandbox) checkNameservers(c *call) *answer {
	d := c.domain
	servers := lowered(textsOf(c.body, "nameservers"))
	for i, ns := range servers {
		if label, inside := strings.CutSuffix(ns, "."+d.fqdn); inside && len(d.hosts[label]) == 0 {
			c.refuse("body", fmt.Sprintf("nameservers.%d", i), "has no glue record")
		}
		if slices.Contains(servers[:i], ns) {
			c.refuse("body", fmt.Sprintf("nameservers.%d", i), "is listed twice")
		}
	}
	if sameSet(servers, d.nameservers) {
		return nothingToDo("the name servers are already set")
	}
	return nil
}

func (s *Sandbox) putNameservers(c *call) answer {
	d, servers := c.domain, lowered(textsOf(c.body, "nameservers"))
	s.change(d, func() { d.setServers(servers) })
	return accepted("the name servers of "+d.fqdn+" are being updated", c.url("/domain/domains/"+d.fqdn+"/nameservers"))
}

// showLiveDNS names the kind of name servers in use (v5 documentation).
func (s *Sandbox) showLiveDNS(c *call) answer {
	kind := serverKind(c.domain.nameservers)
	return reply(http.StatusOK, members{
		"current": kind, "nameservers": c.domain.nameservers,
		"dnssec_available": true, "livednssec_available": kind == "livedns",
	})
}

// setServers also keeps the word for Gandi's own DNS among the services.
func (d *domain) setServers(servers []string) {
	d.nameservers = servers
	d.services = slices.DeleteFunc(slices.Clone(d.services), func(s string) bool {
		return s == "gandilivedns" || s == "gandidns"
	})
	switch serverKind(servers) {
	case "livedns":
		if d.records == nil {
			d.records = newRecords()
		}
		d.services = append(d.services, "gandilivedns")
	case "classic":
		d.services = append(d.services, "gandidns")
	}
}

func lowered(in []string) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = strings.ToLower(s)
	}
	return out
}

func sameSet(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}
