package v5

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is sent for the owner, the message and the customer.
func TestContactRequests(t *testing.T) {
	var got []string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), body))
		switch r.Method {
		case "GET":
			w.Write([]byte(`[{"id":"c1","firstname":"A","lastname":"B","email":"a@b.c","type":"individual","name":"a_b"}]`))
		case "PATCH":
			w.WriteHeader(http.StatusNoContent)
		case "PUT":
			w.WriteHeader(http.StatusAccepted)
		}
	})
	s = s.c.Session(Credential{Scheme: "Bearer", Secret: "x"}, "o1")
	yes := true
	customers, err := s.Customers(t.Context())
	if err != nil || len(customers) != 1 || customers[0].ID != "c1" {
		t.Errorf("customers %+v, %v", customers, err)
	}
	for name, err := range map[string]error{
		"owner":   s.SetOwner(t.Context(), "d.com", Contact{Country: "FR", Email: "a@b.c", StreetAddr: "x", ICANNContractAccept: &yes}),
		"message": s.ResendReachability(t.Context(), "d.com"),
		"release": s.ReleaseCustomer(t.Context(), "c1"),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	want := []string{
		"GET /v5/organization/organizations/o1/customers ",
		`PUT /v5/domain/domains/d.com/contacts/owner {"streetaddr":"x","country":"FR","email":"a@b.c","icann_contract_accept":true}`,
		`PATCH /v5/domain/domains/d.com/reachability {"action":"resend"}`,
		`POST /v5/organization/organizations/o1/action {"action":"release_resellee","params":{"id":"c1"}}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
