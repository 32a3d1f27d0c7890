package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Organization describes a sharing space, in Options or in a seed.
type Organization struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Type is individual, company, association or publicbody (v5 documentation).
	// An individual one is a user's own.
	Type     string `json:"type"`
	Reseller bool   `json:"reseller"`
	// Parent is the reseller above, for a customer.
	Parent string `json:"parent"`
	// Balance is the prepaid amount; empty means that of the options.
	Balance string `json:"balance"`
}

type organization struct {
	id, name, kind      string
	reseller            bool
	parent              string
	first, last, email  string
	orgname             string
	balance             int64 // cents
	created, lastChange time.Time
	number              int // order of appearance
}

// foundOrganizations makes the organizations that options and tokens name.
func (s *Sandbox) foundOrganizations() {
	for _, o := range s.opts.Organizations {
		s.found(o)
	}
	for _, t := range s.opts.Tokens {
		for i, id := range t.Orgs {
			if s.orgs[id] != nil {
				continue
			}
			if i == 0 {
				s.found(Organization{ID: id, Name: "alice_doe", Type: "individual"})
			} else {
				s.found(Organization{ID: id, Name: "reseller-" + id, Type: "company", Reseller: true})
			}
		}
	}
}

// found makes an organization, or redescribes one that exists.
func (s *Sandbox) found(o Organization) *organization {
	org := s.orgs[o.ID]
	if org == nil {
		org = &organization{
			id: o.ID, number: len(s.orgs), created: s.now(), lastChange: s.now(),
			first: "Alice", last: "Doe", email: "alice@example.org",
		}
		org.balance, _ = cents(s.opts.Balance)
		s.orgs[o.ID] = org
	}
	org.name, org.kind, org.reseller, org.parent = o.Name, o.Type, o.Reseller, o.Parent
	if org.name == "" {
		org.name = "org-" + o.ID
	}
	if org.kind == "" {
		org.kind = "company"
	}
	if org.kind != "individual" {
		org.orgname = org.name
	}
	if o.Balance != "" {
		org.balance, _ = cents(o.Balance)
	}
	return org
}

// place finds the sharing space of a domain that is bought for an organization.
// A reseller's domains go to a customer, which arises from the owner's data when
// none is named (v5 documentation).
func (s *Sandbox) place(id, resellee string, owner contact) string {
	org := s.orgs[id]
	switch {
	case resellee != "":
		return resellee
	case !org.reseller:
		return id
	}
	email, first, last, orgname := textOf(owner, "email"), textOf(owner, "given"), textOf(owner, "family"), textOf(owner, "orgname")
	for _, o := range s.orgs {
		if o.parent == id && o.email == email && o.first == first && o.last == last && o.orgname == orgname {
			return o.id
		}
	}
	s.counter++
	name := orgname
	if name == "" {
		name = strings.ToLower(first + "_" + last)
	}
	o := s.found(Organization{
		ID: uuidFrom("customer", id, s.counter), Name: name, Type: textOf(owner, "type"), Parent: id,
	})
	o.email, o.first, o.last, o.orgname = email, first, last, orgname
	return o.id
}

// organizationsWhere lists matching organizations in order of appearance.
func (s *Sandbox) organizationsWhere(want func(*organization) bool) []*organization {
	var out []*organization
	for _, o := range s.orgs {
		if want(o) {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b *organization) int { return a.number - b.number })
	return out
}

func (o *organization) item() members {
	m := members{
		"id": o.id, "name": o.name, "firstname": o.first, "lastname": o.last, "email": o.email,
		"type": o.kind, "reseller": o.reseller, "corporate": false,
	}
	if o.orgname != "" {
		m["orgname"] = o.orgname
	}
	return m
}

func (o *organization) customer() members {
	m := o.item()
	delete(m, "reseller")
	delete(m, "corporate")
	return m
}

func organizationRoutes() []route {
	return []route{
		{
			// Which code a success has is not documented.
			method: "POST", pattern: "/organization/organizations/{id}/action", success: 200,
			body: &shape{members: []member{
				{name: "action", need: true, kind: text, words: []string{"release_resellee"}},
				{name: "params", need: true, kind: nested, shape: &shape{members: []member{{name: "id", need: true, kind: text}}}},
			}},
			do: (*Sandbox).releaseCustomer,
		},
		{method: "GET", pattern: "/organization/user-info", success: 200, do: (*Sandbox).showUser},
		{
			method: "GET", pattern: "/organization/organizations", success: 200,
			query: []member{
				{name: "name"}, {name: "~name"}, {name: "permission"},
				{name: "type", words: contactTypes[:4]},
				{name: "sort_by", words: []string{"name", "-name", "type", "-type", "id", "-id"}},
			},
			do: (*Sandbox).listOrganizations,
		},
		{
			method: "GET", pattern: "/organization/organizations/{id}/customers", success: 200,
			do: func(s *Sandbox, c *call) answer {
				id := c.vars["id"]
				if !s.mayUse(c.credential, id) {
					return forbidden()
				}
				out := []members{}
				for _, o := range s.organizationsWhere(func(o *organization) bool { return o.parent == id }) {
					out = append(out, o.customer())
				}
				return reply(http.StatusOK, out)
			},
		},
		{
			method: "GET", pattern: "/organization/organizations/{id}/customers/{cid}", success: 200,
			do: func(s *Sandbox, c *call) answer {
				id := c.vars["id"]
				if !s.mayUse(c.credential, id) {
					return forbidden()
				}
				if o := s.orgs[c.vars["cid"]]; o != nil && o.parent == id {
					return reply(http.StatusOK, o.customer())
				}
				return notFound()
			},
		},
	}
}

// releaseCustomer lets a customer go, who keeps the domains.
func (s *Sandbox) releaseCustomer(c *call) answer {
	id := c.vars["id"]
	if !s.mayUse(c.credential, id) {
		return forbidden()
	}
	o := s.orgs[textOf(objectOf(c.body, "params"), "id")]
	if o == nil || o.parent != id {
		return notFound()
	}
	o.parent = ""
	return answer{status: http.StatusOK}
}

// showUser describes the user behind the credential, who is the first
// organization of the token.
func (s *Sandbox) showUser(c *call) answer {
	o := s.orgs[c.credential.Orgs[0]]
	return reply(http.StatusOK, members{
		"id": o.id, "username": "alice_doe", "name": o.first + " " + o.last,
		"firstname": o.first, "lastname": o.last, "email": o.email,
		"streetaddr": "5 rue neuve", "zip": "75001", "city": "Paris", "country": "FR",
		"phone": "+33.123456789", "lang": "en",
		"security_email": o.email, "security_email_validated": true, "security_phone": "+33.123456789",
	})
}

func (s *Sandbox) listOrganizations(c *call) answer {
	name, like, kind := c.query.Get("name"), c.query.Get("~name"), c.query.Get("type")
	found := s.organizationsWhere(func(o *organization) bool {
		return slices.Contains(c.credential.Orgs, o.id) &&
			(name == "" || o.name == name) && (like == "" || wild(like, o.name)) && (kind == "" || o.kind == kind)
	})
	sort, down := strings.CutPrefix(c.query.Get("sort_by"), "-")
	if sort == "" {
		sort = "name"
	}
	slices.SortStableFunc(found, func(a, b *organization) int {
		by := strings.Compare(textOf(a.item(), sort), textOf(b.item(), sort))
		if down {
			return -by
		}
		return by
	})
	out := []members{}
	for _, o := range found {
		out = append(out, o.item())
	}
	return reply(http.StatusOK, out)
}
