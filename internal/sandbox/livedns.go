package sandbox

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// rrset is all values of one name and type.
type rrset struct {
	name, typ string
	ttl       int
	values    []string
}

type rrkey struct{ name, typ string }

// records are what a domain has in LiveDNS.
type records map[rrkey]*rrset

func liveDNSRoutes() []route {
	one := &shape{members: []member{valuesMember(), ttlMember()}}
	put := &shape{members: []member{valuesMember(), ttlMember(), {name: "rrset_name", kind: text}}}
	return []route{
		{
			method: "GET", pattern: "/livedns/domains/{d}", success: 200, find: (*Sandbox).findRecords,
			do: func(s *Sandbox, c *call) answer {
				base := c.url("/livedns/domains/" + c.domain.fqdn)
				return reply(http.StatusOK, members{"fqdn": c.domain.fqdn, "automatic_snapshots": true, "domain_href": base,
					"domain_keys_href": base + "/keys", "domain_records_href": base + "/records"})
			},
		},
		{
			method: "GET", pattern: "/livedns/domains/{d}/records", success: 200, find: (*Sandbox).findRecords,
			query: append([]member{{name: "rrset_type", words: recordTypes}, {name: "sort_by"}}, paging()...),
			do:    (*Sandbox).listRecords,
		},
		{
			method: "PUT", pattern: "/livedns/domains/{d}/records", success: 201, find: (*Sandbox).findRecords,
			body: &shape{members: []member{{name: "items", need: true, kind: list, item: &member{kind: nested, shape: &shape{
				members: []member{
					{name: "rrset_name", need: true, kind: text, check: recordNameError},
					{name: "rrset_type", need: true, kind: text, words: recordTypes}, valuesMember(), ttlMember(),
				}}}}}},
			check: (*Sandbox).checkZone, do: (*Sandbox).putZone,
		},
		{
			method: "GET", pattern: "/livedns/domains/{d}/records/{name}/{type}", success: 200, find: (*Sandbox).findRRset,
			do: func(s *Sandbox, c *call) answer { return reply(http.StatusOK, c.showRRset(c.rrset())) },
		},
		{
			method: "POST", pattern: "/livedns/domains/{d}/records/{name}/{type}", success: 201, find: (*Sandbox).findRecords,
			body: one, check: (*Sandbox).checkRRset, do: (*Sandbox).postRRset,
		},
		{
			method: "PUT", pattern: "/livedns/domains/{d}/records/{name}/{type}", success: 201, find: (*Sandbox).findRecords,
			body: put, check: (*Sandbox).checkRRset,
			do: func(s *Sandbox, c *call) answer {
				set := c.given()
				c.domain.records[rrkey{set.name, set.typ}] = set
				return recordCreated(c)
			},
		},
		{
			method: "DELETE", pattern: "/livedns/domains/{d}/records/{name}/{type}", success: 204, find: (*Sandbox).findRRset,
			do: func(s *Sandbox, c *call) answer {
				delete(c.domain.records, rrkey{c.vars["name"], c.vars["type"]})
				return answer{status: http.StatusNoContent}
			},
		},
	}
}

// findRecords loads a domain that has records in LiveDNS: 404 where it has none
// (recorded).
func (s *Sandbox) findRecords(c *call) *answer {
	if a := s.findDomain(c); a != nil {
		return a
	}
	if c.domain.records == nil {
		a := notFound()
		return &a
	}
	return nil
}

func (s *Sandbox) findRRset(c *call) *answer {
	if a := s.findRecords(c); a != nil {
		return a
	}
	if c.rrset() == nil {
		a := notFound()
		return &a
	}
	return nil
}

// rrset is the one that the path names.
func (c *call) rrset() *rrset { return c.domain.records[rrkey{c.vars["name"], c.vars["type"]}] }

// given is the rrset of a body.
func (c *call) given() *rrset { return rrsetOf(c.vars["name"], c.vars["type"], c.body) }

func rrsetOf(name, typ string, body map[string]any) *rrset {
	set := &rrset{name: name, typ: typ, ttl: wholeOf(body, "rrset_ttl", defaultTTL)}
	for _, v := range textsOf(body, "rrset_values") {
		if typ == "TXT" && !strings.HasPrefix(v, `"`) {
			v = `"` + v + `"` // comes back in double quotes (recorded)
		}
		set.values = append(set.values, v)
	}
	return set
}

