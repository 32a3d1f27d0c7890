package ops

import (
	"context"
	"encoding/json"

	"v3gate/internal/v5"
)

// contacts changes admin, bill and tech: PATCH contacts. It is free and sets
// whole contacts, so a second send does no harm. It is DONE when v5 shows them.
var contacts = Kind{
	MayResend: true,
	Baseline: func(context.Context, *v5.Session, *Intent) (json.RawMessage, error) {
		return nil, nil
	},
	Send: func(ctx context.Context, s *v5.Session, op *Operation) error {
		r, err := request[v5.Contacts](op.Request)
		if err != nil {
			return err
		}
		return s.SetContacts(ctx, op.FQDN, r)
	},
	Look: func(ctx context.Context, s *v5.Session, op *Operation) (Sighting, error) {
		want, err := request[v5.Contacts](op.Request)
		if err != nil {
			return Sighting{}, err
		}
		now, err := s.DomainContacts(ctx, op.FQDN)
		if err != nil {
			return Sighting{}, err
		}
		if now.Admin.Shows(want.Admin) && now.Bill.Shows(want.Bill) && now.Tech.Shows(want.Tech) {
			return Sighting{Happened: true, Step: Done}, nil
		}
		return Sighting{Absent: true}, nil
	},
}
