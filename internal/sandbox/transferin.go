package sandbox

import (
	"net/http"
	"strings"
	"time"
)

// transfer is the progress of an inbound transfer. The real sandbox has none;
// here every name that a seed calls taken can be transferred.
type transfer struct {
	fqdn, buyer      string
	created, updated time.Time
	step             string
	nb               int
	inner            string
	body             map[string]any
	years            int
	failed           FailedOrder
	done             bool
}

func transferRoutes() []route {
	code := member{name: "authinfo", kind: text}
	order := append(orderMembers(), code, member{name: "change_owner", kind: truth})
	one := "/domain/transferin/{d}"
	return []route{
		{
			method: "POST", pattern: "/domain/transferin", success: 202, dryRun: true,
			query: []member{{name: "sharing_id"}},
			body:  &shape{members: order}, check: (*Sandbox).checkTransfer, do: (*Sandbox).transferIn,
		},
		{method: "GET", pattern: one, success: 200, do: (*Sandbox).showTransfer},
		{method: "PUT", pattern: one, success: 202, body: &shape{}, do: (*Sandbox).relaunchTransfer},
		{
			method: "PUT", pattern: one + "/authinfo", success: 202, query: []member{{name: "sharing_id"}},
			body: &shape{members: need(code)}, do: (*Sandbox).correctTransferCode,
		},
		{
			method: "POST", pattern: one + "/available", success: 200,
			body: &shape{members: []member{code}}, do: (*Sandbox).showTransferable,
		},
		{
			method: "POST", pattern: one + "/foa", success: 202, body: foaShape(),
			do: func(s *Sandbox, c *call) answer {
				t, refused := s.findTransfer(c)
				switch {
				case refused != nil:
					return *refused
				case t.step != "WAIT":
					return notFound()
				}
				return accepted("the confirmation was sent again", "")
			},
		},
	}
}

func (s *Sandbox) transferring(fqdn string) bool {
	t := s.transfers[fqdn]
	return t != nil && !t.done && t.step != "ERROR"
}

// findTransfer loads the transfer that the path names.
func (s *Sandbox) findTransfer(c *call) (*transfer, *answer) {
	t := s.transfers[strings.ToLower(c.vars["d"])]
	if t == nil {
		a := notFound()
		return nil, &a
	}
	if !s.mayUse(c.credential, t.buyer) {
		a := forbidden()
		return nil, &a
	}
	return t, nil
}

// transferableError says why a name cannot be transferred, "" meaning it can.
func (s *Sandbox) transferableError(fqdn string) string {
	t, known := tldOf(fqdn)
	switch {
	case !known || !t.sold:
		return "this extension cannot be transferred"
	case s.domains[fqdn] != nil:
		return "the domain is already here"
	case !s.taken[fqdn]:
		return "the domain is not registered"
	}
	return ""
}

func (s *Sandbox) checkTransfer(c *call) *answer {
	fqdn := strings.ToLower(textOf(c.body, "fqdn"))
	s.checkOrder(c, fqdn, "transfer")
	if s.domains[fqdn] != nil || s.transferring(fqdn) {
		return conflict("Duplicate Entry", "the domain "+fqdn+" already exists", problem{Location: "body", Name: "fqdn"})
	}
	if wrong := s.transferableError(fqdn); wrong != "" {
		c.refuse("body", "fqdn", wrong)
		return nil
	}
	return s.afford(c, s.priceOf(fqdn, "transfer", wholeOf(c.body, "duration", 1)))
}

func (s *Sandbox) transferIn(c *call) answer {
	fqdn, years := strings.ToLower(textOf(c.body, "fqdn")), wholeOf(c.body, "duration", 1)
	now := s.now().Truncate(time.Second)
	t := &transfer{
		fqdn: fqdn, buyer: s.buyer(c), created: now, updated: now, step: "BILL", nb: 1, body: c.body, years: years,
	}
	s.transfers[fqdn] = t
	s.buy(purchase{
		what: "transfer", fqdn: fqdn, years: years, cost: s.priceOf(fqdn, "transfer", years), payer: s.payer(c),
		start: s.transferSteps(t),
	})
	return accepted("the domain "+fqdn+" is being transferred", c.url("/domain/transferin/"+fqdn))
}

