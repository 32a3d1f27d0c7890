package v5

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// Class says what may be done again when a call fails. It belongs to the route
// and not to the verb: v5 has PUTs that make something new on every call (a new
// transfer code, a relaunch).
type Class int

const (
	// Read changes nothing. Sent again after a 429, a 5xx or a network failure.
	Read Class = iota
	// Idempotent sets a state that is the same however often it is sent. Sent
	// again as a Read is.
	Idempotent
	// Once changes something. Sent again only where v5 refused to look at it
	// (429) or no byte of it can have left.
	Once
	// Paid may move money. Never sent again, whatever happened.
	Paid
)

// String is the class as one lower-case word.
func (c Class) String() string {
	switch c {
	case Read:
		return "read"
	case Idempotent:
		return "idempotent"
	case Once:
		return "once"
	case Paid:
		return "paid"
	}
	return "unknown"
}

// Route describes all that the client can send to one route of v5.
type Route struct {
	Method string
	Path   string   // template below the base URL: {d} is a domain name
	Query  []string // every query parameter that can be sent
	Body   []string // every top-level member that a JSON body can have
	OK     []int    // the codes that mean success
	DryRun bool     // can be sent with Dry-Run: 1
	Class  Class
}

// endpoint is one line of the table. The fields are Route's, but for body: a
// zero value of the one type that is sent, nil for none.
type endpoint struct {
	method, path string
	class        Class
	dryRun       bool
	ok           []int
	query        []string
	body         any
}

// name is the form in which methods and metrics speak of a route.
func (e *endpoint) name() string { return e.method + " " + e.path }

// paying is the query of routes where sharing_id says who pays, or for which
// organization something is changed. A session adds its sharing_id to every route
// that lists it here, and to no other.
var paying = []string{"sharing_id"}

