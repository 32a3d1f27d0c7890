package v5

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// The types here read JSON scalars more loosely than Go's own: documentation,
// recorded answers and clients disagree on forms, and an answer that cannot be
// read is worse than one that is read generously. What is sent is always exact.

// laxString reads a string; null as ""; a number or truth value as its text; an
// array or object as its compact JSON.
type laxString string

// UnmarshalJSON fails only on text that is no JSON.
func (s *laxString) UnmarshalJSON(b []byte) error {
	switch {
	case string(b) == "null":
		*s = ""
	case len(b) > 0 && b[0] == '"':
		return json.Unmarshal(b, (*string)(s))
	default:
		var text bytes.Buffer
		if err := json.Compact(&text, b); err != nil {
			return err
		}
		*s = laxString(text.String())
	}
	return nil
}

// laxInt reads a whole number, bare or in quotes; null and "" as 0.
type laxInt int

// UnmarshalJSON fails on anything that is no whole number of 32 bits.
func (i *laxInt) UnmarshalJSON(b []byte) error {
	var text laxString
	if err := text.UnmarshalJSON(b); err != nil {
		return err
	}
	*i = 0
	if text == "" {
		return nil
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > math.MaxInt32 {
		return fmt.Errorf("read number: %.40q is no whole number", string(text))
	}
	*i = laxInt(f)
	return nil
}

// laxTime reads a date; null and "" as the zero time; a date without a zone as
// UTC (inferred: v5 documents a Z, older Gandi services left it out).
type laxTime time.Time

// UnmarshalJSON fails on text that is no date.
func (t *laxTime) UnmarshalJSON(b []byte) error {
	var text laxString
	if err := text.UnmarshalJSON(b); err != nil {
		return err
	}
	at, err := parseDate(string(text))
	*t = laxTime(at)
	return err
}

// parseDate reads a date as laxTime does.
func parseDate(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range [...]string{time.RFC3339, "2006-01-02T15:04:05"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("read date: %.40q is none", text)
}

// plainStrings drops the reading type; nil stays nil.
func plainStrings(m map[string]laxString) map[string]string {
	if m == nil {
		return nil
	}
	plain := make(map[string]string, len(m))
	for k, v := range m {
		plain[k] = string(v)
	}
	return plain
}

// clipped cuts text that is only for people to at most n bytes.
func clipped(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
