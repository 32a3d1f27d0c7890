package v5

import (
	"context"
	"errors"
)

// ChangeOwner gives a domain to another holder. Owner is required and may be of
// type reseller; the other three are kept by v5 where they are left out.
type ChangeOwner struct {
	Owner *Contact `json:"owner"`
	Admin *Contact `json:"admin,omitempty"`
	Bill  *Contact `json:"bill,omitempty"`
	Tech  *Contact `json:"tech,omitempty"`
}

// ChangeOwner orders a change of owner, which costs money for some extensions.
// nil means accepted (202); ChangeOwnerStatus then shows the work. It sends at
// most one request; see CreateDomain for errors.
func (s *Session) ChangeOwner(ctx context.Context, fqdn string, c ChangeOwner) error {
	return s.changeOwner(ctx, fqdn, c, false)
}

// DryRunChangeOwner asks v5 whether it would accept the change. Its results are
// those of DryRunCreateDomain.
func (s *Session) DryRunChangeOwner(ctx context.Context, fqdn string, c ChangeOwner) error {
	return s.changeOwner(ctx, fqdn, c, true)
}

func (s *Session) changeOwner(ctx context.Context, fqdn string, c ChangeOwner, dryRun bool) error {
	r := request{route: "POST /domain/changeowner/{d}", path: []string{fqdn}, body: c, dryRun: dryRun}
	if c.Owner == nil {
		return r.refused(errors.New("change owner: owner is required"))
	}
	return s.order(ctx, r)
}

// ChangeOwnerStatus reads how far a change of owner has come. The resource may
// describe an older change, so compare CreatedAt. That it does not exist (404)
// does not prove that a change has ended well.
func (s *Session) ChangeOwnerStatus(ctx context.Context, fqdn string) (*Progress, error) {
	ans, err := s.do(ctx, request{route: "GET /domain/changeowner/{d}", path: []string{fqdn}})
	if err != nil {
		return nil, err
	}
	return decodeProgress(ans)
}
