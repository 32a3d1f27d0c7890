package handles

import (
	"maps"
	"slices"
	"strings"

	"v3gate/internal/v5"
)

// Expansion is a v3 contact as a v5 call carries it.
type Expansion struct {
	Contact v5.Contact
	// Dropped names the v3 fields whose value v5 has no form for. They are left
	// out of the call and given back by contact.info all the same.
	Dropped []string
}

// types are v5's words for v3's numbers (v3 contact glossary, v5
// documentation).
var types = [...]string{"individual", "company", "association", "publicbody", "reseller"}

// languages are v5's, by v3's two letters. v3 had one Chinese, v5 has two.
var languages = map[string]string{
	"en": "en", "es": "es", "fr": "fr", "ja": "ja", "zh": "zh-hans", "zh-hans": "zh-hans", "zh-hant": "zh-hant",
}

// overseas are the countries of v3 that v5 wants as a part of France (seen in
// Gandi's own module for a billing system).
var overseas = []string{"GF", "GP", "MQ", "RE", "YT"}

// Expand turns a contact into the whole contact that v5 wants. Fields that v5
// does not have (vat_number, newsletter, third_part_resell, the security
// question, shippingaddress) stay with the gateway.
func (c *Contact) Expand() Expansion {
	var e Expansion
	e.Contact = v5.Contact{
		Given: c.Given, Family: c.Family, OrgName: c.OrgName, StreetAddr: c.StreetAddr,
		City: c.City, Zip: c.Zip, Country: strings.ToUpper(c.Country), Email: c.Email,
		Phone: dotted(c.Phone), Mobile: dotted(c.Mobile), Fax: dotted(c.Fax),
		Siren: c.Siren, BrandNumber: c.BrandNumber,
		JOAnnounceNumber: c.JOAnnounceNumber, JOAnnouncePage: c.JOAnnouncePage,
		JODeclarationDate: c.JODeclarationDate, JOPublicationDate: c.JOPublicationDate,
		DataObfuscated: c.DataObfuscated, MailObfuscated: c.MailObfuscated,
	}
	if c.Type >= 0 && c.Type < len(types) {
		e.Contact.Type = types[c.Type]
	}
	e.place(c)
	if c.Lang != "" {
		if e.Contact.Lang = languages[strings.ToLower(c.Lang)]; e.Contact.Lang == "" {
			e.Dropped = append(e.Dropped, "lang")
		}
	}
	extra := maps.Clone(c.ExtraParameters)
	maps.DeleteFunc(extra, func(_, value string) bool { return value == "" })
	if len(extra) > 0 {
		e.Contact.ExtraParameters = extra
	}
	return e
}

// place sets country and state.
func (e *Expansion) place(c *Contact) {
	if slices.Contains(overseas, e.Contact.Country) {
		e.Contact.Country, e.Contact.State = "FR", "FR-"+e.Contact.Country
		return
	}
	if c.State != "" {
		if e.Contact.State = stateCode(e.Contact.Country, c.State); e.Contact.State == "" {
			e.Dropped = append(e.Dropped, "state")
		}
	}
}

// fromV5 makes v3 fields of a contact that v5 shows.
func fromV5(c *v5.Contact) Fields {
	f := Fields{
		Given: c.Given, Family: c.Family, OrgName: c.OrgName, StreetAddr: c.StreetAddr, City: c.City,
		Zip: c.Zip, State: c.State, Country: c.Country, Email: c.Email, Phone: c.Phone,
		Fax: c.Fax, Mobile: c.Mobile, Lang: c.Lang, BrandNumber: c.BrandNumber, Siren: c.Siren,
		JOAnnounceNumber: c.JOAnnounceNumber, JOAnnouncePage: c.JOAnnouncePage,
		JODeclarationDate: c.JODeclarationDate, JOPublicationDate: c.JOPublicationDate,
		DataObfuscated: c.DataObfuscated, MailObfuscated: c.MailObfuscated,
		ExtraParameters: maps.Clone(c.ExtraParameters),
	}
	f.Type = max(0, slices.Index(types[:], c.Type))
	return f
}

// FromUser makes the fields of a tenant's own contact from v5's user and, where
// the tenant has an organization, from that. contact.info shows it; v5 decides
// whether it is enough to own a domain.
func FromUser(u *v5.UserInfo, org *v5.Organization) Fields {
	f := Fields{
		Given: u.FirstName, Family: u.LastName, StreetAddr: u.StreetAddr, City: u.City, Zip: u.Zip,
		State: u.State, Country: u.Country, Email: u.Email, Phone: u.Phone, Fax: u.Fax, Lang: u.Lang,
	}
	if f.Family == "" {
		f.Family = u.Name
	}
	if org != nil && org.Type != "individual" {
		f.Type = max(0, slices.Index(types[:], org.Type))
		if f.OrgName = org.OrgName; f.OrgName == "" {
			f.OrgName = org.Name
		}
	}
	return f
}

// callingCodes are the country calling codes of one and two digits (ITU E.164);
// all others have three.
var callingCodes = []string{
	"1", "7", "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49",
	"51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84", "86",
	"90", "91", "92", "93", "94", "95", "98",
}

// dotted gives a phone number the form +CC.number that v5 wants. The contact FAQ
// has numbers without the dot; where it goes follows from the calling code.
func dotted(phone string) string {
	rest, ok := strings.CutPrefix(phone, "+")
	if !ok || strings.Contains(rest, ".") || len(rest) < 4 {
		return phone
	}
	for _, code := range callingCodes {
		if strings.HasPrefix(rest, code) {
			return "+" + code + "." + rest[len(code):]
		}
	}
	return "+" + rest[:3] + "." + rest[3:]
}
