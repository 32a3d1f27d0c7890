package fault

import (
	"fmt"
	"strings"
	"testing"
)

// The observed pairs: number and text as the original sent them (recorded).
func TestObservedPairs(t *testing.T) {
	for _, c := range []struct {
		err  *Error
		code int
		text string
	}{
		{New(Account, CauseNoRight, "Invalid API key"), 510150,
			"Error on object : OBJECT_ACCOUNT (CAUSE_NORIGHT) [Invalid API key]"},
		{New(Unknown, CauseBadParameter, "string '%s' does not match '^[a-z0-9]{24}$'", "x"), 500037,
			"Error on object : OBJECT_UNKNOWN (CAUSE_BADPARAMETER) [string 'x' does not match '^[a-z0-9]{24}$']"},
		{New(Domain, CauseNotFound, "Domain 'a.com' doesn't exist."), 510042,
			"Error on object : OBJECT_DOMAIN (CAUSE_NOTFOUND) [Domain 'a.com' doesn't exist.]"},
		{New(Contact, CauseNoRight, "You aren't allowed to read that contact"), 516150,
			"Error on object : OBJECT_CONTACT (CAUSE_NORIGHT) [You aren't allowed to read that contact]"},
		{New(FQDN, CauseBadParameter, "x"), 505237, "Error on object : OBJECT_FQDN (CAUSE_BADPARAMETER) [x]"},
		{New(Zone, CauseNotFound, "no such zone (id: 0)"), 581042,
			"Error on object : OBJECT_ZONE (CAUSE_NOTFOUND) [no such zone (id: 0)]"},
		{New(HostingAccount, CauseDontExist, "no hosting account found for XX000-GANDI"), 530040,
			"Error on object : OBJECT_HOSTING_ACCOUNT (CAUSE_DONTEXIST) [no hosting account found for XX000-GANDI]"},
		{Disabled("why"), 501654, "Error on object : OBJECT_METHOD (CAUSE_DISABLED) [why]"},
		{New(Service, CauseServerUnavailable, "x"), 160005, "Error on object : OBJECT_SERVICE (CAUSE_UNAVAILABLE) [x]"},
		{New(Service, CauseServerConf, "x"), 160030, "Error on object : OBJECT_SERVICE (CAUSE_CONF) [x]"},
		{Internal("r1"), 150000,
			"Error on object : OBJECT_APPLICATION (CAUSE_UNKNOWN) [Internal Server Error, request r1]"},
	} {
		if c.err.Code() != c.code || c.err.Text() != c.text {
			t.Errorf("got %d %q, want %d %q", c.err.Code(), c.err.Text(), c.code, c.text)
		}
	}
}

func TestEveryConstantHasASymbol(t *testing.T) {
	seen := map[string]Object{}
	for o, name := range objectNames {
		if name != strings.ToUpper(name) || name == "" {
			t.Errorf("object %d: symbol %q", o, name)
		}
		if other, ok := seen[name]; ok {
			t.Errorf("objects %d and %d share the symbol %s", o, other, name)
		}
		seen[name] = o
		if c := o.class(); c != 1 && c != 5 {
			t.Errorf("object %s has class %d", name, c)
		}
	}
	for c, name := range causeNames {
		if got, ok := CauseNamed("CAUSE_" + name); c < 1000 && (!ok || got != c) {
			t.Errorf("CauseNamed(CAUSE_%s) = %v, %v", name, got, ok)
		}
	}
	if _, ok := CauseNamed("Not Found"); ok {
		t.Error("CauseNamed knows a word that is no cause")
	}
}

func TestAsFindsTheFaultInAChain(t *testing.T) {
	f := New(Domain, CauseState, "x")
	got, ok := As(fmt.Errorf("renew: %w", f))
	if !ok || got != f {
		t.Fatalf("As = %v, %v", got, ok)
	}
	if f.Server() || !Internal("r").Server() {
		t.Fatal("Server() mixes the classes up")
	}
}
