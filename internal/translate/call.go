package translate

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // v3's clock is Paris time, also where the system has no zone data

	"golang.org/x/net/idna"

	"v3gate/internal/fault"
	"v3gate/internal/handles"
	"v3gate/internal/ops"
	"v3gate/internal/portfolio"
	"v3gate/internal/store"
	"v3gate/internal/tenant"
	"v3gate/internal/v5"
	"v3gate/internal/xmlrpc"
	"v3gate/internal/zones"
)

// Services are what handlers work with, one set for a gateway.
type Services struct {
	Table *Table
	Book  *handles.Book
	Ops   *ops.Engine
	Zones *zones.Book
	Push  *ZonePush
	Now   func() time.Time
	// Portfolio is what lists of domains come from.
	Portfolio *portfolio.Mirror

	// Events for the metrics. None may be nil.
	Ignored    func(method, parameter string) // a parameter was taken without effect
	UnmappedV5 func(route string)             // a v5 error that no rule knows
	AuthFailed func(status int)               // v5 did not take the gateway's credential
	Drifted    func()                         // a domain's contact was changed elsewhere

	owned    ownership
	readings readings
	checks   checks
	mailIDs  mailIDs
}

// Close ends what goes on behind the calls. There may be no calls any more but such
// as are about to be cut.
func (s *Services) Close() { s.checks.close() }

// Call is one call on its way through a row.
type Call struct {
	*Services
	Method string
	Tenant *tenant.Tenant // nil on rows that take no key
	V5     *v5.Session    // the tenant's; nil with it
	// As is the handle that the caller acts as, when the key came with one;
	// otherwise the tenant's own is used.
	As     string
	Remote string // the caller's address, without a port
	ID     string // request id, for logs and for faults about our own bugs

	// Untaken are the parameters that were taken without effect.
	Untaken []string

	used map[string]int64 // the contacts that were expanded, with their versions
}

func (c *Call) ignored(parameter string) {
	c.Untaken = append(c.Untaken, parameter)
	c.Ignored(c.Method, parameter)
}

// source is the handle that the caller acts as.
func (c *Call) source() (string, error) {
	if c.As != "" {
		return c.As, nil
	}
	return c.Book.Own(c.Tenant.Name, c.Tenant.OwnHandle)
}

// contact finds a contact of the caller's by handle; param names the parameter
// in the fault.
func (c *Call) contact(ctx context.Context, param, handle string) (handles.Contact, error) {
	contact, err := c.Book.Get(c.Tenant.Name, strings.ToUpper(handle))
	if err != nil {
		return contact, contactFault(err, param, handle)
	}
	if contact.Empty {
		return c.fillOwn(ctx, contact.Handle)
	}
	return contact, nil
}

// fillOwn reads, once, who the tenant is, from v5.
func (c *Call) fillOwn(ctx context.Context, handle string) (handles.Contact, error) {
	user, err := c.V5.UserInfo(ctx)
	if err != nil {
		return handles.Contact{}, err
	}
	var own *v5.Organization
	if id := c.V5.SharingID(); id != "" {
		orgs, err := c.V5.Organizations(ctx)
		if err != nil {
			return handles.Contact{}, err
		}
		for i := range orgs {
			if orgs[i].ID == id {
				own = &orgs[i]
			}
		}
	}
	return c.Book.Fill(handle, handles.FromUser(user, own))
}

// domain reads a domain of the caller's, freshly: before what costs money, and
// where an answer is compared with. One that is not on the account, and one of
// somebody else, are the same to the caller: v3 hid foreign domains too
// (recorded).
func (c *Call) domain(ctx context.Context, fqdn string) (*v5.Domain, error) {
	gone := c.Book.Gone()
	d, err := c.V5.Domain(ctx, fqdn)
	return c.owning(d, fqdn, gone, err)
}

// sharedDomain is domain for what only shows it: callers who ask at the same time
// share one request. The domain is not to be changed.
func (c *Call) sharedDomain(ctx context.Context, fqdn string) (*v5.Domain, error) {
	gone := c.Book.Gone()
	key := readingKey{c.Tenant.Name, fqdn, c.Book.Epoch()}
	d, err := c.readings.do(ctx, key, func(ctx context.Context) (*v5.Domain, error) { return c.V5.Domain(ctx, fqdn) })
	return c.owning(d, fqdn, gone, err)
}

// recognised reads a domain with read, and names its contacts by handles.
func (c *Call) recognised(ctx context.Context, fqdn string,
	read func(context.Context, string) (*v5.Domain, error)) (*v5.Domain, handles.Domain, error) {
	changes, err := c.Book.Changes(c.Tenant.Name, fqdn)
	if err != nil {
		return nil, handles.Domain{}, err
	}
	d, err := read(ctx, fqdn)
	if err != nil {
		return nil, handles.Domain{}, err
	}
	known, drifted, err := c.Book.Recognise(handles.Reading{
		Tenant: c.Tenant.Name, FQDN: fqdn, Shown: d.Contacts, Changes: changes,
		Busy: func(tx *store.Tx) (bool, error) { return changing(tx, c.Tenant.Name, fqdn) },
	})
	for range drifted {
		c.Drifted()
	}
	return d, known, err
}

