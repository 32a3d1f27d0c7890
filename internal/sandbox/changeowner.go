package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// ownerChange is the progress of a change of owner. The last one of a domain
// stays readable after its end.
type ownerChange struct {
	created, updated time.Time
	step             string
	nb               int
	inner            string
	oldOwner         string // email
	oldAdmin         string
	newOwner         string
	confirmed        bool // by both owners
	failed           FailedOrder
	done             bool
}

func ownerChangeRoutes() []route {
	owner := member{name: "owner", need: true, kind: nested, shape: fullContact(contactTypes...)}
	return []route{
		{
			method: "POST", pattern: "/domain/changeowner/{d}", success: 202, dryRun: true,
			query: []member{{name: "sharing_id"}}, find: (*Sandbox).findDomain,
			body:  &shape{members: []member{owner, contactMember("admin"), contactMember("bill"), contactMember("tech")}},
			check: (*Sandbox).checkOwnerChange, do: (*Sandbox).changeOwner,
		},
		{
			method: "GET", pattern: "/domain/changeowner/{d}", success: 200, find: (*Sandbox).findDomain,
			do: (*Sandbox).showOwnerChange,
		},
		{
			method: "POST", pattern: "/domain/changeowner/{d}/foa", success: 202, find: (*Sandbox).findDomain,
			body: foaShape(), do: (*Sandbox).resendOwnerChangeMail,
		},
	}
}

func foaShape() *shape {
	return &shape{members: []member{
		{name: "email", need: true, kind: text, check: formed(emailForm, "an email address")},
	}}
}

func (o *ownerChange) running() bool { return o != nil && !o.done && o.step != "ERROR" }

func (s *Sandbox) checkOwnerChange(c *call) *answer {
	d := c.domain
	if s.ownerChanges[d.fqdn].running() {
		return conflict("Conflict", "an owner change of "+d.fqdn+" is running", problem{Location: "path", Name: "domain"})
	}
	if slices.Contains(d.status, "clientUpdateProhibited") {
		return stateError("the domain is locked against updates")
	}
	return s.afford(c, s.priceOf(d.fqdn, "change_owner", 1))
}

// changeOwner starts the change: in WAIT the confirmations of both owners are
// awaited, which come by themselves; in RUN the registry is told; at the end the
// contacts change.
func (s *Sandbox) changeOwner(c *call) answer {
	d, body := c.domain, c.body
	now := s.now().Truncate(time.Second)
	o := &ownerChange{
		created: now, updated: now, step: "BILL", nb: 1,
		oldOwner: textOf(d.contacts["owner"], "email"), oldAdmin: textOf(d.contacts["admin"], "email"),
		newOwner: textOf(objectOf(body, "owner"), "email"),
	}
	s.ownerChanges[d.fqdn] = o
	sharing, buyer := c.query.Get("sharing_id"), s.buyer(c)
	steps := s.inSteps(
		func(at time.Time) {
			o.move("RUN", 3, "", at)
			o.confirmed = true
		},
		func(at time.Time) {
			if f, fails := s.failChangeOwner[d.fqdn]; fails {
				delete(s.failChangeOwner, d.fqdn)
				o.failed = f
				o.move(f.Step, o.nb, o.inner, at)
				return
			}
			o.done = true
			o.move(o.step, o.nb, o.inner, at)
			s.giveTo(d, body, sharing, buyer, at)
		},
	)
	s.buy(purchase{
		what: "change_owner", fqdn: d.fqdn, cost: s.priceOf(d.fqdn, "change_owner", 1), payer: s.payer(c),
		start: func(at time.Time) {
			o.move("WAIT", 2, "checking_foa_response", at)
			steps(at)
		},
	})
	return accepted("the owner of "+d.fqdn+" is being changed", c.url("/domain/changeowner/"+d.fqdn))
}

func (o *ownerChange) move(step string, nb int, inner string, at time.Time) {
	o.step, o.nb, o.inner, o.updated = step, nb, inner, at.UTC().Truncate(time.Second)
}

// giveTo lets a finished change take effect. With a sharing_id the domain moves
// to that organization, or to a new customer of it (v5 documentation).
func (s *Sandbox) giveTo(d *domain, body map[string]any, sharing, buyer string, at time.Time) {
	owner := s.keep(objectOf(body, "owner"))
	d.contacts["owner"] = owner
	for _, role := range contactRoles {
		if in := objectOf(body, role); in != nil {
			d.contacts[role] = s.keep(in)
		}
	}
	if sharing != "" {
		d.space = s.place(buyer, "", owner)
	}
	d.touch(at)
}

// showOwnerChange has the documented shape. DONE is not among the documented
// steps: a finished change keeps its last one. inner_step is always there, but
// only the word of WAIT is known.
func (s *Sandbox) showOwnerChange(c *call) answer {
	o := s.ownerChanges[c.domain.fqdn]
	if o == nil || o.done && s.opts.ForgetOwnerChange {
		return notFound()
	}
	answered := ""
	params := members{"new_owner_email": o.newOwner, "old_owner_email": o.oldOwner, "old_admin_email": o.oldAdmin}
	if o.confirmed {
		answered = "T"
		params["answer_new_owner"], params["answer_old_owner"] = "T", "T"
	}
	m := members{
		"created_at": stamp(o.created), "updated_at": stamp(o.updated), "date_start": stamp(o.created),
		"step": o.step, "step_nb": o.nb, "inner_step": o.inner, "params": params,
		"foa": []members{{"email": o.oldOwner, "answer": answered}, {"email": o.newOwner, "answer": answered}},
	}
	if o.inner != "" {
		params["inner_step"] = o.inner
	}
	if o.failed.ErrorType != "" {
		m["errortype"], m["errortype_label"] = o.failed.ErrorType, o.failed.ErrorTypeLabel
	}
	return reply(http.StatusOK, m)
}

// resendOwnerChangeMail sends the confirmation again, to one who was asked.
func (s *Sandbox) resendOwnerChangeMail(c *call) answer {
	o, email := s.ownerChanges[c.domain.fqdn], textOf(c.body, "email")
	switch {
	case !o.running() || o.step != "WAIT":
		return notFound()
	case !strings.EqualFold(email, o.oldOwner) && !strings.EqualFold(email, o.newOwner):
		return invalid([]problem{{"body", "email", "no confirmation was asked of this address"}})
	}
	return accepted("the confirmation was sent again", "")
}
