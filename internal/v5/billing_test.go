package v5

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestBillingIsThatOfTheOrganization(t *testing.T) {
	var path string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.RequestURI()
		w.Write([]byte(`{"annual_balance":1.5,"grid":"A","outstanding_amount":2,"prepaid":{"amount":976.00,"currency":"EUR","warning_threshold":10,"created_at":"2020-01-02T03:04:05Z"}}`))
	}))
	defer server.Close()
	c, err := New(Options{BaseURL: server.URL + "/v5"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for id, want := range map[string]string{"": "/v5/billing/info", "e58f2734": "/v5/billing/info/e58f2734"} {
		b, err := c.Session(Credential{Scheme: "Bearer", Secret: "x"}, id).Billing(t.Context())
		if err != nil || path != want || b.Prepaid.Amount != 976 || *b.Prepaid.Warning != 10 || b.Outstanding != 2 ||
			b.Prepaid.CreatedAt.Year() != 2020 || b.Prepaid.UpdatedAt != nil {
			t.Errorf("%q: %s, %+v, %v", id, path, b, err)
		}
	}
}

func TestAmountsAreReadInEachForm(t *testing.T) {
	for text, want := range map[string]float64{
		`{"amount":1000}`: 1000, `{"amount":"-3.50","warning_threshold":null}`: -3.5, `{"amount":null}`: 0, `{}`: 0,
	} {
		var p Prepaid
		if err := json.Unmarshal([]byte(text), &p); err != nil || p.Amount != want || p.Warning != nil {
			t.Errorf("%s: %+v, %v", text, p, err)
		}
	}
	for _, text := range []string{`{"amount":"many"}`, `{"amount":{}}`, `{"warning_threshold":"few"}`, `{"created_at":"once"}`} {
		if err := json.Unmarshal([]byte(text), &Prepaid{}); err == nil {
			t.Errorf("%s was read", text)
		}
	}
}
