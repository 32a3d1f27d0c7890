package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// processes are the words that check and the price list know (v5 documentation).
var processes = []string{
	"add", "create", "renew", "transfer", "change_owner", "restore", "remove", "release",
	"activate", "deactivate", "transfer_reseller", "update", "delete",
}

// rates turn EUR cents into other currencies, in per cent; invented.
var rates = map[string]int64{"EUR": 100, "USD": 110, "GBP": 85, "TWD": 3500, "CNY": 780}

var currencies = []string{"EUR", "USD", "GBP", "TWD", "CNY"}

func checkRoutes() []route {
	return []route{{
		method: "GET", pattern: "/domain/check", success: 200,
		query: []member{
			{name: "name", need: true},
			{name: "processes", kind: list, item: &member{words: processes}},
			{name: "currency", words: currencies},
			{name: "country", check: knownCountry},
			{name: "grid", words: []string{"A", "B", "C", "D", "E"}},
			{name: "lang"}, {name: "sharing_id"}, {name: "period"}, {name: "extension"},
			{name: "duration_unit", words: []string{"y"}},
			{name: "max_duration", kind: whole, min: 1, max: 10},
		},
		do: (*Sandbox).checkName,
	}}
}

// checkName answers availability and prices of one name, one product a process.
func (s *Sandbox) checkName(c *call) answer {
	name := strings.ToLower(c.query.Get("name"))
	currency, grid := c.query.Get("currency"), c.query.Get("grid")
	if currency == "" {
		currency = "EUR"
	}
	if grid == "" {
		grid = "A"
	}
	out := members{
		"currency": currency, "grid": grid,
		"taxes": []members{{"name": "vat", "rate": vat, "type": "service"}},
	}
	asked := c.query["processes"]
	if len(asked) == 0 {
		asked = []string{"create"}
	}
	_, known := tldOf(name)
	if known || fqdnError(name) != "" {
		pending := s.stillPending(name)
		products := []members{}
		for _, process := range asked {
			products = append(products, s.product(c, name, process, currency, pending))
		}
		out["products"] = products
	}
	return reply(http.StatusOK, out)
}

// stillPending counts the answers given for a name that has to be looked up at
// the registry.
func (s *Sandbox) stillPending(name string) bool {
	if s.domains[name] != nil || fqdnError(name) != "" || s.checked[name] >= s.opts.PendingChecks {
		return false
	}
	s.checked[name]++
	return true
}

func (s *Sandbox) product(c *call, name, process, currency string, pending bool) members {
	status, priced := s.availability(name, process)
	if pending {
		status, priced = "pending", false
	}
	p := members{
		"name": name, "process": process, "status": status,
		"taxes": []members{{"name": "vat", "rate": vat, "type": "service"}},
	}
	if priced {
		p["prices"] = s.prices(c, name, process, currency)
	}
	if process == "create" && status == "available" {
		p["periods"] = []members{{"name": "golive", "starts_at": "2012-01-01T00:00:00Z"}}
	}
	return p
}

// availability is the status word of a process, and whether prices stand beside
// it. For renew on an own domain the word is unavailable although prices are
// given (recorded); the other own-domain processes are inferred from that.
func (s *Sandbox) availability(name, process string) (status string, priced bool) {
	if forced := s.checkStatus[name]; forced != "" {
		return forced, forced == "available" || forced == "available_reserved"
	}
	if fqdnError(name) != "" {
		return "error_invalid", false
	}
	t, _ := tldOf(name)
	own, taken := s.domains[name] != nil, s.taken[name]
	_, offered := t.prices[process]
	switch {
	case process == "create":
		free := t.sold && !own && !taken && !s.beingCreated(name)
		if free {
			return "available", true
		}
		return "unavailable", false
	case process == "transfer":
		if taken && t.sold {
			return "available", true
		}
		return "unavailable", false
	case own:
		return "unavailable", offered
	}
	return "unavailable", false
}

// prices is one entry over all durations; the price of each year is the same.
func (s *Sandbox) prices(c *call, name, process, currency string) []members {
	longest := 10
	if n, err := strconv.Atoi(c.query.Get("max_duration")); err == nil {
		longest = n
	}
	if process == "restore" || process == "change_owner" || process == "transfer" {
		longest = 1
	}
	net := s.priceOf(name, process, 1) * rates[currency] / 100
	p := members{
		"duration_unit": "y", "min_duration": 1, "max_duration": longest, "discount": false,
		"price_before_taxes": json.Number(money(net)),
		"price_after_taxes":  json.Number(money(withTax(net))),
	}
	if _, premium := s.premium[name]; premium && slices.Contains([]string{"create", "renew"}, process) {
		p["type"] = "premium"
	}
	return []members{p}
}

func withTax(net int64) int64 { return (net*(100+vat) + 50) / 100 }
