package v5

import "context"

// TLD is an extension in the list of those that v5 sells.
type TLD struct {
	Name string `json:"name"` // without a dot in front
}

// TLDs lists the extensions.
func (s *Session) TLDs(ctx context.Context) ([]TLD, error) {
	return all[TLD](ctx, s, request{route: "GET /domain/tlds"})
}
