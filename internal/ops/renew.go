package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"v3gate/internal/v5"
)

// RenewRequest is what a renewal asks for.
type RenewRequest struct {
	Duration int // years
}

// renew prolongs a domain: POST renew. v5 has no guard against a second one, and
// a second one shows no trace of the first, so it is never sent twice. It
// happened when the end year has reached what was asked for, whoever did it.
var renew = Kind{
	Paid: true,
	Baseline: func(ctx context.Context, s *v5.Session, in *Intent) (json.RawMessage, error) {
		ends, err := registryEnd(ctx, s, in.FQDN)
		if err != nil {
			return nil, err
		}
		return json.Marshal(ends)
	},
	DryRun: func(ctx context.Context, s *v5.Session, op *Operation) error {
		r, err := request[RenewRequest](op.Request)
		if err != nil {
			return err
		}
		return s.DryRunRenew(ctx, op.FQDN, r.Duration)
	},
	// The end is read once more right before the request: the baseline may be
	// hours old, and somebody may have renewed since.
	Ready: func(ctx context.Context, s *v5.Session, op *Operation) error {
		before, err := request[time.Time](op.Baseline)
		if err != nil {
			return err
		}
		ends, err := registryEnd(ctx, s, op.FQDN)
		if err == nil && !ends.Equal(before) {
			err = &StaleError{fmt.Sprintf("%s ends on %s and no longer on %s; nothing was sent",
				op.FQDN, ends.Format(time.DateOnly), before.Format(time.DateOnly))}
		}
		return err
	},
	Send: func(ctx context.Context, s *v5.Session, op *Operation) error {
		r, err := request[RenewRequest](op.Request)
		if err != nil {
			return err
		}
		return s.Renew(ctx, op.FQDN, r.Duration)
	},
	Look: func(ctx context.Context, s *v5.Session, op *Operation) (Sighting, error) {
		r, err := request[RenewRequest](op.Request)
		if err != nil {
			return Sighting{}, err
		}
		before, err := request[time.Time](op.Baseline)
		if err != nil {
			return Sighting{}, err
		}
		ends, err := registryEnd(ctx, s, op.FQDN)
		switch want := before.UTC().Year() + r.Duration; {
		case err != nil:
			return Sighting{}, err
		case ends.UTC().Year() >= want:
			return Sighting{Happened: true, Step: Done, Overshoot: ends.UTC().Year() > want}, nil
		case !ends.Equal(before):
			return Sighting{Note: "the domain now ends on " + ends.Format(time.DateOnly) + ", which is not what was asked for"}, nil
		}
		return Sighting{Absent: true}, nil
	},
}

// registryEnd is when the registry ends a domain of the session's.
func registryEnd(ctx context.Context, s *v5.Session, fqdn string) (time.Time, error) {
	d, err := s.Domain(ctx, fqdn)
	switch {
	case err != nil:
		return time.Time{}, err
	case !s.Owns(d) || d.Dates.RegistryEndsAt == nil:
		return time.Time{}, errors.New("read end of " + fqdn + ": it is not this organization's, or has no end")
	}
	return d.Dates.RegistryEndsAt.UTC(), nil
}
