package translate

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"v3gate/internal/fault"
	"v3gate/internal/handles"
	"v3gate/internal/ops"
	"v3gate/internal/portfolio"
	"v3gate/internal/query"
	"v3gate/internal/store"
	"v3gate/internal/v5"
)

// domainItemOut is a domain in a list, with the members that were recorded: those of
// domain.info but for what leads elsewhere. authinfo is always empty, since the
// mirror that lists come from holds no transfer codes.
type domainItemOut struct {
	Status               []string   `v3:"status"`
	DateUpdated          *time.Time `v3:"date_updated"`
	DateDelete           *time.Time `v3:"date_delete"`
	DateHoldEnd          *time.Time `v3:"date_hold_end"`
	DateHoldBegin        *time.Time `v3:"date_hold_begin"`
	FQDN                 string     `v3:"fqdn"`
	DateRegistryEnd      *time.Time `v3:"date_registry_end"`
	DateRegistryCreation *time.Time `v3:"date_registry_creation"`
	DateCreated          *time.Time `v3:"date_created"`
	Nameservers          []string   `v3:"nameservers"`
	Authinfo             string     `v3:"authinfo"`
	AuthinfoExpiration   *time.Time `v3:"authinfo_expiration_date"`
	TLD                  string     `v3:"tld"`
	ID                   int64      `v3:"id"`
	IsPremium            bool       `v3:"is_premium"`
	IsSpecialPrice       bool       `v3:"is_special_price"`
}

// listed is a domain that a list may show: its row of the mirror, with what only
// the store's other records say, which is read when it is asked for.
type listed struct {
	*portfolio.Row
	from  *listing
	known *handles.Domain
	zone  *zoneShown
}

type zoneShown struct {
	id   int64
	name string
}

// domainOptions are those of domain.list and domain.count. Domains come by their
// names. date_created has v5's digits, which are Paris time, and the registry's
// dates are UTC, as in domain.info.
func domainOptions() *query.Schema[listed] {
	type l = listed
	const date = query.Eq | query.Lt | query.Gt | query.Sort
	const contact = query.Eq | query.Like | query.Sort
	at := func(get func(*l) *time.Time) func(*l) time.Time {
		return func(d *l) time.Time {
			if t := get(d); t != nil {
				return *t
			}
			return time.Time{}
		}
	}
	role := func(name string) query.Field[l] {
		return query.Text(name, contact, func(d *l) string { return d.domain().Roles.Of(name) }).Form(handleForm)
	}
	return query.New(query.DefaultPerPage,
		role("owner"), role("admin"), role("bill"), role("tech"),
		query.Text("reseller", contact, (*l).reseller).Form(handleForm),
		query.Texts("handle", query.Eq|query.Sort, func(d *l) []string {
			r := d.domain().Roles
			return []string{r.Owner, r.Admin, r.Bill, r.Tech}
		}).Form(handleForm),
		query.Bool("autorenew", query.Eq|query.Sort, func(d *l) bool { return d.AutoRenew }),
		query.Time("date_created", date, time.UTC, at(func(d *l) *time.Time { return d.Created })),
		query.Time("date_registry_end", date, time.UTC, at(func(d *l) *time.Time { return d.Ends })),
		query.Time("date_updated", date, parisZone, at(func(d *l) *time.Time { return d.Updated })),
		query.Text("fqdn", query.Eq|query.Many|query.Like|query.Sort|query.Natural, func(d *l) string { return d.FQDN }).Form(normal),
		query.Int("id", query.Eq|query.Sort, func(d *l) int64 { return d.domain().ID }),
		query.Texts("service", query.Eq|query.Sort, func(d *l) []string { return services(d.Services) }).Form(serviceForm),
		query.Texts("status", query.Eq|query.Sort, func(d *l) []string { return d.Status }).Form(statusForm),
		query.Texts("tag", query.Eq|query.Sort, func(d *l) []string { return d.Tags }),
		query.Text("tld", query.Eq|query.Sort, func(d *l) string { return d.TLD }).Form(tldForm),
		query.Int("zone_id", query.Eq|query.Sort, func(d *l) int64 { return d.zoneShown().id }),
		query.Text("zone_name", contact, func(d *l) string { return d.zoneShown().name }),
	)
}

func tldForm(name string) (string, error) { return strings.ToLower(strings.TrimPrefix(name, ".")), nil }

// statusForm takes the words of v3's DomainStatus, which are v5's.
func statusForm(word string) (string, error) {
	words := []string{"clientUpdateProhibited", "serverHold", "clientRenewProhibited", "clientTransferProhibited",
		"clientDeleteProhibited", "serverTransferProhibited", "clientHold"}
	if !slices.Contains(words, word) {
		return "", fault.New(fault.String, fault.CauseValue, "opts.status must be one of %s", strings.Join(words, ", ")).About("opts.status")
	}
	return word, nil
}

