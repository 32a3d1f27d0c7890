package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// mail is the mail service of a domain.
type mail struct {
	forwards map[string][]string // destinations by source
	changed  []time.Time         // of forwards, within the last week
	boxes    []*mailbox
	slots    []*slot
}

// SeedMail is the mail service of a seeded domain.
type SeedMail struct {
	Forwards map[string][]string `json:"forwards"`
	// Mailboxes are logins; each lies in a slot of its own.
	Mailboxes []string `json:"mailboxes"`
	// FreeSlots is how many more slots there are.
	FreeSlots int `json:"free_slots"`
	// Used is what each of them holds, in KB.
	Used int `json:"used"`
	// Type is that of the slots; "" is standard_2023.
	Type string `json:"type"`
}

// plantMail puts the mail service in place. Slots end in a year.
func (s *Sandbox) plantMail(d *domain, in SeedMail) {
	d.mail = mail{forwards: map[string][]string{}}
	maps.Copy(d.mail.forwards, in.Forwards)
	if in.Type == "" {
		in.Type = "standard_2023"
	}
	for _, login := range in.Mailboxes {
		m := s.newMailbox(d, login, s.addSlot(d, in.Type, 12, s.now()))
		m.used = in.Used
		d.mail.boxes = append(d.mail.boxes, m)
	}
	for range in.FreeSlots {
		s.addSlot(d, in.Type, 12, s.now())
	}
}

const (
	// mostForwards bounds the forwards of a domain, and mostForwardChanges how
	// many are made or changed in a week (reported from live use).
	mostForwards       = 1000
	mostForwardChanges = 100
)

func forwardRoutes() []route {
	destinations := member{name: "destinations", need: true, kind: list, min: 1, item: &member{kind: text, check: addressError}}
	list := "/email/forwards/{d}"
	one := list + "/{source}"
	return []route{
		{
			method: "GET", pattern: list, success: 200, find: (*Sandbox).findDomain,
			query: append([]member{
				{name: "source"}, {name: "destination"},
				{name: "sort_by", words: []string{"source", "-source", "destination", "-destination"}},
			}, paging()...),
			do: (*Sandbox).listForwards,
		},
		{
			method: "POST", pattern: list, success: 202, find: (*Sandbox).findDomain,
			body:  &shape{members: []member{{name: "source", need: true, kind: text, check: localPartError}, destinations}},
			check: (*Sandbox).checkForward,
			do:    func(s *Sandbox, c *call) answer { return s.setForward(c, textOf(c.body, "source")) },
		},
		{
			method: "PUT", pattern: one, success: 202, find: (*Sandbox).findForward,
			body: &shape{members: []member{destinations}}, check: (*Sandbox).checkForwardChanges,
			do: func(s *Sandbox, c *call) answer { return s.setForward(c, c.vars["source"]) },
		},
		{
			method: "DELETE", pattern: one, success: 202, find: (*Sandbox).findForward,
			do: func(s *Sandbox, c *call) answer {
				delete(c.domain.mail.forwards, c.vars["source"])
				return accepted("the forward was deleted", "")
			},
		},
	}
}

func addressError(text string) string {
	local, host, found := strings.Cut(text, "@")
	if !found || local == "" || fqdnError(strings.ToLower(host)) != "" {
		return "must be a mail address"
	}
	return ""
}

func localPartError(text string) string {
	if strings.ContainsAny(text, "@/ ") {
		return "must be a local part"
	}
	return ""
}

func (s *Sandbox) findForward(c *call) *answer {
	if a := s.findDomain(c); a != nil {
		return a
	}
	if c.domain.mail.forwards[c.vars["source"]] == nil {
		a := notFound()
		return &a
	}
	return nil
}

func (s *Sandbox) checkForward(c *call) *answer {
	m := &c.domain.mail
	switch source := textOf(c.body, "source"); {
	case m.forwards[source] != nil:
		return conflict("Duplicate Entry", "the forward "+source+" already exists", problem{Location: "body", Name: "source"})
	case len(m.forwards) >= mostForwards:
		return overQuota("no more than 1000 forwards are allowed")
	}
	return s.checkForwardChanges(c)
}

// checkForwardChanges holds the weekly limit. Its status is documented for the
// newer API only.
func (s *Sandbox) checkForwardChanges(c *call) *answer {
	m, week := &c.domain.mail, s.now().AddDate(0, 0, -7)
	m.changed = slices.DeleteFunc(m.changed, func(at time.Time) bool { return at.Before(week) })
	if len(m.changed) >= mostForwardChanges {
		a := failure(http.StatusTooManyRequests, "HTTPTooManyRequests", "Too Many Requests", "too many forwards were changed this week")
		return &a
	}
	return nil
}

// overQuota refuses by a cause of the v3 vocabulary (inferred).
func overQuota(message string) *answer {
	a := failure(http.StatusBadRequest, "OBJECT_MAILZONE", "CAUSE_QUOTA_REACHED", message)
	a.field = problem{Location: "path", Name: "domain", Description: message}
	return &a
}

func (s *Sandbox) setForward(c *call, source string) answer {
	m := &c.domain.mail
	if m.forwards == nil {
		m.forwards = map[string][]string{}
	}
	m.forwards[source] = textsOf(c.body, "destinations")
	m.changed = append(m.changed, s.now())
	return accepted("the forward was set", "")
}

func (s *Sandbox) listForwards(c *call) answer {
	m, source, destination := &c.domain.mail, c.query.Get("source"), c.query.Get("destination")
	by, down := strings.CutPrefix(c.query.Get("sort_by"), "-")
	sources := slices.Sorted(maps.Keys(m.forwards))
	if by == "destination" {
		slices.SortStableFunc(sources, func(a, b string) int { return slices.Compare(m.forwards[a], m.forwards[b]) })
	}
	if down {
		slices.Reverse(sources)
	}
	items := []any{}
	for _, name := range sources {
		to := m.forwards[name]
		if source != "" && !wild(source, name) ||
			destination != "" && !slices.ContainsFunc(to, func(t string) bool { return wild(destination, t) }) {
			continue
		}
		items = append(items, members{"source": name, "destinations": to,
			"href": c.url("/email/forwards/" + c.domain.fqdn + "/" + name)})
	}
	return page(c, items, len(sources))
}
