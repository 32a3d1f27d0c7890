package zones

import (
	"testing"
	"time"

	"v3gate/internal/store"
)

// A name that was gone and is registered anew has no zone; one that is there keeps
// its own.
func TestUnlinkTakesOnlyWhatIsGone(t *testing.T) {
	db, err := store.Open(t.TempDir()+"/store.db", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	b := New(db, 1000, time.Now)
	for fqdn, gone := range map[string]bool{"here.net": false, "gone.net": true} {
		if _, err := b.Own("a", "AD1-GANDI", fqdn); err != nil {
			t.Fatal(err)
		}
		if gone {
			if err := b.Left("a", fqdn, true, true); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Commit(func(tx *store.Tx) error { return b.Unlink(tx, "a", fqdn) }); err != nil {
			t.Fatal(err)
		}
		if l, err := b.Link("a", fqdn); err != nil || (l.Zone == 0) != gone {
			t.Errorf("%s: link %+v, %v", fqdn, l, err)
		}
	}
}
