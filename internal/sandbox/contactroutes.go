package sandbox

import (
	"maps"
	"net/http"
	"slices"
)

func contactRoutes() []route {
	return []route{
		{
			method: "GET", pattern: "/domain/domains/{d}/contacts", success: 200, find: (*Sandbox).findDomain,
			do: func(s *Sandbox, c *call) answer { return reply(http.StatusOK, s.showContacts(c.domain)) },
		},
		{
			// owner has not been allowed here since 2026-01-28 (v5 documentation).
			method: "PATCH", pattern: "/domain/domains/{d}/contacts", success: 202, find: (*Sandbox).findDomain,
			body: &shape{members: []member{contactMember("admin"), contactMember("bill"), contactMember("tech")}},
			do:   (*Sandbox).patchContacts,
		},
		{
			method: "PUT", pattern: "/domain/domains/{d}/contacts/owner", success: 202, dryRun: true,
			find: (*Sandbox).findDomain,
			body: &shape{
				members: contactMembers([]string{"country", "email", "streetaddr"}, contactTypes[:4]...),
				rule:    contactRule,
			},
			check: (*Sandbox).checkOwnerUpdate, do: (*Sandbox).updateOwner,
		},
	}
}

func (s *Sandbox) patchContacts(c *call) answer {
	d, body := c.domain, c.body
	s.change(d, func() {
		for _, role := range contactRoles {
			if in := objectOf(body, role); in != nil {
				d.contacts[role] = s.keep(in)
			}
		}
	})
	return accepted("the contacts of "+d.fqdn+" are being updated", c.url("/domain/domains/"+d.fqdn+"/contacts"))
}

// checkOwnerUpdate keeps the holder the same: the names only change for others
// than persons, the organization never, and a new address of mail needs the
// consent flag (v5 documentation; that equal values may be sent is inferred).
func (s *Sandbox) checkOwnerUpdate(c *call) *answer {
	owner := c.domain.contacts["owner"]
	fixed := []string{"type", "orgname"}
	if owner["type"] == "individual" {
		fixed = append(fixed, "given", "family")
	}
	slices.Sort(fixed)
	for _, name := range fixed {
		if v := textOf(c.body, name); v != "" && v != textOf(owner, name) {
			c.refuse("body", name, "only an owner change can change it")
		}
	}
	if textOf(c.body, "email") != textOf(owner, "email") && !truthOf(c.body, "icann_contract_accept", false) {
		c.refuse("body", "icann_contract_accept", "required when the email changes")
	}
	return nil
}

// updateOwner keeps what the body leaves out: the documented example sends three
// members only.
func (s *Sandbox) updateOwner(c *call) answer {
	d, body := c.domain, c.body
	s.change(d, func() {
		merged := maps.Clone(map[string]any(d.contacts["owner"]))
		if body["country"] != merged["country"] {
			delete(merged, "state")
		}
		maps.Copy(merged, body)
		d.contacts["owner"] = s.keep(merged)
	})
	return accepted("the owner of "+d.fqdn+" is being updated", c.url("/domain/domains/"+d.fqdn+"/contacts"))
}
