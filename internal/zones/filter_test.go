package zones

import (
	"fmt"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"v3gate/internal/query"
	"v3gate/internal/store"
)

// large makes a zone whose version 1 has n records, three to a name.
func large(t testing.TB, b *Book, n int) Zone {
	t.Helper()
	z, err := b.Create(acme, "AD1-GANDI", "large")
	if err != nil {
		t.Fatal(err)
	}
	records := make([]Record, n)
	for i := range records {
		r := &records[i]
		r.Name, r.TTL = fmt.Sprintf("host-%05d", i/3), 300+int64(i%4)*600
		switch i % 3 {
		case 0:
			r.Type, r.Value = "A", fmt.Sprintf("192.0.2.%d", i%250)
		case 1:
			r.Type, r.Value = "A", fmt.Sprintf("198.51.100.%d", i%250)
		case 2:
			r.Type, r.Value = "TXT", fmt.Sprintf(`"text %d"`, i)
		}
	}
	err = b.Commit(func(tx *store.Tx) error {
		_, err := b.Set(tx, acme, z.ID, 1, records)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// FuzzFilters: a version that is read in parts gives what filtering all of it
// gives, whatever the options.
func FuzzFilters(f *testing.F) {
	f.Add("name", "host-00007", "type", "A", "sort_by", "name desc")
	f.Add("~name", "host-0000%", "<ttl", "900", "page", "1")
	f.Add("id", "1048600", "sort_by", "id", "items_per_page", "3")
	f.Add("value", "192.0.2.3", "name", "HOST-00001", "items_per_page", "1000")
	f.Add("~value", "%TEXT%", ">ttl", "x", "=name", "host-00099")
	b, db := open(f)
	z := large(f, b, 400)
	var all []Record
	err := db.View(func(tx *store.Tx) error {
		zone, v, err := b.version(tx, acme, z.ID, 1)
		if err == nil {
			all, err = b.all(tx, zone, v)
		}
		return err
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, k1, v1, k2, v2, k3, v3 string) {
		q, err := ListOptions().Parse([]query.Option{{Key: k1, Value: v1}, {Key: k2, Value: v2}, {Key: k3, Value: v3}})
		if err != nil {
			return
		}
		page, err := b.Page(acme, z.ID, 1, q)
		if err != nil {
			t.Fatal(err)
		}
		var want []Record
		for _, r := range q.Page(query.Slice(all)) {
			want = append(want, *r)
		}
		if diff := gocmp.Diff(want, page); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		n, err := b.Count(acme, z.ID, 1, q)
		if want := q.Count(query.Slice(all)(false)); n != want || err != nil {
			t.Errorf("%d are counted, want %d: %v", n, want, err)
		}
	})
}

// A list of one name reads one page of the version, and none of another version.
func TestAListReadsWhatItNeeds(t *testing.T) {
	b, db := open(t)
	z := large(t, b, 3000)
	for _, c := range []struct {
		key   string
		value any
		most  int
	}{{"name", "host-00500", 2}, {"id", int64(1<<20 + 1500), 1}, {"type", "A", 47}} {
		q := records(t, query.Option{Key: c.key, Value: c.value})
		err := db.View(func(tx *store.Tx) error {
			_, v, err := b.version(tx, acme, z.ID, 1)
			if n := len(v.asked(q)); n > c.most || n == 0 || len(v.Pages) != 47 {
				t.Errorf("%s: %d of %d pages", c.key, n, len(v.Pages))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
