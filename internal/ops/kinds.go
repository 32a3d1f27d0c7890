package ops

import (
	"context"
	"encoding/json"
	"fmt"

	"v3gate/internal/v5"
)

// The kinds of work: how a call is sent and how v5 shows what became of it.
const (
	KindCreate      = "create"
	KindChangeOwner = "change_owner"
	KindContacts    = "contacts"
)

// Kind is one way of working on v5. Adding one is a file like create.go and a
// line in kinds.
type Kind struct {
	// Paid work costs money: it holds the name until its outcome is known, and
	// starts in BILL instead of WAIT.
	Paid bool
	// Baseline reads what v5 shows before anything is sent. It is stored with
	// the intent; a later reading that equals it proves nothing about our call.
	// It refuses what v5 already shows to be impossible.
	Baseline func(ctx context.Context, s *v5.Session, fqdn string) (json.RawMessage, error)
	// DryRun asks v5 whether it would take the call; nil where v5 has no
	// Dry-Run.
	DryRun func(ctx context.Context, s *v5.Session, op *Operation) error
	// Send makes the call, once.
	Send func(ctx context.Context, s *v5.Session, op *Operation) error
	// Look reads what became of it.
	Look func(ctx context.Context, s *v5.Session, op *Operation) (Sighting, error)
	// MayResend: two looks that prove absence allow one more send. Never for
	// calls whose repetition could be charged without a trace.
	MayResend bool
}

func kinds() map[string]Kind {
	return map[string]Kind{
		KindCreate:      create,
		KindChangeOwner: changeOwner,
		KindContacts:    contacts,
	}
}

// ErrExists is given by a baseline when the name is registered already, so that
// a registration would be refused or, worse, taken for ours later.
type ErrExists struct{ FQDN string }

func (e *ErrExists) Error() string { return "domain " + e.FQDN + " exists" }

// request reads the stored request of an operation.
func request[T any](op *Operation) (T, error) {
	var v T
	if err := json.Unmarshal(op.Request, &v); err != nil {
		return v, fmt.Errorf("read request of operation %d: %w", op.ID, err)
	}
	return v, nil
}

// progressed turns a step of v5 into a sighting of a call that happened.
func progressed(p *v5.Progress) Sighting {
	seen := Sighting{Happened: true, Step: Step(p.Step)}
	switch seen.Step {
	case Bill, Wait, Run:
	case Error, Support:
		seen.Error = p.ErrorLabel
		if seen.Error == "" {
			seen.Error = p.ErrorType
		}
		if seen.Error == "" {
			seen.Error = "v5 ended the operation in " + p.Step
		}
	default:
		// A step that no document names is work going on.
		seen.Step = Run
	}
	return seen
}
