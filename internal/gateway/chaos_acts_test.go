package gateway

import (
	"errors"
	"fmt"
	"time"

	"github.com/kolo/xmlrpc"

	"v3gate/internal/ops"
)

// live is all that a client program does.
func (k *integration) live() {
	for range 8 + k.rng.IntN(8) {
		k.pause(30 * time.Second)
		k.act()
	}
}

// act is one thing that a client program does.
func (k *integration) act() {
	switch n := k.rng.IntN(44); {
	case n < 6:
		k.create()
	case n < 10:
		k.transfer()
	case n < 15:
		k.renew()
	case n < 18:
		k.follow(k.order("domain.restore", fmt.Sprintf(ownNames[1], k.tn.name), map[string]any{"duration": 1}))
	case n < 23:
		k.changeOwner()
	case n < 26:
		k.follow(k.order("domain.contacts.set", k.own(), map[string]any{"tech": oneOf(k.rng, k.known())}))
	case n < 30:
		k.poll(1)
	case n < 32:
		k.call(k.rng, "operation.list")
	case n < 34:
		k.cancel()
	case n < 36:
		k.relaunch()
	case n < 37:
		k.call(k.rng, "domain.available", append([]string{oneOf(k.rng, transferNames)}, wantedNames...))
	case n < 38:
		k.getHandle()
	case n < 42:
		k.updateContact()
	default:
		k.spy()
	}
}

// years is for how long to buy; mostly the same, so that calls are equal.
func (k *integration) years() int { return 1 + k.rng.IntN(8)/7 }

func (k *integration) known() []string {
	k.tn.mu.Lock()
	defer k.tn.mu.Unlock()
	return k.tn.handles
}

// contacts are four handles, and one more member.
func (k *integration) contacts(name string, value any) map[string]any {
	all := k.known()
	owner := oneOf(k.rng, all[:2])
	return map[string]any{"owner": owner, "admin": owner, "bill": all[0], "tech": all[0], name: value}
}

// rehearsed makes one of ten calls a dry run, unless v5 might carry it out: then
// nobody would have it on record if its answer were lost.
func (k *integration) rehearsed(params map[string]any) map[string]any {
	if !k.c.set.ignores && k.rng.IntN(10) == 0 {
		params["--dry-run"] = true
	}
	return params
}

// own is a name that is the account's, or may have become it.
func (k *integration) own() string {
	if k.rng.IntN(3) == 0 {
		return oneOf(k.rng, append(append([]string{}, wantedNames...), transferNames...))
	}
	return fmt.Sprintf(oneOf(k.rng, ownNames), k.tn.name)
}

// redirects is where a name leads that asks for it.
const redirects = "http://www.example.org/"

// create asks for a name. What is to follow is always the same for a name, so that
// calls are equal.
func (k *integration) create() {
	name := oneOf(k.rng, wantedNames)
	params := k.contacts("duration", k.years())
	if name != wantedNames[0] {
		params["webredir"] = redirects
	}
	if name == wantedNames[1] {
		params["nameservers"] = []string{"ns." + name, "ns.example.org"}
		params["nameservers_ips"] = map[string]any{"ns." + name: []string{"192.0.2.1"}}
	}
	k.follow(k.order("domain.create", name, k.rehearsed(params)))
}

func (k *integration) transfer() {
	params := k.contacts("authinfo", chaosRightCode)
	params["webredir"] = redirects
	if k.rng.IntN(3) == 0 {
		params["authinfo"] = chaosWrongCode
	}
	k.follow(k.order("domain.transferin.proceed", oneOf(k.rng, transferNames), k.rehearsed(params)))
}

// renew asks for a year that the caller was shown, guesses or has from habit.
func (k *integration) renew() {
	fqdn := k.own()
	now := k.c.clock()
	year := oneOf(k.rng, []int{now.Year(), now.Year() + 1})
	if ends, ok := k.domain(fqdn)["date_registry_end"].(time.Time); ok && k.rng.IntN(8) > 0 {
		year = ends.Year()
	}
	k.c.mu.Lock()
	k.c.asked = append(k.c.asked, askedYear{fqdn, year})
	k.c.mu.Unlock()
	k.follow(k.order("domain.renew", fqdn, k.rehearsed(map[string]any{"current_year": year, "duration": k.years()})))
}

func (k *integration) changeOwner() {
	fqdn := k.own()
	contacts, _ := k.domain(fqdn)["contacts"].(map[string]any)
	owner, ok := contacts["owner"].(map[string]any)
	if !ok {
		return
	}
	k.follow(k.order("domain.owner.set", fqdn, k.rehearsed(k.contacts("old_owner", owner["handle"]))))
}

