package handles

import (
	"path/filepath"
	"testing"
	"time"

	"v3gate/internal/store"
	"v3gate/internal/v5"
)

// BenchmarkRecognise names the contacts of a domain that is known, as each
// domain.info does.
func BenchmarkRecognise(b *testing.B) {
	db, err := store.Open(filepath.Join(b.TempDir(), "store.db"), time.Second)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	book := New(db, DefaultFloors(), time.Now)
	c, err := book.Create("a", faq())
	if err != nil {
		b.Fatal(err)
	}
	// Four contacts of their own, as they are read from an answer.
	var four [4]v5.Contact
	for i := range four {
		four[i] = c.Expand().Contact
	}
	shown := v5.Contacts{Owner: &four[0], Admin: &four[1], Bill: &four[2], Tech: &four[3]}
	b.ReportAllocs()
	for b.Loop() {
		n, err := book.Changes("a", "x.net")
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := book.Recognise(Reading{Tenant: "a", FQDN: "x.net", Shown: shown, Changes: n}); err != nil {
			b.Fatal(err)
		}
	}
}
