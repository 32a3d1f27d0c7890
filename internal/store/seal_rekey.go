package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Rekey seals a store with the first key of a ring, in place of the one that it
// is sealed with, if any; with a nil ring it unseals it. old holds the key that
// it is sealed with now. It writes the file anew as Compact does, with the same
// promises: killed at any point, it leaves the store as it was or as it shall be,
// and is run again. Nothing of what was in the old file is in the new one, its
// free pages included; what the file system does with the blocks of the old one
// is beyond this program.
//
// The contact-content keys are digests that depend on the key, so they are made
// anew from the contacts that they lead to. One that leads to none of its content
// is left out and counted; Check had told of it.
func Rekey(ctx context.Context, path string, lockTimeout time.Duration, old, ring *Ring, records Records) (done Rewritten, err error) {
	err = holding(path, lockTimeout, old, func(db *DB) error {
		done, err = db.rekey(ctx, ring, records)
		return err
	})
	if errors.Is(err, ErrWrongKey) && ring != nil {
		// It may have been done already, by a run that died right after.
		again := holding(path, lockTimeout, ring, func(db *DB) error {
			if db.seal == nil || db.seal.with != &ring.keys[0] {
				return ErrWrongKey
			}
			done = Rewritten{AsItWas: true, Sealed: ring.keys[0].id}
			return nil
		})
		if again == nil {
			return done, nil
		}
	}
	if err != nil {
		return done, fmt.Errorf("rekey %s: %w", path, err)
	}
	return done, nil
}

func (db *DB) rekey(ctx context.Context, ring *Ring, records Records) (Rewritten, error) {
	var next *sealing
	if ring != nil {
		next = &sealing{&ring.keys[0], ring}
	}
	mark, _ := db.SealedWith()
	switch current, err := db.current(); {
	case err != nil:
		return Rewritten{}, err
	case !current:
		return Rewritten{}, errSchema
	case next == nil && mark == "" || next != nil && mark == next.with.id:
		return Rewritten{AsItWas: true, Sealed: mark}, nil
	case db.seal != nil && db.seal.with == nil:
		return Rewritten{}, fmt.Errorf("%w with key %s: give the file of that key (--old-key-file)", ErrSealed, mark)
	}
	before, err := db.Check(ctx, records, true, false)
	if err != nil {
		return Rewritten{}, err
	}
	r := rewriting{from: db, seal: next, same: revealed}
	r.change = func(tx *Tx, k, v []byte) ([]byte, []byte, error) { return r.rekeyed(tx, k, v, records) }
	return r.run(ctx, func(written *DB) error {
		after, err := written.Check(ctx, records, false, false)
		if err == nil && after.Wrong > before.Wrong {
			err = fmt.Errorf("it has %d inconsistencies, the old one %d; one is %s", after.Wrong, before.Wrong, after.Found[0])
		}
		return err
	})
}

// rekeyed is what becomes of a key and its value.
func (r *rewriting) rekeyed(tx *Tx, k, v []byte, records Records) ([]byte, []byte, error) {
	switch kind := kindOf(k); {
	case string(k) == string(sealMark()):
		return nil, nil, nil
	case kind == kindContactContent:
		key, err := r.led(tx, k, v, records)
		if key == nil && err == nil {
			r.done.LeftOut++
		}
		return key, v, err
	case !isSealedKind(k):
		return k, v, nil
	}
	plain, err := tx.seal.reveal(k, v)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", Readable(k), err)
	}
	return k, r.seal.cover(k, plain), nil
}

// led makes a contact-content key anew; nil where it leads to no contact of that
// content.
func (r *rewriting) led(tx *Tx, k, handle []byte, records Records) ([]byte, error) {
	e, ok := parse(k)
	contact := ContactKey(string(handle))
	raw := tx.b.Get(contact)
	if !ok || raw == nil {
		return nil, nil
	}
	value, err := tx.seal.reveal(contact, raw)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", Readable(contact), err)
	}
	c, err := records.Contact(value)
	if err != nil || c.Digest == "" || tx.Digest(c.Digest) != e.strings[1] || c.ID != e.numbers[0] {
		return nil, nil
	}
	return ContactContentKey(e.strings[0], r.seal.digest(c.Digest), e.numbers[0]), nil
}

// revealed sums what a rekey must not change.
func revealed(tx *Tx) ([]byte, error) {
	return sum(tx, func(k, v []byte) ([]byte, error) {
		if kindOf(k) == kindContactContent || string(k) == string(sealMark()) {
			return nil, nil
		}
		return tx.seal.reveal(k, v)
	})
}
