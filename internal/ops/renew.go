package ops

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"v3gate/internal/v5"
)

// RenewRequest is what a renewal asks for.
type RenewRequest struct {
	Duration int // years
	// Ends is the end that it starts from, as it was when the call was checked.
	// Without one nothing is renewed: the call was only to be answered with what
	// was done before.
	Ends time.Time `json:",omitzero"`
}

// renew prolongs a domain: POST renew. v5 has no guard against a second one, and
// a second one shows no trace of the first, so it is never sent twice. It
// happened when the end year has reached what was asked for, whoever did it.
var renew = Kind{
	Paid: true,
	// The end may have moved since the call was checked: an equal call with
	// another current_year can begin and end between the two.
	Baseline: func(ctx context.Context, s *v5.Session, in *Intent) (json.RawMessage, error) {
		r, err := request[RenewRequest](in.Request)
		if err != nil {
			return nil, err
		}
		ends, err := unmoved(ctx, s, in.FQDN, r.Ends)
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
		_, err = unmoved(ctx, s, op.FQDN, before)
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

// unmoved reads the end of a domain, which still has to be the one before.
func unmoved(ctx context.Context, s *v5.Session, fqdn string, before time.Time) (time.Time, error) {
	ends, err := registryEnd(ctx, s, fqdn)
	switch {
	case err != nil:
		return ends, err
	case before.IsZero():
		return ends, &StaleError{"the earlier renewal of " + fqdn + " has failed meanwhile; nothing was sent"}
	case !ends.Equal(before):
		return ends, &StaleError{fmt.Sprintf("%s ends on %s and no longer on %s; nothing was sent",
			fqdn, ends.Format(time.DateOnly), before.Format(time.DateOnly))}
	}
	return ends, nil
}

// registryEnd is when the registry ends a domain of the session's.
func registryEnd(ctx context.Context, s *v5.Session, fqdn string) (time.Time, error) {
	d, err := s.Domain(ctx, fqdn)
	switch {
	case err != nil:
		return time.Time{}, err
	case !s.Owns(d) || d.Dates.RegistryEndsAt == nil:
		return time.Time{}, &StaleError{fqdn + " is not this organization's, or has no end"}
	}
	return d.Dates.RegistryEndsAt.UTC(), nil
}