func recordCreated(c *call) answer {
	a := reply(http.StatusCreated, members{"message": "DNS Record Created"})
	a.header = map[string]string{"Location": c.href(c.vars["name"], c.vars["type"])}
	return a
}

func (c *call) href(name, typ string) string {
	return c.url("/livedns/domains/" + c.domain.fqdn + "/records/" + url.QueryEscape(name) + "/" + typ)
}

func (c *call) showRRset(r *rrset) members {
	return members{"rrset_name": r.name, "rrset_type": r.typ, "rrset_ttl": r.ttl, "rrset_values": r.values,
		"rrset_href": c.href(r.name, r.typ)}
}

// listRecords gives @ first, then the names in ascending order, those with a
// leading underscore last. The only header is a total (recorded).
func (s *Sandbox) listRecords(c *call) answer {
	all := c.domain.records.sorted()
	items := []any{}
	for _, r := range all {
		if typ := c.query.Get("rrset_type"); typ == "" || typ == r.typ {
			items = append(items, c.showRRset(r))
		}
	}
	a := page(c, items, len(all))
	a.header = map[string]string{"Total-Count": strconv.Itoa(len(items))}
	return a
}

func (rs records) sorted() []*rrset {
	var all []*rrset
	for _, r := range rs {
		all = append(all, r)
	}
	rank := func(r *rrset) string {
		switch {
		case r.name == "@":
			return "0" + r.typ
		case strings.HasPrefix(r.name, "_"):
			return "2" + r.name + " " + r.typ
		}
		return "1" + r.name + " " + r.typ
	}
	slices.SortFunc(all, func(a, b *rrset) int { return strings.Compare(rank(a), rank(b)) })
	return all
}

// postRRset makes an rrset that is not there yet.
func (s *Sandbox) postRRset(c *call) answer {
	set := c.given()
	if old := c.rrset(); old != nil {
		if old.ttl == set.ttl && sameSet(old.values, set.values) {
			a := recordCreated(c)
			a.status = http.StatusOK
			return a
		}
		return *conflict("Duplicate Entry", "a record with that name and type already exists", problem{Location: "body", Name: "rrset_values"})
	}
	c.domain.records[rrkey{set.name, set.typ}] = set
	return recordCreated(c)
}

func (s *Sandbox) putZone(c *call) answer {
	all := records{}
	for _, item := range c.items() {
		set := rrsetOf(textOf(item, "rrset_name"), textOf(item, "rrset_type"), item)
		all[rrkey{set.name, set.typ}] = set
	}
	c.domain.records = all
	return reply(http.StatusCreated, members{"message": "DNS Record Created"})
}

func (c *call) items() (items []map[string]any) {
	list, _ := c.body["items"].([]any)
	for _, item := range list {
		object, _ := item.(map[string]any)
		items = append(items, object)
	}
	return items
}

func (s *Sandbox) checkZone(c *call) *answer {
	all := records{}
	for i, item := range c.items() {
		at := fmt.Sprintf("items.%d", i)
		set := rrsetOf(textOf(item, "rrset_name"), textOf(item, "rrset_type"), item)
		if all[rrkey{set.name, set.typ}] != nil {
			c.refuse("body", at, "the name and type are there twice")
		}
		all[rrkey{set.name, set.typ}] = set
		c.refuseRRset(set, at+".rrset_values")
	}
	c.refuseMixed(all)
	return nil
}

func (s *Sandbox) checkRRset(c *call) *answer {
	if wrong := recordNameError(c.vars["name"]); wrong != "" {
		c.refuse("path", "rrset_name", wrong)
	}
	if !slices.Contains(recordTypes, c.vars["type"]) {
		c.refuse("path", "rrset_type", "must be one of "+strings.Join(recordTypes, ", "))
	}
	set := c.given()
	c.refuseRRset(set, "rrset_values")
	all := records{rrkey{set.name, set.typ}: set}
	for k, r := range c.domain.records {
		if k.name == set.name && k.typ != set.typ {
			all[k] = r
		}
	}
	c.refuseMixed(all)
	return nil
}
