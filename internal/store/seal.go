package store

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"
)

// Sealing. Values that hold personal data can be encrypted, each by itself, so
// that a stolen file, backup or disk tells nothing of people. Keys stay
// readable: handles, fqdns, tenants and ids are what the store is ordered by.
//
// A sealed value is
//
//	1 byte   sealFormat; no JSON text begins so
//	8 bytes  id of the key
//	12 bytes nonce, random
//	rest     AES-256-GCM of the value, with its tag
//
// The AES key is derived from the sealing key and the value's own store key, and
// what stands before the nonce and that store key are associated data: a value
// that is moved to another key does not open. Since each place has an AES key of
// its own, random nonces do not run out.
const (
	sealFormat = 1
	keyIDSize  = 8
	nonceSize  = 12
	sealHead   = 1 + keyIDSize
)

// sealedKinds are the kinds whose values are sealed: all that hold what a caller
// or v5 said of people, and the content of zones.
var sealedKinds = [][]byte{Key(kindContact), Key(kindSeen), Key(kindMailbox), Key(kindSMD), Key(kindSMDFile), Key(kindOp), Key(kindOpItem), Key(kindZone), Key(kindZonePage), Key(kindUsage)}

func isSealedKind(key []byte) bool {
	return slices.ContainsFunc(sealedKinds, func(kind []byte) bool { return bytes.HasPrefix(key, kind) })
}

// sealMark is where a store says with which key it is sealed.
func sealMark() []byte { return Key(kindMeta, "seal") }

var (
	// ErrSealed is in the error of opening a sealed store without a key.
	ErrSealed = errors.New("the store is sealed")
	// ErrWrongKey is in the error of opening a store that is sealed with another
	// key than those given.
	ErrWrongKey = errors.New("the store is sealed with another key")
	// ErrNotSealed is in the error of opening, with a key, a store that is not
	// sealed.
	ErrNotSealed = errors.New("the store is not sealed")
	// ErrDamaged is in the error of reading a value that does not open: it was
	// changed, moved, or sealed with a key that is not there.
	ErrDamaged = errors.New("a sealed value does not open")
)

// SealKey is one sealing key. However it is printed, only its id shows.
type SealKey struct {
	id string
	// A function, so that nothing that prints a SealKey can show the secret.
	secret func() []byte
}

// NewSealKey makes a key of 32 random bytes.
func NewSealKey(secret [32]byte) (SealKey, error) {
	if bytes.Count(secret[:], secret[:1]) == len(secret) {
		return SealKey{}, errors.New("all its bytes are equal: it is not random")
	}
	k := SealKey{secret: func() []byte { return secret[:] }}
	k.id = hex.EncodeToString(k.derive("v3gate key id", keyIDSize))
	return k, nil
}

// ID names the key and tells nothing about it.
func (k SealKey) ID() string { return k.id }

// String is the id.
func (k SealKey) String() string { return "sealing key " + k.id }

// GoString is String.
func (k SealKey) GoString() string { return k.String() }

func (k SealKey) derive(purpose string, size int) []byte {
	out, err := hkdf.Expand(sha256.New, k.secret(), purpose, size)
	if err != nil {
		panic(err) // only for sizes beyond 8160 bytes
	}
	return out
}

// gcm is the cipher for the value of one store key.
func (k SealKey) gcm(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(k.derive("v3gate seal\x00"+string(key), 32))
	if err != nil {
		panic(err) // only for keys of another size
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // only for other block sizes
	}
	return aead
}

// head is what a sealed value begins with.
func (k SealKey) head() []byte {
	id, _ := hex.DecodeString(k.id)
	return append([]byte{sealFormat}, id...)
}

func (k SealKey) seal(key, value []byte) []byte {
	out := make([]byte, sealHead+nonceSize, sealHead+nonceSize+len(value)+16)
	copy(out, k.head())
	nonce := out[sealHead:]
	rand.Read(nonce) // never fails
	return k.gcm(key).Seal(out, nonce, value, associated(out[:sealHead], key))
}

func (k SealKey) open(key, sealed []byte) ([]byte, error) {
	if len(sealed) < sealHead+nonceSize {
		return nil, fmt.Errorf("%w: it is too short", ErrDamaged)
	}
	nonce, text := sealed[sealHead:sealHead+nonceSize], sealed[sealHead+nonceSize:]
	value, err := k.gcm(key).Open([]byte{}, nonce, text, associated(sealed[:sealHead], key))
	if err != nil {
		return nil, fmt.Errorf("%w: it was changed, or moved from another key", ErrDamaged)
	}
	return value, nil
}

func associated(head, key []byte) []byte { return slices.Concat(head, key) }

