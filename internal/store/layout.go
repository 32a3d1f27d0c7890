package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"go.etcd.io/bbolt"
)

// The whole layout. A key is a kind and parts; strings end in 0x00 0x01 (a 0x00
// inside them is written 0x00 0xff), numbers are eight bytes, so keys sort as
// their parts do and no part can run into the next. In a sealed store the values
// of contact, seen, mailbox, smd, smd-file, op, op-item, zone, zone-page and usage are encrypted (seal.go); a kind that is added goes
// into that list where its values tell of people, and into check_keys.go.
//
//	meta            "schema"                       schema version, decimal text
//	meta            "health"                       empty: written to see whether the disk takes it
//	meta            "seal"                         id of the key that values are sealed with (seal.go); absent: none are
//	meta            "backup"                       when this backup was taken, RFC 3339; absent in a store in use
//	counter         <name>                         last number given out, 8 bytes
//	contact         <handle>                       contact, JSON (package handles)
//	contact-id      <id>                           handle
//	contact-content <tenant> <hash> <id>           handle: the contacts with that content, the oldest first
//	contact-tenant  <tenant> <id>                  handle: a tenant's contacts in order
//	own             <tenant>                       handle of the tenant's own contact
//	domain          <tenant> <fqdn>                id and handle of each role, JSON (package handles)
//	domain-id       <id>                           domain key's parts, JSON
//	dnskey          <tenant> <id>                  fqdn: the domain of a DNSSEC key of v5's id (package handles)
//	uses            <handle> <tenant> <fqdn> <role>  empty: who uses a handle
//	seen            <tenant> <fqdn>                what v5 shows of a domain's contacts, JSON (package handles)
//	mailbox         <tenant> <fqdn> <login>        what v5 cannot keep of a mailbox, JSON (package handles)
//	smd             <tenant> <id>                  what a signed mark says, JSON (package handles)
//	smd-file        <tenant> <id>                  the file of that signed mark, as it was given
//	notice          <tenant> <fqdn>                notice of what is claimed of a name, JSON (package handles)
//	portfolio       <tenant> <fqdn>                what v5's list and detail show of a domain, JSON (package portfolio)
//	portfolio-state <tenant>                       how far the mirror of a tenant's domains is, JSON (package portfolio)
//	op              <id>                           operation, JSON (package ops)
//	op-tenant       <tenant> <id>                  empty: a tenant's operations in order
//	op-open         <id>                           empty: operations that are not at their end
//	op-once         <fqdn> <what>                  id of the operation that did what may be done once, 8 bytes
//	op-about        <tenant> <fqdn> <id>           empty: a tenant's operations on a name that are not at their end
//	op-guard        <fqdn>                         id of the paid operation that holds the name, 8 bytes
//	op-item         <id> <place>                   item of an operation's work list, JSON (package ops)
//	op-list         <tenant> <name>                id of the operation whose work list of that name is at work, 8 bytes
//	zone            <id>                           zone, JSON (package zones)
//	zone-tenant     <tenant> <id>                  empty: a tenant's zones in order
//	zone-version    <zone> <version>               version, JSON: which pages its records are in (package zones)
//	zone-page       <zone> <page>                  run of records, JSON; it never changes, and versions share it
//	zone-link       <tenant> <fqdn>                a domain's zone and what it carries of it, JSON (package zones)
//	zone-domain     <tenant> <zone> <fqdn>         empty: who is linked to a zone
//	usage           <day> <tenant>                 who called what on a day, counted since 1970, JSON (package usage)
const (
	kindMeta           = "meta"
	kindCounter        = "counter"
	kindContact        = "contact"
	kindContactID      = "contact-id"
	kindContactContent = "contact-content"
	kindContactTenant  = "contact-tenant"
	kindOwn            = "own"
	kindDomain         = "domain"
	kindDomainID       = "domain-id"
	kindDNSKey         = "dnskey"
	kindUses           = "uses"
	kindSeen           = "seen"
	kindMailbox        = "mailbox"
	kindSMD            = "smd"
	kindSMDFile        = "smd-file"
	kindNotice         = "notice"
	kindPortfolio      = "portfolio"
	kindPortfolioState = "portfolio-state"
	kindOp             = "op"
	kindOpTenant       = "op-tenant"
	kindOpOpen         = "op-open"
	kindOpAbout        = "op-about"
	kindOpGuard        = "op-guard"
	kindOpOnce         = "op-once"
	kindOpItem         = "op-item"
	kindOpList         = "op-list"
	kindZone           = "zone"
	kindZoneTenant     = "zone-tenant"
	kindZoneVersion    = "zone-version"
	kindZonePage       = "zone-page"
	kindZoneLink       = "zone-link"
	kindZoneDomain     = "zone-domain"
	kindUsage          = "usage"
)