// table holds every route that the client can use; it cannot send a request, a
// query parameter or a type of body that is not in it.
//
// Codes are those of the v5 documentation and of clients: 200 for reads, 202
// for changes that v5 carries out later. Any other success code is treated as
// an outcome that is not known.
var table = []endpoint{
	{method: "GET", path: "/domain/domains", class: Read, ok: []int{http.StatusOK}, query: []string{"page", "per_page", "fqdn", "resellee_id"}},
	{method: "GET", path: "/domain/domains/{d}", class: Read, ok: []int{http.StatusOK}},
	{method: "DELETE", path: "/domain/domains/{d}", class: Once, ok: []int{http.StatusAccepted}},
	{method: "GET", path: "/domain/domains/{d}/contacts", class: Read, ok: []int{http.StatusOK}},
	{method: "GET", path: "/domain/domains/{d}/createstatus", class: Read, ok: append([]int{http.StatusOK}, redirects...)},
	{method: "GET", path: "/domain/changeowner/{d}", class: Read, ok: []int{http.StatusOK}},
	{method: "GET", path: "/domain/check", class: Read, ok: []int{http.StatusOK}, query: []string{"name", "processes", "lang", "period", "currency", "grid", "sharing_id"}},
	{method: "GET", path: "/domain/domains/{d}/webredirs", class: Read, ok: []int{http.StatusOK}, query: paged},
	{method: "POST", path: "/domain/domains/{d}/webredirs", class: Once, ok: []int{http.StatusAccepted}, body: NewWebredir{}},
	{method: "GET", path: "/domain/domains/{d}/webredirs/{host}", class: Read, ok: []int{http.StatusOK}},
	{method: "PATCH", path: "/domain/domains/{d}/webredirs/{host}", class: Once, ok: []int{http.StatusOK}, body: webredirPatch{}},
	{method: "DELETE", path: "/domain/domains/{d}/webredirs/{host}", class: Once, ok: []int{http.StatusOK}},
	{method: "GET", path: "/domain/tlds", class: Read, ok: []int{http.StatusOK}, query: paged},
	{method: "GET", path: "/organization/user-info", class: Read, ok: []int{http.StatusOK}},
	{method: "GET", path: "/organization/organizations", class: Read, ok: []int{http.StatusOK}},
	{method: "GET", path: "/billing/info", class: Read, ok: []int{http.StatusOK}},
	{method: "GET", path: "/billing/info/{sharing_id}", class: Read, ok: []int{http.StatusOK}},
	{method: "GET", path: "/billing/price/{type}", class: Read, ok: []int{http.StatusOK}, query: []string{"name", "processes", "currency", "grid", "sharing_id"}},
	{method: "POST", path: "/domain/domains", class: Paid, dryRun: true, ok: []int{http.StatusAccepted}, query: paying, body: DomainCreate{}},
	{method: "POST", path: "/domain/changeowner/{d}", class: Paid, dryRun: true, ok: []int{http.StatusAccepted}, query: paying, body: ChangeOwner{}},
	{method: "GET", path: "/domain/domains/{d}/renew", class: Read, ok: []int{http.StatusOK}},
	{method: "POST", path: "/domain/domains/{d}/renew", class: Paid, dryRun: true, ok: []int{http.StatusAccepted}, query: paying, body: renewal{}},
	{method: "GET", path: "/domain/domains/{d}/restore", class: Read, ok: []int{http.StatusOK}},
	{method: "POST", path: "/domain/domains/{d}/restore", class: Paid, ok: []int{http.StatusAccepted}, query: paying, body: restoration{}},
	{method: "POST", path: "/domain/transferin", class: Paid, dryRun: true, ok: []int{http.StatusAccepted}, query: paying, body: TransferIn{}},
	{method: "GET", path: "/domain/transferin/{d}", class: Read, ok: []int{http.StatusOK}},
	{method: "PUT", path: "/domain/transferin/{d}", class: Once, ok: []int{http.StatusAccepted}},
	{method: "PUT", path: "/domain/transferin/{d}/authinfo", class: Once, ok: []int{http.StatusAccepted}, query: paying, body: transferCode{}},
	{method: "POST", path: "/domain/transferin/{d}/available", class: Read, ok: []int{http.StatusOK}, body: transferQuestion{}},
	{method: "PATCH", path: "/domain/domains/{d}/contacts", class: Once, ok: []int{http.StatusAccepted}, body: contactsPatch{}},
	{method: "PUT", path: "/domain/domains/{d}/contacts/owner", class: Once, ok: []int{http.StatusAccepted}, body: Contact{}},
	{method: "PATCH", path: "/domain/domains/{d}/reachability", class: Once, ok: []int{http.StatusAccepted, http.StatusNoContent}, body: reachabilityOrder{}},
	{method: "GET", path: "/organization/organizations/{id}/customers", class: Read, ok: []int{http.StatusOK}},
	{method: "POST", path: "/organization/organizations/{id}/action", class: Once,
		ok: []int{http.StatusOK, http.StatusAccepted, http.StatusNoContent}, body: organizationAction{}},
	{method: "GET", path: "/livedns/domains/{d}/records", class: Read, ok: []int{http.StatusOK}, query: []string{"page", "per_page"}},
	{method: "PUT", path: "/livedns/domains/{d}/records", class: Idempotent, ok: []int{http.StatusCreated}, body: wholeZone{}},
	{method: "GET", path: "/livedns/domains/{d}/records/{name}/{type}", class: Read, ok: []int{http.StatusOK}},
	{method: "PUT", path: "/livedns/domains/{d}/records/{name}/{type}", class: Idempotent, ok: []int{http.StatusCreated}, body: rrsetValues{}},
	{method: "DELETE", path: "/livedns/domains/{d}/records/{name}/{type}", class: Idempotent, ok: []int{http.StatusNoContent}},
	{method: "PATCH", path: "/domain/domains/{d}/status", class: Once, ok: []int{http.StatusAccepted}, body: statusPatch{}},
	{method: "PATCH", path: "/domain/domains/{d}/autorenew", class: Once, ok: []int{http.StatusAccepted}, body: AutoRenewPatch{}},
	{method: "GET", path: "/domain/domains/{d}/nameservers", class: Read, ok: []int{http.StatusOK}},
	{method: "PUT", path: "/domain/domains/{d}/nameservers", class: Once, ok: []int{http.StatusAccepted}, body: nameserversPut{}},
	{method: "GET", path: "/domain/domains/{d}/livedns", class: Read, ok: []int{http.StatusOK}},
	{method: "POST", path: "/domain/domains/{d}/livedns", class: Once, ok: []int{http.StatusAccepted}},
	{method: "GET", path: "/domain/domains/{d}/claims", class: Read, ok: []int{http.StatusOK}},
	{method: "POST", path: "/domain/domains/{d}/claims", class: Once, ok: []int{http.StatusAccepted}},
	{method: "GET", path: "/domain/domains/{d}/dnskeys", class: Read, ok: []int{http.StatusOK}, query: paged},
	{method: "POST", path: "/domain/domains/{d}/dnskeys", class: Once, ok: []int{http.StatusAccepted}, body: NewDNSKey{}},
	{method: "DELETE", path: "/domain/domains/{d}/dnskeys/{id}", class: Once, ok: []int{http.StatusAccepted}},
	{method: "GET", path: "/domain/domains/{d}/hosts", class: Read, ok: []int{http.StatusOK}, query: paged},
	{method: "POST", path: "/domain/domains/{d}/hosts", class: Once, ok: []int{http.StatusAccepted}, body: newHost{}},
	{method: "GET", path: "/domain/domains/{d}/hosts/{name}", class: Read, ok: []int{http.StatusOK}},
	{method: "PUT", path: "/domain/domains/{d}/hosts/{name}", class: Once, ok: []int{http.StatusAccepted}, body: hostIPs{}},
	{method: "DELETE", path: "/domain/domains/{d}/hosts/{name}", class: Once, ok: []int{http.StatusAccepted}},
	{method: "GET", path: "/email/forwards/{d}", class: Read, ok: []int{http.StatusOK}, query: []string{"page", "per_page"}},
	{method: "POST", path: "/email/forwards/{d}", class: Once, ok: []int{http.StatusAccepted}, body: forwardNew{}},
	{method: "PUT", path: "/email/forwards/{d}/{source}", class: Once, ok: []int{http.StatusAccepted}, body: forwardChange{}},
	{method: "DELETE", path: "/email/forwards/{d}/{source}", class: Once, ok: []int{http.StatusAccepted}},
	{method: "GET", path: "/email/mailboxes/{d}", class: Read, ok: []int{http.StatusOK}, query: []string{"login", "page", "per_page"}},
	{method: "POST", path: "/email/mailboxes/{d}", class: Once, ok: []int{http.StatusAccepted}, body: MailboxCreate{}},
	{method: "GET", path: "/email/mailboxes/{d}/{id}", class: Read, ok: []int{http.StatusOK}},
	{method: "PATCH", path: "/email/mailboxes/{d}/{id}", class: Once, ok: []int{http.StatusAccepted}, query: paying, body: MailboxChange{}},
	{method: "DELETE", path: "/email/mailboxes/{d}/{id}", class: Once, ok: []int{http.StatusAccepted}},
	{method: "DELETE", path: "/email/mailboxes/{d}/{id}/contents", class: Once, ok: []int{http.StatusAccepted}},
	{method: "POST", path: "/email/mailboxes/{d}/{email}/renew", class: Paid, ok: []int{http.StatusAccepted}, query: paying, body: mailRenewal{}},
	{method: "GET", path: "/email/slots/{d}", class: Read, ok: []int{http.StatusOK}, query: []string{"display_not_expired_and_inactive"}},
	{method: "POST", path: "/email/slots/{d}", class: Paid, ok: []int{http.StatusAccepted}, query: paying, body: SlotOrder{}},
	{method: "GET", path: "/email/offers/{d}", class: Read, ok: []int{http.StatusOK}},
}

