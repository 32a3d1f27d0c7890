package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"

	"go.etcd.io/bbolt"
)

// Records read, for the packages that own the values, as much of them as indexes
// depend on.
type Records struct {
	Contact   func(value []byte) (ContactRecord, error)
	Domain    func(value []byte) (DomainRecord, error)
	DomainID  func(value []byte) (tenant, fqdn string, err error)
	Operation func(value []byte) (OperationRecord, error)
	Zone      func(value []byte) (ZoneRecord, error)
	ZonePages func(value []byte) (pages []int64, err error) // of a version
	ZoneLink  func(value []byte) (zone int64, err error)
}

// ContactRecord is what indexes say of a contact.
type ContactRecord struct {
	ID             int64
	Handle, Tenant string
	// Digest is that of its content, before Tx.Digest; "" for a contact that
	// content does not lead to.
	Digest string
}

// DomainRecord is what indexes say of a domain.
type DomainRecord struct {
	ID    int64
	Roles map[string]string // role to handle, where there is one
}

// OperationRecord is what indexes say of an operation.
type OperationRecord struct {
	ID                       int64
	Tenant, FQDN, Once, List string
	AtEnd                    bool
	Guards                   bool  // it has to hold its name
	Spent                    bool  // what it may do once is done
	Lists                    bool  // it has to hold the name of its work list
	Places                   int64 // last place of its work list, 0 without one
}

// ZoneRecord is what indexes say of a zone.
type ZoneRecord struct {
	ID     int64
	Tenant string
	Active int64 // the version that must be there, 0 for none
	Pages  int64 // last page given out
}

// Inconsistency is one thing that is wrong with a store.
type Inconsistency struct {
	Key  string `json:"key"` // readable; "" for the file as a whole
	What string `json:"what"`
}

func (i Inconsistency) String() string {
	if i.Key == "" {
		return i.What
	}
	return i.Key + ": " + i.What
}

// mostFound bounds the inconsistencies that a Report lists.
const mostFound = 1000

// Report is what a check found.
type Report struct {
	// Keys is how many there are of each kind.
	Keys map[string]int `json:"keys,omitempty"`
	// Found lists what is wrong, Wrong counts it.
	Found []Inconsistency `json:"found"`
	Wrong int             `json:"wrong"`
	// Pages tells that the engine's pages were checked, too.
	Pages bool `json:"pages"`
	// Unread tells that what is sealed was not read, for want of a key.
	Unread bool `json:"unread,omitempty"`
	// Quick tells that only that was looked at which open operations need.
	Quick bool `json:"quick,omitempty"`
}

// Check looks whether every index leads to a record, and back. It reads one
// snapshot, in which updates that go on meanwhile are not.
//
// pages has the engine's pages checked first, which no update may disturb: it is
// for a store that nobody else uses. quick looks only at what open operations
// need, and at the counters; its time does not grow with the store.
func (db *DB) Check(ctx context.Context, records Records, pages, quick bool) (Report, error) {
	report := Report{Keys: map[string]int{}, Found: []Inconsistency{}, Quick: quick}
	c := &checker{ctx: ctx, records: records, report: &report, opaque: db.seal != nil && db.seal.with == nil}
	report.Unread = c.opaque
	err := unfaulted(func() error {
		return db.view(func(bt *bbolt.Tx) error {
			if c.tx = db.tx(bt); c.tx.b == nil {
				return fmt.Errorf("%w: it has no store in it", errFile)
			}
			return c.all(quick)
		})
	})
	if errors.Is(err, errFile) {
		report.wrong(Inconsistency{What: err.Error()})
		return report, nil // the engine's own check would fall over it
	}
	if err != nil {
		return report, fmt.Errorf("check store: %w", err)
	}
	if pages && !quick {
		report.Pages = true
		return report, db.checkPages(ctx, &report)
	}
	return report, nil
}

// checkPages is the engine's own check.
func (db *DB) checkPages(ctx context.Context, report *Report) error {
	db.writer.Lock()
	defer db.writer.Unlock()
	return db.view(func(bt *bbolt.Tx) error {
		for err := range bt.Check() { // to its end: it holds a goroutine
			report.wrong(Inconsistency{What: "the file is damaged: " + err.Error()})
		}
		return ctx.Err()
	})
}

func (r *Report) wrong(i Inconsistency) {
	if r.Wrong++; len(r.Found) < mostFound {
		r.Found = append(r.Found, i)
	}
}

var errFile = errors.New("the file is damaged")

// unfaulted runs fn, and makes an error of what a damaged file does to the
// engine: panics, and reads beyond the end of the file.
func unfaulted(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errFile, p)
		}
	}()
	return fn()
}

// checker checks the entries of one snapshot.
type checker struct {
	ctx     context.Context
	tx      *Tx
	records Records
	report  *Report
	opaque  bool // sealed values cannot be read
}

