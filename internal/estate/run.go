package estate

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"v3gate/internal/handles"
)

// batchSize is how many entries go into one commit: a gateway that runs answers
// its callers between them.
const batchSize = 500

// Count is how many entries of a kind ended how.
type Count struct {
	New, Equal, Changed, Refused int
}

// Run is one import. Entries are added to it one after the other, contacts before
// the domains that use them.
type Run struct {
	// Send takes a batch to the store.
	Send func(context.Context, handles.Batch) ([]handles.Outcome, error)
	// Tenant is whose the entries are that name none.
	Tenant            string
	Overwrite, DryRun bool
	// Say gets a line about each entry that is refused, and of a dry run about each
	// that is not there as it is.
	Say func(string)
	// Done is called after each batch with the number of entries so far.
	Done func(int)

	Contacts, Domains, Counters Count

	sent    int
	entries []Entry
	places  []string
	seen    map[string]sighting
	fresh   map[string]bool // handles that a dry run would bring
	shown   map[string]handles.Shown
}

// sighting is where something was seen first, and what it was.
type sighting struct {
	digest [sha256.Size]byte
	place  string
}

// Refused is how many entries were refused.
func (r *Run) Refused() int { return r.Contacts.Refused + r.Domains.Refused + r.Counters.Refused }

func (r *Run) count(e *Entry) *Count {
	switch e.Kind() {
	case "domain":
		return &r.Domains
	case "counter":
		return &r.Counters
	}
	return &r.Contacts
}

// Refuse counts an entry that could not be read.
func (r *Run) Refuse(e *Entry, place, why string) {
	r.count(e).Refused++
	r.Say(fmt.Sprintf("%s: refused: %s", strings.TrimSpace(place+" "+e.Name()), why))
}

// Add takes an entry; place is where it is from, such as "line 7", for messages.
func (r *Run) Add(ctx context.Context, e Entry, place string) error {
	if e.Tenant == "" && e.Kind() != "counter" {
		e.Tenant = r.Tenant
	}
	if why, again := r.before(&e, place); again {
		if why == "" {
			r.count(&e).Equal++
		} else {
			r.Refuse(&e, place, why)
		}
		return nil
	}
	r.entries, r.places = append(r.entries, e), append(r.places, place)
	if len(r.entries) < batchSize {
		return nil
	}
	return r.Flush(ctx)
}

// AddShown takes a domain as v5 shows it.
func (r *Run) AddShown(ctx context.Context, fqdn string, contacts handles.Shown) error {
	if r.shown == nil {
		r.shown = map[string]handles.Shown{}
	}
	r.shown[fqdn] = contacts
	return r.Add(ctx, Entry{FQDN: fqdn}, "domain")
}

// before tells whether the handle, the domain or the id was there before in this
// import, and why that is no good; "" where it is the same.
func (r *Run) before(e *Entry, place string) (why string, again bool) {
	if r.seen == nil {
		r.seen, r.fresh = map[string]sighting{}, map[string]bool{}
	}
	raw, err := json.Marshal(e)
	if err != nil {
		panic(err) // entries are texts, numbers and maps
	}
	s := sighting{sha256.Sum256(raw), place}
	name, id := e.Kind()+" "+e.Name(), fmt.Sprintf("%s id %d", e.Kind(), e.ID)
	if e.Kind() == "domain" {
		name += " " + e.Tenant
	}
	numbered := e.ID != 0 && e.Kind() != "counter"
	if was, ok := r.seen[name]; ok {
		if was.digest != s.digest {
			why = fmt.Sprintf("it is not what %s says of it", was.place)
		}
		return why, true
	}
	if was, ok := r.seen[id]; ok && numbered {
		return fmt.Sprintf("its id %d is that of %s", e.ID, was.place), true
	}
	r.seen[name] = s
	if numbered {
		r.seen[id] = sighting{place: strings.TrimSpace(place + " " + e.Name())}
	}
	return "", false
}

// Flush takes what was added to the store.
func (r *Run) Flush(ctx context.Context) error {
	if len(r.entries) == 0 {
		return nil
	}
	b := handles.Batch{Entries: r.entries, Overwrite: r.Overwrite, DryRun: r.DryRun, Shown: r.shown}
	if r.DryRun {
		assumed := map[string]bool{}
		for i := range r.entries {
			for _, role := range []string{"owner", "admin", "bill", "tech"} {
				if h := r.entries[i].Roles.Of(role); r.fresh[h] && !assumed[h] {
					assumed[h] = true
					b.Assume = append(b.Assume, h)
				}
			}
		}
	}
	out, err := r.Send(ctx, b)
	if err == nil && len(out) != len(r.entries) {
		err = errors.New("the store answered for other entries than it was sent")
	}
	if err != nil {
		return err
	}
	for i := range out {
		r.tell(&r.entries[i], r.places[i], &out[i])
	}
	r.sent += len(r.entries)
	r.entries, r.places, r.shown = r.entries[:0], r.places[:0], nil
	if r.Done != nil {
		r.Done(r.sent)
	}
	return nil
}

func (r *Run) tell(e *Entry, place string, o *handles.Outcome) {
	c := r.count(e)
	r.Contacts.New += o.Minted
	switch o.State {
	case handles.Refused:
		r.Refuse(e, place, o.Why)
		return
	case handles.Equal:
		c.Equal++
		return
	case handles.Added:
		c.New++
	case handles.Replaced:
		c.Changed++
	}
	if r.DryRun {
		r.fresh[e.Handle] = e.Handle != ""
		r.Say(fmt.Sprintf("%s: %s", strings.TrimSpace(place+" "+e.Name()), o.State))
	}
}

// Broken says that lines of a file are wrong, and that nothing was imported.
type Broken struct{ Lines, Of int }

func (b *Broken) Error() string {
	return fmt.Sprintf("%d of %d lines are wrong, so nothing was imported; correct them, or leave them out with --keep-going", b.Lines, b.Of)
}

// File imports a file: all of it is read and looked at before anything is sent.
// Wrong lines are said, and end it there unless it is to keep going. total is told
// how many entries there are.
func (r *Run) File(ctx context.Context, format string, f io.ReadSeeker, keepGoing bool, total func(int)) error {
	wrong, all, domains := 0, 0, 0
	err := Read(format, f, func(line int, e *Entry, err error) error {
		all++
		if err == nil {
			err = r.check(*e)
		}
		if err != nil {
			wrong++
			r.Refuse(e, fmt.Sprintf("line %d", line), err.Error())
		} else if e.Kind() == "domain" {
			domains++
		}
		return ctx.Err()
	})
	if err != nil {
		return fmt.Errorf("%w; nothing was imported", err)
	}
	if wrong > 0 && !keepGoing {
		return &Broken{wrong, all}
	}
	total(all - wrong)
	for _, ofDomains := range []bool{false, true} {
		if ofDomains && domains == 0 {
			break
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		err := Read(format, f, func(line int, e *Entry, err error) error {
			if err != nil || r.check(*e) != nil || (e.Kind() == "domain") != ofDomains {
				return ctx.Err()
			}
			return errors.Join(ctx.Err(), r.Add(ctx, *e, fmt.Sprintf("line %d", line)))
		})
		if err := errors.Join(err, r.flushUnless(ctx, err)); err != nil {
			return err
		}
	}
	return nil
}

func (r *Run) flushUnless(ctx context.Context, err error) error {
	if err != nil {
		return nil
	}
	return r.Flush(ctx)
}

func (r *Run) check(e Entry) error {
	if e.Tenant == "" {
		e.Tenant = r.Tenant
	}
	return e.Check()
}
