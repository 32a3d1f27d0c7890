package translate

import (
	"context"
	"maps"
	"slices"
	"time"

	"v3gate/internal/handles"
	"v3gate/internal/xmlrpc"
)

// contactCreateIn is what contact.create takes (v3 contact reference).
type contactCreateIn struct {
	Params contactParams `v3:"params"`
}

// contactParams are the fields of a new contact. Empty strings count as not
// given: one client sends every field.
type contactParams struct {
	Type                   *int64            `v3:"type"`
	Given                  string            `v3:"given"`
	Family                 string            `v3:"family"`
	StreetAddr             string            `v3:"streetaddr"`
	City                   string            `v3:"city"`
	Country                string            `v3:"country"`
	Zip                    string            `v3:"zip,opt"`
	Email                  string            `v3:"email"`
	Phone                  string            `v3:"phone"`
	Password               string            `v3:"password"`
	OrgName                string            `v3:"orgname,opt"`
	State                  string            `v3:"state,opt"`
	Fax                    string            `v3:"fax,opt"`
	Mobile                 string            `v3:"mobile,opt"`
	Lang                   string            `v3:"lang,opt"`
	VATNumber              string            `v3:"vat_number,opt"`
	BrandNumber            string            `v3:"brand_number,opt"`
	Siren                  string            `v3:"siren,opt"`
	JOAnnounceNumber       string            `v3:"jo_announce_number,opt"`
	JOAnnouncePage         string            `v3:"jo_announce_page,opt"`
	JODeclarationDate      *time.Time        `v3:"jo_declaration_date,opt"`
	JOPublicationDate      *time.Time        `v3:"jo_publication_date,opt"`
	DataObfuscated         *bool             `v3:"data_obfuscated,opt"`
	MailObfuscated         *bool             `v3:"mail_obfuscated,opt"`
	Newsletter             *bool             `v3:"newsletter,opt"`
	ThirdPartResell        *bool             `v3:"third_part_resell,opt"`
	AcceptContract         *bool             `v3:"accept_contract,opt"`
	ExtraParameters        map[string]string `v3:"extra_parameters,opt"`
	Community              xmlrpc.Value      `v3:"community" ignore:"a marketing field of the old service"`
	CommunityHash          xmlrpc.Value      `v3:"community_hash" ignore:"a marketing field of the old service"`
	CommunityReferer       xmlrpc.Value      `v3:"community_referer" ignore:"a marketing field of the old service"`
	SecurityQuestionNum    int64             `v3:"security_question_num,opt"`
	SecurityQuestionAnswer string            `v3:"security_question_answer,opt"`
	ShippingAddress        map[string]string `v3:"shippingaddress,opt"`
}

// fields are what is kept of the parameters; the password is not.
func (p *contactParams) fields() handles.Fields {
	return handles.Fields{
		Type: int(*p.Type), Given: p.Given, Family: p.Family, OrgName: p.OrgName, StreetAddr: p.StreetAddr,
		City: p.City, Zip: p.Zip, State: p.State, Country: p.Country, Email: p.Email, Phone: p.Phone,
		Fax: p.Fax, Mobile: p.Mobile, Lang: p.Lang, VATNumber: p.VATNumber, BrandNumber: p.BrandNumber,
		Siren: p.Siren, JOAnnounceNumber: p.JOAnnounceNumber, JOAnnouncePage: p.JOAnnouncePage,
		JODeclarationDate: day(p.JODeclarationDate), JOPublicationDate: day(p.JOPublicationDate),
		DataObfuscated: p.DataObfuscated, MailObfuscated: p.MailObfuscated,
		Newsletter: p.Newsletter, ThirdPartResell: p.ThirdPartResell,
		SecurityQuestionNum: p.SecurityQuestionNum, SecurityQuestionAnswer: p.SecurityQuestionAnswer,
		ExtraParameters: p.ExtraParameters, ShippingAddress: p.ShippingAddress,
	}
}

func day(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.DateOnly)
}

func contactCreateCheck(_ context.Context, _ *Call, in contactCreateIn) (handles.Fields, []FieldError, error) {
	return in.Params.fields(), checkContact(&in.Params, nil), nil
}

func contactCreateDo(_ context.Context, c *Call, f handles.Fields) (contactOut, error) {
	contact, err := c.Book.Create(c.Tenant.Name, f)
	if err != nil {
		return contactOut{}, err
	}
	expanded := contact.Expand()
	for _, name := range expanded.Dropped {
		c.ignored("params." + name)
	}
	return contactAnswer(&contact), nil
}

type contactInfoIn struct {
	Handle string `v3:"handle,opt"`
}

// contactInfo answers a contact; without a handle the caller's own, which
// Gandi's own client relies on.
func contactInfo(ctx context.Context, c *Call, in contactInfoIn) (contactOut, error) {
	if in.Handle == "" {
		own, err := c.source()
		if err != nil {
			return contactOut{}, err
		}
		in.Handle = own
	}
	contact, err := c.contact(ctx, "handle", in.Handle)
	if err != nil {
		return contactOut{}, err
	}
	return contactAnswer(&contact), nil
}

