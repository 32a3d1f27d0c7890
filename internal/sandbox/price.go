package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// priceTypes are what v5 has price lists of (v5 documentation).
var priceTypes = []string{
	"cloud", "domain", "domain_option", "issued-cert", "mailboxv2", "openstack", "phone_advisory", "simple-hosting", "tmch",
}

func priceRoutes() []route {
	return []route{{
		method: "GET", pattern: "/billing/price/{type}", success: 200,
		query: append([]member{
			{name: "name", kind: list, item: &member{}},
			{name: "processes", kind: list, item: &member{words: processes}},
			{name: "active_phase"}, {name: "country", check: knownCountry}, {name: "currency", words: currencies},
			{name: "discounts"}, {name: "duration_unit", words: []string{"y"}}, {name: "extension"}, {name: "features"},
			{name: "grid", words: []string{"A", "B", "C", "D", "E"}}, {name: "lang"},
			{name: "max_duration", kind: whole, min: 1, max: 10}, {name: "prices_at"}, {name: "sharing_id"},
		}, paging()...),
		do: (*Sandbox).listPrices,
	}}
}

// listPrices has prices of domains only; the other lists are empty. Nothing is
// cheaper than usual.
func (s *Sandbox) listPrices(c *call) answer {
	if !slices.Contains(priceTypes, c.vars["type"]) {
		return notFound()
	}
	currency, grid := c.query.Get("currency"), c.query.Get("grid")
	if currency == "" {
		currency = "EUR"
	}
	if grid == "" {
		grid = "A"
	}
	tax := members{"name": "vat", "name_label": "VAT", "rate": vat, "type": "service"}
	items := []any{}
	for _, t := range tldTable() {
		if names := c.query["name"]; c.vars["type"] != "domain" || len(names) > 0 && !slices.Contains(names, "."+t.name) {
			continue
		}
		for _, process := range processes {
			net, offered := t.prices[process]
			if asked := c.query["processes"]; !offered || len(asked) > 0 && !slices.Contains(asked, process) {
				continue
			}
			longest := 10
			if !slices.Contains([]string{"create", "renew"}, process) {
				longest = 1
			}
			net = net * rates[currency] / 100
			items = append(items, members{
				"name": "." + strings.TrimPrefix(t.name, "."), "process": process, "status": "available",
				"phases": []any{}, "taxes": []members{tax},
				"prices": []members{{
					"discount": false, "duration_unit": "y", "features": []any{}, "min_duration": 1, "max_duration": longest,
					"options":            members{"phase": "golive"},
					"price_before_taxes": json.Number(money(net)), "price_after_taxes": json.Number(money(withTax(net))),
				}},
			})
		}
	}
	return reply(http.StatusOK, members{"currency": currency, "grid": grid, "taxes": []members{tax}, "products": items})
}
