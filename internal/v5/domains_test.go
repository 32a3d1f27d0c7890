package v5

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is asked about domains, and how one is deleted.
func TestDomainRequests(t *testing.T) {
	var got []string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Method+" "+r.URL.RequestURI())
		if r.Method == "DELETE" {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		w.Write([]byte(`[{"fqdn":"a.net"}]`))
	})
	if err := s.DeleteDomain(t.Context(), "a.net"); err != nil {
		t.Error(err)
	}
	if yes, err := s.Listed(t.Context(), "a.net"); !yes || err != nil {
		t.Errorf("a.net is listed: %t, %v", yes, err)
	}
	if yes, err := s.Listed(t.Context(), "b.net"); yes || err != nil {
		t.Errorf("b.net is listed: %t, %v", yes, err)
	}
	if names, err := s.CustomerDomains(t.Context(), "c1"); len(names) != 1 || err != nil {
		t.Errorf("domains of the customer: %q, %v", names, err)
	}
	if _, err := s.CustomerDomains(t.Context(), ""); err == nil {
		t.Error("the domains of nobody were asked for")
	}
	want := []string{"DELETE /v5/domain/domains/a.net", "GET /v5/domain/domains?fqdn=a.net", "GET /v5/domain/domains?fqdn=b.net",
		"GET /v5/domain/domains?page=1&per_page=100&resellee_id=c1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