// transferSteps goes through WAIT and RUN; a wrong code ends in ERROR, from where
// it can be corrected and launched again.
func (s *Sandbox) transferSteps(t *transfer) func(at time.Time) {
	return s.inSteps(
		func(at time.Time) { t.move("WAIT", 2, "checking_foa_response", at) },
		func(at time.Time) { t.move("RUN", 3, "", at) },
		func(at time.Time) {
			if code := s.transferCodes[t.fqdn]; code != "" && code != textOf(t.body, "authinfo") {
				t.failed = failed("domain_transfer_in:domain_transfer_invalid_authinfo")
				t.move("ERROR", 3, "", at)
				return
			}
			t.done = true
			t.move("RUN", 3, "", at)
			owner := s.keep(objectOf(t.body, "owner"))
			d := s.register(t.fqdn, s.place(t.buyer, textOf(t.body, "resellee_id"), owner), t.years, at)
			s.furnish(d, t.body, owner)
		},
	)
}

func (t *transfer) move(step string, nb int, inner string, at time.Time) {
	t.step, t.nb, t.inner, t.updated = step, nb, inner, at.UTC().Truncate(time.Second)
}

// showTransfer has the documented shape; that owner_contact is the mail address
// is inferred.
func (s *Sandbox) showTransfer(c *call) answer {
	t, refused := s.findTransfer(c)
	if refused != nil {
		return *refused
	}
	m := members{
		"created_at": stamp(t.created), "updated_at": stamp(t.updated), "start_at": stamp(t.created),
		"owner_contact": textOf(objectOf(t.body, "owner"), "email"),
		"params":        members{"domain": t.fqdn, "duration": t.years, "tld": rulesOf(t.fqdn).name},
		"step":          t.step, "step_nb": t.nb, "foa": []any{},
	}
	if t.inner != "" {
		m["inner_step"] = t.inner
	}
	if t.failed.ErrorType != "" {
		m["errortype"], m["errortype_label"] = t.failed.ErrorType, t.failed.ErrorTypeLabel
	}
	return reply(http.StatusOK, m)
}

// relaunchTransfer starts a failed transfer again, without a second charge.
func (s *Sandbox) relaunchTransfer(c *call) answer {
	t, refused := s.findTransfer(c)
	if refused != nil {
		return *refused
	}
	if t.step != "ERROR" {
		return *stateError("the transfer has not failed")
	}
	now := s.now()
	t.failed = FailedOrder{}
	t.move("BILL", 1, "", now)
	s.transferSteps(t)(now)
	return accepted("the transfer of "+t.fqdn+" was launched again", c.url("/domain/transferin/"+t.fqdn))
}

func (s *Sandbox) correctTransferCode(c *call) answer {
	t, refused := s.findTransfer(c)
	switch {
	case refused != nil:
		return *refused
	case t.done:
		return *stateError("the transfer has ended")
	}
	t.body["authinfo"] = textOf(c.body, "authinfo")
	return accepted("the transfer code was updated", c.url("/domain/transferin/"+t.fqdn))
}

func (s *Sandbox) showTransferable(c *call) answer {
	fqdn := strings.ToLower(c.vars["d"])
	m := members{
		"fqdn": fqdn, "fqdn_alabel": fqdn, "fqdn_ulabel": unicodeName(fqdn), "available": true,
		"durations": []int{1}, "minimum_duration": 1, "maximum_duration": 1, "internal": false, "corporate": false,
	}
	wrong := s.transferableError(fqdn)
	code, given := s.transferCodes[fqdn], textOf(c.body, "authinfo")
	if wrong == "" && code != "" && given != "" && given != code {
		wrong = "the transfer code is wrong"
	}
	if wrong != "" {
		m["available"], m["msg"] = false, wrong
	}
	return reply(http.StatusOK, m)
}
