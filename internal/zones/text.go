package zones

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/miekg/dns"
)

// origin stands for the domain in a zone text, whose name is not in the zone: one
// zone serves many. It is no name that anybody has.
const origin = "v3gate-zone-apex.invalid."

// Parse reads a zone text (RFC 1035, section 5). Relative names are the zone's;
// absolute ones have to be in one of the domains of apexes, or in that of the
// text's own SOA record. Errors name the line.
func Parse(apexes []string, text string) (records []Record, err error) {
	if line := generating(text); line > 0 {
		return nil, bad("line %d: $GENERATE directive not allowed", line)
	}
	in := &lines{text: text}
	zp := dns.NewZoneParser(in, origin, "")
	zp.SetDefaultTTL(DefaultTTL)
	apexes = append([]string{strings.TrimSuffix(origin, ".")}, apexes...)
	seen := map[string]bool{}
	for {
		rr, ok := zp.Next()
		if !ok {
			break
		}
		if apex := strings.ToLower(strings.TrimSuffix(rr.Header().Name, ".")); rr.Header().Rrtype == dns.TypeSOA && apex != "" {
			apexes = append(apexes, apex)
		}
		r, err := recordOf(apexes, rr)
		if err == nil && seen[r.identity()] {
			err = errors.New("the record is there twice")
		}
		if err == nil && len(records) >= mostRecords {
			err = fmt.Errorf("more than %d records", mostRecords)
		}
		if err != nil {
			var wrong *Error
			reason := err.Error()
			if errors.As(err, &wrong) {
				reason = wrong.Reason
			}
			return nil, bad("line %d: %s", in.line(), reason)
		}
		seen[r.identity()] = true
		records = append(records, r)
	}
	if err := zp.Err(); err != nil {
		return nil, bad("%s", unreadable(err))
	}
	return records, nil
}

// generating finds a $GENERATE, which is no part of the standard and makes very
// many records of one line; 0 for none.
func generating(text string) (line int) {
	n := 0
	for l := range strings.Lines(text) {
		n++
		if words := strings.Fields(l); len(words) > 0 && strings.EqualFold(words[0], "$GENERATE") {
			return n
		}
	}
	return 0
}

// unreadable is what the library says of a text, with the line in front.
func unreadable(err error) string {
	text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), ": "), "dns: ")
	what, at, ok := cutLast(text, " at line: ")
	if !ok {
		return clip(text)
	}
	line, _, _ := strings.Cut(at, ":")
	return "line " + line + ": " + clip(what)
}

func cutLast(s, sep string) (before, after string, ok bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// recordOf is a record of a text.
func recordOf(apexes []string, rr dns.RR) (Record, error) {
	h := rr.Header()
	typ, known := dns.TypeToString[h.Rrtype]
	if h.Class != dns.ClassINET || !known {
		return Record{}, fmt.Errorf("class %s or type %s is not for a zone", dns.Class(h.Class), dns.Type(h.Rrtype))
	}
	if hollow(rr) {
		return Record{}, errors.New("the record has no value")
	}
	value := valueOf(rr)
	if typ != "TXT" && typ != "SPF" {
		value = relativeNames(value)
	}
	return Normal(apexes, h.Name, typ, value, int64(h.Ttl))
}

// hollow tells a record without a value, which the library takes since updates
// have such.
func hollow(rr dns.RR) bool {
	none := dns.TypeToRR[rr.Header().Rrtype]()
	*none.Header() = *rr.Header()
	return none.String() == rr.String()
}

// relativeNames turns names below the origin back into what they were.
func relativeNames(value string) string {
	if !strings.Contains(value, origin) {
		return value
	}
	words := strings.Split(value, " ")
	for i, word := range words {
		if word == origin {
			words[i] = "@"
		} else {
			words[i] = strings.TrimSuffix(word, "."+origin)
		}
	}
	return strings.Join(words, " ")
}

// Print writes records as a zone text, which Parse reads back as the same
// records. A record of a type that the library does not know is a comment.
func Print(records []Record) string {
	var out strings.Builder
	for i := range records {
		r := &records[i]
		line := fmt.Sprintf("%s %d IN %s %s", r.Name, r.TTL, r.Type, r.Value)
		if _, known := dns.StringToType[r.Type]; !known || r.Type == "WKS" {
			line = "; " + line
		}
		out.WriteString(line + "\n")
	}
	return out.String()
}

// lines gives a text byte by byte, so that no more of it is read than was used,
// and counts its lines.
type lines struct {
	text string
	at   int
}

func (l *lines) ReadByte() (byte, error) {
	if l.at == len(l.text) {
		return 0, io.EOF
	}
	l.at++
	return l.text[l.at-1], nil
}

func (l *lines) Read(p []byte) (int, error) {
	if l.at == len(l.text) {
		return 0, io.EOF
	}
	n := copy(p, l.text[l.at:])
	l.at += n
	return n, nil
}

// line is the number of the line that was read last.
func (l *lines) line() int {
	read := strings.TrimRight(l.text[:l.at], "\r\n \t")
	return 1 + strings.Count(read, "\n")
}
