package gateway

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"v3gate/internal/ops"
)

// violation is a broken rule, and the name it is about if it is about one.
type violation struct{ fqdn, text string }

func (c *chaos) violated(fqdn, format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong = append(c.wrong, violation{fqdn, fmt.Sprintf(format, args...)})
	c.noteLocked(fqdn, "WRONG: "+format, args...)
}

// check holds what is left at the end against the rules.
func (c *chaos) check() {
	for _, o := range c.journal {
		if unfinished(o) {
			c.violated(o.FQDN, "operation %d is still in %s", o.ID, o.Step)
		}
	}
	c.checkMoney()
	c.checkNames()
	c.checkRenewals()
	c.checkSends()
	c.checkHistory()
	c.checkTenants()
	c.checkContacts()
	c.checkSequels()
}

// chargeOf is what the ledger calls the work of an operation.
var chargeOf = map[string]string{
	"domain_create": "create", "domain_renew": "renew", "domain_restore": "restore",
	"domain_transfer_in": "transfer", "domain_change_owner": "change_owner",
}

// bounds is what some equal operations of a tenant may have cost.
type bounds struct{ least, most int }

// checkMoney matches charges and operations: DONE was paid once, as was what v5
// took and then failed at; SUPPORT at most once; all else not at all. A relaunch
// may have bought a second time.
func (c *chaos) checkMoney() {
	accounts := map[string]bounds{}
	for _, o := range c.journal {
		if chargeOf[o.Type] == "" {
			continue
		}
		a := accounts[c.bill(&o)]
		free := o.Kind == ops.KindContacts || o.Sends == 0 // an owner of equal content
		switch {
		case o.Step == ops.Done && free && o.Type == "domain_change_owner":
		case o.Step == ops.Done, o.Step == ops.Error && o.State == ops.Accepted:
			a.least, a.most = a.least+1, a.most+1
		case o.Step == ops.Support:
			a.most++
		}
		a.most += c.lives[o.ID]
		accounts[c.bill(&o)] = a
	}
	paid := map[string]int{}
	for _, charge := range c.sim.Ledger() {
		tenant := "nobody"
		if tn := c.tenant(charge.SharingID); tn != nil {
			tenant = tn.name
		}
		paid[billOf(charge.What, charge.FQDN, tenant, charge.Years)]++
	}
	for bill := range eitherOf(accounts, paid) {
		if a, n := accounts[bill], paid[bill]; n < a.least || n > a.most {
			_, rest, _ := strings.Cut(bill, " ")
			fqdn, _, _ := strings.Cut(rest, " ")
			c.violated(fqdn, "charged %d times: %s; its operations account for %d to %d", n, bill, a.least, a.most)
		}
	}
}

func eitherOf(accounts map[string]bounds, paid map[string]int) map[string]bool {
	all := map[string]bool{}
	for bill := range accounts {
		all[bill] = true
	}
	for bill := range paid {
		all[bill] = true
	}
	return all
}

// bill names what an operation is to be charged as.
func (c *chaos) bill(o *ops.Operation) string {
	var params struct{ Duration int }
	if err := json.Unmarshal(o.Params, &params); err != nil {
		c.t.Error(err)
	}
	return billOf(chargeOf[o.Type], o.FQDN, o.Tenant, params.Duration)
}

func billOf(what, fqdn, tenant string, years int) string {
	if what != "create" && what != "renew" {
		years = 1
	}
	return fmt.Sprintf("%s %s for %s, %d years", what, fqdn, tenant, years)
}

// checkNames: nobody gets a name that somebody has, and no order for a name is
// made twice, but for one that came to a bad end.
func (c *chaos) checkNames() {
	got, charged, failed := map[string]int{}, map[string]int{}, map[string]int{}
	for _, o := range c.journal {
		if o.Type != "domain_create" && o.Type != "domain_transfer_in" {
			continue
		}
		// A relaunched transfer is DONE when the domain is there, whoever did it.
		if o.Step == ops.Done && c.lives[o.ID] == 0 {
			got[o.FQDN]++
		}
		if o.Step == ops.Error && o.State == ops.Accepted || c.lives[o.ID] > 0 {
			failed[o.FQDN]++
		}
	}
	for _, charge := range c.sim.Ledger() {
		if charge.What == "create" || charge.What == "transfer" {
			charged[charge.FQDN]++
		}
	}
	for fqdn, n := range got {
		if n > 1 {
			c.violated(fqdn, "%d operations have got it", n)
		}
	}
	for fqdn, n := range charged {
		if n > 1+max(failed[fqdn], c.left[fqdn]) {
			c.violated(fqdn, "bought %d times, and %d times to no end", n, failed[fqdn])
		}
	}
}