// checks are the checks of each kind.
var checks = map[string]func(*checker, *parsed){
	kindMeta:           (*checker).meta,
	kindCounter:        (*checker).counter,
	kindContact:        (*checker).contact,
	kindContactID:      (*checker).contactID,
	kindContactContent: (*checker).contactContent,
	kindContactTenant:  (*checker).contactTenant,
	kindOwn:            (*checker).own,
	kindDomain:         (*checker).domain,
	kindDomainID:       (*checker).domainID,
	kindUses:           (*checker).uses,
	kindSeen:           (*checker).seen,
	kindDNSKey:         (*checker).dnsKey,
	kindMailbox:        (*checker).json,
	kindSMD:            (*checker).json,
	kindSMDFile:        (*checker).smdFile,
	kindNotice:         (*checker).json,
	kindPortfolio:      (*checker).json,
	kindPortfolioState: (*checker).json,
	kindOp:             (*checker).op,
	kindOpTenant:       (*checker).opTenant,
	kindOpOpen:         (*checker).opOpen,
	kindOpAbout:        (*checker).opAbout,
	kindOpGuard:        (*checker).opGuard,
	kindOpOnce:         (*checker).opOnce,
	kindOpItem:         (*checker).opItem,
	kindOpList:         (*checker).opList,
	kindZone:           (*checker).zone,
	kindZoneTenant:     (*checker).zoneTenant,
	kindZoneVersion:    (*checker).zoneVersion,
	kindZonePage:       (*checker).zonePage,
	kindZoneLink:       (*checker).zoneLink,
	kindZoneDomain:     (*checker).zoneDomain,
	kindUsage:          (*checker).json,
}

// quickKinds are few, however large the store is.
var quickKinds = []string{kindMeta, kindCounter, kindOpOpen, kindOpGuard, kindOpList}

func (c *checker) all(quick bool) error {
	if quick {
		for _, kind := range quickKinds {
			if err := c.scan(Key(kind)); err != nil {
				return err
			}
		}
		return nil
	}
	return c.scan(nil)
}

func (c *checker) scan(prefix []byte) error {
	cursor, n := c.tx.b.Cursor(), 0
	for k, v := cursor.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = cursor.Next() {
		if n++; n%1000 == 0 && c.ctx.Err() != nil {
			return c.ctx.Err()
		}
		c.report.Keys[kindOf(k)]++
		e, ok := parse(k)
		if !ok {
			c.say(k, "no such key is in the layout")
			continue
		}
		e.value = v
		checks[e.kind](c, &e)
	}
	return nil
}

func (c *checker) say(key []byte, format string, args ...any) {
	c.report.wrong(Inconsistency{Readable(key), fmt.Sprintf(format, args...)})
}

// read gives the value of a key; ok tells that it is there and can be read.
func (c *checker) read(key []byte) (value []byte, there, ok bool) {
	raw := c.tx.b.Get(key)
	if raw == nil || c.opaque && isSealedKind(key) {
		return nil, raw != nil, false
	}
	value, err := c.tx.seal.reveal(key, raw)
	return value, true, err == nil // an error is said where the key itself is checked
}

// record reads a record that an index leads to. nil means that nothing can be
// said of it; that it is not there is said here.
func record[T any](c *checker, from, key []byte, read func([]byte) (T, error)) *T {
	value, there, ok := c.read(key)
	if !there {
		c.say(from, "%s is not there", Readable(key))
	}
	if !ok {
		return nil
	}
	r, err := read(value)
	if err != nil {
		return nil // said where the record itself is checked
	}
	return &r
}

// ownRecord reads the record that an entry itself is.
func ownRecord[T any](c *checker, e *parsed, read func([]byte) (T, error)) *T {
	if c.opaque && isSealedKind(e.key) {
		return nil
	}
	value, err := c.tx.seal.reveal(e.key, e.value)
	if err != nil {
		c.say(e.key, "%v", err)
		return nil
	}
	r, err := read(value)
	if err != nil {
		c.say(e.key, "its value cannot be read: %v", err)
		return nil
	}
	return &r
}

func (c *checker) meta(e *parsed) {
	switch name := e.strings[0]; name {
	case "schema":
		if string(e.value) != strconv.Itoa(len(migrations)) {
			c.say(e.key, "is %q; this program knows %d, so the rest of this check may be wrong", e.value, len(migrations))
		}
	case "health", "backup", "seal":
	default:
		c.say(e.key, "no such name is in the layout")
	}
}

// counted are the kinds whose ids a counter gives out.
var counted = map[string]string{"contact": kindContactID, "domain": kindDomainID, "operation": kindOp, "zone": kindZone}

func (c *checker) counter(e *parsed) {
	if len(e.value) != 8 {
		c.say(e.key, "its value is not a number")
		return
	}
	kind, ok := counted[e.strings[0]]
	if !ok {
		return
	}
	last := TrailingID(e.value)
	if newest := TrailingID(c.newest(Key(kind))); newest > last {
		c.say(e.key, "gave out %d last, but there is %s %d, which will be given out again", last, kind, newest)
	}
}

// newest gives the last key with a prefix, nil where there is none.
func (c *checker) newest(prefix []byte) []byte {
	cursor := c.tx.b.Cursor()
	k, _ := cursor.Seek(after(prefix))
	if k == nil {
		k, _ = cursor.Last()
	} else {
		k, _ = cursor.Prev()
	}
	if !bytes.HasPrefix(k, prefix) {
		return nil
	}
	return k
}
