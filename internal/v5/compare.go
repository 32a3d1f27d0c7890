package v5

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"unicode"
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

// identity are the fields that make a contact who it is, in comparable form:
// v5 may store another case, other blanks or other punctuation than it was sent
// (inferred). state, lang and the obfuscation flags are left out, since v5 fills
// them in by itself.
func (c *Contact) identity() []string {
	orgname := c.OrgName
	if c.Type == "individual" {
		orgname = "" // persons have carried placeholders here (seen in a client)
	}
	return []string{
		fold(c.Type), fold(c.Given), fold(c.Family), fold(orgname), fold(c.StreetAddr), fold(c.City), fold(c.Zip),
		fold(c.Country), fold(c.Email), digits(c.Phone), digits(c.Mobile), digits(c.Fax),
		fold(c.Siren), fold(c.BrandNumber),
		fold(c.JOAnnounceNumber), fold(c.JOAnnouncePage), fold(c.JODeclarationDate), fold(c.JOPublicationDate),
	}
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
	have, wanted := c.identity(), want.identity()
	for i := range wanted {
		if wanted[i] != "" && wanted[i] != have[i] {
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

func (c *Contact) texts() [18]string {
	return [...]string{
		c.Type, c.Given, c.Family, c.OrgName, c.StreetAddr, c.City, c.Zip, c.Country, c.Email, c.Phone, c.Mobile, c.Fax,
		c.Siren, c.BrandNumber, c.JOAnnounceNumber, c.JOAnnouncePage, c.JODeclarationDate, c.JOPublicationDate,
	}
}

// Digest is equal for contacts of equal content after normalisation, and for no
// others. It is hexadecimal and tells nothing about the contact. A nil contact
// has the digest "".
func (c *Contact) Digest() string {
	if c == nil {
		return ""
	}
	h := sha256.New()
	write := func(s string) { h.Write([]byte(s)); h.Write([]byte{0}) }
	for _, field := range c.identity() {
		write(field)
	}
	for _, key := range slices.Sorted(maps.Keys(c.ExtraParameters)) {
		// Unset personal keys come back as empty strings (recorded).
		if value := fold(c.ExtraParameters[key]); value != "" {
			write(key + "=" + value)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func fold(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}
