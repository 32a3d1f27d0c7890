package sandbox

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// recordTypes are the types that LiveDNS takes (v5 documentation).
var recordTypes = strings.Fields("A AAAA ALIAS CAA CDS CNAME DNAME DS HTTPS KEY LOC MX NAPTR NS OPENPGPKEY PTR RP SOA SPF SRV SSHFP SVCB TLSA TXT WKS")

const (
	defaultTTL = 10800
	minTTL     = 300
	maxTTL     = 2592000
	mostValue  = 16384
)

func ttlMember() member { return member{name: "rrset_ttl", kind: whole, min: minTTL, max: maxTTL} }

func valuesMember() member {
	return member{name: "rrset_values", need: true, kind: list, min: 1, item: &member{kind: text, check: recordValueError}}
}

func recordValueError(v string) string {
	if len(v) > mostValue || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r > '~' }) {
		return fmt.Sprintf("must be at most %d printable ASCII characters", mostValue)
	}
	return ""
}

func recordNameError(name string) string {
	if name == "@" {
		return ""
	}
	if name == "" || len(name) > 250 || strings.HasSuffix(name, ".") {
		return "must be a relative name"
	}
	for i, l := range strings.Split(name, ".") {
		odd := strings.ContainsFunc(l, func(r rune) bool {
			return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_' || r == '/')
		})
		if l == "" || len(l) > 63 || odd && !(i == 0 && l == "*") {
			return "is not a name"
		}
	}
	return ""
}

// refuseRRset reports what is wrong with values of a type. Only what the tests
// of the API are about is looked at. The domain's own name servers and SOA cannot
// be changed (seen in clients).
func (c *call) refuseRRset(set *rrset, at string) {
	if set.typ == "SOA" || set.typ == "NS" && set.name == "@" {
		c.refuse("body", at, set.typ+" of the domain itself cannot be changed")
	}
	if set.typ == "ALIAS" && set.name != "@" {
		c.refuse("body", at, "ALIAS is for the domain itself only")
	}
	if (set.typ == "CNAME" || set.typ == "ALIAS" || set.typ == "DNAME") && len(set.values) > 1 {
		c.refuse("body", at, set.typ+" takes one value")
	}
	for i, v := range set.values {
		where := at + "." + strconv.Itoa(i)
		if slices.Contains(set.values[:i], v) {
			c.refuse("body", where, "is there twice")
		}
		fields := strings.Fields(v)
		ip, err := netip.ParseAddr(v)
		switch set.typ {
		case "A":
			if err != nil || !ip.Is4() {
				c.refuse("body", where, "is not an IPv4 address")
			}
		case "AAAA":
			if err != nil || !ip.Is6() {
				c.refuse("body", where, "is not an IPv6 address")
			}
		case "MX":
			if len(fields) != 2 {
				c.refuse("body", where, "must be a priority and a name")
			}
		case "SRV":
			if len(fields) != 4 {
				c.refuse("body", where, "must be priority, weight, port and a name")
			}
		case "CNAME":
			if len(fields) != 1 {
				c.refuse("body", where, "is not a name")
			}
		}
	}
}

// refuseMixed reports a CNAME beside other records of its name.
func (c *call) refuseMixed(all records) {
	types := map[string]int{}
	for k := range all {
		types[k.name]++
	}
	for _, r := range all.sorted() {
		if r.typ == "CNAME" && (types[r.name] > 1 || r.name == "@") {
			c.refuse("body", "rrset_type", "a CNAME cannot stand beside other records of "+r.name)
		}
	}
}

// newRecords are those of a domain that is new on LiveDNS (seen in clients).
func newRecords() records {
	all := records{}
	for _, r := range []*rrset{
		{name: "@", typ: "A", values: []string{"217.70.184.38"}},
		{name: "@", typ: "MX", values: []string{"10 spool.mail.gandi.net.", "50 fb.mail.gandi.net."}},
		{name: "blog", typ: "CNAME", values: []string{"blogs.vip.gandi.net."}},
		{name: "imap", typ: "CNAME", values: []string{"access.mail.gandi.net."}},
		{name: "pop", typ: "CNAME", values: []string{"access.mail.gandi.net."}},
		{name: "smtp", typ: "CNAME", values: []string{"relay.mail.gandi.net."}},
		{name: "webmail", typ: "CNAME", values: []string{"webmail.gandi.net."}},
		{name: "www", typ: "CNAME", values: []string{"webredir.vip.gandi.net."}},
	} {
		r.ttl = defaultTTL
		all[rrkey{r.name, r.typ}] = r
	}
	return all
}

// Records tells what a domain has in LiveDNS, one rrset a line, "name ttl type
// value, value", in the order of names; nothing where it has none.
func (s *Sandbox) Records(fqdn string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.domains[fqdn]
	if d == nil {
		return nil
	}
	var out []string
	for _, r := range d.records.sorted() {
		out = append(out, fmt.Sprintf("%s %d %s %s", r.name, r.ttl, r.typ, strings.Join(slices.Sorted(slices.Values(r.values)), ", ")))
	}
	return out
}
