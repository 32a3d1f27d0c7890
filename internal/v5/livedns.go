package v5

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
)

// RRset is all values of one name and type, as LiveDNS shows it.
type RRset struct {
	Name string `json:"rrset_name"` // relative; @ is the domain itself
	Type string `json:"rrset_type"`
	TTL  int    `json:"rrset_ttl"` // seconds
	// Values are the records' data; a TXT value comes in double quotes
	// (recorded).
	Values []string `json:"rrset_values"`
}

// RRsetItem is an RRset of a whole zone that is sent.
type RRsetItem struct {
	Name   string   `json:"rrset_name"`
	Type   string   `json:"rrset_type"`
	TTL    int      `json:"rrset_ttl,omitempty"` // 300 to 2592000; left out it becomes 10800
	Values []string `json:"rrset_values"`
}

type wholeZone struct {
	Items []RRsetItem `json:"items"`
}

type rrsetValues struct {
	Values []string `json:"rrset_values"`
	TTL    int      `json:"rrset_ttl,omitempty"`
}

// recordsPerPage is how many rrsets are asked for at a time. v5's own default
// and limit are not documented; a client asks for as many.
const recordsPerPage = 500

// mostRecordPages bounds the pages of one zone, for a v5 that does not page.
const mostRecordPages = 1000

// Records reads all rrsets of a domain in LiveDNS, without the SOA and the name
// servers of the domain itself, which it does not list (seen in clients). A
// domain that is not there is a 404, (*Error).Absent.
func (s *Session) Records(ctx context.Context, fqdn string) ([]RRset, error) {
	var all []RRset
	for page := 1; page <= mostRecordPages; page++ {
		ans, err := s.do(ctx, request{route: "GET /livedns/domains/{d}/records", path: []string{fqdn},
			query: url.Values{"page": {strconv.Itoa(page)}, "per_page": {strconv.Itoa(recordsPerPage)}}})
		if err != nil {
			return nil, err
		}
		read, err := decode[[]RRset](ans)
		if err != nil {
			return nil, err
		}
		if page > 1 && len(*read) > 0 && (*read)[0].Name == all[0].Name && (*read)[0].Type == all[0].Type {
			return all, nil // a v5 that does not page gives everything each time
		}
		all = append(all, *read...)
		total, err := strconv.Atoi(ans.header.Get("Total-Count"))
		if len(*read) == 0 || err == nil && len(all) >= total || err != nil && len(*read)%100 != 0 {
			return all, nil // pages may be smaller than was asked for, but then they are of a round size
		}
	}
	return nil, (&request{route: "GET /livedns/domains/{d}/records"}).refused(errors.New("read records: there is no end of pages"))
}

// RRset reads one rrset; nil where there is none.
func (s *Session) RRset(ctx context.Context, fqdn, name, typ string) (*RRset, error) {
	set, err := read[RRset](ctx, s, request{route: "GET /livedns/domains/{d}/records/{name}/{type}", path: []string{fqdn, name, typ}})
	if e := (*Error)(nil); errors.As(err, &e) && e.Absent() {
		return nil, nil
	}
	return set, err
}

// ReplaceRecords puts a whole zone in the place of what a domain has in LiveDNS.
// The SOA and the name servers of the domain itself cannot be among the items.
// Sent twice it does no harm.
func (s *Session) ReplaceRecords(ctx context.Context, fqdn string, items []RRsetItem) error {
	if items == nil {
		items = []RRsetItem{}
	}
	_, err := s.do(ctx, request{route: "PUT /livedns/domains/{d}/records", path: []string{fqdn}, body: wholeZone{items}})
	return err
}

// PutRRset sets the values and the ttl of one rrset, which need not be there yet.
func (s *Session) PutRRset(ctx context.Context, fqdn string, set RRset) error {
	_, err := s.do(ctx, request{route: "PUT /livedns/domains/{d}/records/{name}/{type}",
		path: []string{fqdn, set.Name, set.Type}, body: rrsetValues{set.Values, set.TTL}})
	return err
}

// DeleteRRset takes one rrset away; one that is not there is no error.
func (s *Session) DeleteRRset(ctx context.Context, fqdn, name, typ string) error {
	_, err := s.do(ctx, request{route: "DELETE /livedns/domains/{d}/records/{name}/{type}", path: []string{fqdn, name, typ}})
	if e := (*Error)(nil); errors.As(err, &e) && e.Absent() {
		return nil
	}
	return err
}

// EnableLiveDNS moves a domain onto LiveDNS, which copies the records of Gandi's
// older service (v5 documentation). nil means that v5 has accepted it, or that
// there was nothing to do (409, seen in clients).
func (s *Session) EnableLiveDNS(ctx context.Context, fqdn string) error {
	_, err := s.do(ctx, request{route: "POST /domain/domains/{d}/livedns", path: []string{fqdn}})
	if e := (*Error)(nil); errors.As(err, &e) && e.Status == http.StatusConflict && e.IsJSON {
		return nil
	}
	return err
}
