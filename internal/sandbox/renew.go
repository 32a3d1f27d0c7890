package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// farthest is how many years ahead a registry lets a domain end.
const farthest = 10

func renewRoutes() []route {
	return []route{
		{
			method: "GET", pattern: "/domain/domains/{d}/renew", success: 200,
			find: (*Sandbox).findDomain, do: (*Sandbox).showRenew,
		},
		{
			method: "POST", pattern: "/domain/domains/{d}/renew", success: 202, dryRun: true,
			query: []member{{name: "sharing_id"}}, find: (*Sandbox).findDomain,
			body:  &shape{members: []member{{name: "duration", kind: whole, min: 1, max: 9}}},
			check: (*Sandbox).checkRenew, do: (*Sandbox).renew,
		},
		{
			method: "GET", pattern: "/domain/domains/{d}/restore", success: 200, find: (*Sandbox).findDomain,
			do: func(s *Sandbox, c *call) answer {
				return reply(http.StatusOK, members{"restorable": s.restorable(c.domain), "contracts": []any{}})
			},
		},
		{
			method: "POST", pattern: "/domain/domains/{d}/restore", success: 202,
			query: []member{{name: "sharing_id"}}, find: (*Sandbox).findDomain,
			body: &shape{}, check: (*Sandbox).checkRestore, do: (*Sandbox).restore,
		},
	}
}

// longestRenewal is the maximum of the renewal window in years, counting what is
// bought already; 0 when a renewal is prohibited.
func (s *Sandbox) longestRenewal(d *domain) int {
	now := s.now()
	if slices.Contains(d.status, "clientRenewProhibited") || d.restoring || d.deleting || !d.deleted.IsZero() || now.After(d.life().deletes) && now.After(d.ends) {
		return 0
	}
	longest := 0
	for years := 1; years <= 9; years++ {
		if d.ends.AddDate(d.renewing+years, 0, 0).After(now.AddDate(farthest, 0, 0)) {
			break
		}
		longest = years
	}
	return longest
}

// showRenew is the flat form of the window (v5 documentation); older answers had
// an outer object.
func (s *Sandbox) showRenew(c *call) answer {
	longest := s.longestRenewal(c.domain)
	durations := []int{}
	for years := 1; years <= longest; years++ {
		durations = append(durations, years)
	}
	return reply(http.StatusOK, members{
		"begins_at": "2012-01-01T00:00:00Z", "ends_at": stamp(c.domain.life().deletes),
		"durations": durations, "minimum": 1, "maximum": longest,
		"prohibited": longest == 0, "in_renew_period": longest > 0,
	})
}

func (s *Sandbox) checkRenew(c *call) *answer {
	longest, years := s.longestRenewal(c.domain), wholeOf(c.body, "duration", 1)
	switch {
	case longest == 0:
		return stateError("the domain cannot be renewed")
	case years > longest:
		c.refuse("body", "duration", fmt.Sprintf("must be at most %d", longest))
		return nil
	}
	return s.afford(c, s.priceOf(c.domain.fqdn, "renew", years))
}

// renew buys years at the end. Nothing guards against a second call: it renews
// twice (v5 documentation has no such member).
func (s *Sandbox) renew(c *call) answer {
	d, years := c.domain, wholeOf(c.body, "duration", 1)
	d.renewing += years
	s.buy(purchase{
		what: "renew", fqdn: d.fqdn, years: years, cost: s.priceOf(d.fqdn, "renew", years), payer: s.payer(c),
		start: s.inSteps(func(at time.Time) {
			d.renewing -= years
			d.ends = d.ends.AddDate(years, 0, 0)
			d.touch(at)
		}),
	})
	return accepted("the domain "+d.fqdn+" is being renewed", c.url("/domain/domains/"+d.fqdn))
}

// restorable is true in the redemption period of the extension.
func (s *Sandbox) restorable(d *domain) bool {
	now, l := s.now(), d.life()
	return !d.restoring && !now.Before(l.holdEnds) && now.Before(l.restoreEnds)
}

func (s *Sandbox) checkRestore(c *call) *answer {
	if !s.restorable(c.domain) {
		return stateError("the domain cannot be restored")
	}
	return s.afford(c, s.priceOf(c.domain.fqdn, "restore", 1))
}

// restore brings the domain back and, as a restoration includes a renewal
// (inferred), moves its end by one year.
func (s *Sandbox) restore(c *call) answer {
	d := c.domain
	d.restoring = true
	s.buy(purchase{
		what: "restore", fqdn: d.fqdn, years: 1, cost: s.priceOf(d.fqdn, "restore", 1), payer: s.payer(c),
		start: s.inSteps(func(at time.Time) {
			d.restoring, d.deleted = false, time.Time{}
			d.ends = d.ends.AddDate(1, 0, 0)
			d.touch(at)
		}),
	})
	return accepted("the domain "+d.fqdn+" is being restored", c.url("/domain/domains/"+d.fqdn))
}
