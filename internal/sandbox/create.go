package sandbox

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// creation is the progress of an order for a new domain.
type creation struct {
	fqdn   string
	buyer  string // organization
	step   string // BILL, WAIT, RUN, SUPPORT, ERROR (v5 documentation)
	nb     int
	failed FailedOrder
	done   bool
}

// orderMembers are the body members that a creation and an inbound transfer
// share (v5 documentation). The spelling of the glue member is not established:
// clients use both.
func orderMembers() []member {
	addresses := &member{kind: list, min: 1, item: &member{kind: text, check: ipError}}
	return []member{
		{name: "fqdn", need: true, kind: text, check: fqdnError},
		need(contactMember("owner"))[0],
		contactMember("admin"), contactMember("bill"), contactMember("tech"),
		{name: "duration", kind: whole, min: 1, max: 10},
		{name: "nameservers", kind: list, min: 1, item: &member{kind: text, check: fqdnError}},
		{name: "nameservers_ips", kind: mapping, check: fqdnError, item: addresses},
		{name: "nameserver_ips", kind: mapping, check: fqdnError, item: addresses},
		{name: "extra_parameters", kind: mapping, check: domainExtra, item: &member{kind: note}},
		{name: "enforce_premium", kind: truth},
		{name: "price", kind: amount},
		{name: "currency", kind: text, words: currencies},
		{name: "mailbox_optin", kind: truth},
		{name: "resellee_id", kind: text},
		{name: "template_id", kind: text, check: formed(idForm, "a uuid")},
	}
}

func createShape() *shape {
	periods := []string{"sunrise", "landrush", "golive"}
	for i := 1; i <= 9; i++ {
		periods = append(periods, "eap"+strconv.Itoa(i))
	}
	return &shape{members: append(orderMembers(),
		member{name: "lang", kind: text, check: formed(langForm, "an ISO 639-2 code")},
		member{name: "tld_period", kind: text, words: periods},
		member{name: "smd", kind: note},
		member{name: "claims", kind: note},
	)}
}

// beingCreated tells that an order for the name is under way.
func (s *Sandbox) beingCreated(fqdn string) bool {
	cr := s.creations[fqdn]
	return cr != nil && !cr.done && cr.step != "ERROR"
}

func (s *Sandbox) checkCreate(c *call) *answer {
	fqdn := strings.ToLower(textOf(c.body, "fqdn"))
	t, known := tldOf(fqdn)
	forced := s.checkStatus[fqdn]
	switch {
	case !known || !t.sold:
		c.refuse("body", "fqdn", "this extension cannot be registered")
	case s.unaccepted(fqdn):
		c.refuse("body", "fqdn", "claims on the name are not accepted")
	case s.taken[fqdn] || forced != "" && forced != "available":
		c.refuse("body", "fqdn", "the domain is not available")
	}
	if p := textOf(c.body, "tld_period"); p != "" && p != "golive" {
		c.refuse("body", "tld_period", "this phase is not open")
	}
	if textOf(c.body, "smd") != "" && textOf(c.body, "tld_period") != "sunrise" {
		c.refuse("body", "smd", "only for the sunrise phase")
	}
	s.checkOrder(c, fqdn, "create")
	if s.domains[fqdn] != nil || s.beingCreated(fqdn) || s.transferring(fqdn) {
		return conflict("Duplicate Entry", "the domain "+fqdn+" already exists", problem{Location: "body", Name: "fqdn"})
	}
	if len(c.problems) > 0 {
		return nil
	}
	return s.afford(c, s.priceOf(fqdn, "create", wholeOf(c.body, "duration", 1)))
}

// checkOrder reports what creation and transfer have in common: glue for name
// servers inside the domain, the customer, the premium flag, the price guard.
func (s *Sandbox) checkOrder(c *call, fqdn, process string) {
	glue := glueOf(c.body)
	for i, ns := range textsOf(c.body, "nameservers") {
		ns = strings.ToLower(ns)
		if strings.HasSuffix(ns, "."+fqdn) && len(glue[ns]) == 0 {
			c.refuse("body", fmt.Sprintf("nameservers.%d", i), "needs an IP address")
		}
	}
	if id := textOf(c.body, "resellee_id"); id != "" {
		if o := s.orgs[id]; o == nil || o.parent == "" || o.parent != s.buyer(c) {
			c.refuse("body", "resellee_id", "is not a customer of this organization")
		}
	}
	if _, premium := s.premium[fqdn]; premium && !truthOf(c.body, "enforce_premium", false) {
		c.refuse("body", "enforce_premium", "required for a premium name")
	}
	if n, guarded := c.body["price"].(json.Number); guarded {
		currency := textOf(c.body, "currency")
		if currency == "" {
			currency = "EUR"
		}
		net := s.priceOf(fqdn, process, wholeOf(c.body, "duration", 1)) * rates[currency] / 100
		limit, _ := n.Float64()
		offered := int64(math.Round(limit * 100))
		if offered != net && offered != withTax(net) {
			c.refuse("body", "price", "the price is "+money(net)+" "+currency)
		}
	}
}

