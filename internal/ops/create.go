package ops

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"v3gate/internal/v5"
)

// create registers a domain: POST domains. It happened when createstatus
// differs from the baseline or the domain is there and ours.
var create = Kind{
	Paid:      true,
	MayResend: true,
	Baseline: func(ctx context.Context, s *v5.Session, in *Intent) (json.RawMessage, error) {
		// The domain must not be there yet: later, its being there is the proof
		// that the registration happened. A 403 is v5's other way to say that a
		// name is not on the account (v5 documentation). It will do here, since
		// the Dry-Run judges next; a second send it never proves.
		switch _, err := s.Domain(ctx, in.FQDN); {
		case err == nil:
			return nil, &ErrExists{FQDN: in.FQDN}
		case !absent(err) && !forbidden(err):
			return nil, err
		}
		status, err := createStatus(ctx, s, in.FQDN)
		if err != nil {
			return nil, err
		}
		return json.Marshal(status)
	},
	DryRun: func(ctx context.Context, s *v5.Session, op *Operation) error {
		r, err := request[v5.DomainCreate](op.Request)
		if err != nil {
			return err
		}
		return s.DryRunCreateDomain(ctx, r)
	},
	Send: func(ctx context.Context, s *v5.Session, op *Operation) error {
		r, err := request[v5.DomainCreate](op.Request)
		if err != nil {
			return err
		}
		return s.CreateDomain(ctx, r)
	},
	Look: lookForCreation,
}

func lookForCreation(ctx context.Context, s *v5.Session, op *Operation) (Sighting, error) {
	status, err := createStatus(ctx, s, op.FQDN)
	if err != nil {
		return Sighting{}, err
	}
	var before *v5.Progress
	if err := json.Unmarshal(op.Baseline, &before); err != nil {
		return Sighting{}, err
	}
	shown := Sighting{}
	if status != nil && !sameProgress(status, before) {
		shown = Sighting{Happened: true, Step: Run} // done, and perhaps not readable yet
		if !status.Done {
			shown = progressed(status)
		}
		if shown.Step != Run {
			return shown, nil
		}
	}
	// The domain itself is the end, whatever createstatus still says: how that
	// speaks of an end is not established.
	domain, err := s.Domain(ctx, op.FQDN)
	switch {
	case err == nil && s.Owns(domain):
		return Sighting{Happened: true, Step: Done}, nil
	case shown.Happened:
		return shown, nil
	case err == nil:
		return Sighting{Note: "the domain exists and is not this organization's"}, nil
	case !absent(err):
		return Sighting{}, err
	case op.State != Unknown:
		return Sighting{Absent: true}, nil
	}
	return checkedAbsent(ctx, s, op)
}

// checkedAbsent asks for the last proof that a registration did not happen: the
// name can still be had.
func checkedAbsent(ctx context.Context, s *v5.Session, op *Operation) (Sighting, error) {
	check, err := s.Check(ctx, v5.CheckQuery{Name: op.FQDN})
	if err != nil {
		return Sighting{}, err
	}
	status := ""
	for _, p := range check.Products {
		if p.Process == "create" || p.Process == "" {
			status = p.Status
		}
	}
	if status != "available" {
		return Sighting{Note: "the domain is not there, and its name is " + status}, nil
	}
	return Sighting{Absent: true}, nil
}

// createStatus is nil when v5 knows of no creation.
func createStatus(ctx context.Context, s *v5.Session, fqdn string) (*v5.Progress, error) {
	status, err := s.CreateStatus(ctx, fqdn)
	if absent(err) {
		return nil, nil
	}
	return status, err
}

// sameProgress compares what names an attempt. A failed attempt stays readable,
// so an equal answer is the old one.
func sameProgress(a, b *v5.Progress) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Step == b.Step && a.StepNb == b.StepNb && a.ErrorType == b.ErrorType && a.Done == b.Done
}

// absent tells v5's JSON 404, the only answer that proves a resource is not
// there: a 403, an HTML page and a time-out prove nothing.
func absent(err error) bool {
	var e *v5.Error
	return errors.As(err, &e) && e.Absent()
}

// forbidden tells v5's own 403.
func forbidden(err error) bool {
	var e *v5.Error
	return errors.As(err, &e) && e.Status == http.StatusForbidden && e.IsJSON
}
