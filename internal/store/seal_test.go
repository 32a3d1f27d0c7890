package store

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

func sealKey(t testing.TB, fill byte) SealKey {
	t.Helper()
	secret := [32]byte{}
	for i := range secret {
		secret[i] = fill + byte(i)
	}
	k, err := NewSealKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// inFile tells whether the raw file of a store has a text in it, its free pages
// included.
func inFile(t *testing.T, path, text string) bool {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(raw, []byte(text))
}

func TestASealedStoreReadsAsAPlainOne(t *testing.T) {
	db := open(t, WithKeys(NewRing(sealKey(t, 1))), RunTwice())
	err := db.Update(func(tx *Tx) error {
		return errors.Join(
			PutJSON(tx, ContactKey("AB1-GANDI"), "Zebulon"), PutJSON(tx, ContactKey("AB2-GANDI"), "Yolanda"),
			PutJSON(tx, OpKey(7), "Xaver"), PutJSON(tx, OpItemKey(7, 1), "Wilma"), tx.Put(OpKey(8), nil),
			tx.Put(OwnKey("acme"), []byte("AB1-GANDI")))
	})
	if err != nil {
		t.Fatal(err)
	}
	err = db.View(func(tx *Tx) error {
		var up, down, keys []string
		var name string
		note := func(to *[]string) func(k, v []byte) error {
			return func(k, v []byte) error { *to = append(*to, string(v)); return nil }
		}
		_, err := GetJSON(tx, OpKey(7), &name)
		err = errors.Join(err, tx.Scan(ContactsPrefix(), note(&up)), tx.ScanBack(ContactsPrefix(), note(&down)),
			tx.ScanKeys(ContactsPrefix(), func(k []byte) error { keys = append(keys, KeyStrings(k)[1]); return nil }))
		if v := tx.Get(OpKey(8)); v == nil || len(v) != 0 {
			t.Errorf("an empty value reads as %#v", v)
		}
		if got := fmt.Sprint(name, up, down, keys, string(tx.Get(OwnKey("acme")))); got != `Xaver["Zebulon" "Yolanda"] ["Yolanda" "Zebulon"] [AB1-GANDI AB2-GANDI]AB1-GANDI` {
			t.Errorf("read %s", got)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	for text, want := range map[string]bool{"Zebulon": false, "Yolanda": false, "Xaver": false, "Wilma": false, "AB1-GANDI": true} {
		if got := inFile(t, db.Path(), text); got != want {
			t.Errorf("%s in the file: %t", text, got)
		}
	}
}

// A value sealed by an earlier program must open for ever.
func TestTheFormOfSealedValuesStays(t *testing.T) {
	k := sealKey(t, 1)
	sealed, _ := hex.DecodeString("012968f00a2601212aee5fbe5c568b8cd28230d035abfe7bd80ecedc8f9cb39d1a69a4cdd3a2626963d41329")
	got, err := k.open(ContactKey("AB1-GANDI"), sealed)
	if err != nil || string(got) != "Zebulon" || sealedWith(sealed) != "2968f00a2601212a" || k.ID() != "2968f00a2601212a" {
		t.Errorf("opened %q, %v; sealed with %s, the key is %s", got, err, sealedWith(sealed), k.ID())
	}
	if got := (&sealing{with: &k}).digest("0123"); got != "0a361c43c9e29098e6799831f7f76682060372a8e4d4a47d9439765eb11d8759" {
		t.Errorf("digest %s", got)
	}
}

// raw changes the file behind the store's back.
func raw(t *testing.T, db *DB, fn func(*bbolt.Bucket) error) {
	t.Helper()
	if err := db.bolt.Update(func(bt *bbolt.Tx) error { return fn(bt.Bucket(bucket)) }); err != nil {
		t.Fatal(err)
	}
}

func TestASealedValueCannotBeChangedOrMoved(t *testing.T) {
	one, two := ContactKey("AB1-GANDI"), ContactKey("AB2-GANDI")
	other := sealKey(t, 50)
	for name, attack := range map[string]func(b *bbolt.Bucket) error{
		"moved":        func(b *bbolt.Bucket) error { return b.Put(one, b.Get(two)) },
		"changed":      func(b *bbolt.Bucket) error { v := bytes.Clone(b.Get(one)); v[len(v)-1] ^= 1; return b.Put(one, v) },
		"nonce":        func(b *bbolt.Bucket) error { v := bytes.Clone(b.Get(one)); v[sealHead] ^= 1; return b.Put(one, v) },
		"short":        func(b *bbolt.Bucket) error { return b.Put(one, b.Get(one)[:12]) },
		"in the clear": func(b *bbolt.Bucket) error { return b.Put(one, []byte(`"Mallory"`)) },
		"another key":  func(b *bbolt.Bucket) error { return b.Put(one, other.seal(one, []byte(`"Mallory"`))) },
		"key id":       func(b *bbolt.Bucket) error { v := bytes.Clone(b.Get(one)); v[1] ^= 1; return b.Put(one, v) },
	} {
		db := open(t, WithKeys(NewRing(sealKey(t, 1))))
		if err := db.Update(func(tx *Tx) error { return errors.Join(PutJSON(tx, one, "a"), PutJSON(tx, two, "b")) }); err != nil {
			t.Fatal(err)
		}
		raw(t, db, attack)
		absent := errors.New("taken for absent")
		for how, fn := range map[string]func(*Tx) error{
			"Get":      func(tx *Tx) error { _ = tx.Get(one); return absent },
			"GetJSON":  func(tx *Tx) error { var v string; _, err := GetJSON(tx, one, &v); return err },
			"Scan":     func(tx *Tx) error { return tx.Scan(one, func(_, _ []byte) error { return absent }) },
			"ScanBack": func(tx *Tx) error { return tx.ScanBack(one, func(_, _ []byte) error { return absent }) },
		} {
			if err := db.View(fn); !errors.Is(err, ErrDamaged) || errors.Is(err, absent) || !strings.Contains(err.Error(), "contact AB1-GANDI") {
				t.Errorf("%s, %s: %v", name, how, err)
			}
		}
		err := db.Update(func(tx *Tx) error {
			if tx.Get(one) == nil {
				return tx.Put(OwnKey("acme"), []byte("AB3-GANDI"))
			}
			return nil
		})
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: an update that saw nothing there gives %v", name, err)
		}
		db.View(func(tx *Tx) error {
			if tx.Get(OwnKey("acme")) != nil {
				t.Errorf("%s: an update that saw nothing there was committed", name)
			}
			if string(tx.Get(two)) != `"b"` {
				t.Errorf("%s: the other value is gone", name)
			}
			return nil
		})
	}
}

func TestAValueThatDoesNotOpenSpoilsNobodyElse(t *testing.T) {
	db := open(t, WithKeys(NewRing(sealKey(t, 1))))
	one := ContactKey("AB1-GANDI")
	if err := db.Update(func(tx *Tx) error { return PutJSON(tx, one, "a") }); err != nil {
		t.Fatal(err)
	}
	raw(t, db, func(b *bbolt.Bucket) error { return b.Put(one, []byte("x")) })
	batch := []*update{}
	for i := range int64(5) {
		batch = append(batch, &update{done: make(chan struct{}), fn: func(tx *Tx) error {
			if i == 2 || i == 4 {
				_ = tx.Get(one)
			}
			if i == 4 {
				return nil // having written nothing
			}
			return tx.Put(OpOpenKey(i), nil)
		}})
	}
	all := append([]*update{}, batch...)
	db.commit(batch)
	for i, u := range all {
		<-u.done
		if u.alone {
			u.err = db.transact(u.fn)
		}
		if broken := i == 2 || i == 4; errors.Is(u.err, ErrDamaged) != broken || !broken && u.err != nil {
			t.Errorf("update %d: %v", i, u.err)
		}
	}
	if n := count(t, db, OpOpenPrefix()); n != 3 {
		t.Errorf("%d of 3 were committed", n)
	}
}

func TestASealedStoreOpensWithItsKeyOnly(t *testing.T) {
	a, b := sealKey(t, 1), sealKey(t, 2)
	sealed, plain := open(t, WithKeys(NewRing(a))), open(t)
	put := func(tx *Tx) error { return PutJSON(tx, ContactKey("AB1-GANDI"), "a") }
	if err := errors.Join(sealed.Update(put), plain.Update(put), sealed.Close(), plain.Close()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		db   *DB
		ring *Ring
		want error
		says string
	}{
		{sealed, nil, ErrSealed, "--seal-key-file"},
		{sealed, NewRing(b), ErrWrongKey, a.ID()},
		{plain, NewRing(a), ErrNotSealed, "gateway store rekey"},
		{sealed, NewRing(a), nil, ""},
		{sealed, NewRing(b, a), nil, ""},
		{plain, nil, nil, ""},
	} {
		db, err := Open(c.db.Path(), time.Second, WithKeys(c.ring))
		if !errors.Is(err, c.want) || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("with %v: %v, want %v that says %s", c.ring, err, c.want, c.says)
		}
		if err != nil {
			continue
		}
		// A store that was not rekeyed goes on with its own key.
		if err := db.Update(put); err != nil {
			t.Error(err)
		}
		id, newest := db.SealedWith()
		if want := map[bool]string{true: a.ID()}[c.db == sealed]; id != want || newest != (c.ring == nil || c.ring.keys[0].id == a.ID()) {
			t.Errorf("with %v: sealed with %q, newest %t", c.ring, id, newest)
		}
		db.Close()
		if again, err := Open(c.db.Path(), time.Second, WithKeys(c.db.ring)); err != nil {
			t.Errorf("written with %v: %v", c.ring, err)
		} else {
			again.Close()
		}
	}
}

func TestASealKeyIsReadAndChecked(t *testing.T) {
	dir := t.TempDir()
	want := sealKey(t, 200)
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	secret := want.secret()
	for i, text := range []string{
		hex.EncodeToString(secret) + "\n", strings.ToUpper(hex.EncodeToString(secret)),
		base64.StdEncoding.EncodeToString(secret) + "\r\n", base64.RawURLEncoding.EncodeToString(secret),
	} {
		got, err := ReadSealKey(write(fmt.Sprint("good", i), text, 0o400))
		if err != nil || got.ID() != want.ID() {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	if got, err := ReadSealKey("credential:good0"); err != nil || got.ID() != want.ID() {
		t.Errorf("credential: %v, %v", got, err)
	}
	text := hex.EncodeToString(secret)
	for name, says := range map[string]string{
		write("open", text, 0o644):                                    "chmod 600",
		write("writable", text, 0o620):                                "chmod 600",
		write("short", text[:62], 0o600):                              "32 bytes",
		write("long", text+"00", 0o600):                               "32 bytes",
		write("empty", "", 0o600):                                     "openssl rand",
		write("equal", strings.Repeat("00", 32), 0o600):               "not random",
		write("secret", "correct horse battery staple SECRET", 0o600): "32 bytes",
		dir:                          "no regular file",
		filepath.Join(dir, "absent"): "no such file",
		"credential:../good0":        "one word",
	} {
		_, err := ReadSealKey(name)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "horse") || strings.Contains(err.Error(), text[:20]) {
			t.Errorf("%s: %v, want it to say %q", name, err, says)
		}
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	if _, err := ReadSealKey("credential:x"); err == nil || !strings.Contains(err.Error(), "LoadCredential=x") {
		t.Errorf("without systemd: %v", err)
	}
	if r, err := ReadRing(""); r != nil || err != nil {
		t.Errorf("no key: %v, %v", r, err)
	}
	if _, err := ReadRing("", "old"); err == nil {
		t.Error("an old key alone was taken")
	}
}

func TestSealKeysDoNotShow(t *testing.T) {
	k := sealKey(t, 0x41) // letters
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		text := fmt.Sprintf(format, k) + fmt.Sprintf(format, &k) + fmt.Sprintf(format, NewRing(k, k)) + fmt.Sprintf(format, &sealing{&k, NewRing(k)})
		for _, shown := range []string{"ABCDEF", "41424344", "65, 66", "65 66"} {
			if strings.Contains(text, shown) {
				t.Errorf("%s shows %s", format, text)
			}
		}
	}
}

func TestDigestsInKeysAreKeyed(t *testing.T) {
	plain, a, b := open(t), open(t, WithKeys(NewRing(sealKey(t, 1)))), open(t, WithKeys(NewRing(sealKey(t, 2))))
	seen := map[string]bool{}
	for _, db := range []*DB{plain, a, b} {
		db.View(func(tx *Tx) error { seen[tx.Digest("0123")] = true; return nil })
	}
	if len(seen) != 3 || !seen["0123"] {
		t.Errorf("digests %v", seen)
	}
}