func (k *integration) domain(fqdn string) map[string]any {
	answer, _ := k.call(k.rng, "domain.info", fqdn)
	m, _ := answer.(map[string]any)
	return m
}

// follow remembers an operation and asks for it for a while.
func (k *integration) follow(op map[string]any) {
	id, ok := op["id"].(int64)
	if !ok || op["step"] == nil {
		return
	}
	k.tn.mu.Lock()
	k.tn.ids = append(k.tn.ids, id)
	k.tn.mu.Unlock()
	for range k.rng.IntN(5) {
		k.pause(10 * time.Second)
		k.call(k.rng, "operation.info", id)
	}
}

// operation is one that the account was told of; 0 while there is none.
func (k *integration) operation() int64 {
	k.tn.mu.Lock()
	defer k.tn.mu.Unlock()
	if len(k.tn.ids) == 0 {
		return 0
	}
	return oneOf(k.rng, k.tn.ids)
}

func (k *integration) poll(times int) {
	for range times {
		if id := k.operation(); id != 0 {
			k.call(k.rng, "operation.info", id)
		}
	}
}

// cancel tries to call back an operation, the newest one for choice: mostly it
// is too late.
func (k *integration) cancel() {
	all, _ := k.call(k.rng, "operation.list", map[string]any{"sort_by": "id desc", "items_per_page": 1})
	list, _ := all.([]any)
	for _, op := range list {
		k.order("operation.cancel", op.(map[string]any)["id"])
	}
}

// relaunch sets an operation going again that ended badly. Until v5 or the
// gateway has said no, it may have been heard.
func (k *integration) relaunch() {
	all, _ := k.call(k.rng, "operation.list", map[string]any{"step": []string{"ERROR", "SUPPORT"}})
	list, _ := all.([]any)
	if len(list) == 0 {
		return
	}
	op := oneOf(k.rng, list).(map[string]any)
	id := op["id"].(int64)
	if op["type"] == "domain_transfer_in" && k.tn.shares {
		// v5 has one transfer of a name for a credential, and does not say whose
		// it is: another account's may have taken the place of this one.
		return
	}
	params := []any{id}
	if op["type"] == "domain_transfer_in" && op["step"] == string(ops.Error) && k.rng.IntN(2) == 0 {
		params = append(params, map[string]any{"authinfo": chaosRightCode})
	}
	k.c.mu.Lock()
	k.c.lives[id]++
	k.c.mu.Unlock()
	_, err := k.call(k.rng, "operation.relaunch", params...)
	var fault xmlrpc.FaultError
	if errors.As(err, &fault) && fault.Code == faultInvalidStep {
		k.c.mu.Lock()
		k.c.lives[id]--
		k.c.mu.Unlock()
	}
}

// faultInvalidStep is that an operation is in a step that does not allow it.
const faultInvalidStep = 510290

// getHandles makes the contacts that an account begins with: two of them have
// equal content.
func (k *integration) getHandles() {
	for range 3 {
		k.getHandle()
	}
}

func (k *integration) getHandle() {
	n := len(k.known())
	given := []string{"Ann", "Bob", "Ann"}[n%3]
	answer := k.order("contact.create", map[string]any{
		"given": given, "family": "Roe", "email": given + "@example.org", "streetaddr": "8 rue neuve",
		"zip": "75001", "city": "Paris", "country": "FR", "phone": "+33.123456788", "type": 0, "password": "hunter2hunter2",
	})
	if handle, ok := answer["handle"].(string); ok {
		k.tn.mu.Lock()
		k.tn.handles = append(k.tn.handles, handle)
		k.tn.mu.Unlock()
	}
}

// spy tries to see what is another account's.
func (k *integration) spy() {
	other := oneOf(k.rng, k.c.tenants)
	if other == k.tn {
		return
	}
	foreign := &integration{c: k.c, tn: other, n: k.n, rng: k.rng}
	if id := foreign.operation(); id != 0 {
		k.call(k.rng, "operation.info", id)
		k.call(k.rng, "operation.list", map[string]any{"id": id})
	}
	k.domain(fmt.Sprintf(oneOf(k.rng, ownNames), other.name))
	if answer, err := k.call(k.rng, "contact.info", oneOf(k.rng, foreign.known())); err == nil {
		k.c.violated("", "%s is shown a contact of %s: %v", k.tn.name, other.name, answer)
	}
}
