package zones

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// Record is one record of a version.
type Record struct {
	// ID is the version's serial and the slot in one number, which other copies
	// of the record do not have.
	ID int64 `json:"-"`
	// Slot is the record's own number in its version. Versions that share a page
	// have the same ones.
	Slot  int64  `json:"s"`
	Name  string `json:"n"` // relative, in lower case; @ is the domain itself
	Type  string `json:"t"`
	Value string `json:"v"`
	TTL   int64  `json:"l"` // seconds
}

const (
	// DefaultTTL is that of a record that names none (recorded).
	DefaultTTL = 10800
	lowestTTL  = 300
	highestTTL = 2592000
	// mostValue bounds a value; v3 took 1024 characters, v5 takes these (v5
	// documentation).
	mostValue = 16384
)

// Types are those of v3, and those that only LiveDNS has: a version that was
// read from there may hold them, and can be written back.
var Types = []string{"A", "AAAA", "CNAME", "MX", "NS", "TXT", "WKS", "SRV", "LOC", "SPF",
	"ALIAS", "CAA", "CDS", "DNAME", "DS", "HTTPS", "KEY", "NAPTR", "OPENPGPKEY", "PTR", "RP", "SOA", "SSHFP", "SVCB", "TLSA"}

func bad(format string, args ...any) error {
	return &Error{Why: BadRecord, Reason: fmt.Sprintf(format, args...)}
}

// Normal checks a record that a caller gave, and brings it into the form in which
// it is kept: the name relative and in lower case, the type in capitals, a text in
// double quotes. apexes are the domains that an absolute name may belong to.
func Normal(apexes []string, name, typ, value string, ttl int64) (r Record, err error) {
	r.Type, r.TTL = strings.ToUpper(strings.TrimSpace(typ)), ttl
	if !slices.Contains(Types, r.Type) {
		return r, about("type", bad("type '%s' is none of %s", clip(typ), strings.Join(Types, " ")))
	}
	if r.Name, err = relative(apexes, name); err != nil {
		return r, about("name", err)
	}
	if r.Type == "SOA" && r.Name != "@" {
		return r, about("name", bad("SOA is for @ only, not for '%s'", clip(name)))
	}
	if ttl < lowestTTL || ttl > highestTTL {
		return r, about("ttl", bad("ttl %d is not between %d and %d", ttl, lowestTTL, highestTTL))
	}
	r.Value, err = normalValue(r.Type, value)
	return r, about("value", err)
}

// about says which member of a record an error is about.
func about(field string, err error) error {
	var wrong *Error
	if errors.As(err, &wrong) {
		wrong.Field = field
	}
	return err
}

// relative brings a name into its form.
func relative(apexes []string, given string) (string, error) {
	name := strings.ToLower(strings.TrimSpace(given))
	if absolute, ok := strings.CutSuffix(name, "."); ok {
		at := slices.IndexFunc(apexes, func(apex string) bool {
			return absolute == apex || strings.HasSuffix(absolute, "."+apex)
		})
		switch {
		case at < 0:
			return "", bad("name '%s' is not in %s", clip(given), inWords(apexes))
		case absolute == apexes[at]:
			return "@", nil
		}
		name = strings.TrimSuffix(absolute, "."+apexes[at])
	}
	if name == "@" {
		return name, nil
	}
	if name == "" || len(name) > 250 {
		return "", bad("name '%s' must have 1 to 250 characters; @ is the domain itself", clip(given))
	}
	for i, label := range strings.Split(name, ".") {
		wild := i == 0 && label == "*"
		if label == "" || len(label) > 63 || !wild && strings.ContainsFunc(label, notInLabel) {
			return "", bad("name '%s' has a label that cannot be, '%s'", clip(given), clip(label))
		}
	}
	return name, nil
}

func notInLabel(r rune) bool {
	return !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '-' || r == '_' || r == '/')
}

func inWords(apexes []string) string {
	switch len(apexes) {
	case 0:
		return "the zone; it is linked to no domain, so names have to be relative"
	case 1:
		return apexes[0]
	}
	return fmt.Sprintf("%s or the %d other domains of the zone", apexes[0], len(apexes)-1)
}

