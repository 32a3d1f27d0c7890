package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

func hostRoutes() []route {
	ips := member{name: "ips", need: true, kind: list, min: 1, item: &member{kind: text, check: ipError}}
	name := member{name: "name", need: true, kind: text, check: hostLabelError}
	one := "/domain/domains/{d}/hosts/{name}"
	return []route{
		{
			method: "GET", pattern: "/domain/domains/{d}/hosts", success: 200, query: paging(),
			find: (*Sandbox).findDomain, do: (*Sandbox).listHosts,
		},
		{
			method: "POST", pattern: "/domain/domains/{d}/hosts", success: 202, find: (*Sandbox).findDomain,
			body: &shape{members: []member{name, ips}},
			check: func(s *Sandbox, c *call) *answer {
				label := strings.ToLower(textOf(c.body, "name"))
				if c.domain.hosts[label] != nil {
					return conflict("Duplicate Entry", "the host "+label+" already exists", problem{Location: "body", Name: "name"})
				}
				return nil
			},
			do: func(s *Sandbox, c *call) answer { return s.setHost(c, strings.ToLower(textOf(c.body, "name"))) },
		},
		{
			method: "GET", pattern: one, success: 200, find: (*Sandbox).findHost,
			do: func(s *Sandbox, c *call) answer { return reply(http.StatusOK, hostItem(c, c.vars["name"])) },
		},
		{
			method: "PUT", pattern: one, success: 202, find: (*Sandbox).findHost,
			body: &shape{members: []member{ips}},
			do:   func(s *Sandbox, c *call) answer { return s.setHost(c, c.vars["name"]) },
		},
		{
			method: "DELETE", pattern: one, success: 202, find: (*Sandbox).findHost,
			check: func(s *Sandbox, c *call) *answer {
				if slices.Contains(c.domain.nameservers, hostName(c.domain, c.vars["name"])) {
					return stateError("the host is in use as a name server")
				}
				return nil
			},
			do: func(s *Sandbox, c *call) answer {
				d, label := c.domain, c.vars["name"]
				s.change(d, func() { delete(d.hosts, label) })
				return accepted("the host is being deleted", "")
			},
		},
	}
}

// findHost answers 400 with a cause of the v3 vocabulary, not 404, where a glue
// record is missing (recorded).
func (s *Sandbox) findHost(c *call) *answer {
	if a := s.findDomain(c); a != nil {
		return a
	}
	if c.domain.hosts[c.vars["name"]] == nil {
		a := reply(http.StatusBadRequest, members{
			"code": http.StatusBadRequest, "cause": "CAUSE_NOTFOUND",
			"message": "Host '" + hostName(c.domain, c.vars["name"]) + "' doesn't exist",
		})
		return &a
	}
	return nil
}

func hostLabelError(label string) string {
	if label == "@" {
		return ""
	}
	return fqdnError(strings.ToLower(label) + ".example.com")
}

func hostName(d *domain, label string) string {
	if label == "@" {
		return d.fqdn
	}
	return label + "." + d.fqdn
}

// hostItem: fqdn is the domain's, not the host's (v5 documentation).
func hostItem(c *call, label string) members {
	d := c.domain
	return members{
		"name": label, "fqdn": d.fqdn, "fqdn_unicode": unicodeName(d.fqdn),
		"href": c.url("/domain/domains/" + d.fqdn + "/hosts/" + label), "ips": d.hosts[label],
	}
}

func (s *Sandbox) listHosts(c *call) answer {
	labels := []string{}
	for label := range c.domain.hosts {
		labels = append(labels, label)
	}
	slices.Sort(labels)
	items := []any{}
	for _, label := range labels {
		items = append(items, hostItem(c, label))
	}
	return page(c, items, len(items))
}

func (s *Sandbox) setHost(c *call, label string) answer {
	d, ips := c.domain, textsOf(c.body, "ips")
	s.change(d, func() { d.hosts[label] = ips })
	return accepted("the host is being set", c.url("/domain/domains/"+d.fqdn+"/hosts/"+label))
}