// serviceForm takes the words of v3's DomainServices that v5 has too. The others are
// known, and nothing tells which domain has them.
func serviceForm(word string) (string, error) {
	has := []string{"gandidns", "gandimail", "redirection", "packmail", "dnssec", "blog", "hosting", "paas", "site", "certificate"}
	not := []string{"zonecheck_nok", "parking", "hold", "expired", "custom_dns", "external_dns"}
	switch {
	case slices.Contains(has, word):
		return word, nil
	case slices.Contains(not, word):
		return "", unsupported("opts.service", "v5 does not tell which domains have "+word)
	}
	return "", fault.New(fault.String, fault.CauseValue, "opts.service must be one of %s", strings.Join(slices.Concat(has, not), ", ")).About("opts.service")
}

func domainList(ctx context.Context, c *Call, q *query.Query[listed]) (out []domainItemOut, err error) {
	err = c.overDomains(ctx, q, func(l *listing) error {
		page, err := l.page(q)
		out = []domainItemOut{}
		for _, d := range page {
			out = append(out, d.answer())
		}
		return err
	})
	return out, err
}

func domainCount(ctx context.Context, c *Call, q *query.Query[listed]) (n int64, err error) {
	err = c.overDomains(ctx, q, func(l *listing) error {
		if l.plain {
			l.settle(l.all)
			n = int64(len(l.all))
			return nil
		}
		n = q.Count(l.items(false))
		return nil
	})
	return n, err
}

// listing is one look at the mirror for a query, in a transaction of its own.
type listing struct {
	c     *Call
	tx    *store.Tx
	names []string // that are asked for; nil for all
	// plain: all are asked for by their names, and these are all.
	plain bool
	all   []portfolio.Name
	read  map[string]bool
	own   string
	zones map[int64]string

	unread []string // names that have to be read before there is an answer
	err    error
}

// overDomains has ask look at the mirror, again and again until nothing that it
// needs has to be read. What this call itself has read is shown as it is, whatever
// else comes to it meanwhile.
func (c *Call) overDomains(ctx context.Context, q *query.Query[listed], ask func(*listing) error) error {
	own, err := c.Book.Own(c.Tenant.Name, c.Tenant.OwnHandle)
	if err != nil {
		return err
	}
	if err := c.Portfolio.Open(c.Tenant.Name); err != nil {
		return err
	}
	_, names, exact := q.Exact("fqdn")
	if !exact {
		if err := c.Portfolio.Ready(ctx, c.Tenant.Name); err != nil {
			return err
		}
	}
	read := map[string]bool{}
	for {
		l := &listing{c: c, names: names, read: read, own: own, zones: map[int64]string{}}
		if _, _, _, l.plain = q.Window(0); l.plain {
			if l.all, err = c.Portfolio.Names(c.Tenant.Name); err != nil {
				return err
			}
		}
		err := c.Portfolio.View(func(tx *store.Tx) error {
			l.tx = tx
			return errors.Join(ask(l), l.err)
		})
		if err != nil || len(l.unread) == 0 {
			return err
		}
		if err := c.Portfolio.Fresh(ctx, c.Tenant.Name, l.unread); err != nil {
			return err
		}
		for _, fqdn := range l.unread {
			read[fqdn] = true
		}
	}
}

// page gives the domains of the page asked for. Those that have to be read first are
// noted and left out.
func (l *listing) page(q *query.Query[listed]) (page []*listed, err error) {
	if !l.plain {
		return q.Page(l.items), nil
	}
	from, to, down, _ := q.Window(len(l.all))
	before := l.all[:from]
	if down {
		before = l.all[to:]
	}
	l.settle(before) // those that are not the tenant's move the page
	for _, name := range l.all[from:to] {
		r, err := portfolio.Get(l.tx, l.c.Tenant.Name, name.FQDN)
		switch {
		case err != nil:
			return nil, err
		case r != nil && !l.shows(r):
			l.unread = append(l.unread, name.FQDN)
		case r != nil && !r.Read.IsZero():
			page = append(page, &listed{Row: r, from: l})
		}
	}
	if down {
		slices.Reverse(page)
	}
	return page, nil
}

// settle notes the names of which it is not known whose they are.
func (l *listing) settle(names []portfolio.Name) {
	for _, name := range names {
		if !name.Known && !l.read[name.FQDN] {
			l.unread = append(l.unread, name.FQDN)
		}
	}
}

// shows tells whether a row can be shown as it is.
func (l *listing) shows(r *portfolio.Row) bool { return r.Fresh() || l.read[r.FQDN] }

