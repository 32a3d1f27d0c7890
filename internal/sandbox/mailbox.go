package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
)

// mailboxTypes are those that can be ordered, with their old names.
var mailboxTypes = []string{"standard", "premium", "standard_2023", "premium_2023", "standard_new", "premium_new"}

// mailbox lies in a slot of its domain.
type mailbox struct {
	id, login, kind, password string
	aliases                   []string
	antispam                  string
	used                      int // KB
	ends                      time.Time
	autorenew                 bool
	months                    int
	responder                 members
}

func mailboxRoutes() []route {
	login := member{name: "login", kind: text, check: localPartError}
	kind := member{name: "mailbox_type", kind: text, words: mailboxTypes}
	password := member{name: "password", kind: text, check: passwordError}
	aliases := member{name: "aliases", kind: list, item: &member{kind: text, check: localPartError}}
	all := "/email/mailboxes/{d}"
	one := all + "/{id}"
	return []route{
		{
			method: "GET", pattern: all, success: 200, find: (*Sandbox).findDomain,
			query: append([]member{{name: "login"}, {name: "~login"}, {name: "antispam"},
				{name: "mailbox_type", words: mailboxTypes}, {name: "<created_at"}}, paging()...),
			do: (*Sandbox).listMailboxes,
		},
		{
			method: "POST", pattern: all, success: 202, dryRun: true, find: (*Sandbox).findDomain,
			body:  &shape{members: append(need(login, kind, password), aliases)},
			check: (*Sandbox).checkMailbox, do: (*Sandbox).createMailbox,
		},
		{
			method: "GET", pattern: one, success: 200, find: (*Sandbox).findMailbox,
			do: (*Sandbox).showMailbox,
		},
		{
			method: "PATCH", pattern: one, success: 202, find: (*Sandbox).findMailbox, query: []member{{name: "sharing_id"}},
			body: &shape{members: []member{
				aliases, {name: "antispam", kind: text}, login, kind, password,
				{name: "autorenew", kind: nested, shape: &shape{members: []member{
					{name: "activated", need: true, kind: truth}, {name: "duration", kind: whole, min: 1, max: 12}}}},
				{name: "responder", kind: nested, shape: &shape{members: []member{
					{name: "enabled", kind: truth}, {name: "message", kind: note},
					{name: "starts_at", kind: text, check: dateError}, {name: "ends_at", kind: text, check: dateError}}}},
			}},
			do: (*Sandbox).patchMailbox,
		},
		{
			method: "DELETE", pattern: one, success: 202, find: (*Sandbox).findMailbox,
			do: (*Sandbox).deleteMailbox,
		},
		{
			method: "DELETE", pattern: one + "/contents", success: 202, find: (*Sandbox).findMailbox,
			do: func(s *Sandbox, c *call) answer {
				m := c.box()
				s.change(c.domain, func() { m.used = 0 })
				return accepted("the mailbox is being emptied", "")
			},
		},
		{
			method: "POST", pattern: all + "/{email}/renew", success: 202, dryRun: true, find: (*Sandbox).findAddress,
			query: []member{{name: "sharing_id"}},
			body:  &shape{members: []member{{name: "duration", need: true, kind: whole, min: 1, max: 12}}},
			check: (*Sandbox).checkMailRenewal, do: (*Sandbox).renewMailbox,
		},
	}
}

// passwordError holds the documented rules; a crypt hash is taken too.
func passwordError(text string) string {
	upper, figures, special := 0, 0, 0
	for _, r := range text {
		switch {
		case unicode.IsUpper(r):
			upper++
		case unicode.IsDigit(r):
			figures++
		case !unicode.IsLetter(r):
			special++
		}
	}
	if len(text) < 8 || len(text) > 200 || upper < 1 || figures < 3 || special < 1 {
		return "must have 8 to 200 characters, an upper case letter, 3 digits and a special character"
	}
	return ""
}

func dateError(text string) string {
	if _, err := time.Parse(time.RFC3339, text); err != nil {
		return "must be a date"
	}
	return ""
}

func (s *Sandbox) findMailbox(c *call) *answer {
	return s.findBox(c, func(m *mailbox) bool { return m.id == c.vars["id"] })
}

func (s *Sandbox) findAddress(c *call) *answer {
	return s.findBox(c, func(m *mailbox) bool { return m.login+"@"+c.domain.fqdn == c.vars["email"] })
}

func (s *Sandbox) findBox(c *call, is func(*mailbox) bool) *answer {
	if a := s.findDomain(c); a != nil {
		return a
	}
	i := slices.IndexFunc(c.domain.mail.boxes, is)
	if i < 0 {
		a := notFound()
		return &a
	}
	c.vars["id"] = c.domain.mail.boxes[i].id
	return nil
}

// box is the mailbox that find has found.
func (c *call) box() *mailbox {
	i := slices.IndexFunc(c.domain.mail.boxes, func(m *mailbox) bool { return m.id == c.vars["id"] })
	return c.domain.mail.boxes[i]
}

