package v5

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
)

// Contact is a whole contact. v5 has no contact entity and no handle: every
// call that concerns a contact carries all of it (v5 documentation).
//
// An empty string, a nil map and a nil pointer mean "not given" and are left
// out of what is sent. v5 requires Type, Given, Family, StreetAddr, Country and
// Email, and OrgName where Type is not individual; this client leaves that
// check to v5.
type Contact struct {
	// Type is individual, company, association or publicbody; in an owner
	// change also reseller. It is always sent as that word. Answers have been
	// seen with the word (v5 documentation) and with v3's number 0 to 4
	// (recorded in 2021); both are read as the word.
	Type       string `json:"type,omitempty"`
	Given      string `json:"given,omitempty"`
	Family     string `json:"family,omitempty"`
	OrgName    string `json:"orgname,omitempty"`
	StreetAddr string `json:"streetaddr,omitempty"`
	City       string `json:"city,omitempty"`
	Zip        string `json:"zip,omitempty"`
	// State is an ISO 3166-2 code with the country in front, as in FR-IDF.
	State string `json:"state,omitempty"`
	// Country is an ISO 3166-1 alpha-2 code.
	Country string `json:"country,omitempty"`
	Email   string `json:"email,omitempty"`
	// Phone, Mobile and Fax have the form +CC.number, as in +33.123456789.
	Phone  string `json:"phone,omitempty"`
	Mobile string `json:"mobile,omitempty"`
	Fax    string `json:"fax,omitempty"`
	// Lang is one of en, es, fr, ja, zh-hans, zh-hant.
	Lang        string `json:"lang,omitempty"`
	Siren       string `json:"siren,omitempty"`
	BrandNumber string `json:"brand_number,omitempty"`
	// The jo_ members describe the registration of a French association.
	JOAnnounceNumber  string `json:"jo_announce_number,omitempty"`
	JOAnnouncePage    string `json:"jo_announce_page,omitempty"`
	JODeclarationDate string `json:"jo_declaration_date,omitempty"`
	JOPublicationDate string `json:"jo_publication_date,omitempty"`
	// DataObfuscated and MailObfuscated hide the contact from public
	// directories. v5 takes true for DataObfuscated where it is not given.
	DataObfuscated *bool `json:"data_obfuscated,omitempty"`
	MailObfuscated *bool `json:"mail_obfuscated,omitempty"`
	// ICANNContractAccept is needed where the owner's mail address changes. The
	// v5 changelog spells the member this way; a second spelling,
	// icann_contract_accepted, was seen in one client and is not sent.
	ICANNContractAccept *bool `json:"icann_contract_accept,omitempty"`
	// ExtraParameters holds the personal keys (birth_date and others) and the
	// x- keys of extensions. Values that v5 answers as numbers or truth values
	// are read as their text, null as "".
	ExtraParameters map[string]string `json:"extra_parameters,omitempty"`

	// ReadOnly is what only v5 can say. It is filled from answers and never
	// sent, nor written when a Contact is stored as JSON.
	ReadOnly ContactState `json:"-"`
}

// ContactState holds the members of a contact that v5 computes.
type ContactState struct {
	// Validation and Reachability are pending, done, failed, deleted or none;
	// "" where v5 left them out.
	Validation   string
	Reachability string
	// SameAsOwner is given on admin, bill and tech only, and was missing in
	// answers recorded in 2021; nil means that v5 did not say.
	SameAsOwner *bool
	// SharingID was seen in one client only.
	SharingID string
}

// contactTypes are the words for v3's numbers, in order. Seen in clients and
// recorded answers.
var contactTypes = [...]string{"individual", "company", "association", "publicbody", "reseller"}

// contactType gives the word for a contact's type, which is a word, or a number 0
// to 4 as text. The error is that of a number without a word.
func contactType(text string) (string, error) {
	if text == "" || (text[0] != '-' && (text[0] < '0' || text[0] > '9')) {
		return text, nil
	}
	for i, name := range contactTypes {
		if text == strconv.Itoa(i) {
			return name, nil
		}
	}
	return "", fmt.Errorf("read contact type: %.40s is none of 0 to %d", text, len(contactTypes)-1)
}

// UnmarshalJSON reads every form of a contact that v5 has been seen to answer.
func (c *Contact) UnmarshalJSON(b []byte) error { return readJSON(string(b), c) }

func (c *Contact) read(r *reader) {
	r.object(func(name string) {
		if text := c.text(name); text != nil {
			*text = r.text()
			return
		}
		switch name {
		case "type":
			word, err := contactType(r.lax())
			if c.Type = word; err != nil && r.err == nil {
				r.err = err
			}
		case "extra_parameters":
			c.ExtraParameters = r.laxTexts()
		case "data_obfuscated":
			c.DataObfuscated = r.maybeTruth()
		case "mail_obfuscated":
			c.MailObfuscated = r.maybeTruth()
		case "icann_contract_accept":
			c.ICANNContractAccept = r.maybeTruth()
		case "same_as_owner":
			c.ReadOnly.SameAsOwner = r.maybeTruth()
		default:
			r.skip()
		}
	})
}