// checkRenewals: a name is renewed once for each year that callers have given.
func (c *chaos) checkRenewals() {
	done := map[askedYear]int{}
	for _, o := range c.journal {
		if o.Type != "domain_renew" || o.Step != ops.Done && o.Step != ops.Support {
			continue
		}
		year, _ := strconv.Atoi(o.Once)
		if r := (askedYear{o.FQDN, year}); true {
			done[r]++
			if done[r] > 1 || !slices.Contains(c.asked, r) {
				c.violated(o.FQDN, "operation %d is renewal %d for %d", o.ID, done[r], year)
			}
		}
	}
	charged, years := map[string]int{}, map[askedYear]bool{}
	for _, r := range c.asked {
		if !years[r] {
			years[r] = true
			charged[r.fqdn]--
		}
	}
	for _, charge := range c.sim.Ledger() {
		if charge.What == "renew" {
			if charged[charge.FQDN]++; charged[charge.FQDN] > 0 {
				c.violated(charge.FQDN, "renewed more often than callers asked for")
			}
		}
	}
}

// mayResend are the kinds that are sent once more after proof, typed by hand
// from the rule and not from the code.
var mayResend = []string{ops.KindCreate, ops.KindChangeOwner, ops.KindTransferIn}

// checkSends: an order leaves once, and twice at most where that is allowed, in
// each life of its operation.
func (c *chaos) checkSends() {
	for w, s := range c.net.sends {
		most, lives := 1, 1+c.lives[w.id]
		if slices.Contains(mayResend, w.kind) {
			most = 2
		}
		if w.kind == ops.KindRelaunchTransfer {
			lives--
		}
		if s.n > most*lives {
			c.violated(c.find(w.id).FQDN, "operation %d (%s) was sent %d times", w.id, w.kind, s.n)
		}
	}
}

// find is an operation of the journal; an empty one where there is none.
func (c *chaos) find(id int64) *ops.Operation {
	for i := range c.journal {
		if c.journal[i].ID == id {
			return &c.journal[i]
		}
	}
	return &ops.Operation{}
}

// checkHistory: what a caller was told of is there, is what it was, and never
// went back.
func (c *chaos) checkHistory() {
	byID := map[int64]*ops.Operation{}
	for i := range c.journal {
		byID[c.journal[i].ID] = &c.journal[i]
	}
	histories := map[int64][]hearing{}
	for _, h := range c.told {
		o := byID[h.id]
		switch {
		case o == nil:
			c.violated(h.fqdn, "%s was told of operation %d, which is not there", h.tenant, h.id)
			continue
		case o.Tenant != h.tenant:
			c.violated(o.FQDN, "%s was told of operation %d of %s", h.tenant, h.id, o.Tenant)
		case h.step == "":
			continue
		case o.Type != h.typ || o.FQDN != h.fqdn:
			c.violated(o.FQDN, "operation %d was %s of %s and is %s of %s", h.id, h.typ, h.fqdn, o.Type, o.FQDN)
		}
		histories[h.id] = append(histories[h.id], h)
	}
	for id, history := range histories {
		now := time.Now()
		c.checkSteps(byID[id], append(history, hearingNow(byID[id], now)))
	}
}

func hearingNow(o *ops.Operation, now time.Time) hearing {
	return hearing{step: string(o.Step), id: o.ID, began: now, ended: now}
}

// stepOrder are the steps in which v5 works, in their order.
var stepOrder = []string{"BILL", "WAIT", "RUN", "DONE"}

// checkSteps compares every two tellings of which one ended before the other
// began.
func (c *chaos) checkSteps(o *ops.Operation, history []hearing) {
	slices.SortStableFunc(history, func(a, b hearing) int { return cmp.Or(a.ended.Compare(b.ended), a.began.Compare(b.began)) })
	for i, before := range history {
		for _, after := range history[i+1:] {
			if after.began.After(before.ended) && !c.mayFollow(o, before.step, after.step) {
				c.violated(o.FQDN, "operation %d was %s at %s and %s at %s", o.ID, before.step, before.ended.Sub(c.begin), after.step, after.ended.Sub(c.begin))
				return
			}
		}
	}
}

