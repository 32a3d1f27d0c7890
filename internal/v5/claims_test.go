package v5

import (
	"fmt"
	"net/http"
	"testing"
)

func TestOnlyA404SaysThatNothingIsClaimed(t *testing.T) {
	for _, c := range []struct {
		status    int
		typ, body string
		claims    int
		fails     bool
	}{
		{200, "application/json", `{"claims":[{"mark_name":"MARK","jurisdiction_classes":[9,"25"]}]}`, 1, false},
		{404, "application/josn", `{"message":"no claims"}`, 0, false},
		{404, "text/html", `<html>`, 0, true},
		{200, "application/json", `{"claims":[]}`, 0, true},
		{200, "application/json", `{"claims":null}`, 0, true},
		{200, "application/json", `{}`, 0, true},
		{403, "application/json", `{"message":"no"}`, 0, true},
	} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", c.typ)
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.body)
		})
		if got, err := s.Claims(t.Context(), "mark.com"); len(got) != c.claims || (err != nil) != c.fails {
			t.Errorf("%d %s: %v, %v", c.status, c.body, got, err)
		}
	}
}
