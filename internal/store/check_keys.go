package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// shapes are the parts behind the kind of each key of the layout: s is a string,
// n a number.
var shapes = map[string]string{
	kindMeta: "s", kindCounter: "s",
	kindContact: "s", kindContactID: "n", kindContactContent: "ssn", kindContactTenant: "sn", kindOwn: "s",
	kindDomain: "ss", kindDomainID: "n", kindUses: "ssss", kindSeen: "ss", kindDNSKey: "sn", kindMailbox: "sss",
	kindSMD: "sn", kindSMDFile: "sn", kindNotice: "ss", kindPortfolio: "ss", kindPortfolioState: "s",
	kindOp: "n", kindOpTenant: "sn", kindOpOpen: "n", kindOpAbout: "ssn", kindOpOnce: "ss", kindOpGuard: "s",
	kindOpItem: "nn", kindOpList: "ss",
	kindZone: "n", kindZoneTenant: "sn", kindZoneVersion: "nn", kindZonePage: "nn", kindZoneLink: "ss", kindZoneDomain: "sns",
	kindUsage: "ns",
}

// parsed is a key taken apart, with its value.
type parsed struct {
	key     []byte
	kind    string
	strings []string
	numbers []int64
	value   []byte
}

// parse takes a key apart; false for one that the layout does not have.
func parse(key []byte) (parsed, bool) {
	e := parsed{key: key}
	kind, rest, ok := cutString(key)
	shape, known := shapes[kind]
	if !ok || !known {
		return e, false
	}
	e.kind = kind
	for _, part := range shape {
		switch {
		case part == 's':
			var s string
			if s, rest, ok = cutString(rest); !ok {
				return e, false
			}
			e.strings = append(e.strings, s)
		case len(rest) < 8:
			return e, false
		default:
			e.numbers = append(e.numbers, int64(binary.BigEndian.Uint64(rest)))
			rest = rest[8:]
		}
	}
	return e, len(rest) == 0
}

// cutString takes the string off the front of a key.
func cutString(key []byte) (s string, rest []byte, ok bool) {
	var out []byte
	for i := 0; i < len(key); i++ {
		if key[i] != 0 {
			out = append(out, key[i])
			continue
		}
		if i++; i == len(key) {
			break
		}
		switch key[i] {
		case 0xff:
			out = append(out, 0)
		case 1:
			return string(out), key[i+1:], true
		default:
			return "", nil, false
		}
	}
	return "", nil, false
}

// Readable is a key for people: its kind and parts, as the layout names them.
func Readable(key []byte) string {
	e, ok := parse(key)
	if !ok {
		return strconv.Quote(string(key))
	}
	var b strings.Builder
	b.WriteString(e.kind)
	texts, numbers := e.strings, e.numbers
	for _, part := range shapes[e.kind] {
		if part == 's' {
			b.WriteString(" " + readablePart(texts[0]))
			texts = texts[1:]
		} else {
			fmt.Fprintf(&b, " %d", numbers[0])
			numbers = numbers[1:]
		}
	}
	return b.String()
}

func readablePart(s string) string {
	odd := func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' || r == '"' || r == unicode.ReplacementChar }
	if s == "" || strings.ContainsFunc(s, odd) {
		return strconv.Quote(s)
	}
	return s
}

// kindOf is the kind of a key, for counting; "?" for one of no kind.
func kindOf(key []byte) string {
	kind, _, ok := bytes.Cut(key, []byte{0, 1})
	if _, known := shapes[string(kind)]; !ok || !known {
		return "?"
	}
	return string(kind)
}