// changing tells whether an operation is at work that gives a domain contacts.
func changing(tx *store.Tx, tenant, fqdn string) (busy bool, err error) {
	err = ops.EachOn(tx, tenant, fqdn, func(op *ops.Operation) error {
		if slices.Contains(contactOps, op.Type) && !op.Work.Settled {
			busy = true
			return store.Stop
		}
		return nil
	})
	return busy, err
}

// owning makes sure that a domain that was read is the caller's. gone is what
// Book.Gone gave before.
func (c *Call) owning(d *v5.Domain, fqdn string, gone uint64, err error) (*v5.Domain, error) {
	if err != nil {
		return nil, onDomain{fqdn, err}
	}
	if !c.V5.Owns(d) {
		return nil, noDomain(fqdn)
	}
	c.owned.remember(c.Tenant.Name, fqdn, c.Now(), gone)
	return d, nil
}

// ownsDomain is domain for calls that need no fresh reading: an answer of the
// last minutes will do.
func (c *Call) ownsDomain(ctx context.Context, fqdn string) error {
	if c.owned.recent(c.Tenant.Name, fqdn, c.Now(), c.Book.Gone()) {
		return nil
	}
	_, err := c.sharedDomain(ctx, fqdn)
	return err
}

// ownership remembers for a few minutes which domains were seen to be whose, as
// long as no domain of the gateway's goes.
type ownership struct {
	mu   sync.RWMutex
	gone uint64 // of Book.Gone, when what is in seen was seen
	seen map[[2]string]time.Time
}

const (
	ownershipLasts = 5 * time.Minute
	ownershipMost  = 10_000
)

func (o *ownership) remember(tenant, fqdn string, now time.Time, gone uint64) {
	if o.within(time.Minute, tenant, fqdn, now, gone) {
		return // it is young enough
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case gone < o.gone:
		return // another reading is newer
	case gone > o.gone || o.seen == nil || len(o.seen) >= ownershipMost:
		o.gone, o.seen = gone, map[[2]string]time.Time{}
	}
	o.seen[[2]string{tenant, strings.Clone(fqdn)}] = now // it may be a part of the caller's whole document
}

func (o *ownership) recent(tenant, fqdn string, now time.Time, gone uint64) bool {
	return o.within(ownershipLasts, tenant, fqdn, now, gone)
}

func (o *ownership) within(d time.Duration, tenant, fqdn string, now time.Time, gone uint64) bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	at, ok := o.seen[[2]string{tenant, fqdn}]
	return ok && o.gone == gone && now.Sub(at) < d
}

// fqdnPattern is the pattern of the original's fault, as recorded.
const fqdnPattern = `^(?:(?!-)[-a-zA-Z0-9]{1,63}(?<!-)(\\.|$)){2,}$`

// names turns Unicode names into their ASCII form. Non-transitional, and
// without the rule that keeps underscores out: the pattern above decides.
var names = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(), idna.StrictDomainName(false))

// normal gives the form of a domain name that v5 is asked with: ASCII, lower
// case, without the trailing dot that lego sends. A malformed name is the
// recorded fault 505237.
func normal(name string) (string, error) {
	bare := strings.TrimSuffix(name, ".")
	if isNormal(bare) {
		return bare, nil
	}
	ascii, err := names.ToASCII(bare)
	if err != nil || !wellFormed(ascii) {
		return "", fault.New(fault.FQDN, fault.CauseBadParameter, "string '%s' does not match '%s'", clip(name), fqdnPattern)
	}
	return ascii, nil
}

// isNormal tells the names, nearly all, that the rules of names need not look at.
func isNormal(name string) bool {
	for i := range len(name) {
		if b := name[i]; b != '.' && b != '-' && !('0' <= b && b <= '9') && !('a' <= b && b <= 'z') {
			return false
		}
	}
	return !strings.Contains(name, "--") && wellFormed(name)
}

// wellFormed does by hand what the original's pattern says, since Go's regular
// expressions have no look-around.
func wellFormed(name string) bool {
	if !strings.Contains(name, ".") || len(name) > 253 {
		return false
	}
	for l := range strings.SplitSeq(name, ".") {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		for i := range len(l) {
			if b := l[i]; b != '-' && !('0' <= b && b <= '9') && !('a' <= b && b <= 'z') && !('A' <= b && b <= 'Z') {
				return false
			}
		}
	}
	return true
}

// tld is the part of a name behind its first label, as v3 showed it: without a
// dot in front.
func tld(fqdn string) string {
	_, rest, _ := strings.Cut(fqdn, ".")
	return rest
}

// paris is v3's own clock. Dates that Gandi itself made were in its local time;
// registries' dates were UTC (recorded).
func paris(t time.Time) time.Time { return t.In(parisZone) }

var parisZone = mustZone("Europe/Paris")

func mustZone(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err) // the zone data is built in
	}
	return zone
}

// parisOrNil is paris for a date that may be missing.
func parisOrNil(t *time.Time) *time.Time {
	if t == nil || t.IsZero() {
		return nil
	}
	local := paris(*t)
	return &local
}

// keyed is a struct whose member names are data, such as the answer of
// domain.available.
type keyed []xmlrpc.Member