// contactOut is a contact as v3 gave it (recorded). The flags are ints and not
// booleans, and the members of companyOut are missing for persons.
type contactOut struct {
	ID         int64   `v3:"id"`
	Handle     string  `v3:"handle"`
	Type       int     `v3:"type"`
	Given      string  `v3:"given"`
	Family     string  `v3:"family"`
	Email      string  `v3:"email"`
	Phone      string  `v3:"phone"`
	Mobile     *string `v3:"mobile"`
	Fax        *string `v3:"fax"`
	StreetAddr string  `v3:"streetaddr"`
	Zip        string  `v3:"zip"`
	City       string  `v3:"city"`
	State      *string `v3:"state"`
	Country    string  `v3:"country"`
	Lang       string  `v3:"lang"`
	VATNumber  *string `v3:"vat_number"`
	*companyOut
	IsCorporate            bool         `v3:"is_corporate"`
	Community              bool         `v3:"community"`
	DataObfuscated         int          `v3:"data_obfuscated"`
	MailObfuscated         int          `v3:"mail_obfuscated"`
	Newsletter             int          `v3:"newsletter"`
	ThirdPartResell        int          `v3:"third_part_resell"`
	Reachability           string       `v3:"reachability"`
	Validation             string       `v3:"validation"`
	SecurityQuestionNum    int64        `v3:"security_question_num"`
	SecurityQuestionAnswer string       `v3:"security_question_answer"`
	ExtraParameters        keyed        `v3:"extra_parameters"`
	ShippingAddress        keyed        `v3:"shippingaddress"`
	BU                     businessUnit `v3:"bu"`
}

type companyOut struct {
	OrgName     string  `v3:"orgname"`
	Siren       string  `v3:"siren"`
	BrandNumber *string `v3:"brand_number"`
	IsResel     bool    `v3:"is_resel"`
	*associationOut
}

// associationOut are given back as they came; the original's answer for an
// association was never seen.
type associationOut struct {
	JOAnnounceNumber  *string `v3:"jo_announce_number"`
	JOAnnouncePage    *string `v3:"jo_announce_page"`
	JODeclarationDate *string `v3:"jo_declaration_date"`
	JOPublicationDate *string `v3:"jo_publication_date"`
}

// businessUnit is the Gandi company that a contact was with; always the same in
// the recordings.
type businessUnit struct {
	ID            int      `v3:"id"`
	Name          string   `v3:"name"`
	ForbiddenTLDs []string `v3:"forbidden_tlds"`
}

func contactAnswer(c *handles.Contact) contactOut {
	out := contactOut{
		ID: c.ID, Handle: c.Handle, Type: c.Type, Given: c.Given, Family: c.Family, Email: c.Email,
		Phone: c.Phone, Mobile: orNil(c.Mobile), Fax: orNil(c.Fax), StreetAddr: c.StreetAddr, Zip: c.Zip,
		City: c.City, State: orNil(c.State), Country: c.Country, Lang: c.Lang, VATNumber: orNil(c.VATNumber),
		DataObfuscated: flag(c.DataObfuscated), MailObfuscated: flag(c.MailObfuscated),
		Newsletter: flag(c.Newsletter), ThirdPartResell: flag(c.ThirdPartResell),
		Reachability: "none", Validation: "none",
		SecurityQuestionNum: c.SecurityQuestionNum, SecurityQuestionAnswer: c.SecurityQuestionAnswer,
		ExtraParameters: sorted(withBirth(c.ExtraParameters)), ShippingAddress: sorted(c.ShippingAddress),
		BU: businessUnit{ID: 1, Name: "Gandi SAS", ForbiddenTLDs: []string{}},
	}
	if out.Lang == "" {
		out.Lang = "en"
	}
	if c.Type == 0 {
		return out
	}
	out.companyOut = &companyOut{OrgName: c.OrgName, Siren: c.Siren, BrandNumber: orNil(c.BrandNumber), IsResel: c.Type == 4}
	if c.Type == 2 {
		out.associationOut = &associationOut{
			JOAnnounceNumber: orNil(c.JOAnnounceNumber), JOAnnouncePage: orNil(c.JOAnnouncePage),
			JODeclarationDate: orNil(c.JODeclarationDate), JOPublicationDate: orNil(c.JOPublicationDate),
		}
	}
	return out
}

// withBirth adds the four birth_ keys, which v3 always showed, empty where they
// were not set (recorded).
func withBirth(extra map[string]string) map[string]string {
	out := map[string]string{"birth_city": "", "birth_country": "", "birth_date": "", "birth_department": ""}
	maps.Copy(out, extra)
	return out
}

func sorted(m map[string]string) keyed {
	out := make(keyed, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, xmlrpc.M(name, xmlrpc.String(m[name])))
	}
	return out
}

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func flag(b *bool) int {
	if b != nil && *b {
		return 1
	}
	return 0
}
