package handles

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"v3gate/internal/v5"
)

// Entry is one thing of an estate that is moved in or out: a contact when Handle
// is set, a domain when FQDN is, a counter when Counter is. Exactly one of them
// is.
type Entry struct {
	Tenant  string `json:"tenant,omitempty"` // of contacts and domains
	Handle  string `json:"handle,omitempty"`
	FQDN    string `json:"fqdn,omitempty"` // ASCII, lower case
	Counter string `json:"counter,omitempty"`
	// ID is that of a contact or a domain, 0 for one to be minted; of a counter it
	// is the number given out last.
	ID int64 `json:"id,omitempty"`
	// Created is a contact's date; nil is the time of the import.
	Created *time.Time `json:"created,omitempty"`
	Own     bool       `json:"own,omitempty"`   // it is its tenant's own contact
	Empty   bool       `json:"empty,omitempty"` // see Contact, as Version and Shown
	Version int64      `json:"version,omitempty"`
	Shown   string     `json:"shown,omitempty"`
	Roles
	Fields
}

// Kind is contact, domain or counter; "" for what is none.
func (e *Entry) Kind() string {
	kinds := make([]string, 0, 3)
	for kind, name := range map[string]string{"contact": e.Handle, "domain": e.FQDN, "counter": e.Counter} {
		if name != "" {
			kinds = append(kinds, kind)
		}
	}
	if len(kinds) != 1 {
		return ""
	}
	return kinds[0]
}

// MostID is the greatest id that is imported. Clients take ids below 2^31, and
// those that are minted later have to stay below that, too.
const MostID = 2_100_000_000

var (
	handleForm = regexp.MustCompile(`^[A-Z]{1,6}([0-9]{0,9})-[A-Z]{2,10}$`)
	fqdnForm   = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
	countryOK  = regexp.MustCompile(`^[A-Za-z]{2}$`)
	counters   = map[string]bool{"handle": true, "contact": true, "domain": true}
)

// Number is the number in a handle; 0 where there is none.
func Number(handle string) int64 {
	m := handleForm.FindStringSubmatch(handle)
	if m == nil {
		return 0
	}
	n, _ := strconv.ParseInt(m[1], 10, 64) // the pattern says that it is one
	return n
}

// Check says what is wrong with an entry by itself.
func (e *Entry) Check() error {
	if e.Kind() == "" {
		return errors.New("it is no contact, domain or counter: give exactly one of handle, fqdn and counter")
	}
	if e.ID < 0 || e.ID > MostID {
		return fmt.Errorf("id %d is not between 1 and %d", e.ID, int64(MostID))
	}
	switch e.Kind() {
	case "counter":
		if !counters[e.Counter] {
			return fmt.Errorf("there is no counter %q", e.Counter)
		}
		return nil
	case "domain":
		if !fqdnForm.MatchString(e.FQDN) || len(e.FQDN) > 253 {
			return fmt.Errorf("fqdn %q is no domain name in ASCII and lower case", e.FQDN)
		}
	case "contact":
		if err := e.checkContact(); err != nil {
			return err
		}
	}
	if e.Tenant == "" {
		return errors.New("it names no tenant")
	}
	return nil
}

// checkContact asks only for what every later call depends on. What the old
// service once took is kept as it is; v5 decides when it is used.
func (e *Entry) checkContact() error {
	switch {
	case !handleForm.MatchString(e.Handle):
		return fmt.Errorf("handle %q is not letters, at most 9 digits and -GANDI", e.Handle)
	case e.Roles != Roles{}:
		return errors.New("owner, admin, bill and tech are a domain's")
	case e.Empty:
		return nil
	case e.Type < 0 || e.Type >= len(types):
		return fmt.Errorf("type %d is not 0 to %d", e.Type, len(types)-1)
	case e.Given == "" && e.Family == "" && e.OrgName == "":
		return errors.New("it has none of given, family and orgname")
	case e.Country != "" && !countryOK.MatchString(e.Country):
		return fmt.Errorf("country %q is no code of two letters", e.Country)
	}
	for name, date := range map[string]string{"jo_declaration_date": e.JODeclarationDate, "jo_publication_date": e.JOPublicationDate} {
		if _, err := time.Parse(time.DateOnly, date); date != "" && err != nil {
			return fmt.Errorf("%s %q is no YYYY-MM-DD", name, date)
		}
	}
	return nil
}

// Name is what the entry is called in messages.
func (e *Entry) Name() string { return strings.TrimSpace(e.Handle + e.FQDN + e.Counter) }

// Batch is what is imported in one commit, or looked at in none.
type Batch struct {
	Entries []Entry `json:"entries"`
	// Overwrite replaces what is there with other content.
	Overwrite bool `json:"overwrite,omitempty"`
	// DryRun writes nothing. Assume are then the handles that an earlier batch
	// would have brought.
	DryRun bool     `json:"dry_run,omitempty"`
	Assume []string `json:"assume,omitempty"`
	// Shown is what v5 shows of domains, by fqdn: roles that have no handle get that
	// of a contact with this content, or a new one.
	Shown map[string]Shown `json:"shown,omitempty"`
}

// Shown is the contacts of a domain as v5 shows them.
type Shown = v5.Contacts

// State is what became of an entry.
type State string

const (
	Added    State = "new"
	Equal    State = "equal"   // it was there
	Replaced State = "changed" // something was added to it or replaced
	Refused  State = "refused" // nothing of it was written
)

// Outcome is what became of an entry, and why.
type Outcome struct {
	State State  `json:"state"`
	Why   string `json:"why,omitempty"`
	// Whole: it is a domain whose handles are known in all roles.
	Whole bool `json:"whole,omitempty"`
	// Minted is how many contacts were made for what v5 shows.
	Minted int `json:"minted,omitempty"`
}