// items gives the domains that may be asked for. Those of which nothing is known
// yet are noted.
func (l *listing) items(backward bool) iter.Seq[*listed] {
	return func(yield func(*listed) bool) {
		each := func(r *portfolio.Row) error {
			if !l.shows(r) {
				l.unread = append(l.unread, r.FQDN)
				return nil
			}
			if !r.Read.IsZero() && !yield(&listed{Row: r, from: l}) {
				return store.Stop
			}
			return nil
		}
		if l.names == nil {
			l.note(portfolio.Each(l.tx, l.c.Tenant.Name, backward, each))
			return
		}
		for i := range l.names {
			if backward {
				i = len(l.names) - 1 - i
			}
			r, err := portfolio.Get(l.tx, l.c.Tenant.Name, l.names[i])
			switch {
			case err == nil && r != nil:
				err = each(r)
			case err == nil && !l.read[l.names[i]]:
				l.unread = append(l.unread, l.names[i])
			}
			if l.note(err); err != nil {
				return
			}
		}
	}
}

func (l *listing) note(err error) {
	if err != nil && !errors.Is(err, store.Stop) && l.err == nil {
		l.err = err
	}
}

func (d *listed) domain() *handles.Domain {
	if d.known == nil {
		known, err := d.from.c.Book.Domain(d.from.tx, d.from.c.Tenant.Name, d.FQDN)
		d.from.note(err)
		d.known = &known
	}
	return d.known
}

func (d *listed) reseller() string {
	if d.Resold {
		return d.from.own
	}
	return ""
}

func (d *listed) zoneShown() zoneShown {
	if d.zone != nil {
		return *d.zone
	}
	l := d.from
	d.zone = &zoneShown{id: query.None}
	link, err := l.c.Zones.LinkOf(l.tx, l.c.Tenant.Name, d.FQDN)
	if l.note(err); err != nil || link.Zone == 0 {
		return *d.zone
	}
	name, ok := l.zones[link.Zone]
	if !ok {
		name, err = l.c.Zones.NameOf(l.tx, l.c.Tenant.Name, link.Zone)
		l.note(err)
		l.zones[link.Zone] = name
	}
	*d.zone = zoneShown{link.Zone, name}
	return *d.zone
}

func (d *listed) answer() domainItemOut {
	return domainItemOut{
		Status: list(d.Status), DateUpdated: parisOrNil(d.Updated), DateDelete: d.Deletes,
		DateHoldEnd: d.HoldEnds, DateHoldBegin: d.HoldBegins, FQDN: d.FQDN,
		DateRegistryEnd: d.Ends, DateRegistryCreation: d.Registered, DateCreated: d.Created,
		Nameservers: list(d.Nameservers), AuthinfoExpiration: parisOrNil(d.AuthinfoExpires), TLD: d.TLD, ID: d.domain().ID,
	}
}

// touch marks the domain of an operation that is settled, to be read before it is
// shown in a list. Operations on a contact have its handle there.
func touch(tx *store.Tx, op *ops.Operation) error {
	if !strings.Contains(op.FQDN, ".") {
		return nil
	}
	return portfolio.Touch(tx, op.Tenant, op.FQDN)
}

// Mirrored reads a domain for the mirror: its contacts get handles and it gets a
// zone, as for domain.info, so that it can be found by them.
func (c *Call) Mirrored(ctx context.Context, fqdn string) (portfolio.Shown, error) {
	var ours bool
	d, _, err := c.recognised(ctx, fqdn, func(ctx context.Context, fqdn string) (*v5.Domain, error) {
		d, err := c.V5.Domain(ctx, fqdn)
		if e := (*v5.Error)(nil); errors.As(err, &e) && (absent(err) || e.Status == http.StatusForbidden && e.IsJSON) {
			return nil, portfolio.ErrNotOurs
		}
		if ours = err == nil && c.V5.Owns(d); err == nil && !ours {
			return nil, portfolio.ErrNotOurs
		}
		return d, err
	})
	if err != nil {
		return portfolio.Shown{}, err
	}
	if _, err := c.zoneIDOf(d); err != nil {
		return portfolio.Shown{}, err
	}
	return portfolio.Shown{
		TLD: d.TLD, Status: d.Status, Nameservers: d.Nameservers, Services: d.Services, Tags: d.Tags,
		AutoRenew: d.AutoRenew.Enabled, Resold: c.resells(d),
		Created: d.Dates.CreatedAt, Updated: d.Dates.UpdatedAt, Registered: d.Dates.RegistryCreatedAt, Ends: d.Dates.RegistryEndsAt,
		AuthinfoExpires: d.Dates.AuthInfoExpiresAt, Deletes: d.Dates.DeletesAt,
		HoldBegins: d.Dates.HoldBeginsAt, HoldEnds: d.Dates.HoldEndsAt,
	}, nil
}
