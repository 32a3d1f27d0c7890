package gateway

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"v3gate/internal/handles"
	"v3gate/internal/record"
	"v3gate/internal/store"
	"v3gate/internal/xmlrpc"
)

// countersTaken are the counters that a call may take numbers from.
var countersTaken = []string{"handle", "contact", "domain", "operation", "session"}

var handleWord = regexp.MustCompile(`^[A-Za-z]{1,6}[0-9]{0,9}-[A-Za-z]{2,10}$`)

// mostNamed is how many handles and names of a call are looked up. No call needs so
// many; one may name 100,000.
const mostNamed = 100

// before reads the contacts and domains that a call names, and which numbers were
// given out last.
func (g *Gateway) before(rec *recording, c *call) error {
	var wanted, fqdns []string
	for _, p := range rec.call.Params { // the first may name a handle to act as
		eachText(p, func(s string) {
			switch {
			case len(wanted)+len(fqdns) >= mostNamed:
			case handleWord.MatchString(s):
				wanted = append(wanted, strings.ToUpper(s))
			case strings.Contains(s, ".") && !strings.ContainsAny(s, " @/"):
				fqdns = append(fqdns, strings.ToLower(strings.TrimSuffix(s, ".")))
			}
		})
	}
	entries, err := g.services.Book.Excerpt(c.Tenant.Name, wanted, fqdns)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Kind() == "domain" {
			rec.domains = append(rec.domains, e)
		} else {
			rec.contacts = append(rec.contacts, e)
		}
	}
	return g.db.View(func(tx *store.Tx) error {
		rec.lastContact, rec.lastZone = tx.LastID("contact"), tx.LastID("zone")
		for _, name := range countersTaken {
			if last := tx.LastID(name); last > 0 {
				rec.call.Config = append(rec.call.Config, fmt.Sprintf("last_%s=%d", name, last))
			}
		}
		return nil
	})
}

// after adds the contacts that the call did not name and gave nevertheless, such as
// one that was recognised by its content, and that were there before.
func (g *Gateway) after(rec *recording, c *call, answer xmlrpc.Value) error {
	var wanted []string
	eachText(answer, func(s string) {
		if len(wanted) < mostNamed && handleWord.MatchString(s) {
			wanted = append(wanted, strings.ToUpper(s))
		}
	})
	if len(wanted) > 0 {
		entries, err := g.services.Book.Excerpt(c.Tenant.Name, wanted, nil)
		if err != nil {
			return err
		}
		for _, e := range entries {
			is := func(there handles.Entry) bool { return there.Handle == e.Handle }
			if e.ID <= rec.lastContact && !slices.ContainsFunc(rec.contacts, is) {
				rec.contacts = append(rec.contacts, e)
			}
		}
	}
	// A domain's own zone is made when it is first asked for. That it was there
	// before shows in nothing but its number.
	zone, _ := answer.Get("zone_id")
	if id, ok := zone.Int(); ok && id > 1 && id <= rec.lastZone {
		rec.lastZone = id - 1
	}
	if rec.lastZone > 0 {
		rec.call.Config = append(rec.call.Config, fmt.Sprintf("last_zone=%d", rec.lastZone))
	}
	for _, e := range slices.Concat(rec.contacts, rec.domains) {
		e.Tenant = record.Fixture
		line, err := json.Marshal(&e)
		if err != nil {
			return err
		}
		rec.call.Store = append(rec.call.Store, string(line))
	}
	return nil
}

func eachText(v xmlrpc.Value, fn func(string)) {
	if v.Kind() == xmlrpc.KindString {
		fn(v.Text())
	}
	for i := range v.Len() {
		eachText(v.Index(i), fn)
	}
}
