package sandbox

import (
	"net/http"
	"slices"
	"time"
)

// slot is a place for a mailbox, which is what is paid for.
type slot struct {
	id      int
	kind    string
	created time.Time
	ends    time.Time
	box     *mailbox // nil in a free one
}

// capacities are those of the types in MB; which type has which is inferred.
var capacities = map[string]int{"standard": 3072, "standard_2023": 10240, "standard_new": 10240,
	"premium": 51200, "premium_2023": 51200, "premium_new": 51200}

// mailPrice is the price of a mailbox for a number of months, in cents.
func mailPrice(months int) int64 { return 50 * int64(months) }

// free is a slot of a type without a mailbox; nil for none.
func (m *mail) free(kind string) *slot {
	i := slices.IndexFunc(m.slots, func(sl *slot) bool { return sl.kind == kind && sl.box == nil })
	if i < 0 {
		return nil
	}
	return m.slots[i]
}

func slotRoutes() []route {
	all := "/email/slots/{d}"
	return []route{
		{
			method: "GET", pattern: all, success: 200, find: (*Sandbox).findDomain,
			query: []member{{name: "display_not_expired_and_inactive", kind: truth}},
			do: func(s *Sandbox, c *call) answer {
				items := []any{}
				for _, sl := range c.domain.mail.slots {
					if sl.box != nil || c.query.Get("display_not_expired_and_inactive") == "true" {
						items = append(items, sl.show(c))
					}
				}
				a := page(c, items, len(items))
				delete(a.header, "Filtered-Count")
				return a
			},
		},
		{
			method: "POST", pattern: all, success: 202, find: (*Sandbox).findDomain, query: []member{{name: "sharing_id"}},
			body: &shape{members: []member{
				{name: "mailbox_type", need: true, kind: text, words: mailboxTypes},
				{name: "duration", need: true, kind: whole, min: 1, max: 120},
				{name: "autorenew", kind: truth},
			}},
			check: func(s *Sandbox, c *call) *answer { return s.afford(c, mailPrice(wholeOf(c.body, "duration", 1))) },
			do:    (*Sandbox).buySlot,
		},
		{
			method: "GET", pattern: "/email/offers/{d}", success: 200, find: (*Sandbox).findDomain,
			do: func(s *Sandbox, c *call) answer {
				return reply(http.StatusOK, members{"status": "active", "version": 3, "antispam": "inactive", "dkim": false})
			},
		},
	}
}

func (sl *slot) show(c *call) members {
	status := "inactive"
	if sl.box != nil {
		status = "active"
	}
	return members{"id": sl.id, "status": status, "capacity": capacities[sl.kind], "mailbox_type": sl.kind,
		"refundable": false, "created_at": stamp(sl.created), "href": c.url("/email/slots/" + c.domain.fqdn)}
}

func (s *Sandbox) buySlot(c *call) answer {
	d, kind, months := c.domain, textOf(c.body, "mailbox_type"), wholeOf(c.body, "duration", 1)
	s.buy(purchase{
		what: "slot", fqdn: d.fqdn, years: months / 12, cost: mailPrice(months), payer: s.payer(c),
		start: s.inSteps(func(at time.Time) { s.addSlot(d, kind, months, at) }),
	})
	return accepted("the slot is being made", "")
}

func (s *Sandbox) addSlot(d *domain, kind string, months int, at time.Time) *slot {
	s.counter++
	at = at.UTC().Truncate(time.Second)
	sl := &slot{id: 1000 + s.counter, kind: kind, created: at, ends: at.AddDate(0, months, 0)}
	d.mail.slots = append(d.mail.slots, sl)
	return sl
}
