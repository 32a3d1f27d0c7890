package v5

import (
	"context"
	"errors"
)

// Claim is what the holder of a trademark claims of a name. v5 documents no more of
// it than this; that Jurisdiction and Classes have these names is inferred.
type Claim struct {
	MarkName         string         `json:"mark_name"`
	GoodsAndServices string         `json:"goods_and_services"`
	Jurisdiction     string         `json:"jurisdiction_country"`
	Classes          []any          `json:"jurisdiction_classes"`
	Contacts         []ClaimContact `json:"contacts"`
	Holders          []ClaimContact `json:"holders"`
}

// ClaimContact is a person or an organization in a claim.
type ClaimContact struct {
	CC     string `json:"cc"` // country
	City   string `json:"city"`
	Email  string `json:"email"`
	Fax    string `json:"fax"`
	Name   string `json:"name"`
	Org    string `json:"org"`
	PC     string `json:"pc"` // postal code
	Phone  string `json:"phone"`
	SP     string `json:"sp"` // state or province
	Street string `json:"street"`
}

// claims is an answer with what is claimed of a name.
type claims struct {
	Claims []Claim `json:"claims"`
}

// Claims lists what is claimed of a name, whether or not it is registered; none where
// v5 says so, which it does by a 404 (v5 documentation; the code is inferred). Any
// other answer without claims is an error: an order must not go out on it.
func (s *Session) Claims(ctx context.Context, fqdn string) ([]Claim, error) {
	ans, err := s.do(ctx, request{route: "GET /domain/domains/{d}/claims", path: []string{fqdn}})
	if e := (*Error)(nil); errors.As(err, &e) && e.Absent() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	got, err := decode[claims](ans)
	if err != nil {
		return nil, err
	}
	if len(got.Claims) == 0 {
		return nil, ans.unusable(errors.New("read claims: none, and not the answer that says so"))
	}
	return got.Claims, nil
}

// AcceptClaims accepts what is claimed of a name, for an order of the session's. nil
// means accepted (202).
func (s *Session) AcceptClaims(ctx context.Context, fqdn string) error {
	_, err := s.do(ctx, request{route: "POST /domain/domains/{d}/claims", path: []string{fqdn}})
	return err
}
