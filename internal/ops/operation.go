// Package ops makes v3 operations out of v5 calls that have none.
//
// A v3 caller gets an operation at once and asks for it until it is DONE. v5
// answers a bare 202. Between them stands the journal: an operation is written
// before its v5 call is sent, the call is sent at most once unless reading
// proves that it did not happen, and the operation then follows what v5 shows.
package ops

import (
	"encoding/json"
	"errors"
	"time"
)

// Step is a v3 operation step (v3 domain reference, OperationStep).
type Step string

const (
	Bill    Step = "BILL"
	Wait    Step = "WAIT"
	Run     Step = "RUN"
	Done    Step = "DONE"
	Error   Step = "ERROR"
	Support Step = "SUPPORT"
	Cancel  Step = "CANCEL"
)

// Steps are all v3 steps.
var Steps = []Step{Bill, Wait, Run, Done, Error, Support, Cancel}

// AtEnd tells whether nothing will move the step any more by itself.
func (s Step) AtEnd() bool { return s == Done || s == Error || s == Cancel }

// Final tells whether nothing can move the step at all.
func (s Step) Final() bool { return s == Done || s == Cancel }

// forward orders the steps that v5 reports while it works. v5 is read from
// several places, so an older answer may come after a newer one; a step never
// goes back.
var forward = map[Step]int{Bill: 0, Wait: 1, Run: 2, Done: 3}

// State is how far the v5 call behind an operation has come. It is what decides
// whether money may move.
type State string

const (
	// Intended: written down, nothing sent. Going on is safe.
	Intended State = "intended"
	// Sending: the request may be on its way. A process that finds this state
	// at its start must find out by reading.
	Sending State = "sending"
	// Unknown: the request was sent and its answer does not say what happened.
	Unknown State = "unknown"
	// Accepted: v5 took the call.
	Accepted State = "accepted"
	// Refused: v5 definitely did not take it.
	Refused State = "refused"
)

// Operation is one v3 operation with its journal entry.
type Operation struct {
	ID      int64
	Tenant  string
	Type    string // v3's name, such as domain_create
	Kind    string // how it is sent and followed; see Kind
	Step    Step
	Source  string // handle of the caller
	Session int64  // session_id of v3
	FQDN    string
	Params  json.RawMessage // the v3 params member: an object in wire order
	Infos   Infos

	Created time.Time
	Started time.Time // zero until v5 took the call
	Updated time.Time
	// Relaunched is when it was begun again, zero where it was not.
	Relaunched time.Time `json:",omitzero"`

	// Passed are the steps and states that it came through, the last ones where
	// there were many. Operations of before they were kept have none.
	Passed []Passage `json:",omitempty"`

	LastError string
	// ErrorType is v5's identifier of what went wrong, with ERROR and SUPPORT.
	ErrorType string `json:",omitempty"`

	State State
	// Fingerprint is equal for two calls that ask for the same thing.
	Fingerprint string
	// Once names, for the name it is about, what may be done once only, for ever:
	// the year that a renewal carries. "" where there is no such bound.
	Once string `json:",omitempty"`
	// List names what its work list is about; see Intent.
	List string `json:",omitempty"`
	Work Work   `json:",omitzero"`
	// Request is what the kind sends. It holds contact data, so it is wiped once
	// the operation is at its end; secrets in it go with the outcome.
	Request json.RawMessage `json:",omitempty"`
	// Basis is what the request was made from; see Intent.
	Basis json.RawMessage `json:",omitempty"`
	// Baseline is what v5 showed before anything was sent.
	Baseline json.RawMessage `json:",omitempty"`
	// Sends counts how often the request went out, in whatever guise; a second
	// time needs proof.
	Sends int
	// Rehearsed: v5's Dry-Run may have been asked, and its answer is not known.
	// Kept for kinds that are never sent again: reading cannot tell a Dry-Run
	// that was taken for the real call from one that was not.
	Rehearsed bool `json:",omitempty"`
	// UnknownSince is since when nobody knows what became of the call, or since
	// when v5, which took it, does not show it; for giving up.
	UnknownSince time.Time
	// Refusal is v5's definite no to a request that followed one whose outcome
	// was unknown. It proves nothing about that one, and ends the sending.
	Refusal string `json:",omitempty"`
}

// Infos is v3's infos struct (recorded). id, quantity and extras were always
// empty for domains.
type Infos struct {
	Action string // product_action: create, renew, change_owner …
	TLD    string // product_name, without a dot
	Label  string // the fqdn
}

// Open tells whether a paid operation still holds its name: until its end, and
// in SUPPORT while nobody knows what happened.
func (o *Operation) Open() bool {
	return !o.Step.AtEnd() && (o.Step != Support || o.State == Unknown || o.State == Sending)
}

// followed tells whether all that is left is to watch: nothing about the call
// waits to be found out, or nothing that could be done with it.
func (o *Operation) followed() bool { return o.State == Accepted || o.Step == Support }

// advance moves the step forward only.
func (o *Operation) advance(to Step) {
	if from, ok := forward[o.Step]; ok && forward[to] > from || o.Step == Support {
		o.Step = to
	}
}

var (
	// ErrUnknown: no operation has that id.
	ErrUnknown = errors.New("operation is not known")
	// ErrForeign: it belongs to another tenant.
	ErrForeign = errors.New("operation belongs to another tenant")
)

// BusyError says that the name is held by an operation that is not finished.
type BusyError struct {
	FQDN string
	// ID and Type are set when the operation is the caller's own, and empty
	// when another tenant's.
	ID   int64
	Type string
}

func (e *BusyError) Error() string { return "an operation on " + e.FQDN + " is running" }
