package translate

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"v3gate/internal/fault"
	"v3gate/internal/handles"
)

// countries are the country codes of v3, in the order of its own error text
// (contact FAQ); CW and BQ came later (v3 domain reference).
const countries = "AF,ZA,AL,DZ,DE,AD,AO,AI,AG,AN,SA,AR,AM,AW,AC,AU,AT,AZ,BS,BH,BD,BB,BY,BE,BZ," +
	"BJ,BM,BT,BO,BA,BW,BR,BN,BG,BF,BI,KH,CM,CA,CV,KY,CF,CL,CN,CY,CO,KM,CG,CD,CK," +
	"KR,KP,CR,CI,HR,CU,DK,DJ,DO,DM,EG,SV,AE,EC,ER,ES,EE,US,ET,FK,FO,FJ,FI,FR,GA," +
	"GM,GE,GH,GI,GR,GD,GL,GU,GT,GN,GQ,GW,GY,HT,HI,HN,HK,HU,IN,ID,IR,IQ,IE,IS,IL," +
	"IT,JM,JP,JE,JO,KZ,KE,KG,KI,KW,LA,LS,LV,LB,LR,LY,LI,LT,LU,MO,MK,MG,MY,MW,MV," +
	"ML,MT,MP,MA,MH,MU,MR,MX,FM,MD,MC,MN,MS,MZ,MM,NA,NR,NP,NI,NE,NG,NU,NF,NO,NZ," +
	"OM,UG,UZ,PK,PW,PS,PA,PG,PY,NL,PE,PH,PL,PT,PR,QA,RO,GB,RU,RW,SH,LC,KN,SM,VC," +
	"SB,AS,WS,ST,SN,SC,SL,SG,SK,SI,SO,SD,LK,SE,CH,SR,SZ,SY,TJ,TW,TZ,TD,CZ,TH,TP," +
	"TG,TK,TO,TT,TN,TM,TC,TR,TV,UA,UY,VU,VE,VI,VG,VN,YE,ZM,ZW,RE,PF,AQ,GF,NC,MQ," +
	"GP,PM,TF,YT,RS,TL,CC,CX,HM,AX,BV,GS,GG,IM,ME,IO,PN,EH,BL,MF,VA,SJ,WF,EP"

// unsendable are codes that v3 knew and v5 does not.
var unsendable = []string{"HI", "EP"}

// phonePattern is the original's (seen in a client's test data). The contact FAQ
// also has numbers without the dot, which digitsPattern takes.
const phonePattern = `^\+\d{1,3}\.\d+$`

var (
	phoneForm     = regexp.MustCompile(phonePattern)
	digitsPattern = regexp.MustCompile(`^\+\d{6,15}$`)
	emailForm     = regexp.MustCompile(`^[^\s@]{1,64}@(?:[A-Za-z0-9](?:[-A-Za-z0-9]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}$`)
	langForm      = regexp.MustCompile(`^[A-Za-z]{2}(?:-[A-Za-z]{4})?$`)
	extraForm     = regexp.MustCompile(`^x-[a-z]+_[a-z_]+$|^x-document_[a-z]+$`)
)

// personalKeys are the extra_parameters without an x- (contact FAQ, v5
// documentation).
var personalKeys = []string{"birth_city", "birth_country", "birth_date", "birth_department", "brand_number", "duns", "waldec"}

