// Package handles keeps what v5 does not have: v3 contacts under their handles,
// integer ids for contacts and domains, and which handle a domain uses in which
// role.
package handles

import (
	"errors"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Contact is a v3 contact.
type Contact struct {
	Handle  string    `json:"handle"`
	ID      int64     `json:"id"`
	Tenant  string    `json:"tenant"`
	Created time.Time `json:"created"`
	// Empty marks the own contact of a tenant whose content has not been read
	// from v5 yet.
	Empty bool `json:"empty,omitempty"`
	// Version counts the changes of what v5 gets of it.
	Version int64 `json:"version,omitempty"`
	// Shown is the digest of what v5 showed, when the contact was made from that
	// and not changed since; what the fields expand to may differ from it.
	Shown string `json:"shown,omitempty"`
	Fields
}

// digest is that of the contact's content as v5 shows it.
func (c *Contact) digest() string {
	if c.Shown != "" {
		return c.Shown
	}
	expanded := c.Expand().Contact
	return expanded.Digest()
}

// Fields are the members of a v3 contact that a caller can give, by their v3
// names (v3 contact reference). "" and nil mean that they were not given. The
// password is not among them: it is checked and never kept.
type Fields struct {
	Type              int    `json:"type"` // 0 person, 1 company, 2 association, 3 public body, 4 reseller
	Given             string `json:"given,omitempty"`
	Family            string `json:"family,omitempty"`
	OrgName           string `json:"orgname,omitempty"`
	StreetAddr        string `json:"streetaddr,omitempty"`
	City              string `json:"city,omitempty"`
	Zip               string `json:"zip,omitempty"`
	State             string `json:"state,omitempty"` // free text in v3
	Country           string `json:"country,omitempty"`
	Email             string `json:"email,omitempty"`
	Phone             string `json:"phone,omitempty"` // as the caller sent it
	Fax               string `json:"fax,omitempty"`
	Mobile            string `json:"mobile,omitempty"`
	Lang              string `json:"lang,omitempty"`
	VATNumber         string `json:"vat_number,omitempty"`
	BrandNumber       string `json:"brand_number,omitempty"`
	Siren             string `json:"siren,omitempty"`
	JOAnnounceNumber  string `json:"jo_announce_number,omitempty"`
	JOAnnouncePage    string `json:"jo_announce_page,omitempty"`
	JODeclarationDate string `json:"jo_declaration_date,omitempty"` // YYYY-MM-DD
	JOPublicationDate string `json:"jo_publication_date,omitempty"` // YYYY-MM-DD

	DataObfuscated  *bool `json:"data_obfuscated,omitempty"`
	MailObfuscated  *bool `json:"mail_obfuscated,omitempty"`
	Newsletter      *bool `json:"newsletter,omitempty"`
	ThirdPartResell *bool `json:"third_part_resell,omitempty"`

	SecurityQuestionNum    int64  `json:"security_question_num,omitempty"`
	SecurityQuestionAnswer string `json:"security_question_answer,omitempty"`

	ExtraParameters map[string]string `json:"extra_parameters,omitempty"`
	ShippingAddress map[string]string `json:"shippingaddress,omitempty"`
}

var (
	// ErrUnknown: no contact has that handle here.
	ErrUnknown = errors.New("handle is not known to this gateway")
	// ErrForeign: the handle is another tenant's.
	ErrForeign = errors.New("handle belongs to another tenant")
)

// foldName makes names comparable: lower case, without accents and with single
// blanks for hyphens and other separators.
func foldName(s string) string {
	plain := strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return ' '
	}, norm.NFD.String(s))
	return strings.Join(strings.Fields(plain), " ")
}

// letters are those of a handle: the first of the given name and the first of
// each word of the family name, as in FLN123-GANDI for First Name Last Name
// (migration FAQ). A name without Latin letters gives X.
func letters(given, family string) string {
	const most = 5
	var out []byte
	initial := func(word string) {
		for _, r := range norm.NFD.String(word) {
			if r >= 'a' && r <= 'z' {
				r -= 'a' - 'A'
			}
			if r >= 'A' && r <= 'Z' && len(out) < most {
				out = append(out, byte(r))
				return
			}
		}
	}
	if words := strings.Fields(given); len(words) > 0 {
		initial(words[0])
	}
	for _, word := range strings.Fields(family) {
		initial(word)
	}
	if len(out) == 0 {
		return "X"
	}
	return string(out)
}