// normalValue checks a value against its type. It is kept as it was given, apart
// from texts (recorded).
func normalValue(typ, given string) (string, error) {
	value := strings.TrimSpace(given)
	switch {
	case value == "" || len(value) > mostValue:
		return "", bad("value of %s must have 1 to %d characters", typ, mostValue)
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }):
		return "", bad("value of %s '%s' must be printable ASCII", typ, clip(given))
	}
	switch typ {
	case "A", "AAAA":
		ip, err := netip.ParseAddr(value)
		if err != nil || ip.Zone() != "" || ip.Is4() != (typ == "A") || ip.Is4In6() {
			return "", bad("value '%s' is no address for %s", clip(given), typ)
		}
		return value, nil
	case "TXT", "SPF":
		text, err := textOf(value)
		if err != nil {
			return "", bad("value of %s %s: %v", typ, clip(given), err)
		}
		return quote(text), nil
	case "WKS":
		// The library does not know it: an address, a protocol, services (RFC 1035).
		fields := strings.Fields(value)
		if _, err := netip.ParseAddr(fields[0]); err != nil || len(fields) < 3 {
			return "", bad("value '%s' must be an address, a protocol and services for WKS", clip(given))
		}
		return value, nil
	case "ALIAS":
		if _, ok := dns.IsDomainName(value); !ok || strings.ContainsAny(value, ` ;()"\`) {
			return "", bad("value '%s' is no name for ALIAS", clip(given))
		}
		return value, nil
	}
	return value, checkValue(typ, value)
}

// quoting are the types, besides texts, whose values can have double quotes
// and backslashes.
var quoting = []string{"CAA", "NAPTR", "HTTPS", "SVCB"}

// checkValue has the library read a value.
func checkValue(typ, value string) error {
	if outside(value, ";()") {
		return bad("value '%s' must stand on one line, without a comment and brackets", clip(value))
	}
	rr := readValue(typ, value)
	if rr == nil || strings.HasSuffix(value, `\`) {
		return bad("value '%s' is none for %s", clip(value), typ)
	}
	if strings.ContainsAny(value+valueOf(rr), `"\`) && !slices.Contains(quoting, typ) {
		return bad("value '%s' has characters that a value of %s has not", clip(value), typ)
	}
	// What the library takes it must also write in a form that it takes.
	if again := readValue(typ, valueOf(rr)); again == nil || again.String() != rr.String() {
		return bad("value '%s' is none for %s", clip(value), typ)
	}
	// The library takes some values that are not whole.
	if wanted := map[string]int{"SRV": 4, "SOA": 7}[typ]; wanted > 0 && len(strings.Fields(value)) != wanted {
		return bad("value '%s' is none for %s", clip(value), typ)
	}
	return nil
}

// readValue reads a value as a record's; nil when it is none.
func readValue(typ, value string) dns.RR {
	zp := dns.NewZoneParser(strings.NewReader("x 300 IN "+typ+" "+value+"\n"), origin, "")
	rr, ok := zp.Next()
	if !ok || zp.Err() != nil || dns.TypeToString[rr.Header().Rrtype] != typ || hollow(rr) {
		return nil
	}
	return rr
}

// valueOf is a record's value as the library writes it.
func valueOf(rr dns.RR) string {
	return strings.TrimSpace(strings.TrimPrefix(rr.String(), rr.Header().String()))
}

// outside tells whether one of some characters stands outside of double quotes.
func outside(value, chars string) bool {
	quoted := false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && strings.IndexByte(chars, c) >= 0:
			return true
		}
	}
	return false
}

// clip bounds a caller's text that is shown back to them.
func clip(s string) string {
	const most = 100
	if len(s) <= most {
		return strings.ToValidUTF8(s, "?")
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// At says in front of an error about a record which one it is about.
func At(where string, err error) error {
	var wrong *Error
	if errors.As(err, &wrong) {
		there := *wrong
		there.Reason = where + ": " + wrong.Reason
		return &there
	}
	return err
}