// item is the shape of the list, without aliases and responder (v5
// documentation).
func (m *mailbox) item(c *call) members {
	return members{
		"id": m.id, "login": m.login, "domain": c.domain.fqdn, "address": m.login + "@" + c.domain.fqdn,
		"alias_count": len(m.aliases), "antispam": m.antispam, "mailbox_type": m.kind, "quota_used": m.used,
		"expires_at": stamp(m.ends), "to_convert": false, "href": c.url("/email/mailboxes/" + c.domain.fqdn + "/" + m.id),
		"autorenew": members{"enabled": m.autorenew, "duration": m.months, "duration_type": "m", "sharing_id": c.domain.space},
	}
}

func (s *Sandbox) listMailboxes(c *call) answer {
	login, like, kind := c.query.Get("login"), c.query.Get("~login"), c.query.Get("mailbox_type")
	boxes := slices.Clone(c.domain.mail.boxes)
	slices.SortFunc(boxes, func(a, b *mailbox) int { return strings.Compare(a.login, b.login) })
	items := []any{}
	for _, m := range boxes {
		if (login == "" || m.login == login) && (like == "" || wild(like, m.login)) && (kind == "" || m.kind == kind) {
			items = append(items, m.item(c))
		}
	}
	return page(c, items, len(boxes))
}

func (s *Sandbox) checkMailbox(c *call) *answer {
	login, m := strings.ToLower(textOf(c.body, "login")), &c.domain.mail
	if slices.ContainsFunc(m.boxes, func(b *mailbox) bool { return b.login == login }) {
		return conflict("Duplicate Entry", "the mailbox "+login+" already exists", problem{Location: "body", Name: "login"})
	}
	if m.free(textOf(c.body, "mailbox_type")) == nil {
		return overQuota("no slot of that type is free")
	}
	return nil
}

// newMailbox puts a mailbox into a slot.
func (s *Sandbox) newMailbox(d *domain, login string, in *slot) *mailbox {
	s.counter++
	m := &mailbox{
		id: uuidFrom("mailbox", d.fqdn, s.counter), login: strings.ToLower(login), kind: in.kind, aliases: []string{},
		antispam: "inactive", months: 12, responder: members{"enabled": false, "message": ""}, ends: in.ends,
	}
	in.box = m
	return m
}

// createMailbox takes the slot at once; the mailbox shows a StepTime later.
func (s *Sandbox) createMailbox(c *call) answer {
	d := c.domain
	m := s.newMailbox(d, textOf(c.body, "login"), d.mail.free(textOf(c.body, "mailbox_type")))
	m.password, m.aliases = textOf(c.body, "password"), textsOf(c.body, "aliases")
	s.change(d, func() { d.mail.boxes = append(d.mail.boxes, m) })
	return accepted("the mailbox is being created", "")
}

func (s *Sandbox) patchMailbox(c *call) answer {
	m, body := c.box(), c.body
	s.change(c.domain, func() {
		if _, given := body["aliases"]; given {
			m.aliases = textsOf(body, "aliases")
		}
		for name, into := range map[string]*string{"antispam": &m.antispam, "login": &m.login, "mailbox_type": &m.kind, "password": &m.password} {
			if _, given := body[name]; given {
				*into = textOf(body, name)
			}
		}
		if in := objectOf(body, "autorenew"); in != nil {
			m.autorenew, m.months = truthOf(in, "activated", false), wholeOf(in, "duration", m.months)
		}
		if in := objectOf(body, "responder"); in != nil {
			next := members{"enabled": truthOf(in, "enabled", false), "message": textOf(in, "message")}
			for _, date := range []string{"starts_at", "ends_at"} {
				if text := textOf(in, date); text != "" {
					next[date] = text
				}
			}
			m.responder = next
		}
	})
	return accepted("the mailbox is being updated", "")
}

func (s *Sandbox) showMailbox(c *call) answer {
	m := c.box()
	out := m.item(c)
	out["aliases"], out["responder"] = m.aliases, m.responder
	return reply(http.StatusOK, out)
}

// deleteMailbox frees the slot, which stays.
func (s *Sandbox) deleteMailbox(c *call) answer {
	m, d := c.box(), c.domain
	s.change(d, func() {
		d.mail.boxes = slices.DeleteFunc(d.mail.boxes, func(b *mailbox) bool { return b == m })
		for _, sl := range d.mail.slots {
			if sl.box == m {
				sl.box = nil
			}
		}
	})
	return accepted("the mailbox is being deleted", "")
}

func (s *Sandbox) checkMailRenewal(c *call) *answer {
	months := wholeOf(c.body, "duration", 1)
	if months != 1 && months != 12 {
		c.refuse("body", "duration", "must be 1 or 12")
	}
	return s.afford(c, mailPrice(months))
}

// renewMailbox buys months at the end. Nothing guards against a second call.
func (s *Sandbox) renewMailbox(c *call) answer {
	m, months := c.box(), wholeOf(c.body, "duration", 1)
	s.buy(purchase{
		what: "renew", fqdn: m.login + "@" + c.domain.fqdn, years: months / 12, cost: mailPrice(months), payer: s.payer(c),
		start: s.inSteps(func(time.Time) { m.ends = m.ends.AddDate(0, months, 0) }),
	})
	return accepted("the mailbox is being renewed", "")
}
