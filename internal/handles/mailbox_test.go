package handles

import (
	"path/filepath"
	"testing"
	"time"

	"v3gate/internal/store"
)

func TestMailboxesAreKeptForTheirTenant(t *testing.T) {
	db, err := store.Open(filepath.Join(t.TempDir(), "store.db"), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	b := New(db, DefaultFloors(), time.Now)
	want := Mailbox{FallbackEmail: "bob@example.org"}
	if err := b.KeepMailbox("acme", "a.com", "bob", want); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		tenant, fqdn, login string
		want                Mailbox
	}{{"acme", "a.com", "bob", want}, {"other", "a.com", "bob", Mailbox{}}, {"acme", "b.com", "bob", Mailbox{}}, {"acme", "a.com", "eve", Mailbox{}}} {
		if got, err := b.Mailbox(c.tenant, c.fqdn, c.login); got != c.want || err != nil {
			t.Errorf("%s %s %s: %v, %v", c.tenant, c.fqdn, c.login, got, err)
		}
	}
	if err := b.KeepMailbox("acme", "a.com", "bob", Mailbox{}); err != nil {
		t.Fatal(err)
	}
	if got, _ := b.Mailbox("acme", "a.com", "bob"); got != (Mailbox{}) {
		t.Errorf("kept %v", got)
	}
}
