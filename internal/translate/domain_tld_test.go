package translate

import (
	"slices"
	"strings"
	"testing"
)

// Divergence 77: every country is in one region, and the ids stay.
func TestTLDRegionsAndIDs(t *testing.T) {
	seen := map[string]string{}
	for _, r := range regionCodes {
		for _, code := range strings.Fields(r.codes) {
			if seen[code] != "" {
				t.Errorf("%s is in %s and %s", code, seen[code], r.region)
			}
			seen[code] = r.region
		}
	}
	for _, country := range reference(t).Enum("CountryIso").Values {
		if code := strings.ToLower(country); seen[code] == "" && !slices.Contains([]string{"bv", "eh", "um", "tp", "zz", "hi", "ep"}, code) {
			t.Errorf("%s is in no region", code)
		}
	}
	if regionOf("co.uk") != "europe" || regionOf("com") != "generic" {
		t.Errorf("co.uk is in %s, com in %s", regionOf("co.uk"), regionOf("com"))
	}
	if id := tldID("com"); id != 1905119967 {
		t.Errorf("com has the id %d", id)
	}
}