// redirects are the codes that may carry a Location to a finished resource.
var redirects = []int{http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
	http.StatusTemporaryRedirect, http.StatusPermanentRedirect}

// endpointOf finds a line by name; nil where there is none.
func endpointOf(name string) *endpoint {
	for i := range table {
		if e := &table[i]; len(name) == len(e.method)+1+len(e.path) && name[:len(e.method)] == e.method && name[len(e.method)+1:] == e.path {
			return e
		}
	}
	return nil
}

// Routes lists all that the client can send, in the order of the table. Body is
// derived from the types that are encoded, so it cannot lag behind them.
// ContactMembers lists the members of the contacts inside.
func Routes() []Route {
	list := make([]Route, 0, len(table))
	for i := range table {
		e := &table[i]
		list = append(list, Route{
			Method: e.method,
			Path:   e.path,
			Query:  slices.Clone(e.query),
			Body:   members(reflect.TypeOf(e.body)),
			OK:     slices.Clone(e.ok),
			DryRun: e.dryRun,
			Class:  e.class,
		})
	}
	return list
}

// members lists the top-level JSON members that values of a struct type can
// have when encoded, in field order; nil for nil and for other types.
func members(t reflect.Type) []string {
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.IsExported() && name != "-" && name != "" {
			names = append(names, name)
		}
	}
	return names
}

// fill puts values into the braces of the path, escapes them, and puts all of it
// behind a base. A value that would lead to another route (empty, a dot path, with
// a slash) is refused.
func (e *endpoint) fill(base string, values []string) (string, error) {
	var b strings.Builder
	b.Grow(len(base) + len(e.path) + 64)
	b.WriteString(base)
	rest := e.path
	for {
		before, after, found := strings.Cut(rest, "{")
		b.WriteString(before)
		if !found {
			break
		}
		name, tail, _ := strings.Cut(after, "}")
		if len(values) == 0 {
			return "", fmt.Errorf("fill path: no value for %s", name)
		}
		v := values[0]
		if v == "" || v == "." || v == ".." || strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r == '/' || r == '\\' || r == 0x7f }) {
			return "", fmt.Errorf("fill path: value of %s cannot be part of a path", name)
		}
		b.WriteString(url.PathEscape(v))
		values, rest = values[1:], tail
	}
	if len(values) > 0 {
		return "", errors.New("fill path: too many values")
	}
	return b.String(), nil
}

// encodeQuery encodes the parameters, with the sharing_id where the route takes
// one. A parameter that the table does not list is refused.
func (e *endpoint) encodeQuery(given url.Values, sharingID string) (string, error) {
	if len(e.query) == 0 && len(given) == 0 {
		return "", nil
	}
	query := url.Values{}
	for name, values := range given {
		if !slices.Contains(e.query, name) {
			return "", fmt.Errorf("encode query: the route does not take %s", name)
		}
		query[name] = values
	}
	if sharingID != "" && slices.Contains(e.query, "sharing_id") {
		query.Set("sharing_id", sharingID)
	}
	return query.Encode(), nil
}

// encodeBody encodes a body, which has to be of the type in the table.
func (e *endpoint) encodeBody(body any) ([]byte, error) {
	if reflect.TypeOf(body) != reflect.TypeOf(e.body) {
		return nil, fmt.Errorf("encode body: %T is not what the route takes", body)
	}
	if body == nil {
		return nil, nil
	}
	b, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode body: %w", err)
	}
	return b, nil
}