func ContactKey(handle string) []byte { return Key(kindContact, handle) }
func ContactsPrefix() []byte          { return Key(kindContact) }
func ContactIDKey(id int64) []byte    { return Key(kindContactID, id) }
func ContactContentKey(tenant, hash string, id int64) []byte {
	return Key(kindContactContent, tenant, hash, id)
}
func ContactContentPrefix(tenant, hash string) []byte { return Key(kindContactContent, tenant, hash) }
func ContactTenantKey(tenant string, id int64) []byte { return Key(kindContactTenant, tenant, id) }
func ContactTenantPrefix(tenant string) []byte        { return Key(kindContactTenant, tenant) }
func OwnKey(tenant string) []byte                     { return Key(kindOwn, tenant) }
func DomainKey(tenant, fqdn string) []byte            { return Key(kindDomain, tenant, fqdn) }
func DomainIDKey(id int64) []byte                     { return Key(kindDomainID, id) }
func DNSKeyKey(tenant string, id int64) []byte        { return Key(kindDNSKey, tenant, id) }
func UsesKey(handle, tenant, fqdn, role string) []byte {
	return Key(kindUses, handle, tenant, fqdn, role)
}
func SeenKey(tenant, fqdn string) []byte        { return Key(kindSeen, tenant, fqdn) }
func UsesOfPrefix(handle, tenant string) []byte { return Key(kindUses, handle, tenant) }
func MailboxKey(tenant, fqdn, login string) []byte {
	return Key(kindMailbox, tenant, fqdn, login)
}
func SMDKey(tenant string, id int64) []byte      { return Key(kindSMD, tenant, id) }
func SMDFileKey(tenant string, id int64) []byte  { return Key(kindSMDFile, tenant, id) }
func SMDPrefix(tenant string) []byte             { return Key(kindSMD, tenant) }
func NoticeKey(tenant, fqdn string) []byte       { return Key(kindNotice, tenant, fqdn) }
func NoticesPrefix(tenant string) []byte         { return Key(kindNotice, tenant) }
func PortfolioKey(tenant, fqdn string) []byte    { return Key(kindPortfolio, tenant, fqdn) }
func PortfolioPrefix(tenant string) []byte       { return Key(kindPortfolio, tenant) }
func PortfolioStateKey(tenant string) []byte     { return Key(kindPortfolioState, tenant) }
func PortfolioStatesPrefix() []byte              { return Key(kindPortfolioState) }
func MailboxesPrefix(tenant, fqdn string) []byte { return Key(kindMailbox, tenant, fqdn) }
func UsesPrefix(handle string) []byte            { return Key(kindUses, handle) }
func OpKey(id int64) []byte                      { return Key(kindOp, id) }
func OpsPrefix() []byte                          { return Key(kindOp) }
func OpTenantKey(tenant string, id int64) []byte { return Key(kindOpTenant, tenant, id) }
func OpTenantPrefix(tenant string) []byte        { return Key(kindOpTenant, tenant) }
func OpOpenKey(id int64) []byte                  { return Key(kindOpOpen, id) }
func OpOpenPrefix() []byte                       { return Key(kindOpOpen) }
func OpAboutKey(tenant, fqdn string, id int64) []byte {
	return Key(kindOpAbout, tenant, fqdn, id)
}
func OpAboutPrefix(tenant, fqdn string) []byte { return Key(kindOpAbout, tenant, fqdn) }
func OpOnceKey(fqdn, what string) []byte       { return Key(kindOpOnce, fqdn, what) }
func OpGuardKey(fqdn string) []byte            { return Key(kindOpGuard, fqdn) }
func OpItemKey(id, place int64) []byte         { return Key(kindOpItem, id, place) }
func OpItemsPrefix(id int64) []byte            { return Key(kindOpItem, id) }
func OpListKey(tenant, name string) []byte     { return Key(kindOpList, tenant, name) }
func ZoneKey(id int64) []byte                  { return Key(kindZone, id) }
func ZoneTenantKey(tenant string, id int64) []byte {
	return Key(kindZoneTenant, tenant, id)
}
func ZoneTenantPrefix(tenant string) []byte     { return Key(kindZoneTenant, tenant) }
func ZoneVersionKey(zone, version int64) []byte { return Key(kindZoneVersion, zone, version) }
func ZoneVersionsPrefix(zone int64) []byte      { return Key(kindZoneVersion, zone) }
func ZonePageKey(zone, page int64) []byte       { return Key(kindZonePage, zone, page) }
func ZonePagesPrefix(zone int64) []byte         { return Key(kindZonePage, zone) }
func ZoneLinkKey(tenant, fqdn string) []byte    { return Key(kindZoneLink, tenant, fqdn) }
func ZoneDomainKey(tenant string, zone int64, fqdn string) []byte {
	return Key(kindZoneDomain, tenant, zone, fqdn)
}
func ZoneDomainsPrefix(tenant string, zone int64) []byte { return Key(kindZoneDomain, tenant, zone) }
func UsageKey(day int64, tenant string) []byte           { return Key(kindUsage, day, tenant) }
func UsagePrefix() []byte                                { return Key(kindUsage) }
func UsageDayPrefix(day int64) []byte                    { return Key(kindUsage, day) }

