package v5

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Owns tells whether a domain is the session's: its sharing_space, or the
// reseller's above it, is the session's sharing_id. A session without a
// sharing_id owns what its credential can read.
func (s *Session) Owns(d *Domain) bool {
	if s.sharingID == "" {
		return true
	}
	for space := d.SharingSpace; space != nil; space = space.SharingSpace {
		if space.ID == s.sharingID {
			return true
		}
	}
	return false
}

// texts are the fields that make a contact who it is. state, lang and the
// obfuscation flags are left out, since v5 fills them in by itself.
func (c *Contact) texts() [18]string {
	return [...]string{
		c.Type, c.Given, c.Family, orgNameField: c.OrgName, c.StreetAddr, c.City, c.Zip, c.Country, c.Email,
		phoneField: c.Phone, c.Mobile, faxField: c.Fax,
		c.Siren, c.BrandNumber, c.JOAnnounceNumber, c.JOAnnouncePage, c.JODeclarationDate, c.JOPublicationDate,
	}
}

const (
	orgNameField = 3
	phoneField   = 9
	faxField     = 11
)

// appendNormal appends one of texts in comparable form: v5 may store another case,
// other blanks or other punctuation than it was sent (inferred).
func (c *Contact) appendNormal(b []byte, field int, text string) []byte {
	switch {
	case field == orgNameField && c.Type == "individual":
		return b // persons have carried placeholders here (seen in a client)
	case phoneField <= field && field <= faxField:
		return appendDigits(b, text)
	}
	return appendFold(b, text)
}

// Shows tells whether a contact read from v5 is the wanted one: every field that
// was given equals, apart from what v5 may have normalised. A nil want is shown
// by anything; a nil contact shows nothing.
func (c *Contact) Shows(want *Contact) bool {
	if want == nil {
		return true
	}
	if c == nil {
		return false
	}
	have := c.texts()
	for field, text := range want.texts() {
		wanted := want.appendNormal(nil, field, text)
		if len(wanted) > 0 && !bytes.Equal(wanted, c.appendNormal(nil, field, have[field])) {
			return false
		}
	}
	for key, value := range want.ExtraParameters {
		if got, ok := c.ExtraParameters[key]; ok && fold(got) != fold(value) {
			return false
		}
	}
	return true
}

// Same tells whether two contacts are equal letter by letter in all that Digest
// depends on. It is quick: a domain mostly has one contact in all roles.
func (c *Contact) Same(d *Contact) bool {
	return c == d || c.texts() == d.texts() && maps.Equal(c.ExtraParameters, d.ExtraParameters)
}

// Digest is equal for contacts of equal content after normalisation, and for no
// others. It is hexadecimal and tells nothing about the contact. A nil contact
// has the digest "".
func (c *Contact) Digest() string { return string(c.AppendDigest(nil)) }

// AppendDigest appends the Digest.
func (c *Contact) AppendDigest(dst []byte) []byte {
	if c == nil {
		return dst
	}
	b := make([]byte, 0, 512) // on the stack
	for field, text := range c.texts() {
		b = append(c.appendNormal(b, field, text), 0)
	}
	keys := make([]string, 0, 8) // on the stack
	for key := range c.ExtraParameters {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		// Unset personal keys come back as empty strings (recorded).
		if value := fold(c.ExtraParameters[key]); value != "" {
			b = append(b, key+"="+value+"\x00"...)
		}
	}
	sum := sha256.Sum256(b)
	return hex.AppendEncode(dst, sum[:])
}

func fold(s string) string { return string(appendFold(nil, s)) }

// appendFold appends a text in lower case with single blanks between its words.
func appendFold(b []byte, s string) []byte {
	start := len(b)
	for i := range len(s) {
		switch x := s[i]; {
		case x >= utf8.RuneSelf:
			return append(b[:start], strings.ToLower(strings.Join(strings.Fields(s), " "))...)
		case x == ' ' || '\t' <= x && x <= '\r':
			if len(b) > start && b[len(b)-1] != ' ' {
				b = append(b, ' ')
			}
		case 'A' <= x && x <= 'Z':
			b = append(b, x+('a'-'A'))
		default:
			b = append(b, x)
		}
	}
	if len(b) > start && b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	return b
}

func appendDigits(b []byte, s string) []byte {
	for _, r := range s {
		if unicode.IsDigit(r) {
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}
