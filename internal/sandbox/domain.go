package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// domain is a registered domain.
type domain struct {
	id, fqdn                     string
	space                        string // organization
	created, registered, updated time.Time
	ends                         time.Time // registry_ends_at
	authinfo                     string
	authinfoEnds                 time.Time
	nameservers                  []string
	hosts                        map[string][]string // glue records by label
	keys                         []dnskey
	webredirs                    []*webredir
	contacts                     map[string]contact // by role, owner included
	status                       []string
	services                     []string
	tags                         []string
	reachability                 string
	autorenew                    autorenew
	renewing                     int // years bought that the registry does not show yet
	restoring                    bool
	deleting                     bool      // an order to delete it is under way
	deleted                      time.Time // when it was deleted; zero while it was not
	records                      records   // in LiveDNS, nil where it is not there
	mail                         mail
}

type autorenew struct {
	enabled  bool
	duration int
	org      string
}

func domainRoutes() []route {
	return []route{
		{
			method: "GET", pattern: "/domain/domains", success: 200,
			query: append([]member{
				{name: "fqdn"}, {name: "tld"}, {name: "resellee_id"}, {name: "sharing_id"},
				{name: "nameserver", words: []string{"abc", "livedns", "other"}},
				{name: "sort_by", words: []string{"fqdn", "-fqdn"}},
			}, paging()...),
			do: (*Sandbox).listDomains,
		},
		{
			method: "POST", pattern: "/domain/domains", success: 202, dryRun: true,
			query: []member{{name: "sharing_id"}},
			body:  createShape(), check: (*Sandbox).checkCreate, do: (*Sandbox).create,
		},
		{
			method: "GET", pattern: "/domain/domains/{d}", success: 200,
			find: (*Sandbox).findDomain, do: (*Sandbox).showDomain,
		},
		{
			method: "DELETE", pattern: "/domain/domains/{d}", success: 202,
			find: (*Sandbox).findDomain, check: (*Sandbox).checkDelete, do: (*Sandbox).deleteDomain,
		},
		{
			method: "GET", pattern: "/domain/domains/{d}/createstatus", success: 200,
			do: (*Sandbox).showCreation,
		},
	}
}

// findDomain loads the domain that the path names: 404 when unknown, which also
// covers one whose creation has not ended, 403 when it is another organization's.
func (s *Sandbox) findDomain(c *call) *answer {
	d := s.domains[strings.ToLower(c.vars["d"])]
	if d == nil {
		a := notFound()
		return &a
	}
	if !s.mayUse(c.credential, d.space) {
		a := forbidden()
		return &a
	}
	c.domain = d
	return nil
}

// touch enters a change made at a time.
func (d *domain) touch(at time.Time) { d.updated = at.UTC().Truncate(time.Second) }

// change lets a change of the domain show after one StepTime.
func (s *Sandbox) change(d *domain, apply func()) {
	s.later(s.now(), func(at time.Time) {
		apply()
		d.touch(at)
	})
}

// register puts a new domain in place; the caller fills in what differs.
func (s *Sandbox) register(fqdn, space string, years int, at time.Time) *domain {
	s.counter++
	at = at.UTC().Truncate(time.Second)
	d := &domain{
		id: uuidFrom("domain", fqdn, s.counter), fqdn: fqdn, space: space,
		created: parisClock(at), registered: at, updated: at, ends: at.AddDate(years, 0, 0),
		authinfo: codeFrom(fqdn, s.counter), authinfoEnds: at.AddDate(1, 0, 0),
		nameservers: liveServers(fqdn), records: newRecords(), hosts: map[string][]string{}, contacts: map[string]contact{},
		status: []string{}, services: []string{"gandilivedns"}, tags: []string{},
		reachability: "done", autorenew: autorenew{duration: 1, org: s.owningOrg(space)},
	}
	s.domains[fqdn] = d
	delete(s.taken, fqdn)
	return d
}

// owningOrg is the organization that manages a sharing space: the reseller above
// or the space itself.
func (s *Sandbox) owningOrg(space string) string {
	if o := s.orgs[space]; o != nil && o.parent != "" {
		return o.parent
	}
	return space
}

// life are the dates that follow from the end and the rules of the extension.
type life struct {
	holdEnds, deletes, restoreEnds, pendingEnds time.Time
}

func (d *domain) life() life {
	t := rulesOf(d.fqdn)
	var l life
	l.holdEnds = d.ends.AddDate(0, 0, t.grace)
	l.deletes = l.holdEnds.Add(-10 * time.Hour)
	if !d.deleted.IsZero() {
		l.holdEnds, l.deletes = d.deleted, d.deleted
	}
	l.restoreEnds = l.holdEnds.AddDate(0, 0, t.redemption)
	l.pendingEnds = l.restoreEnds.AddDate(0, 0, t.pending)
	return l
}

// shortDates are the four dates of a list item.
func (d *domain) shortDates() members {
	return members{
		"created_at": stamp(d.created), "registry_created_at": stamp(d.registered),
		"registry_ends_at": stamp(d.ends), "updated_at": stamp(d.updated),
	}
}

