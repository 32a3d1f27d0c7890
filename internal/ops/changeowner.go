package ops

import (
	"context"
	"encoding/json"
	"time"

	"v3gate/internal/v5"
)

// changeOwner gives a domain another holder: POST changeowner. It happened when
// the progress resource is newer than the baseline's, and is DONE only when the
// owner that v5 reads back is the new one.
var changeOwner = Kind{
	Paid:      true,
	MayResend: true,
	Baseline: func(ctx context.Context, s *v5.Session, in *Intent) (json.RawMessage, error) {
		want, err := request[v5.ChangeOwner](in.Request)
		if err != nil {
			return nil, err
		}
		status, err := ownerStatus(ctx, s, in.FQDN)
		if err != nil {
			return nil, err
		}
		now, err := s.DomainContacts(ctx, in.FQDN)
		if err != nil {
			return nil, err
		}
		if now.Owner.Shows(want.Owner) && now.Admin.Shows(want.Admin) && now.Bill.Shows(want.Bill) && now.Tech.Shows(want.Tech) {
			return nil, errNothing // an equal change ended since the caller looked
		}
		b := ownerBaseline{Owner: now.Owner.Digest()}
		if status != nil {
			b.CreatedAt = status.CreatedAt
		}
		return json.Marshal(b)
	},
	DryRun: func(ctx context.Context, s *v5.Session, op *Operation) error {
		r, err := request[v5.ChangeOwner](op.Request)
		if err != nil {
			return err
		}
		return s.DryRunChangeOwner(ctx, op.FQDN, r)
	},
	Send: func(ctx context.Context, s *v5.Session, op *Operation) error {
		r, err := request[v5.ChangeOwner](op.Request)
		if err != nil {
			return err
		}
		return s.ChangeOwner(ctx, op.FQDN, r)
	},
	Look: lookForOwner,
}

// ownerBaseline keeps a digest of the owner and not the owner: a baseline stays
// in the journal.
type ownerBaseline struct {
	CreatedAt time.Time // of the last change of owner; zero when there never was one
	Owner     string
}

func lookForOwner(ctx context.Context, s *v5.Session, op *Operation) (Sighting, error) {
	want, err := request[v5.ChangeOwner](op.Request)
	if err != nil {
		return Sighting{}, err
	}
	var before ownerBaseline
	if err := json.Unmarshal(op.Baseline, &before); err != nil {
		return Sighting{}, err
	}
	status, err := ownerStatus(ctx, s, op.FQDN)
	if err != nil {
		return Sighting{}, err
	}
	newer := status != nil && status.CreatedAt.After(before.CreatedAt)
	if newer {
		if seen := progressed(status); seen.Step == Error || seen.Step == Support {
			return seen, nil
		}
	}
	now, err := s.DomainContacts(ctx, op.FQDN)
	switch {
	case err != nil:
		return Sighting{}, err
	case now.Owner.Shows(want.Owner):
		return Sighting{Happened: true, Step: Done}, nil
	case newer:
		return progressed(status), nil
	case now.Owner.Digest() == before.Owner:
		return Sighting{Absent: true}, nil
	}
	return Sighting{Note: "the owner changed to somebody else"}, nil
}

// ownerStatus is nil when v5 knows of no change of owner.
func ownerStatus(ctx context.Context, s *v5.Session, fqdn string) (*v5.Progress, error) {
	status, err := s.ChangeOwnerStatus(ctx, fqdn)
	if absent(err) {
		return nil, nil
	}
	return status, err
}