// UsageParts are those of a usage key; false for one that is none.
func UsageParts(key []byte) (day int64, tenant string, ok bool) {
	e, ok := parse(key)
	if !ok || e.kind != kindUsage {
		return 0, "", false
	}
	return e.numbers[0], e.strings[0], true
}

// Key builds a key from strings and int64s.
func Key(parts ...any) []byte {
	var k []byte
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			k = append(k, bytes.ReplaceAll([]byte(p), []byte{0}, []byte{0, 0xff})...)
			k = append(k, 0, 1)
		case int64:
			k = binary.BigEndian.AppendUint64(k, uint64(p))
		default:
			panic(fmt.Sprintf("store key part of type %T", p))
		}
	}
	return k
}

// TrailingID reads the number that ends a key.
func TrailingID(key []byte) int64 {
	if len(key) < 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(key[len(key)-8:]))
}

// KeyStrings reads the strings of a key, the kind first, up to a number.
func KeyStrings(key []byte) []string {
	var parts []string
	for len(key) > 0 {
		end := bytes.Index(key, []byte{0, 1})
		if end < 0 {
			break
		}
		parts = append(parts, string(bytes.ReplaceAll(key[:end], []byte{0, 0xff}, []byte{0})))
		key = key[end+2:]
	}
	return parts
}

// PutID and GetID keep a number as a value.
func PutID(tx *Tx, key []byte, id int64) error {
	return tx.Put(key, binary.BigEndian.AppendUint64(nil, uint64(id)))
}

// GetID reads a number kept by PutID; 0 when there is none.
func GetID(tx *Tx, key []byte) int64 { return TrailingID(tx.Get(key)) }

// migrations bring a store from version i to version i+1. They are only ever
// added to; each one has a test with a file of the version before.
var migrations = []migration{
	func(*Tx, Records) error { return nil }, // 0 -> 1: an empty store
	// 1 -> 2: every contact by its content, and by its tenant; open operations by
	// what they are about.
	func(tx *Tx, r Records) error { return errors.Join(indexContacts(tx, r), indexOpen(tx, r)) },
}