// checkContact finds everything that is wrong with the fields of a contact that
// were given, in the order of the fields. What is missing from a new one the
// binder has found already; has is the contact that is to be changed, nil for a
// new one.
func checkContact(p *contactParams, has *handles.Contact) []FieldError {
	wrong := checkType(p, has)
	add := func(e FieldError) { wrong = append(wrong, e) }
	if country := strings.ToUpper(p.Country); p.Country != "" && !knownCountry(country) {
		add(enumError("country", fault.CountryCode, fmt.Sprintf("country: '%s' not in list %s", clip(p.Country), countries)))
	}
	if p.Email != "" && !emailForm.MatchString(p.Email) {
		add(matchError("email", fault.Email, p.Email, emailForm.String()))
	}
	for _, f := range []struct{ name, value string }{{"phone", p.Phone}, {"fax", p.Fax}, {"mobile", p.Mobile}} {
		if f.value != "" && !phoneForm.MatchString(f.value) && !digitsPattern.MatchString(f.value) {
			add(matchError(f.name, fault.Phone, f.value, phonePattern))
		}
	}
	if p.Password != "" && len([]rune(p.Password)) < 6 {
		add(FieldError{Field: "password", Type: "String", Error: "EC_VALIDPASSWORD", Object: fault.Password,
			Cause: fault.CauseBadParameter, Reason: "password: it has less than 6 characters"})
	}
	if p.Lang != "" && !langForm.MatchString(p.Lang) {
		add(matchError("lang", fault.ISOLanguage, p.Lang, langForm.String()))
	}
	if p.SecurityQuestionNum < 0 || p.SecurityQuestionNum > 6 {
		add(FieldError{Field: "security_question_num", Type: "Integer", Error: "EC_INTGREATER", Object: fault.Integer,
			Cause: fault.CauseValue, Reason: fmt.Sprintf("security_question_num: %d is not between 1 and 6", p.SecurityQuestionNum)})
	}
	if p.AcceptContract != nil && !*p.AcceptContract {
		add(FieldError{Field: "accept_contract", Type: "Boolean", Error: "EC_VALIDBOOL", Object: fault.Boolean,
			Cause: fault.CauseValue, Reason: "accept_contract: it must be true, since v5 takes a contact as accepted"})
	}
	return append(wrong, checkExtra(p.ExtraParameters)...)
}

// checkType checks the type, and that all but persons have an orgname.
func checkType(p *contactParams, has *handles.Contact) []FieldError {
	kind, orgname := int64(0), p.OrgName
	if has != nil {
		kind, orgname = int64(has.Type), cmp.Or(orgname, has.OrgName)
	}
	if p.Type != nil {
		kind = *p.Type
	}
	switch {
	case has != nil && (p.Type == nil || kind == int64(has.Type)) && kind == 4:
	case kind == 4:
		return []FieldError{enumError("type", fault.ContactType, "type: 4, reseller, cannot be created through this gateway")}
	case kind < 0 || kind > 3:
		return []FieldError{enumError("type", fault.ContactType, fmt.Sprintf("type: %d not in list 0,1,2,3", kind))}
	case kind > 0 && orgname == "":
		return []FieldError{{Field: "orgname", Type: "String", Error: "EC_MISSINGMANDATORY", Object: fault.Struct,
			Cause: fault.CauseExpected, Reason: "orgname is missing; it is needed for every type but 0"}}
	}
	return nil
}

func checkExtra(extra map[string]string) []FieldError {
	var wrong []FieldError
	for _, m := range sorted(extra) {
		if !slices.Contains(personalKeys, m.Name) && !extraForm.MatchString(m.Name) {
			wrong = append(wrong, FieldError{Field: m.Name, Type: "String", Error: "EC_UNKNOWNFIELD", Object: fault.Struct,
				Cause: fault.CauseUnexpected, Reason: fmt.Sprintf("extra_parameters has no member %q", clip(m.Name))})
		}
	}
	return wrong
}

func knownCountry(code string) bool {
	return len(code) == 2 && (strings.Contains(countries+",", code+",") || code == "CW" || code == "BQ")
}

// matchError is the fault of a string of the wrong form, with the recorded text.
func matchError(name string, o fault.Object, value, pattern string) FieldError {
	return FieldError{Field: name, Type: "String", Error: "!EC_STRMATCH", Object: o, Cause: fault.CauseBadParameter,
		Reason: fmt.Sprintf("%s: string '%s' does not match '%s'", name, clip(value), pattern)}
}

func enumError(name string, o fault.Object, reason string) FieldError {
	return FieldError{Field: name, Type: "Enum", Error: "!EC_ENUMIN", Object: o, Cause: fault.CauseValue, Reason: reason}
}
