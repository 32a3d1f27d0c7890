package zones

import (
	"cmp"
	"crypto/sha256"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"v3gate/internal/v5"
)

// RRset is what LiveDNS keeps: all values of one name and type, with one ttl.
type RRset struct {
	Name   string   `json:"n"`
	Type   string   `json:"t"`
	TTL    int64    `json:"l"` // the lowest of its records
	Values []string `json:"v"`
}

// Change is an rrset that is another than it was; nil is none.
type Change struct {
	Name string `json:"n"`
	Type string `json:"t"`
	Was  *RRset `json:"w,omitempty"`
	Now  *RRset `json:"s,omitempty"`
}

// one is the rrset of records of one name and type, nil of none.
func one(records []Record) *RRset {
	if len(records) == 0 {
		return nil
	}
	s := &RRset{Name: records[0].Name, Type: records[0].Type, TTL: records[0].TTL}
	for i := range records {
		s.TTL = min(s.TTL, records[i].TTL)
		s.Values = append(s.Values, records[i].Value)
	}
	return s
}

// rrsets are those of records that are in order.
func rrsets(records []Record) (sets []RRset) {
	for len(records) > 0 {
		n := 1
		for n < len(records) && records[n].Name == records[0].Name && records[n].Type == records[0].Type {
			n++
		}
		sets = append(sets, *one(records[:n]))
		records = records[n:]
	}
	return sets
}

// Pushed tells whether LiveDNS takes the rrset. It keeps the SOA and the name
// servers of the domain itself to itself.
func (s *RRset) Pushed() bool { return s.Type != "SOA" && !(s.Type == "NS" && s.Name == "@") }

// Pushed are the rrsets of sets that LiveDNS takes.
func Pushed(sets []RRset) (pushed []RRset) {
	for i := range sets {
		if sets[i].Pushed() {
			pushed = append(pushed, sets[i])
		}
	}
	return pushed
}

// digest is equal for sets that say the same in DNS, in whatever order, and is
// the digest of what LiveDNS takes. It is a sum over the rrsets, so that a change
// of one needs that one only; see mix.
func digest(sets []RRset) []byte {
	sum := make([]byte, sha256.Size)
	for i := range sets {
		mix(sum, &sets[i])
	}
	return sum
}

// Digest is that of rrsets as LiveDNS shows them.
func Digest(sets []RRset) []byte { return digest(sets) }

// mix adds an rrset to a digest, or takes it out if it is in there.
func mix(sum []byte, s *RRset) {
	if s == nil || !s.Pushed() {
		return
	}
	values := make([]string, len(s.Values))
	for i, v := range s.Values {
		values[i] = canonical(s.Type, v)
	}
	slices.Sort(values)
	text := strings.Join(append([]string{s.Name, s.Type, strconv.FormatInt(s.TTL, 10)}, slices.Compact(values)...), "\n")
	for i, b := range sha256.Sum256([]byte(text)) {
		sum[i] ^= b
	}
}

func equal(a, b *RRset) bool {
	if a == nil || b == nil {
		return a == b
	}
	return slices.Equal(digest([]RRset{*a}), digest([]RRset{*b})) && slices.Equal(a.Values, b.Values) && a.TTL == b.TTL
}

// canonical is the form of a value in which two that say the same are equal:
// LiveDNS may write it in another way than it was sent.
func canonical(typ, value string) string {
	switch typ {
	case "A", "AAAA":
		if ip, err := netip.ParseAddr(value); err == nil {
			return ip.String()
		}
	case "TXT", "SPF":
		if texts, err := textOf(value); err == nil {
			return strings.Join(texts, "") // LiveDNS may split a long text elsewhere
		}
		return value
	}
	return strings.ToLower(strings.Join(strings.Fields(value), " "))
}

// identity is equal for records that say the same, apart from the ttl.
func (r *Record) identity() string {
	return r.Name + "\n" + r.Type + "\n" + canonical(r.Type, r.Value)
}

// sameValue tells whether two values of a type say the same.
func sameValue(typ, a, b string) bool { return a == b || canonical(typ, a) == canonical(typ, b) }

func cmpKey(name, typ, otherName, otherType string) int {
	return cmp.Or(cmp.Compare(name, otherName), cmp.Compare(typ, otherType))
}

// Shown are rrsets as LiveDNS shows them, in the form in which zones have them.
func Shown(sets []v5.RRset) (out []RRset) {
	for _, s := range sets {
		out = append(out, RRset{Name: strings.ToLower(s.Name), Type: s.Type, TTL: int64(s.TTL), Values: s.Values})
	}
	return Pushed(out)
}

// Items are rrsets as LiveDNS takes them.
func Items(sets []RRset) []v5.RRsetItem {
	items := []v5.RRsetItem{}
	for _, s := range Pushed(sets) {
		items = append(items, v5.RRsetItem{Name: s.Name, Type: s.Type, TTL: int(s.TTL), Values: s.Values})
	}
	return items
}

// Conflict says which name has a CNAME beside other records, or as the domain
// itself, which no DNS takes; nil for none.
func Conflict(sets []RRset) error {
	for i, s := range sets {
		beside := i > 0 && sets[i-1].Name == s.Name || i+1 < len(sets) && sets[i+1].Name == s.Name
		if s.Type == "CNAME" && (beside || s.Name == "@" || len(s.Values) > 1) {
			return bad("a CNAME of '%s' cannot stand beside other records of that name", clip(s.Name))
		}
	}
	return nil
}
