package xmlrpc

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// parseInt reads a decimal integer as Python's int() does, but for digits that
// are not ASCII and underscores. fits is false when it needs more than 64 bits.
func parseInt(s string) (n int64, fits, ok bool) {
	digits := s
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		digits = digits[1:]
	}
	if digits == "" {
		return 0, false, false
	}
	for i := 0; i < len(digits); i++ {
		c := digits[i] - '0'
		if c > 9 {
			return 0, false, false
		}
		if i < 18 {
			n = n*10 + int64(c)
		}
	}
	if len(digits) <= 18 {
		if s[0] == '-' {
			n = -n
		}
		return n, true, true
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, false, true
	}
	return n, true, true
}

// parseDouble reads a number as Python's float() does, but for underscores.
// "+33.123456789" is a phone number that a Perl client has taken for a number.
func parseDouble(s string) (float64, bool) {
	if strings.ContainsAny(s, "xX_pP") {
		return 0, false // Go's own spellings, which Python does not know
	}
	f, err := strconv.ParseFloat(s, 64)
	// Out of range is infinity, for Python too.
	return f, err == nil || math.IsInf(f, 0)
}

// appendDouble writes f as Python's repr does, such as 1.0, 1e-05 or 1e+16.
func appendDouble(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "nan"...)
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	for _, c := range dst[start:] {
		if c == '.' {
			return dst
		}
	}
	return append(dst, ".0"...)
}

// date is what a dateTime.iso8601 says.
type date struct {
	wall   int64 // the wall clock as seconds since 1970, as if it were UTC
	nanos  int
	zoned  bool
	offset int // seconds east of UTC, when zoned
}

// parseDate reads YYYYMMDDTHH:MM:SS, the form of XML-RPC, and the forms that
// clients make of it: with dashes, a blank for the T, without colons, with a
// fraction, with Z or an offset. ok is false for anything else and for a day
// that does not exist.
func parseDate(s string) (d date, ok bool) {
	year, s, ok1 := number(s, 4)
	s = strings.TrimPrefix(s, "-")
	month, s, ok2 := number(s, 2)
	s = strings.TrimPrefix(s, "-")
	day, s, ok3 := number(s, 2)
	if !ok1 || !ok2 || !ok3 || s == "" || s[0] != 'T' && s[0] != 't' && s[0] != ' ' {
		return date{}, false
	}
	hour, s, ok1 := number(s[1:], 2)
	s = strings.TrimPrefix(s, ":")
	minute, s, ok2 := number(s, 2)
	s = strings.TrimPrefix(s, ":")
	second, s, ok3 := number(s, 2)
	if !ok1 || !ok2 || !ok3 || hour > 23 || minute > 59 || second > 59 || year < 1 {
		return date{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	if t.Day() != day || int(t.Month()) != month {
		return date{}, false
	}
	d.wall = t.Unix()
	if s == "" {
		return d, true
	}
	if s, d.nanos, ok = fraction(s); !ok {
		return date{}, false
	}
	d.offset, d.zoned, ok = zone(s)
	return d, ok
}

// number reads exactly n digits from the start of s.
func number(s string, n int) (value int, rest string, ok bool) {
	if len(s) < n {
		return 0, s, false
	}
	for i := 0; i < n; i++ {
		c := s[i] - '0'
		if c > 9 {
			return 0, s, false
		}
		value = value*10 + int(c)
	}
	return value, s[n:], true
}

// fraction reads an optional fraction of a second from the start of s. Digits
// beyond nanoseconds are dropped.
func fraction(s string) (rest string, nanos int, ok bool) {
	if s[0] != '.' && s[0] != ',' {
		return s, 0, true
	}
	i, scale := 1, 100_000_000
	for ; i < len(s) && s[i]-'0' <= 9; i++ {
		nanos += int(s[i]-'0') * scale
		scale /= 10
	}
	return s[i:], nanos, i > 1
}

// zone reads the rest of a date, which is nothing, Z, or an offset such as +02,
// +0200 or +02:00.
func zone(s string) (offset int, zoned, ok bool) {
	if s == "" {
		return 0, false, true
	}
	if s == "Z" || s == "z" {
		return 0, true, true
	}
	hours, rest, ok := number(s[1:], 2)
	if !ok || s[0] != '+' && s[0] != '-' || hours > 23 {
		return 0, false, false
	}
	minutes := 0
	if rest != "" {
		minutes, rest, ok = number(strings.TrimPrefix(rest, ":"), 2)
		if !ok || rest != "" || minutes > 59 {
			return 0, false, false
		}
	}
	offset = hours*3600 + minutes*60
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true, true
}

// parseTime gives the instant of a received date, in its own zone.
func parseTime(s string) (time.Time, bool) {
	d, ok := parseDate(s)
	if !ok {
		return time.Time{}, false
	}
	t := time.Unix(d.wall-int64(d.offset), int64(d.nanos)).UTC()
	if d.zoned && d.offset != 0 {
		t = t.In(time.FixedZone("", d.offset))
	}
	return t, true
}

// appendWallClock writes a wall clock as YYYYMMDDTHH:MM:SS.
func appendWallClock(dst []byte, seconds int64) []byte {
	t := time.Unix(seconds, 0).UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	dst = appendTwo(appendTwo(dst, year/100), year%100)
	dst = appendTwo(appendTwo(dst, int(month)), day)
	dst = appendTwo(append(dst, 'T'), hour)
	dst = appendTwo(append(dst, ':'), minute)
	return appendTwo(append(dst, ':'), second)
}

// appendTwo writes a number from 0 to 99 with two digits.
func appendTwo(dst []byte, n int) []byte {
	return append(dst, byte('0'+n/10%10), byte('0'+n%10))
}

// dropBlanks gives s without any white space, which base64 has between its lines
// and, from some clients, between groups.
func dropBlanks(s string) string {
	if strings.IndexAny(s, " \t\r\n") < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r < 0x80 && blank(byte(r)) {
			return -1
		}
		return r
	}, s)
}