// sealedWith gives the id of the key of a sealed value; "" for one that is not
// sealed.
func sealedWith(value []byte) string {
	if len(value) < sealHead || value[0] != sealFormat {
		return ""
	}
	return hex.EncodeToString(value[1:sealHead])
}

// Ring is the sealing keys that a process has.
type Ring struct{ keys []SealKey }

// NewRing makes a ring. current seals new stores; with the older ones a store is
// opened, too, that was not rekeyed yet, and is then written with its own key.
func NewRing(current SealKey, older ...SealKey) *Ring {
	return &Ring{append([]SealKey{current}, older...)}
}

// find gives the key of an id, nil where the ring has none. A nil ring has none.
func (r *Ring) find(id string) *SealKey {
	if r == nil {
		return nil
	}
	for i := range r.keys {
		if r.keys[i].id == id {
			return &r.keys[i]
		}
	}
	return nil
}

// WithKeys gives a store the keys to seal with. A new store is sealed with the
// first. nil is as if the option were not there.
func WithKeys(r *Ring) Option { return func(db *DB) { db.ring = r } }

// sealing is how the values of one open store are read and written. nil: as they
// are.
type sealing struct {
	with *SealKey // nil: what is sealed is not read
	ring *Ring
}

// unlock finds out how the store is sealed, and whether the keys for it are
// there.
func (db *DB) unlock() error {
	fresh, mark := true, ""
	err := db.bolt.View(func(bt *bbolt.Tx) error {
		if b := bt.Bucket(bucket); b != nil {
			fresh, mark = false, string(b.Get(sealMark()))
		}
		return nil
	})
	key := db.ring.find(mark)
	switch {
	case err != nil:
		return err
	case fresh && db.ring != nil && !db.inspect:
		db.seal = &sealing{&db.ring.keys[0], db.ring}
	case fresh || mark == "" && (db.ring == nil || db.inspect):
	case mark == "":
		return fmt.Errorf("%w, and a key is given: stop the gateway and seal it with gateway store rekey --key-file, or give no key",
			ErrNotSealed)
	case key != nil:
		db.seal = &sealing{key, db.ring}
	case db.ring != nil:
		return fmt.Errorf("%w: give the file of key %s, or as an old key besides the new one; those given are %v", ErrWrongKey, mark, db.ring.keys)
	case db.inspect:
		db.seal = &sealing{}
	default:
		return fmt.Errorf("%w: give the file of key %s (--seal-key-file); without it nothing of it can be read", ErrSealed, mark)
	}
	return nil
}

// SealedWith is the id of the key that the store is sealed with, "" where it is
// not sealed; newest tells whether that is the first of the keys given.
func (db *DB) SealedWith() (id string, newest bool) {
	if db.seal == nil {
		return "", db.ring == nil
	}
	if db.seal.with == nil {
		_ = db.View(func(tx *Tx) error { id = string(tx.Get(sealMark())); return nil })
		return id, false
	}
	return db.seal.with.id, db.seal.with == &db.ring.keys[0]
}

// reveal gives the value of a key as it was before it was sealed.
func (s *sealing) reveal(key, value []byte) ([]byte, error) {
	if value == nil || !isSealedKind(key) {
		return value, nil
	}
	id := sealedWith(value)
	switch {
	case s == nil && id == "":
		return value, nil
	case s == nil:
		return nil, fmt.Errorf("%w: it is sealed with key %s, and the store says that nothing is", ErrDamaged, id)
	case s.with == nil:
		return nil, fmt.Errorf("%w: no key is given", ErrSealed)
	case id == "":
		// Whoever can write the file could otherwise slip values in.
		return nil, fmt.Errorf("%w: it is not sealed, and the store is", ErrDamaged)
	}
	k := s.ring.find(id)
	if k == nil {
		return nil, fmt.Errorf("%w: it is sealed with key %s, which is not given", ErrDamaged, id)
	}
	return k.open(key, value)
}

// cover is the other way.
func (s *sealing) cover(key, value []byte) []byte {
	if s == nil || !isSealedKind(key) {
		return value
	}
	return s.with.seal(key, value)
}

// Digest is what a digest of personal data is to be kept as in a key: the digest
// itself, or in a sealed store a keyed one, since a plain one of a few known
// fields is soon guessed. It is another one after each rekey, which therefore
// makes the contact-content keys anew.
func (tx *Tx) Digest(digest string) string { return tx.seal.digest(digest) }

func (s *sealing) digest(digest string) string {
	if s == nil || digest == "" {
		return digest
	}
	mac := hmac.New(sha256.New, s.with.derive("v3gate digest", 32))
	mac.Write([]byte(digest))
	return hex.EncodeToString(mac.Sum(nil))
}
