package handles

import (
	"regexp"
	"strings"
)

// subdivisions are the ISO 3166-2 codes of the countries whose registries ask
// for a state, with the names people write. v3 took free text (v3 contact
// reference), v5 wants the code.
var subdivisions = map[string]map[string]string{
	"US": {"AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado",
		"CT": "Connecticut", "DE": "Delaware", "DC": "District of Columbia", "FL": "Florida", "GA": "Georgia",
		"HI": "Hawaii", "ID": "Idaho", "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas",
		"KY": "Kentucky", "LA": "Louisiana", "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan",
		"MN": "Minnesota", "MS": "Mississippi", "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada",
		"NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico", "NY": "New York", "NC": "North Carolina",
		"ND": "North Dakota", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania", "RI": "Rhode Island",
		"SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas", "UT": "Utah", "VT": "Vermont",
		"VA": "Virginia", "WA": "Washington", "WV": "West Virginia", "WI": "Wisconsin", "WY": "Wyoming"},
	"CA": {"AB": "Alberta", "BC": "British Columbia", "MB": "Manitoba", "NB": "New Brunswick",
		"NL": "Newfoundland and Labrador", "NS": "Nova Scotia", "NT": "Northwest Territories", "NU": "Nunavut",
		"ON": "Ontario", "PE": "Prince Edward Island", "QC": "Quebec", "SK": "Saskatchewan", "YT": "Yukon"},
	"FR": {"ARA": "Auvergne-Rhone-Alpes", "BFC": "Bourgogne-Franche-Comte", "BRE": "Bretagne",
		"CVL": "Centre-Val de Loire", "COR": "Corse", "GES": "Grand Est", "HDF": "Hauts-de-France",
		"IDF": "Ile-de-France", "NOR": "Normandie", "NAQ": "Nouvelle-Aquitaine", "OCC": "Occitanie",
		"PDL": "Pays de la Loire", "PAC": "Provence-Alpes-Cote d'Azur", "GF": "Guyane", "GP": "Guadeloupe",
		"MQ": "Martinique", "RE": "La Reunion", "YT": "Mayotte"},
	"AU": {"ACT": "Australian Capital Territory", "NSW": "New South Wales", "NT": "Northern Territory",
		"QLD": "Queensland", "SA": "South Australia", "TAS": "Tasmania", "VIC": "Victoria", "WA": "Western Australia"},
}

var codeForm = regexp.MustCompile(`^[A-Z]{2}-[A-Z0-9]{1,3}$`)

// stateCode finds the code of a state as v5 wants it, from a code with or
// without the country or from a name; "" when it is none. A whole code of the
// right country is taken as it is: v5 knows countries that the table does not.
func stateCode(country, state string) string {
	state = strings.TrimSpace(state)
	upper := strings.ToUpper(state)
	if codeForm.MatchString(upper) {
		if strings.HasPrefix(upper, country+"-") {
			return upper
		}
		return ""
	}
	for code, name := range subdivisions[country] {
		if upper == code || foldName(state) == foldName(name) {
			return country + "-" + code
		}
	}
	return ""
}