func (c *chaos) mayFollow(o *ops.Operation, before, after string) bool {
	switch {
	case before == after:
		return true
	case before == "DONE" || before == "CANCEL":
		return false
	case before == "SUPPORT" || c.lives[o.ID] > 0:
		return after != "CANCEL" || before != "SUPPORT"
	case before == "ERROR":
		return false
	}
	was, is := slices.Index(stepOrder, before), slices.Index(stepOrder, after)
	return is < 0 || is >= was
}

// checkTenants: each account is shown its own operations, all of them, and its
// own domains.
func (c *chaos) checkTenants() {
	owners := map[string]string{}
	for _, tn := range c.tenants {
		for _, name := range ownNames {
			owners[fmt.Sprintf(name, tn.name)] = tn.name
		}
	}
	for _, charge := range c.sim.Ledger() {
		if tn := c.tenant(charge.SharingID); tn != nil && (charge.What == "create" || charge.What == "transfer") {
			owners[charge.FQDN] = tn.name
		}
	}
	for _, s := range c.seen {
		if owners[s.fqdn] != s.tenant {
			c.violated(s.fqdn, "%s was shown a domain of %s", s.tenant, cmp.Or(owners[s.fqdn], "nobody"))
		}
	}
	for i, tn := range c.tenants {
		want := 0
		for _, o := range c.journal {
			if o.Tenant == tn.name {
				want++
			}
		}
		k := newCaller(c, tn, 90+i)
		answer, err := k.call(k.rng, "operation.list", map[string]any{"items_per_page": 1000})
		if list, _ := answer.([]any); err != nil || len(list) != want {
			c.violated("", "%s has %d operations and is shown %d, %v", tn.name, want, len(list), err)
		}
	}
	c.checkShown()
}

// checkShown: operations that were just listed belong to who was shown them.
func (c *chaos) checkShown() {
	for _, h := range c.told {
		for i := range c.journal {
			if o := &c.journal[i]; o.ID == h.id && o.Tenant != h.tenant {
				c.violated(o.FQDN, "%s was shown operation %d of %s", h.tenant, o.ID, o.Tenant)
			}
		}
	}
}

// chaosLine is something that happened.
type chaosLine struct {
	at   time.Duration
	fqdn string // "" where it is about no name, or all
	text string
}

func (l chaosLine) String() string { return fmt.Sprintf("%14s  %s", l.at, l.text) }

func (c *chaos) note(fqdn, format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.noteLocked(fqdn, format, args...)
}

func (c *chaos) noteLocked(fqdn, format string, args ...any) {
	c.trace = append(c.trace, chaosLine{time.Since(c.begin), fqdn, fmt.Sprintf(format, args...)})
}

// report is all that is known about what went wrong: how to play it again, what
// happened to the names it is about, and how the journal and the ledger stand.
func (c *chaos) report() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the session of seed %d went wrong; play it again with\n"+
		"\tgo test ./internal/gateway -run TestChaos$ -chaos.seed %d -chaos.sessions 1\n", c.seed, c.seed)
	names := map[string]bool{}
	for _, w := range c.wrong {
		fmt.Fprintf(&b, "WRONG: %s: %s\n", cmp.Or(w.fqdn, "session"), w.text)
		names[w.fqdn] = true
	}
	for _, o := range c.journal {
		if names[o.FQDN] {
			names[fmt.Sprint(o.ID)] = true
		}
	}
	about := func(fqdn string) bool { return fqdn == "" || names[""] || names[fqdn] }
	fmt.Fprintf(&b, "setting: %+v\n", c.set)
	for _, l := range c.trace {
		if about(l.fqdn) {
			fmt.Fprintln(&b, l)
		}
	}
	for _, o := range c.journal {
		if about(o.FQDN) {
			raw, _ := json.Marshal(o)
			fmt.Fprintf(&b, "journal: %s\n", raw)
		}
	}
	for _, charge := range c.sim.Ledger() {
		if about(charge.FQDN) {
			fmt.Fprintf(&b, "ledger: %+v\n", charge)
		}
	}
	return b.String()
}

// clippedBody is the beginning of a body.
func clippedBody(body []byte) string {
	const most = 300
	if len(body) > most {
		return string(body[:most]) + "…"
	}
	return string(body)
}
