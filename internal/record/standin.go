package record

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// salt makes the stand-ins of one recording. It is never written, so that nobody
// can try values until one gives the stand-in that is in a file.
type salt [32]byte

var (
	emailForm = regexp.MustCompile(`^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$`)
	dateForm  = regexp.MustCompile(`^\d{4}(-?)\d{2}(-?)\d{2}$`)
	cryptForm = regexp.MustCompile(`^\$[0-9a-z]{1,8}\$`)
)

// digest is a long stream of bytes that depends on a text and the salt.
func (s *salt) digest(kind, text string, n int) []byte {
	out := make([]byte, 0, n+sha256.Size)
	for block := 0; len(out) < n; block++ {
		h := hmac.New(sha256.New, s[:])
		fmt.Fprintf(h, "%s %d %s", kind, block, text)
		out = h.Sum(out)
	}
	return out[:n]
}

// standIn is a text of the same form: a letter for a letter, small or capital, a
// digit for a digit, everything else as it is. Blanks and signs do not change what
// letters and digits become, so that a phone number is the same one in the forms
// of v3 and of v5. A phone number keeps the digits of its country, a date stays
// one, an address of mail becomes one that belongs to nobody unless its domain is
// one of those that the call is about.
func (s *salt) standIn(text string, about map[string]bool) string {
	switch {
	case strings.TrimSpace(text) == "":
		return text
	case emailForm.MatchString(text):
		local, domain, _ := strings.Cut(text, "@")
		if about[strings.ToLower(domain)] {
			return s.letters(local) + "@" + domain
		}
		return s.letters(local) + "@m" + hex.EncodeToString(s.digest("domain", strings.ToLower(domain), 4)) + ".example.org"
	case dateForm.MatchString(text):
		b := s.digest("date", strings.ReplaceAll(text, "-", ""), 3)
		m := dateForm.FindStringSubmatch(text)
		return fmt.Sprintf("19%02d%s%02d%s%02d", 50+b[0]%50, m[1], 1+b[1]%12, m[2], 1+b[2]%28)
	}
	return s.letters(text)
}

// letters replaces letters and digits one by one.
func (s *salt) letters(text string) string {
	kept := 0 // bytes at the beginning that stay
	if mark := cryptForm.FindString(text); mark != "" {
		kept = len(mark)
	}
	var bare []rune
	for _, r := range text[kept:] {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			bare = append(bare, unicode.ToLower(r))
		}
	}
	stream := s.digest("letters", string(bare), len(bare))
	country := 0 // digits of a phone number that stay
	if strings.HasPrefix(text, "+") {
		country = 3
	}
	var b strings.Builder
	b.WriteString(text[:kept])
	i := 0
	for _, r := range text[kept:] {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			b.WriteRune(r)
			continue
		}
		switch n := rune(stream[i]); {
		case i < country && unicode.IsDigit(r):
			b.WriteRune(r)
		case unicode.IsDigit(r):
			b.WriteRune('1' + n%9) // no zero, which a number would lose at its front
		case unicode.IsUpper(r):
			b.WriteRune('A' + n%26)
		default:
			b.WriteRune('a' + n%26)
		}
		i++
	}
	return b.String()
}
