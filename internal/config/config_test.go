package config

import (
	"fmt"
	"strings"
	"testing"
)

func good() Config {
	c := Default()
	c.Store = "/tmp/store.db"
	c.Tenants = []Tenant{{Name: "default", V3Key: strings.Repeat("k", 24), V5Token: "tok-secret"}}
	return c
}

func TestValidateSaysEverythingAtOnce(t *testing.T) {
	if err := good().Validate(); err != nil {
		t.Fatalf("a good configuration: %v", err)
	}
	bad := good()
	bad.Listen, bad.Store, bad.V5URL, bad.V5Rate = "8080", "", "api.gandi.net", -1
	bad.FirstID, bad.PaidWait = 1<<40, 0
	bad.Tenants = []Tenant{{Name: "a", V3Key: "short", OwnHandle: "x"}, {Name: "b", V5Token: "x", V5APIKey: "y"}}
	err := bad.Validate()
	if err == nil {
		t.Fatal("taken")
	}
	for _, want := range []string{`listen: "8080"`, "store:", `v5-url: "api.gandi.net"`, "v5-rate", "first-id", "paid-wait",
		"tenant a: v3 key is not 24", "tenant a: v5 credential", `tenant a: own handle "x"`,
		"tenant b: v3 key is missing", "tenant b: both"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
	none := good()
	none.Tenants = nil
	if err := none.Validate(); err == nil || !strings.Contains(err.Error(), "--sandbox") {
		t.Errorf("no tenant: %v", err)
	}
}

func TestPrintingNeverShowsSecrets(t *testing.T) {
	c := good()
	c.Tenants[0].V5APIKey = "api-secret"
	for _, format := range []string{"%v", "%+v", "%s", "%#v"} {
		out := fmt.Sprintf(format, c)
		if strings.Contains(out, "secret") || strings.Contains(out, c.Tenants[0].V3Key) {
			t.Errorf("%s shows a secret: %s", format, out)
		}
	}
}
