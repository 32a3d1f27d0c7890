package ops

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"v3gate/internal/v5"
)

// restore brings a domain back from redemption: POST restore, for which v5 has
// no Dry-Run. It happened when the domain can no longer be restored and its
// dates have moved. It is never sent twice.
var restore = Kind{
	Paid: true,
	Baseline: func(ctx context.Context, s *v5.Session, in *Intent) (json.RawMessage, error) {
		b, err := restorable(ctx, s, in.FQDN)
		if err == nil && !b.Restorable {
			err = &StaleError{in.FQDN + " is not in a state to be restored"}
		}
		if err != nil {
			return nil, err
		}
		return json.Marshal(b)
	},
	Ready: func(ctx context.Context, s *v5.Session, op *Operation) error {
		b, err := restorable(ctx, s, op.FQDN)
		if err == nil && !b.Restorable {
			err = &StaleError{op.FQDN + " is no longer in a state to be restored; nothing was sent"}
		}
		return err
	},
	Send: func(ctx context.Context, s *v5.Session, op *Operation) error {
		return s.Restore(ctx, op.FQDN)
	},
	Look: func(ctx context.Context, s *v5.Session, op *Operation) (Sighting, error) {
		before, err := request[restoreBaseline](op.Baseline)
		if err != nil {
			return Sighting{}, err
		}
		now, err := restorable(ctx, s, op.FQDN)
		switch {
		case err != nil:
			return Sighting{}, err
		case !now.Restorable && !now.Ends.Equal(before.Ends):
			return Sighting{Happened: true, Step: Done}, nil
		case now.Restorable && now.Ends.Equal(before.Ends):
			return Sighting{Absent: true}, nil
		case now.Restorable:
			return Sighting{Note: "the domain's dates have moved, and it still can be restored"}, nil
		}
		return Sighting{Note: "the domain can no longer be restored, and its dates have not moved"}, nil
	},
}

type restoreBaseline struct {
	Restorable bool
	Ends       time.Time
}

func restorable(ctx context.Context, s *v5.Session, fqdn string) (restoreBaseline, error) {
	info, err := s.RestoreInfo(ctx, fqdn)
	if err != nil {
		return restoreBaseline{}, err
	}
	ends, err := registryEnd(ctx, s, fqdn)
	return restoreBaseline{info.Restorable, ends}, err
}

// StaleError says that a call must not be sent, because v5 no longer shows what
// the caller and the gateway went by. Nothing was sent.
type StaleError struct{ Reason string }

func (e *StaleError) Error() string { return e.Reason }

// stale finds a StaleError in a chain.
func stale(err error) (*StaleError, bool) {
	var e *StaleError
	ok := errors.As(err, &e)
	return e, ok
}
