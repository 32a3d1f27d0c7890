package main

import (
	"errors"
	"strconv"
	"time"

	"v3gate/internal/estate"
)

// What kolo/xmlrpc makes of the old service's values, taken as leniently as its
// clients had to.

// text is a value as text; "" for nil and for what is none.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case time.Time:
		return v.Format(time.DateOnly)
	}
	return ""
}

// number is an int, also one that is written as a string; 0 for what is none.
func number(v any) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case string:
		n, _ := strconv.ParseInt(v, 10, 64)
		return n
	}
	return 0
}

// truth is a flag, which v3 gave as an int; nil where there is none.
func truth(v any) *bool {
	var b bool
	switch v := v.(type) {
	case bool:
		b = v
	case int64:
		b = v != 0
	case string:
		b = v == "1" || v == "true"
	default:
		return nil
	}
	return &b
}

// texts is a struct of texts. Empty ones are left out: v3 showed keys that were
// never set (recorded).
func texts(v any) map[string]string {
	m, _ := v.(map[string]any)
	var out map[string]string
	for name, v := range m {
		if t := text(v); t != "" {
			if out == nil {
				out = map[string]string{}
			}
			out[name] = t
		}
	}
	return out
}

// computed are members of a contact that the gateway computes itself.
var computed = map[string]bool{"is_corporate": true, "community": true, "reachability": true, "validation": true, "bu": true, "is_resel": true}

// v3Contact reads a contact, and names the members that are not kept.
func v3Contact(m map[string]any) (e estate.Entry, left []string, err error) {
	to := map[string]*string{
		"handle": &e.Handle, "given": &e.Given, "family": &e.Family, "orgname": &e.OrgName, "streetaddr": &e.StreetAddr,
		"city": &e.City, "zip": &e.Zip, "state": &e.State, "country": &e.Country, "email": &e.Email, "phone": &e.Phone,
		"fax": &e.Fax, "mobile": &e.Mobile, "lang": &e.Lang, "vat_number": &e.VATNumber, "brand_number": &e.BrandNumber,
		"siren": &e.Siren, "jo_announce_number": &e.JOAnnounceNumber, "jo_announce_page": &e.JOAnnouncePage,
		"jo_declaration_date": &e.JODeclarationDate, "jo_publication_date": &e.JOPublicationDate,
		"security_question_answer": &e.SecurityQuestionAnswer,
	}
	flags := map[string]**bool{"data_obfuscated": &e.DataObfuscated, "mail_obfuscated": &e.MailObfuscated,
		"newsletter": &e.Newsletter, "third_part_resell": &e.ThirdPartResell}
	for name, v := range m {
		switch {
		case to[name] != nil:
			*to[name] = text(v)
		case flags[name] != nil:
			*flags[name] = truth(v)
		case name == "id":
			e.ID = number(v)
		case name == "type":
			e.Type = int(number(v))
		case name == "security_question_num":
			e.SecurityQuestionNum = number(v)
		case name == "extra_parameters":
			e.ExtraParameters = texts(v)
		case name == "shippingaddress":
			e.ShippingAddress = texts(v)
		case !computed[name]:
			left = append(left, name)
		}
	}
	if e.Handle == "" || e.ID == 0 {
		return e, left, errors.New("it has no handle or no id")
	}
	if _, ok := m["type"]; !ok {
		return e, left, errors.New("it has no type")
	}
	return e, left, nil
}
