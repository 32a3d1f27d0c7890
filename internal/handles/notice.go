package handles

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"v3gate/internal/store"
)

// Notice is the notice of what is claimed of a name, as a tenant was given it. v5 has
// neither ids nor dates of notices.
type Notice struct {
	ID   string `json:"id"`
	FQDN string `json:"-"`
	// Content is a digest of the claims; nothing else of them is kept.
	Content  string    `json:"content"`
	Created  time.Time `json:"created"`
	Expire   time.Time `json:"expire"`
	Accepted bool      `json:"accepted,omitempty"`
	// Sent tells that v5 was told of it.
	Sent bool `json:"sent,omitempty"`
}

// noticeLasts is how long a notice is good for: about 48 hours in v3's documents.
const noticeLasts = 48 * time.Hour

// ErrExpired: what was found is no longer good.
var ErrExpired = errors.New("it has expired")

// Notice gives the notice of a name that a tenant has, or ErrUnknown, or ErrExpired.
func (b *Book) Notice(tenant, fqdn string) (n Notice, err error) {
	err = b.db.View(func(tx *store.Tx) error {
		n, err = b.notice(tx, tenant, fqdn)
		return err
	})
	return n, err
}

func (b *Book) notice(tx *store.Tx, tenant, fqdn string) (n Notice, err error) {
	there, err := store.GetJSON(tx, store.NoticeKey(tenant, fqdn), &n)
	n.FQDN = fqdn
	switch {
	case err != nil:
		return n, err
	case !there:
		return n, ErrUnknown
	case !n.Expire.After(b.now()):
		return n, ErrExpired
	}
	return n, nil
}

// GiveNotice gives a tenant a notice of the claims with a digest: the one that it has
// of the name while these are claimed, or a new one, which nobody has accepted. Those
// of the tenant that have expired are forgotten then.
func (b *Book) GiveNotice(tenant, fqdn, content string) (Notice, error) {
	n, err := b.Notice(tenant, fqdn)
	switch {
	case err == nil && n.Content == content:
		return n, nil
	case err != nil && !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrExpired):
		return n, err
	}
	return store.Committed(b.db, func(tx *store.Tx) (Notice, error) {
		n, err := b.notice(tx, tenant, fqdn)
		if err == nil && n.Content == content { // another caller was first
			return n, nil
		}
		var old []string
		if err := eachNotice(tx, tenant, func(n *Notice) error {
			if !n.Expire.After(b.now()) {
				old = append(old, n.FQDN)
			}
			return nil
		}); err != nil {
			return n, err
		}
		for _, name := range old {
			if err := tx.Delete(store.NoticeKey(tenant, name)); err != nil {
				return n, err
			}
		}
		id, err := tx.NextID("notice", b.floors.ID)
		if err != nil {
			return n, err
		}
		now := b.now().UTC()
		n = Notice{ID: strconv.FormatInt(id, 10), FQDN: fqdn, Content: content, Created: now, Expire: now.Add(noticeLasts)}
		return n, store.PutJSON(tx, store.NoticeKey(tenant, fqdn), n)
	})
}

// AcceptNotice notes that a tenant has accepted a notice: ErrUnknown or ErrExpired
// where there is none to accept.
func (b *Book) AcceptNotice(tenant, id string) error {
	return b.db.Update(func(tx *store.Tx) error {
		fqdn := ""
		if err := eachNotice(tx, tenant, func(n *Notice) error {
			if n.ID == id {
				fqdn = n.FQDN
				return store.Stop
			}
			return nil
		}); err != nil {
			return err
		}
		if fqdn == "" {
			return ErrUnknown
		}
		n, err := b.notice(tx, tenant, fqdn)
		if err != nil || n.Accepted {
			return err
		}
		n.Accepted = true
		return store.PutJSON(tx, store.NoticeKey(tenant, fqdn), n)
	})
}

// NoticeSent notes that v5 was told of an accepted notice.
func (b *Book) NoticeSent(tenant, fqdn string) error {
	return b.db.Update(func(tx *store.Tx) error {
		n, err := b.notice(tx, tenant, fqdn)
		if errors.Is(err, ErrUnknown) || errors.Is(err, ErrExpired) {
			return nil
		}
		if n.Sent = true; err != nil {
			return err
		}
		return store.PutJSON(tx, store.NoticeKey(tenant, fqdn), n)
	})
}

func eachNotice(tx *store.Tx, tenant string, fn func(*Notice) error) error {
	return tx.Scan(store.NoticesPrefix(tenant), func(key, value []byte) error {
		n := &Notice{}
		if err := json.Unmarshal(value, n); err != nil {
			return fmt.Errorf("read %s: %w", store.Readable(key), err)
		}
		parts := store.KeyStrings(key)
		n.FQDN = parts[len(parts)-1]
		return fn(n)
	})
}
