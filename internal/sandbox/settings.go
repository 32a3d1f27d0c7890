package sandbox

import (
	"net/http"
	"slices"
	"time"
)

// settingRoutes are the switches of a domain. Their effect shows after one
// StepTime.
func settingRoutes() []route {
	return []route{
		{
			method: "PATCH", pattern: "/domain/domains/{d}/status", success: 202, find: (*Sandbox).findDomain,
			body: &shape{members: []member{{name: "clientTransferProhibited", need: true, kind: truth}}},
			check: func(s *Sandbox, c *call) *answer {
				if !rulesOf(c.domain.fqdn).lock {
					return stateError("this extension has no transfer lock")
				}
				return nil
			},
			do: (*Sandbox).patchStatus,
		},
		{
			method: "PATCH", pattern: "/domain/domains/{d}/autorenew", success: 202, find: (*Sandbox).findDomain,
			body: &shape{members: []member{
				{name: "enabled", need: true, kind: truth},
				{name: "duration", kind: whole, min: 1, max: 9},
				{name: "org_id", kind: text},
			}},
			check: func(s *Sandbox, c *call) *answer {
				if id := textOf(c.body, "org_id"); id != "" && !s.mayUse(c.credential, id) {
					c.refuse("body", "org_id", "is not an organization of this credential")
				}
				return nil
			},
			do: (*Sandbox).patchAutorenew,
		},
		{
			method: "PUT", pattern: "/domain/domains/{d}/authinfo", success: 202, find: (*Sandbox).findDomain,
			body: &shape{}, do: (*Sandbox).putAuthinfo,
		},
		{
			method: "PATCH", pattern: "/domain/domains/{d}/reachability", success: 202, find: (*Sandbox).findDomain,
			body: &shape{members: []member{{name: "action", need: true, kind: text, words: []string{"resend"}}}},
			do: func(s *Sandbox, c *call) answer {
				// No success is documented; without a body is inferred.
				return answer{status: http.StatusAccepted}
			},
		},
	}
}

func (s *Sandbox) patchStatus(c *call) answer {
	const flag = "clientTransferProhibited"
	d, on := c.domain, truthOf(c.body, flag, false)
	s.change(d, func() {
		d.status = slices.DeleteFunc(slices.Clone(d.status), func(w string) bool { return w == flag })
		if on {
			d.status = append(d.status, flag)
		}
	})
	return accepted("the status of "+d.fqdn+" is being updated", c.url("/domain/domains/"+d.fqdn))
}

// patchAutorenew replaces the setting; a duration left out is 1 again (v5
// documentation).
func (s *Sandbox) patchAutorenew(c *call) answer {
	d := c.domain
	next := autorenew{
		enabled: truthOf(c.body, "enabled", false), duration: wholeOf(c.body, "duration", 1),
		org: textOf(c.body, "org_id"),
	}
	if next.org == "" {
		next.org = d.autorenew.org
	}
	s.change(d, func() { d.autorenew = next })
	return accepted("the automatic renewal of "+d.fqdn+" is being updated", c.url("/domain/domains/"+d.fqdn))
}

// putAuthinfo makes a new transfer code, valid for about a year.
func (s *Sandbox) putAuthinfo(c *call) answer {
	d := c.domain
	s.counter++
	code, ends := codeFrom(d.fqdn, s.counter), s.now().AddDate(1, 0, 0).Truncate(time.Second)
	s.change(d, func() { d.authinfo, d.authinfoEnds = code, ends })
	return accepted("a new transfer code of "+d.fqdn+" is being made", c.url("/domain/domains/"+d.fqdn))
}

// tagRoutes are the tags of a domain, which take effect at once.
func tagRoutes() []route {
	tag := &member{kind: text}
	tags := func(c *call) answer { return reply(http.StatusOK, c.domain.tags) }
	path := "/domain/domains/{d}/tags"
	return []route{
		{
			method: "GET", pattern: path, success: 200, find: (*Sandbox).findDomain,
			do: func(s *Sandbox, c *call) answer { return tags(c) },
		},
		{
			method: "POST", pattern: path, success: 202, find: (*Sandbox).findDomain,
			body: &shape{members: []member{{name: "tag", need: true, kind: text}}},
			do: func(s *Sandbox, c *call) answer {
				return s.setTags(c, append(slices.Clone(c.domain.tags), textOf(c.body, "tag")))
			},
		},
		{
			method: "PUT", pattern: path, success: 202, find: (*Sandbox).findDomain,
			body: &shape{members: []member{{name: "tags", need: true, kind: list, item: tag}}},
			do: func(s *Sandbox, c *call) answer {
				return s.setTags(c, textsOf(c.body, "tags"))
			},
		},
		{
			method: "PATCH", pattern: path, success: 202, find: (*Sandbox).findDomain,
			body: &shape{members: []member{
				{name: "add", need: true, kind: list, item: tag}, {name: "remove", need: true, kind: list, item: tag},
			}},
			do: func(s *Sandbox, c *call) answer {
				gone := textsOf(c.body, "remove")
				kept := slices.DeleteFunc(slices.Clone(c.domain.tags), func(t string) bool { return slices.Contains(gone, t) })
				return s.setTags(c, append(kept, textsOf(c.body, "add")...))
			},
		},
		{
			method: "DELETE", pattern: path, success: 200, find: (*Sandbox).findDomain,
			do: func(s *Sandbox, c *call) answer {
				s.setTags(c, nil)
				return reply(http.StatusOK, members{"message": "the tags were deleted"})
			},
		},
	}
}

func (s *Sandbox) setTags(c *call, tags []string) answer {
	unique := []string{}
	for _, t := range tags {
		if !slices.Contains(unique, t) {
			unique = append(unique, t)
		}
	}
	c.domain.tags = unique
	c.domain.touch(s.now())
	return accepted("the tags were updated", "")
}