// dates are all dates of the details (v5 documentation); renew_begins_at is the
// same constant in every sample.
func (d *domain) dates() members {
	l, m := d.life(), d.shortDates()
	m["authinfo_expires_at"] = stamp(d.authinfoEnds)
	m["renew_begins_at"] = "2012-01-01T00:00:00Z"
	m["hold_begins_at"] = stamp(d.ends)
	m["hold_ends_at"] = stamp(l.holdEnds)
	m["deletes_at"] = stamp(l.deletes)
	m["restore_ends_at"] = stamp(l.restoreEnds)
	m["pending_delete_ends_at"] = stamp(l.pendingEnds)
	return m
}

// showAutorenew has three dates, 31, 15 and 1 day before the end.
func (d *domain) showAutorenew(c *call) members {
	dates := []string{}
	for _, days := range []int{31, 15, 1} {
		dates = append(dates, stamp(d.ends.AddDate(0, 0, -days)))
	}
	return members{
		"href":  c.url("/domain/domains/" + d.fqdn + "/autorenew"),
		"dates": dates, "duration": d.autorenew.duration, "enabled": d.autorenew.enabled,
		"org_id": d.autorenew.org,
	}
}

// showSpace is the sharing space, with the reseller above it inside.
func (s *Sandbox) showSpace(id string) members {
	o := s.orgs[id]
	kind := "organization"
	if o.kind == "individual" && o.parent == "" {
		kind = "user"
	}
	m := members{"id": o.id, "name": o.name, "type": kind, "reseller": o.reseller}
	if above := s.orgs[o.parent]; above != nil {
		m["sharing_space"] = members{"id": above.id, "name": above.name}
	}
	return m
}

func (s *Sandbox) showDomain(c *call) answer {
	d := c.domain
	return reply(http.StatusOK, members{
		"id": d.id, "fqdn": d.fqdn, "fqdn_unicode": unicodeName(d.fqdn), "tld": rulesOf(d.fqdn).name,
		"href": c.url("/domain/domains/" + d.fqdn), "status": d.status, "dates": d.dates(),
		"can_tld_lock": rulesOf(d.fqdn).lock, "nameservers": d.nameservers,
		"contacts": s.showContacts(d), "autorenew": d.showAutorenew(c), "services": d.services,
		"sharing_space": s.showSpace(d.space), "sharing_id": d.space, "authinfo": d.authinfo,
		"tags": d.tags, "reachability": d.reachability, "trustee_roles": []string{},
	})
}

// visible lists the domains a token may see, by name.
func (s *Sandbox) visible(t *Token) []*domain {
	var out []*domain
	for _, d := range s.domains {
		if s.mayUse(t, d.space) {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b *domain) int { return strings.Compare(a.fqdn, b.fqdn) })
	return out
}

func (s *Sandbox) listDomains(c *call) answer {
	all := s.visible(c.credential)
	if c.query.Get("sort_by") == "-fqdn" {
		slices.Reverse(all)
	}
	items := []any{}
	for _, d := range all {
		if s.listed(c, d) {
			items = append(items, s.listItem(c, d))
		}
	}
	return page(c, items, len(all))
}

func (s *Sandbox) listed(c *call, d *domain) bool {
	fqdn, ext, ns := strings.ToLower(c.query.Get("fqdn")), c.query.Get("tld"), c.query.Get("nameserver")
	resellee, sharing := c.query.Get("resellee_id"), c.query.Get("sharing_id")
	return (fqdn == "" || wild(fqdn, d.fqdn)) &&
		(ext == "" || rulesOf(d.fqdn).name == ext) &&
		(ns == "" || listKind(d.nameservers) == ns) &&
		(resellee == "" || d.space == resellee && s.orgs[d.space].parent != "") &&
		(sharing == "" || d.space == sharing || s.orgs[d.space].parent == sharing)
}

// listKind is the list's word for a kind of name servers.
func listKind(servers []string) string {
	if kind := serverKind(servers); kind != "classic" {
		return kind
	}
	return "abc"
}

// listItem is the poorer shape of the list: no contacts, no name server list, no
// transfer code, four dates, autorenew as a boolean (v5 documentation, recorded).
func (s *Sandbox) listItem(c *call, d *domain) members {
	manager := s.orgs[s.owningOrg(d.space)].name
	owner := d.contacts["owner"]
	return members{
		"id": d.id, "fqdn": d.fqdn, "fqdn_unicode": unicodeName(d.fqdn), "tld": rulesOf(d.fqdn).name,
		"href": c.url("/domain/domains/" + d.fqdn), "status": d.status, "dates": d.shortDates(),
		"autorenew": d.autorenew.enabled, "nameserver": members{"current": listKind(d.nameservers), "hosts": nil},
		"domain_owner": textOf(owner, "given") + " " + textOf(owner, "family"),
		"owner":        manager, "orga_owner": manager, "tags": d.tags, "sharing_id": d.space,
	}
}
