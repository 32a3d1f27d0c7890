package handles

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"v3gate/internal/store"
)

// SMD is a signed mark that a tenant has given, with what it says of itself. v5 has
// no place for it: the file travels in each registration that uses it.
type SMD struct {
	ID           int64     `json:"id"`
	Created      time.Time `json:"created"`
	UID          string    `json:"uid"`
	Expire       time.Time `json:"expire"`
	MarkID       string    `json:"mark_id,omitempty"`
	MarkName     string    `json:"mark_name"`
	Labels       []string  `json:"labels,omitempty"`
	HolderName   string    `json:"holder_name,omitempty"`
	HolderOrg    string    `json:"holder_org,omitempty"`
	Jurisdiction string    `json:"jurisdiction,omitempty"`
	RegNum       string    `json:"regnum,omitempty"`
	Size         int       `json:"size"` // bytes of Original
	// Original is the file as the caller gave it. It is kept by itself and read by
	// SMD alone, so that a list of marks does not read their files.
	Original string `json:"-"`
}

// MostSMDs and MostSMDBytes bound those of a tenant, and their files together.
const (
	MostSMDs     = 1000
	MostSMDBytes = 32 << 20
)

// ErrManySMDs: the tenant has as many as it may, or their files as many bytes.
var ErrManySMDs = errors.New("there are too many signed marks")

// SMDExistsError says that the tenant has a signed mark with that uid.
type SMDExistsError struct{ ID int64 }

func (e *SMDExistsError) Error() string { return fmt.Sprintf("it is the signed mark %d", e.ID) }

// KeepSMD keeps a signed mark under a new id: an *SMDExistsError where its uid is
// kept already, or ErrManySMDs.
func (b *Book) KeepSMD(tenant string, m SMD) (SMD, error) {
	return store.Committed(b.db, func(tx *store.Tx) (SMD, error) {
		n, size := 0, len(m.Original)
		err := eachSMD(tx, tenant, false, func(other *SMD) error {
			if n++; other.UID == m.UID {
				return &SMDExistsError{other.ID}
			}
			size += other.Size
			return nil
		})
		if err == nil && (n >= MostSMDs || size > MostSMDBytes) {
			err = ErrManySMDs
		}
		if err != nil {
			return SMD{}, err
		}
		kept := m
		if kept.ID, err = tx.NextID("smd", b.floors.ID); err != nil {
			return SMD{}, err
		}
		kept.Created, kept.Size = b.now().UTC(), len(m.Original)
		return kept, errors.Join(
			store.PutJSON(tx, store.SMDKey(tenant, kept.ID), kept),
			tx.Put(store.SMDFileKey(tenant, kept.ID), []byte(m.Original)))
	})
}

// SMD finds a signed mark of a tenant, or gives ErrUnknown.
func (b *Book) SMD(tenant string, id int64) (m SMD, err error) {
	err = b.db.View(func(tx *store.Tx) error {
		there, err := store.GetJSON(tx, store.SMDKey(tenant, id), &m)
		if err == nil && !there {
			err = ErrUnknown
		}
		m.Original = string(tx.Get(store.SMDFileKey(tenant, id)))
		return err
	})
	return m, err
}

// DeleteSMD forgets a signed mark of a tenant, or gives ErrUnknown.
func (b *Book) DeleteSMD(tenant string, id int64) error {
	return b.db.Update(func(tx *store.Tx) error {
		key := store.SMDKey(tenant, id)
		if tx.Get(key) == nil {
			return ErrUnknown
		}
		return errors.Join(tx.Delete(key), tx.Delete(store.SMDFileKey(tenant, id)))
	})
}

// SMDs calls fn for the signed marks of a tenant, without their files, by their ids
// or backward.
func (b *Book) SMDs(tenant string, backward bool, fn func(*SMD) error) error {
	return b.db.View(func(tx *store.Tx) error { return eachSMD(tx, tenant, backward, fn) })
}

func eachSMD(tx *store.Tx, tenant string, backward bool, fn func(*SMD) error) error {
	scan := tx.Scan
	if backward {
		scan = tx.ScanBack
	}
	return scan(store.SMDPrefix(tenant), func(key, value []byte) error {
		m := &SMD{}
		if err := json.Unmarshal(value, m); err != nil {
			return fmt.Errorf("read %s: %w", store.Readable(key), err)
		}
		return fn(m)
	})
}
