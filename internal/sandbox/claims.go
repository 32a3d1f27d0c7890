package sandbox

import (
	"net/http"
	"strings"
)

// claimRoutes tell of trademark claims on a name, registered or not, and take their
// acceptance. What v5 does with an order whose claims were not accepted is not
// documented; it is refused here.
func claimRoutes() []route {
	path := "/domain/domains/{d}/claims"
	return []route{
		{
			method: "GET", pattern: path, success: 200,
			find: (*Sandbox).findClaims,
			do: func(s *Sandbox, c *call) answer {
				person := members{"cc": "US", "city": "Arcadia", "email": "legal@mark.example", "fax": "", "name": "Jane Doe",
					"org": "Ag Corporation", "pc": "90001", "phone": "+1.3105551212", "sp": "CA", "street": "1305 Bright Avenue"}
				return reply(http.StatusOK, members{"claims": []any{members{
					"mark_name": "Example One", "goods_and_services": "Dirigendas et eiusmodi",
					"contacts": []any{person}, "holders": []any{person},
				}}})
			},
		},
		{
			method: "POST", pattern: path, success: 202,
			find: (*Sandbox).findClaims,
			do: func(s *Sandbox, c *call) answer {
				s.claims[strings.ToLower(c.vars["d"])] = true
				return accepted("the claims are accepted", "")
			},
		},
	}
}

func (s *Sandbox) findClaims(c *call) *answer {
	if _, claimed := s.claims[strings.ToLower(c.vars["d"])]; !claimed {
		a := notFound()
		return &a
	}
	return nil
}

// unaccepted tells that something is claimed of a name which nobody accepted.
func (s *Sandbox) unaccepted(fqdn string) bool {
	accepted, claimed := s.claims[fqdn]
	return claimed && !accepted
}
