package tenant

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func one(name, key string) Tenant {
	return Tenant{Name: name, KeyHashes: [][32]byte{HashKey(key)}, AuthScheme: "Bearer", AuthSecret: "secret-token"}
}

const keyA, keyB = "aaaaaaaaaaaaaaaaaaaaaaaa", "BBBBBBBBBBBB000000000000"

func TestLookup(t *testing.T) {
	s, err := NewSet(one("a", keyA), one("b", keyB))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		key, want string
		err       error
	}{
		{keyA, "a", nil},
		{keyB, "b", nil},
		{strings.ToLower(keyB), "", ErrUnknown},
		{"", "", ErrMalformed},
		{keyA[1:], "", ErrMalformed},
		{keyA[1:] + "é", "", ErrMalformed},
		{keyA[1:] + "-", "", ErrMalformed},
	} {
		got, _, err := s.Lookup(c.key)
		if !errors.Is(err, c.err) || (got != nil && got.Name != c.want) || (got == nil && c.want != "") {
			t.Errorf("Lookup(%q) = %v, %v", c.key, got, err)
		}
	}
	if s.Anonymous() != nil {
		t.Error("a tenant became anonymous by itself")
	}
	if b, ok := s.Named("b"); !ok || b.Mode != Normal {
		t.Errorf("Named(b) = %+v, %v", b, ok)
	}
}

func TestNewSetNamesWhatIsWrong(t *testing.T) {
	anonymous := one("c", "cccccccccccccccccccccccc")
	anonymous.Anonymous = true
	second := anonymous
	second.Name, second.KeyHashes = "d", nil
	noCredential := one("a", keyA)
	noCredential.AuthSecret = ""
	badMode := one("a", keyA)
	badMode.Mode = "free"
	badRate := one("a", keyA)
	badRate.Limits.Rate = 30
	for _, c := range []struct {
		want    string
		tenants []Tenant
	}{
		{"without a name", []Tenant{one("", keyA)}},
		{"used twice", []Tenant{one("a", keyA), one("a", keyB)}},
		{"share a v3 key", []Tenant{one("a", keyA), one("b", keyA)}},
		{"no v3 key selects it", []Tenant{{Name: "a", AuthScheme: "Apikey", AuthSecret: "x"}}},
		{"credential is missing", []Tenant{noCredential}},
		{"only one can be anonymous", []Tenant{anonymous, second}},
		{`mode "free"`, []Tenant{badMode}},
		{"the rate has no window", []Tenant{badRate}},
	} {
		if _, err := NewSet(c.tenants...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want an error with %q", err, c.want)
		}
	}
}

func TestTenantIsPrintedByNameOnly(t *testing.T) {
	a := one("a", keyA)
	if s := fmt.Sprintf("%v %s", &a, &a); s != "a a" {
		t.Fatalf("printed as %q", s)
	}
}
