package ops

import (
	"context"
	"encoding/json"
	"errors"

	"v3gate/internal/v5"
)

// create registers a domain: POST domains. It happened when createstatus
// differs from the baseline or the domain is there and ours.
var create = Kind{
	Paid:      true,
	MayResend: true,
	Baseline: func(ctx context.Context, s *v5.Session, fqdn string) (json.RawMessage, error) {
		// The domain must not be there yet: later, its being there is the proof
		// that the registration happened.
		switch _, err := s.Domain(ctx, fqdn); {
		case err == nil:
			return nil, &ErrExists{fqdn}
		case !absent(err):
			return nil, err
		}
		status, err := createStatus(ctx, s, fqdn)
		if err != nil {
			return nil, err
		}
		return json.Marshal(status)
	},
	DryRun: func(ctx context.Context, s *v5.Session, op *Operation) error {
		r, err := request[v5.DomainCreate](op)
		if err != nil {
			return err
		}
		return s.DryRunCreateDomain(ctx, r)
	},
	Send: func(ctx context.Context, s *v5.Session, op *Operation) error {
		r, err := request[v5.DomainCreate](op)
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
	if status != nil && !status.Done && !sameProgress(status, before) {
		return progressed(status), nil
	}
	domain, err := s.Domain(ctx, op.FQDN)
	switch {
	case err == nil && s.Owns(domain):
		return Sighting{Happened: true, Step: Done}, nil
	case err == nil:
		return Sighting{Note: "the domain exists and is not this organization's"}, nil
	case !absent(err):
		return Sighting{}, err
	case status != nil && status.Done && !sameProgress(status, before):
		return Sighting{Happened: true, Step: Run}, nil // done, and not readable yet
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
