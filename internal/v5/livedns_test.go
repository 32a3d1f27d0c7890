package v5

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pager serves n rrsets in pages of at most most, with or without a total.
func pager(n, most int, total bool, asked *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		size, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
		size = min(size, most)
		if total {
			w.Header().Set("Total-Count", strconv.Itoa(n))
		}
		list := []RRset{}
		for i := (page - 1) * size; i < min(page*size, n); i++ {
			list = append(list, RRset{Name: fmt.Sprint("h", i), Type: "A", TTL: 300, Values: []string{"192.0.2.1"}})
		}
		json.NewEncoder(w).Encode(list)
	}
}

// All pages are read, whatever v5 makes of per_page, and none beyond the last
// where v5 says how many there are.
func TestRecordsAreReadToTheEnd(t *testing.T) {
	for _, c := range []struct {
		n, most int
		total   bool
		asks    int64
	}{
		{0, 500, true, 1}, {0, 500, false, 1}, {16, 500, true, 1}, {16, 500, false, 1}, {500, 500, true, 1}, {500, 500, false, 2},
		{1201, 500, true, 3}, {1201, 500, false, 3}, {250, 100, true, 3}, {250, 100, false, 3}, {100, 100, true, 1}, {100, 100, false, 2},
	} {
		var asked atomic.Int64
		s := serve(t, pager(c.n, c.most, c.total, &asked))
		sets, err := s.Records(t.Context(), "example.com")
		if err != nil || len(sets) != c.n || asked.Load() != c.asks {
			t.Errorf("%+v: %d rrsets in %d requests, %v", c, len(sets), asked.Load(), err)
		}
		for i, set := range sets {
			if set.Name != fmt.Sprint("h", i) {
				t.Fatalf("%+v: %s at %d", c, set.Name, i)
			}
		}
	}
}

// A v5 that gives everything on each page is not read twice.
func TestRecordsWithoutPages(t *testing.T) {
	all := make([]RRset, 700)
	for i := range all {
		all[i] = RRset{Name: fmt.Sprint("h", i), Type: "A", TTL: 300, Values: []string{"192.0.2.1"}}
	}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { json.NewEncoder(w).Encode(all) })
	if sets, err := s.Records(t.Context(), "example.com"); err != nil || len(sets) != 700 {
		t.Errorf("%d rrsets, %v", len(sets), err)
	}
}

func TestWhatIsNotThereIsNoError(t *testing.T) {
	answer := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"object":"x","cause":"y","code":%d,"message":"z"}`, status)
		}
	}
	s := serve(t, answer(404))
	if set, err := s.RRset(t.Context(), "example.com", "@", "A"); set != nil || err != nil {
		t.Errorf("%v, %v", set, err)
	}
	if err := s.DeleteRRset(t.Context(), "example.com", "@", "A"); err != nil {
		t.Error(err)
	}
	if _, err := s.Records(t.Context(), "example.com"); err == nil {
		t.Error("a domain that is not there has records")
	}
	if err := s.PutRRset(t.Context(), "example.com", RRset{Name: "@", Type: "A"}); err == nil {
		t.Error("it was written")
	}
	if err := serve(t, answer(409)).EnableLiveDNS(t.Context(), "example.com"); err != nil {
		t.Errorf("nothing to do: %v", err)
	}
	if err := serve(t, answer(400)).EnableLiveDNS(t.Context(), "example.com"); err == nil {
		t.Error("a refusal is taken for nothing to do")
	}
}

func TestWhatLiveDNSIsSent(t *testing.T) {
	var got []string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.Method+" "+strings.TrimPrefix(r.URL.EscapedPath(), "/v5")+" "+string(body))
		status := http.StatusCreated
		if r.Method == "DELETE" {
			status = http.StatusNoContent
		}
		w.WriteHeader(status)
	})
	ctx := t.Context()
	for _, err := range []error{
		s.ReplaceRecords(ctx, "example.com", []RRsetItem{{Name: "@", Type: "A", TTL: 300, Values: []string{"192.0.2.1"}}}),
		s.ReplaceRecords(ctx, "example.com", nil),
		s.PutRRset(ctx, "example.com", RRset{Name: "*.sub", Type: "TXT", TTL: 600, Values: []string{`"a"`}}),
		s.DeleteRRset(ctx, "example.com", "@", "MX"),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	want := []string{
		`PUT /livedns/domains/example.com/records {"items":[{"rrset_name":"@","rrset_type":"A","rrset_ttl":300,"rrset_values":["192.0.2.1"]}]}`,
		`PUT /livedns/domains/example.com/records {"items":[]}`,
		`PUT /livedns/domains/example.com/records/%2A.sub/TXT {"rrset_values":["\"a\""],"rrset_ttl":600}`,
		`DELETE /livedns/domains/example.com/records/@/MX `,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := s.PutRRset(ctx, "example.com", RRset{Name: "0/25", Type: "NS"}); err == nil {
		t.Error("a name with a slash is part of a path")
	}
}
