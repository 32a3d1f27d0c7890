package console

import (
	"context"
	"time"

	"v3gate/internal/telemetry"
)

// Needs is all that the console asks for. Every field must be set. The functions
// may be called at any time and several times at once; what they give must be as
// bounded as their arguments ask.
type Needs struct {
	Now      func() time.Time
	Activity *telemetry.Activity
	// Failed is told of what kept a page from being shown.
	Failed func(error)

	State func() (State, error)
	// Operations gives those that are not at their end, those that wait for
	// people first and then those that are in their step for longest: at most so
	// many after the ones to skip, and how many there are in all.
	Operations func(skip, most int) (page []Operation, all int, err error)
	// Operation gives one, with its work list; nil where there is none.
	Operation func(id int64) (*Operation, error)
	// Handles gives contacts in the order of their handles, those after one.
	Handles func(after string, most int) (page []Handle, more bool, err error)
	// Handle gives one; nil where there is none.
	Handle func(handle string) (*Handle, error)
	// Uses gives where a handle is used, in the order of the store.
	Uses func(handle string, after Use, most int) (page []Use, more bool, err error)

	// Report gives who called what from a day on.
	Report func(since time.Time) (Report, error)
	// Methods are the names of the table.
	Methods func() []string
	// Explain tells what a call is at v5. Parameters are JSON values with blanks
	// between them. It sends and writes nothing, and knows no contact.
	Explain func(ctx context.Context, method, params string) (Explanation, error)
}

// Report is who called what over some days.
type Report struct {
	Days    []ReportDay // the oldest first
	Lines   []ReportLine
	LeftOut int // further lines
}

// ReportDay is all calls of a day.
type ReportDay struct {
	Day           time.Time
	Calls, Faults uint64
}

// ReportLine is a caller of a tenant and one of the methods that it calls.
type ReportLine struct {
	Tenant, Key, Agent, Remote string
	Others                     bool // it stands for all for whom there was no room
	Method, Support            string
	Calls, Faults              uint64
	Codes                      map[string]uint64 // faults by code
	Ignored                    map[string]uint64 // parameters that were taken without effect
	Last                       time.Time
	V5                         []string // what replaces the method
	Note                       string   // what the table says of it
}

// Explanation is what a call becomes. No text of it has a secret.
type Explanation struct {
	Problem             string // why it cannot be told, "" where it can
	Call, Support, Note string
	Requests            []ExplainedRequest
	Answer, Fault       string
	Open                bool // an operation goes on
}

// ExplainedRequest is a request with the command that sends it.
type ExplainedRequest struct {
	Method, Curl, Status string
	Behind               bool // it is sent when the caller has its answer
	Times                int
}

// State is how the service is.
type State struct {
	Version, Commit, GoVersion string
	Started                    time.Time
	NotReady                   string // why it does not serve; "" while it does

	Store   Store
	Tenants []Tenant
	Reload  Reload
	V5      V5

	Handles    int
	Operations map[string]int // by step, those at their end too
	Stuck      int            // of those not at their end: in a step for longer than is usual
}

// Store is the file that everything is in.
type Store struct {
	Bytes     int64
	PageSize  int
	FreePages int
	Sealed    bool
	Replaced  bool // the file is no longer the one that is written to
}

// Tenant is an account, without its keys and credentials.
type Tenant struct {
	Name      string
	Mode      string
	Anonymous bool
	InFlight  int           // calls at a time; 0 is unlimited
	Rate      int           // calls in each Window; 0 is unlimited
	Window    time.Duration // in which Rate counts
}

// Reload is the last time that the configuration was read; OK is whether it is
// in force.
type Reload struct {
	At    time.Time
	OK    bool
	Start bool // it was not read again since the start
}

// V5 is how the client of v5 is at this moment.
type V5 struct {
	Address   string
	PerMinute int // requests that it may send; 0 is unlimited
	Waiting   int
	InFlight  int
	Refusing  bool // the breaker is open
}

// Operation is a v3 operation as it stands in the journal.
type Operation struct {
	ID                     int64
	Tenant, Type, Domain   string
	Step, State            string
	Source                 string // handle of the caller
	Sends                  int
	Created, Since, Update time.Time // Since is when it came to its step
	Passed                 []Passage
	Error                  Masked
	ErrorType              string
	Stuck                  bool // it is in its step for longer than is usual
	Work                   Work
}

// Passage is an operation's coming to a step or a state.
type Passage struct {
	Step, State string
	At          time.Time
}

// Work is how far the work list of an operation has come; All is 0 where it has
// none.
type Work struct {
	All, Done, Failed, Skipped, Sending, Todo int
	More                                      bool // there are further ones, which are not counted
	// Open are items that failed or are under way, the first ones.
	Open []Item
}

// Item is one call of a work list.
type Item struct {
	Name, State string
	Tries       int
	Error       Masked
}

// Handle is a contact without its contact data.
type Handle struct {
	Handle, Tenant string
	ID             int64
	Created        time.Time
	Kind           string // person, company ...
	Empty          bool   // nothing is known of it yet
	Name, Org      Masked
	Email, Phone   Masked
}

// Use is a domain that uses a handle, and in which role.
type Use struct{ Tenant, FQDN, Role string }
