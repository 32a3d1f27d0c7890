package sandbox

import (
	"slices"
	"strings"
)

// isoCountries is the ISO 3166-1 alpha-2 list; the documented list is about as
// long and adds a few old and special codes.
const isoCountries = `
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ
BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR
CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR
GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU
ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ
LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ
MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF
PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI
SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR
TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
`

// countryCodes are the accepted values of contact.country.
func countryCodes() []string {
	return append(strings.Fields(isoCountries), "AC", "AN", "TP", "XK", "ZZ")
}

// frenchStates are the regions after 2016 and the overseas departments, which
// are states of FR here (client code).
var frenchStates = []string{
	"ARA", "BFC", "BRE", "CVL", "COR", "GES", "HDF", "IDF", "NOR", "NAQ", "OCC", "PDL", "PAC",
	"GF", "GP", "MQ", "RE", "YT",
}

// personalExtras are the extra_parameters keys for persons (client code).
var personalExtras = []string{
	"birth_city", "birth_country", "birth_date", "birth_department", "brand_number", "duns", "waldec",
}

// registryExtras are the x- keys of extra_parameters, without the x-, as a client
// checked them against production in 2022. Those for corporate accounts only are
// left out: no organization of the sandbox is one.
const registryExtras = `
aero_ens_authid aero_ens_authkey
au_registrant_id_number au_registrant_id_type
barcelona_intendeduse cat_intendeduse eus_intendeduse gal_intendeduse madrid_intendeduse
quebec_intendeduse radio_intendeduse scot_intendeduse sport_intendeduse swiss_intendeduse
barcelona_trademarkid swiss_enterpriseid
ca_legaltype ca_business_entity_type ca_official_rep ca_official_rep_capacity
document_country document_type document_value
es_owner_identification es_admin_identification es_bill_identification es_tech_identification
es_owner_tipo_identification es_admin_tipo_identification es_bill_tipo_identification
es_tech_tipo_identification es_owner_legalform
eu_country_of_citizenship
fi_business_number fi_ident_number fi_isfinish fi_organization_type
hk_registrant_birth_date hk_registrant_document_number hk_registrant_document_origin_country
hk_registrant_document_type hk_registrant_other_document_type
ie_registrant_cro_number ie_registrant_supporting_number ie_registrant_type
it_nationality it_pin it_registrant_entity_type
jobs_website
lt_registrant_legal_id ltda_authority ltda_licensenumber srl_authority srl_licensenumber
my_admin_contact_username my_admin_contact_password my_business_number my_organization_type
no_registrant_identity nu_registrant_idnumber nu_registrant_vatid nyc_extcontact
pro_authority pro_authoritywebsite pro_licensenumber pro_profession
pt_arbitration pt_registrant_vatid pt_roid pt_tech_vatid
ro_registrant_idnumber se_ident_number se_registrant_vatid sg_idnumber tw_company_number
uk_contact_type uk_co_no
us_nexus_category us_app_purpose
xxx_membership_contact xxx_sponsored_community
ca_owner_name coop_sponsor es_identification es_legalform es_tipo_identification lv_idnumber
travel_uin
`

// contactExtra checks a key of a contact's extra_parameters: personal ones and
// those of the registries.
func contactExtra(key string) string {
	if slices.Contains(personalExtras, key) {
		return ""
	}
	return domainExtra(key)
}

// domainExtra checks a key of a domain's extra_parameters: those of the
// registries only.
func domainExtra(key string) string {
	plain, marked := strings.CutPrefix(key, "x-")
	if !marked || !slices.Contains(strings.Fields(registryExtras), plain) && !strings.HasPrefix(plain, "ru_") {
		return "unknown extra parameter"
	}
	return ""
}
