package handles

import (
	"bytes"
	"errors"
	"fmt"

	"v3gate/internal/store"
)

// Mailbox is what the gateway itself keeps of a mailbox, since v5 has no place
// for it.
type Mailbox struct {
	// FallbackEmail is where its user can be reached otherwise.
	FallbackEmail string `json:"fallback_email"`
}

// Mailbox reads what is kept of a mailbox; zero where nothing is.
func (b *Book) Mailbox(tenant, fqdn, login string) (m Mailbox, err error) {
	err = b.db.View(func(tx *store.Tx) error {
		_, err := store.GetJSON(tx, store.MailboxKey(tenant, fqdn, login), &m)
		return err
	})
	if err != nil {
		return Mailbox{}, fmt.Errorf("read mailbox of %s: %w", fqdn, err)
	}
	return m, nil
}

// KeepMailbox keeps m in place of what was kept of a mailbox.
func (b *Book) KeepMailbox(tenant, fqdn, login string, m Mailbox) error {
	return b.db.Update(func(tx *store.Tx) error { return b.SetMailbox(tx, tenant, fqdn, login, m) })
}

// SetMailbox is KeepMailbox in the caller's transaction. Of a zero m nothing is
// kept.
func (b *Book) SetMailbox(tx *store.Tx, tenant, fqdn, login string, m Mailbox) error {
	key := store.MailboxKey(tenant, fqdn, login)
	if m == (Mailbox{}) {
		return tx.Delete(key)
	}
	return store.PutJSON(tx, key, m)
}

// forgetMailboxes takes away what is kept of all mailboxes of a domain.
func forgetMailboxes(tx *store.Tx, tenant, fqdn string) error {
	var keys [][]byte
	err := tx.ScanKeys(store.MailboxesPrefix(tenant, fqdn), func(key []byte) error {
		keys = append(keys, bytes.Clone(key))
		return nil
	})
	for _, key := range keys {
		err = errors.Join(err, tx.Delete(key))
	}
	return err
}