// migration is one step. Records read the values of packages that own them.
type migration func(*Tx, Records) error

// WithRecords gives Open what it needs to bring a store up to date from a version
// before 2, unless nothing is in it.
func WithRecords(r Records) Option { return func(db *DB) { db.records = r } }

// indexContacts makes the indexes of contacts anew. Until then content led to the
// oldest contact only, and nothing listed a tenant's.
func indexContacts(tx *Tx, records Records) error {
	var old [][]byte
	if err := tx.ScanKeys(Key(kindContactContent), func(k []byte) error { old = append(old, bytes.Clone(k)); return nil }); err != nil {
		return err
	}
	var contacts []ContactRecord
	err := tx.Scan(ContactsPrefix(), func(k, v []byte) error {
		if records.Contact == nil {
			return errUnreadable
		}
		c, err := records.Contact(v)
		if err != nil {
			return fmt.Errorf("read %s: %w", Readable(k), err)
		}
		contacts = append(contacts, c)
		return nil
	})
	for _, k := range old {
		err = errors.Join(err, tx.Delete(k))
	}
	for _, c := range contacts {
		err = errors.Join(err, tx.Put(ContactTenantKey(c.Tenant, c.ID), []byte(c.Handle)))
		if c.Digest != "" {
			err = errors.Join(err, tx.Put(ContactContentKey(c.Tenant, tx.Digest(c.Digest), c.ID), []byte(c.Handle)))
		}
	}
	return err
}

var errUnreadable = errors.New("its records cannot be read by this command; start the gateway on it once")

// indexOpen makes the index of open operations by what they are about.
func indexOpen(tx *Tx, records Records) error {
	var open []OperationRecord
	err := tx.ScanKeys(OpOpenPrefix(), func(k []byte) error {
		value := tx.Get(OpKey(TrailingID(k)))
		switch {
		case value == nil:
			return nil // check tells
		case records.Operation == nil:
			return errUnreadable
		}
		op, err := records.Operation(value)
		open = append(open, op)
		return err
	})
	for _, op := range open {
		err = errors.Join(err, tx.Put(OpAboutKey(op.Tenant, op.FQDN, op.ID), nil))
	}
	return err
}

// migrate runs what is missing, all in one commit, so that a store is never
// between two versions. When nothing is, it does not write: a store on a full
// disk can be opened.
func (db *DB) migrate(steps []migration) error {
	current := false
	err := db.bolt.View(func(bt *bbolt.Tx) error {
		b := bt.Bucket(bucket)
		current = b != nil && string(b.Get(Key(kindMeta, "schema"))) == strconv.Itoa(len(steps))
		return nil
	})
	if err != nil || current {
		return err
	}
	return db.bolt.Update(func(bt *bbolt.Tx) error {
		b, err := bt.CreateBucketIfNotExists(bucket)
		if err != nil {
			return err
		}
		tx := &Tx{b: b, seal: db.seal}
		version := 0
		if v := tx.Get(Key(kindMeta, "schema")); v != nil {
			if version, err = strconv.Atoi(string(v)); err != nil {
				return errors.New("it is no gateway store: its schema version is no number")
			}
		}
		if version > len(steps) {
			return fmt.Errorf("its schema version %d is newer than this program's %d; run the newer gateway", version, len(steps))
		}
		for i := version; i < len(steps); i++ {
			if err := steps[i](tx, db.records); err != nil {
				return fmt.Errorf("migrate schema %d to %d: %w", i, i+1, err)
			}
		}
		if version == 0 && db.seal != nil {
			if err := tx.Put(sealMark(), []byte(db.seal.with.id)); err != nil {
				return err
			}
		}
		return tx.Put(Key(kindMeta, "schema"), []byte(strconv.Itoa(len(steps))))
	})
}
