package sandbox

import (
	"fmt"
	"net/http"
	"strings"
)

// tld is what the sandbox knows of an extension. Grace and redemption come from
// a client's table of 2022 that fits the recorded dates; sold follows the note
// that the real sandbox registers .com .net .org .fr only; prices are invented.
type tld struct {
	name     string
	category string
	// grace, redemption and pending are days: from the end to hold_ends_at, on
	// to restore_ends_at, on to pending_delete_ends_at.
	grace, redemption, pending int
	lock                       bool
	sold                       bool
	prices                     map[string]int64 // cents without tax by process
}

// vat is the tax rate that check answers, in per cent.
const vat = 20

func tldTable() []tld {
	generic := map[string]int64{"create": 1200, "renew": 1350, "transfer": 1200, "restore": 8000, "change_owner": 0}
	french := map[string]int64{"create": 1000, "renew": 1100, "transfer": 0, "restore": 3000, "change_owner": 0}
	country := map[string]int64{"create": 1500, "renew": 1500, "transfer": 1500, "restore": 5000, "change_owner": 900}
	return []tld{
		{"com", "gTLD", 45, 30, 5, true, true, generic},
		{"net", "gTLD", 45, 30, 5, true, true, generic},
		{"org", "gTLD", 45, 30, 5, true, true, generic},
		{"fr", "ccTLD", 28, 30, 0, true, true, french},
		{"info", "gTLD", 45, 30, 5, true, false, generic},
		{"biz", "gTLD", 45, 30, 5, true, false, generic},
		{"io", "ccTLD", 45, 30, 5, true, false, country},
		{"ca", "ccTLD", 45, 30, 0, true, false, country},
		{"in", "ccTLD", 30, 30, 5, true, false, country},
		{"eu", "ccTLD", 0, 40, 0, false, false, country},
		{"be", "ccTLD", 0, 40, 0, false, false, country},
		{"uk", "ccTLD", 90, 0, 0, false, false, country},
		{"co.uk", "ccTLD", 90, 0, 0, false, false, country},
		{"de", "ccTLD", 0, 0, 0, false, false, country},
	}
}

// tldOf finds the extension of a name: one label in front of a known extension.
func tldOf(fqdn string) (tld, bool) {
	_, rest, _ := strings.Cut(fqdn, ".")
	for _, t := range tldTable() {
		if t.name == rest {
			return t, true
		}
	}
	return tld{}, false
}

// rulesOf is tldOf for names that exist: an unknown extension gets the rules of
// most gTLDs.
func rulesOf(fqdn string) tld {
	t, known := tldOf(fqdn)
	if !known {
		t = tldTable()[0]
		_, t.name, _ = strings.Cut(fqdn, ".")
	}
	return t
}

// priceOf is the price of a process for a number of years, in cents.
func (s *Sandbox) priceOf(fqdn, process string, years int) int64 {
	each := rulesOf(fqdn).prices[process]
	if p, premium := s.premium[fqdn]; premium && (process == "create" || process == "renew") {
		each = p
	}
	return each * int64(years)
}

func money(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

func tldRoutes() []route {
	return []route{
		{
			method: "GET", pattern: "/domain/tlds", success: 200,
			query: append([]member{{name: "category", words: []string{"ccTLD", "gTLD"}}}, paging()...),
			do: func(s *Sandbox, c *call) answer {
				items := []any{}
				for _, t := range tldTable() {
					if want := c.query.Get("category"); want == "" || want == t.category {
						items = append(items, members{"name": t.name, "href": c.url("/domain/tlds/" + t.name)})
					}
				}
				return page(c, items, len(tldTable()))
			},
		},
		{
			method: "GET", pattern: "/domain/tlds/{name}", success: 200,
			do: (*Sandbox).showTLD,
		},
	}
}

// showTLD answers for an extension or for a whole name (v5 documentation).
func (s *Sandbox) showTLD(c *call) answer {
	name := strings.ToLower(c.vars["name"])
	for _, t := range tldTable() {
		if found, ok := tldOf(name); t.name != name && (!ok || found.name != t.name) {
			continue
		}
		return reply(http.StatusOK, members{
			"name": t.name, "full_tld": t.name, "category": t.category, "lock": t.lock,
			"change_owner": true, "authinfo_for_transfer": t.name != "uk" && t.name != "co.uk",
			"corporate": false, "ext_trade": false, "href": c.url("/domain/tlds/" + t.name),
		})
	}
	return notFound()
}