// text is the member of a name that is nothing but text; nil for other names.
func (c *Contact) text(name string) *string {
	switch name {
	case "given":
		return &c.Given
	case "family":
		return &c.Family
	case "orgname":
		return &c.OrgName
	case "streetaddr":
		return &c.StreetAddr
	case "city":
		return &c.City
	case "zip":
		return &c.Zip
	case "state":
		return &c.State
	case "country":
		return &c.Country
	case "email":
		return &c.Email
	case "phone":
		return &c.Phone
	case "mobile":
		return &c.Mobile
	case "fax":
		return &c.Fax
	case "lang":
		return &c.Lang
	case "siren":
		return &c.Siren
	case "brand_number":
		return &c.BrandNumber
	case "jo_announce_number":
		return &c.JOAnnounceNumber
	case "jo_announce_page":
		return &c.JOAnnouncePage
	case "jo_declaration_date":
		return &c.JODeclarationDate
	case "jo_publication_date":
		return &c.JOPublicationDate
	case "validation":
		return &c.ReadOnly.Validation
	case "reachability":
		return &c.ReadOnly.Reachability
	case "sharing_id":
		return &c.ReadOnly.SharingID
	}
	return nil
}

// ContactMembers lists the JSON members of a contact that this client can send,
// sorted.
func ContactMembers() []string {
	return slices.Sorted(slices.Values(members(reflect.TypeFor[Contact]())))
}

// Contacts are the four roles of a domain. Only Owner is sure in an answer; a
// nil role was left out.
type Contacts struct {
	Owner *Contact `json:"owner,omitempty"`
	Admin *Contact `json:"admin,omitempty"`
	Bill  *Contact `json:"bill,omitempty"`
	Tech  *Contact `json:"tech,omitempty"`
}

func (c *Contacts) read(r *reader) {
	r.object(func(name string) {
		switch name {
		case "owner":
			c.Owner = maybe(r, (*Contact).read)
		case "admin":
			c.Admin = maybe(r, (*Contact).read)
		case "bill":
			c.Bill = maybe(r, (*Contact).read)
		case "tech":
			c.Tech = maybe(r, (*Contact).read)
		default:
			r.skip()
		}
	})
}

// contactsPatch is Contacts without the owner, which this route no longer takes
// (v5 changelog of 2026-01-28).
type contactsPatch struct {
	Admin *Contact `json:"admin,omitempty"`
	Bill  *Contact `json:"bill,omitempty"`
	Tech  *Contact `json:"tech,omitempty"`
}

// DomainContacts reads the four contacts of a domain. A domain of another
// account answers 403 or 404, and so does one that is still being created.
func (s *Session) DomainContacts(ctx context.Context, fqdn string) (*Contacts, error) {
	return read[Contacts](ctx, s, request{route: "GET /domain/domains/{d}/contacts", path: []string{fqdn}})
}

// SetContacts changes the admin, bill and tech contacts of a domain; a nil role
// stays as it is. It returns nil where v5 has accepted the change, which is
// carried out later and seen in DomainContacts. An owner, or no role at all, is
// refused here: nothing is sent. v5 has no Dry-Run for this route.
func (s *Session) SetContacts(ctx context.Context, fqdn string, c Contacts) error {
	r := request{
		route: "PATCH /domain/domains/{d}/contacts",
		path:  []string{fqdn},
		body:  contactsPatch{Admin: c.Admin, Bill: c.Bill, Tech: c.Tech},
	}
	if c.Owner != nil {
		return r.refused(errors.New("set contacts: the owner cannot be changed by this route"))
	}
	if c.Admin == nil && c.Bill == nil && c.Tech == nil {
		return r.refused(errors.New("set contacts: no contact is given"))
	}
	_, err := s.do(ctx, r)
	return err
}

// SetOwner changes the data of a domain's owner, who stays the same: v5 refuses
// another type, orgname or, for a person, name, so leave these out. country,
// email and streetaddr are required; what is left out stays as it is (inferred
// from the documented example). nil means that v5 has accepted the change, which
// is carried out later and seen in DomainContacts.
func (s *Session) SetOwner(ctx context.Context, fqdn string, owner Contact) error {
	_, err := s.do(ctx, request{route: "PUT /domain/domains/{d}/contacts/owner", path: []string{fqdn}, body: owner})
	return err
}

// reachabilityOrder asks for another message to an owner whose address was not
// confirmed yet.
type reachabilityOrder struct {
	Action string `json:"action"` // resend
}

// ResendReachability has v5 send the message again that asks a domain's owner to
// confirm the mail address.
func (s *Session) ResendReachability(ctx context.Context, fqdn string) error {
	_, err := s.do(ctx, request{route: "PATCH /domain/domains/{d}/reachability", path: []string{fqdn}, body: reachabilityOrder{"resend"}})
	return err
}