// glueOf reads the addresses of name servers under either spelling.
func glueOf(body map[string]any) map[string][]string {
	out := map[string][]string{}
	for _, spelling := range []string{"nameservers_ips", "nameserver_ips"} {
		in := objectOf(body, spelling)
		for ns := range in {
			out[strings.ToLower(ns)] = textsOf(in, ns)
		}
	}
	return out
}

// create accepts the order and takes the money: it is charged at acceptance, and
// steps BILL, WAIT and RUN follow. An order that cannot be paid stays in BILL.
func (s *Sandbox) create(c *call) answer {
	fqdn := strings.ToLower(textOf(c.body, "fqdn"))
	years := wholeOf(c.body, "duration", 1)
	cr := &creation{fqdn: fqdn, buyer: s.buyer(c), step: "BILL", nb: 1}
	s.creations[fqdn] = cr
	body := c.body
	s.buy(purchase{
		what: "create", fqdn: fqdn, years: years, cost: s.priceOf(fqdn, "create", years), payer: s.payer(c),
		start: s.inSteps(
			func(time.Time) { cr.step, cr.nb = "WAIT", 2 },
			func(time.Time) { cr.step, cr.nb = "RUN", 3 },
			func(at time.Time) { s.endCreation(cr, body, years, at) },
		),
	})
	return accepted("the domain "+fqdn+" is being registered", c.url("/domain/domains/"+fqdn))
}

// inSteps returns the start of a chain of functions: the first runs one StepTime
// after the start, each further one a StepTime after the one before, and is given
// the time at which it is due.
func (s *Sandbox) inSteps(steps ...func(at time.Time)) func(at time.Time) {
	return func(at time.Time) {
		if len(steps) == 0 {
			return
		}
		s.later(at, func(at time.Time) {
			steps[0](at)
			s.inSteps(steps[1:]...)(at)
		})
	}
}

// endCreation registers the domain, or lets the order fail where a seed asked
// for it. A failure is used up, so that a second order succeeds.
func (s *Sandbox) endCreation(cr *creation, body map[string]any, years int, at time.Time) {
	if f, fails := s.failCreate[cr.fqdn]; fails {
		delete(s.failCreate, cr.fqdn)
		cr.step, cr.failed = f.Step, f
		return
	}
	cr.done = true
	owner := s.keep(objectOf(body, "owner"))
	d := s.register(cr.fqdn, s.place(cr.buyer, textOf(body, "resellee_id"), owner), years, at)
	s.furnish(d, body, owner)
}

// furnish fills a new domain with what its order asked for. Contacts that were
// left out take the owner's data; mailboxes are included unless declined (v5
// documentation).
func (s *Sandbox) furnish(d *domain, body map[string]any, owner contact) {
	d.contacts["owner"] = owner
	for _, role := range contactRoles {
		d.contacts[role] = owner
		if in := objectOf(body, role); in != nil {
			d.contacts[role] = s.keep(in)
		}
	}
	if servers := lowered(textsOf(body, "nameservers")); len(servers) > 0 {
		d.setServers(servers)
		if serverKind(servers) != "livedns" {
			d.records = nil
		}
	}
	for ns, ips := range glueOf(body) {
		if label, inside := strings.CutSuffix(ns, "."+d.fqdn); inside {
			d.hosts[label] = ips
		}
	}
	if truthOf(body, "mailbox_optin", true) {
		d.services = append(d.services, "mailboxv2")
	}
}

// showCreation answers the progress while there is some, and then a redirect to
// the domain without a body. 303 is inferred; the documentation only shows the
// Location header.
func (s *Sandbox) showCreation(c *call) answer {
	cr := s.creations[strings.ToLower(c.vars["d"])]
	switch {
	case cr == nil:
		return notFound()
	case !s.mayUse(c.credential, cr.buyer):
		return forbidden()
	case cr.done:
		location := c.url("/domain/domains/" + cr.fqdn)
		return answer{status: http.StatusSeeOther, header: map[string]string{"Location": location}}
	}
	m := members{"step": cr.step, "step_nb": cr.nb}
	if cr.failed.ErrorType != "" {
		m["errortype"], m["errortype_label"] = cr.failed.ErrorType, cr.failed.ErrorTypeLabel
	}
	return reply(http.StatusOK, m)
}
