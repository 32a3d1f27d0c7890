package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// purchase is what an order asks of a prepaid account. start runs at the moment
// the money is taken.
type purchase struct {
	what, fqdn string
	years      int
	cost       int64
	payer      string
	start      func(at time.Time)
}

// cents reads an amount such as 1000.00.
func cents(s string) (int64, error) {
	units, parts, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(units+(parts + "00")[:2], 10, 64)
	if err != nil || len(parts) > 2 {
		return 0, fmt.Errorf("parse amount %q", s)
	}
	return n, nil
}

// payer is the organization that pays: that of sharing_id, else the user's own
// (v5 documentation). For a customer the reseller above pays.
func (s *Sandbox) payer(c *call) string {
	id := s.buyer(c)
	if o := s.orgs[id]; o != nil && o.parent != "" {
		return o.parent
	}
	return id
}

// buyer is the organization that a purchase is made for.
func (s *Sandbox) buyer(c *call) string {
	if id := c.query.Get("sharing_id"); id != "" {
		return id
	}
	return c.credential.Orgs[0]
}

// afford refuses what the account cannot pay, unless such orders wait in BILL.
// The form of the refusal is inferred from the v3 vocabulary that v5 passes on.
func (s *Sandbox) afford(c *call, cost int64) *answer {
	if s.orgs[s.payer(c)].balance >= cost {
		return nil
	}
	const message = "the prepaid account has not enough money"
	if s.outOfMoney == OutOfMoneyBill {
		c.warning = message
		return nil
	}
	a := failure(http.StatusBadRequest, "OBJECT_PREPAID", "CAUSE_NOT_ENOUGH_MONEY", message)
	a.field = problem{Location: "querystring", Name: "sharing_id", Description: message}
	return &a
}

// buy takes the money at once, or keeps the order until there is enough.
func (s *Sandbox) buy(p purchase) {
	org := s.orgs[p.payer]
	if org.balance < p.cost {
		s.unpaid = append(s.unpaid, p)
		return
	}
	now := s.now()
	org.balance -= p.cost
	org.lastChange = now
	s.ledger = append(s.ledger, Charge{
		What: p.what, FQDN: p.fqdn, Years: p.years, Amount: money(p.cost), SharingID: p.payer,
	})
	p.start(now)
}

// retryUnpaid is called when a balance has changed.
func (s *Sandbox) retryUnpaid() {
	waiting := s.unpaid
	s.unpaid = nil
	for _, p := range waiting {
		s.buy(p)
	}
}

func billingRoutes() []route {
	return []route{
		{
			method: "GET", pattern: "/billing/info", success: 200,
			do: func(s *Sandbox, c *call) answer { return s.showBilling(c.credential.Orgs[0]) },
		},
		{
			method: "GET", pattern: "/billing/info/{sharing_id}", success: 200,
			do: func(s *Sandbox, c *call) answer {
				if !s.mayUse(c.credential, c.vars["sharing_id"]) {
					return forbidden()
				}
				return s.showBilling(c.vars["sharing_id"])
			},
		},
	}
}

// showBilling is an organization's account (v5 documentation); amounts are
// numbers there.
func (s *Sandbox) showBilling(id string) answer {
	o := s.orgs[id]
	return reply(http.StatusOK, members{
		"annual_balance": json.Number("0.00"), "grid": "A", "outstanding_amount": json.Number("0.00"),
		"prepaid": members{
			"amount": json.Number(money(o.balance)), "currency": "EUR", "warning_threshold": nil,
			"created_at": stamp(o.created), "updated_at": stamp(o.lastChange),
		},
	})
}
