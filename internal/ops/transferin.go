package ops

import (
	"context"
	"encoding/json"
	"time"

	"v3gate/internal/v5"
)

// transferIn brings a domain here from another registrar: POST transferin. It
// happened when the progress resource is newer than the baseline's, or the
// domain is there and ours; the latter is its end.
var transferIn = Kind{
	Paid:      true,
	MayResend: true,
	Baseline: func(ctx context.Context, s *v5.Session, in *Intent) (json.RawMessage, error) {
		switch d, err := s.Domain(ctx, in.FQDN); {
		case err == nil && s.Owns(d):
			return nil, &ErrExists{FQDN: in.FQDN}
		case err != nil && !absent(err) && !forbidden(err):
			return nil, err
		}
		return transferBaseline(ctx, s, in.FQDN)
	},
	DryRun: func(ctx context.Context, s *v5.Session, op *Operation) error {
		r, err := request[v5.TransferIn](op.Request)
		if err != nil {
			return err
		}
		return s.DryRunTransferIn(ctx, r)
	},
	Send: func(ctx context.Context, s *v5.Session, op *Operation) error {
		r, err := request[v5.TransferIn](op.Request)
		if err != nil {
			return err
		}
		return s.TransferIn(ctx, r)
	},
	Look: lookForTransfer,
	Forget: func(raw json.RawMessage) json.RawMessage {
		r, err := request[v5.TransferIn](raw)
		if err != nil {
			return nil
		}
		r.AuthInfo = ""
		out, err := json.Marshal(r)
		if err != nil {
			return nil
		}
		return out
	},
}

// RelaunchRequest sets a transfer that v5 ended in ERROR going again.
type RelaunchRequest struct {
	AuthInfo string `json:",omitempty"` // the corrected code; "" tries the old one
}

// relaunchTransfer is a second life of a transfer: PUT transferin, or PUT its
// authinfo and then that. It sets work going that is paid for already; it is not
// established whether a second one would be, so it is not sent twice.
var relaunchTransfer = Kind{
	Paid: true,
	Baseline: func(ctx context.Context, s *v5.Session, in *Intent) (json.RawMessage, error) {
		return transferBaseline(ctx, s, in.FQDN)
	},
	Send: func(ctx context.Context, s *v5.Session, op *Operation) error {
		r, err := request[RelaunchRequest](op.Request)
		if err != nil {
			return err
		}
		if r.AuthInfo != "" {
			return correctAuthInfo(ctx, s, op, r.AuthInfo)
		}
		return s.RelaunchTransfer(ctx, op.FQDN)
	},
	Look:   lookForTransfer,
	Forget: func(json.RawMessage) json.RawMessage { return json.RawMessage("{}") },
}

// correctedShows is how long v5 has to begin again by itself once it has another
// code. Whether it does is not established, and two launches must not meet.
const correctedShows = 10 * time.Second

// correctAuthInfo gives v5 another code, which is free and may be repeated, and
// launches the transfer where that alone did not move it.
func correctAuthInfo(ctx context.Context, s *v5.Session, op *Operation, code string) error {
	if err := s.SetTransferAuthInfo(ctx, op.FQDN, code); err != nil {
		return err
	}
	timer := time.NewTimer(correctedShows)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return &v5.Error{Err: ctx.Err()} // it was not launched
	}
	var before *v5.Progress
	if err := json.Unmarshal(op.Baseline, &before); err != nil {
		return err
	}
	status, err := transferStatus(ctx, s, op.FQDN)
	switch {
	case err != nil:
		return &v5.Error{Err: err}
	case status == nil || !sameTransfer(status, before):
		return nil
	}
	return s.RelaunchTransfer(ctx, op.FQDN)
}

func lookForTransfer(ctx context.Context, s *v5.Session, op *Operation) (Sighting, error) {
	var before *v5.Progress
	if err := json.Unmarshal(op.Baseline, &before); err != nil {
		return Sighting{}, err
	}
	domain, err := s.Domain(ctx, op.FQDN)
	switch {
	case err == nil && s.Owns(domain):
		return Sighting{Happened: true, Step: Done}, nil
	case err != nil && !absent(err) && !forbidden(err):
		return Sighting{}, err
	}
	gone := absent(err)
	status, err := transferStatus(ctx, s, op.FQDN)
	switch {
	case err != nil:
		return Sighting{}, err
	case status == nil || sameTransfer(status, before):
		if gone {
			return Sighting{Absent: true}, nil
		}
		return Sighting{Note: "v5 shows no new transfer, and does not say whether the domain is there"}, nil
	case op.Kind == KindTransferIn && op.State == Unknown && before != nil && !status.CreatedAt.After(before.CreatedAt):
		return Sighting{Note: "v5 shows a transfer that was there before the call, and has moved since"}, nil
	}
	return progressed(status), nil
}

// sameTransfer tells an attempt that was there before from a new or relaunched
// one.
func sameTransfer(a, b *v5.Progress) bool {
	return b != nil && a.CreatedAt.Equal(b.CreatedAt) && a.UpdatedAt.Equal(b.UpdatedAt) && sameProgress(a, b)
}

// transferBaseline keeps what names an attempt, and nothing of whose it is: a
// baseline stays in the journal.
func transferBaseline(ctx context.Context, s *v5.Session, fqdn string) (json.RawMessage, error) {
	status, err := transferStatus(ctx, s, fqdn)
	if err != nil {
		return nil, err
	}
	if status != nil {
		status = &v5.Progress{CreatedAt: status.CreatedAt, UpdatedAt: status.UpdatedAt,
			Step: status.Step, StepNb: status.StepNb, ErrorType: status.ErrorType, Done: status.Done}
	}
	return json.Marshal(status)
}

// transferStatus is nil when v5 knows of no transfer.
func transferStatus(ctx context.Context, s *v5.Session, fqdn string) (*v5.Progress, error) {
	status, err := s.TransferStatus(ctx, fqdn)
	if absent(err) {
		return nil, nil
	}
	return status, err
}
