package v5

import "context"

// Webredir is a web redirection.
type Webredir struct {
	Host     string `json:"host"` // the full name
	Type     string `json:"type"` // cloak, http301 or http302
	URL      string `json:"url"`
	Protocol string `json:"protocol"` // http, https, httpsonly; "" where v5 left it out
}

// NewWebredir is a redirection to be made. All members are required; with
// Override v5 replaces the DNS record of the host, without one that is there is an
// error.
type NewWebredir struct {
	Host     string `json:"host"`
	Override bool   `json:"override"`
	Protocol string `json:"protocol"`
	Type     string `json:"type"`
	URL      string `json:"url"`
}

// webredirPatch is a change of a redirection; the host cannot change.
type webredirPatch struct {
	Type string `json:"type,omitempty"`
	URL  string `json:"url,omitempty"`
}

// Webredirs lists the redirections of a domain.
func (s *Session) Webredirs(ctx context.Context, fqdn string) ([]Webredir, error) {
	return all[Webredir](ctx, s, request{route: "GET /domain/domains/{d}/webredirs", path: []string{fqdn}})
}

// Webredir reads one redirection by its full host name. The error of one that is
// not there is (*Error).Missing.
func (s *Session) Webredir(ctx context.Context, fqdn, host string) (*Webredir, error) {
	return read[Webredir](ctx, s, request{route: "GET /domain/domains/{d}/webredirs/{host}", path: []string{fqdn, host}})
}

// CreateWebredir makes a redirection. nil means accepted (202); it is made later
// and seen in Webredir.
func (s *Session) CreateWebredir(ctx context.Context, fqdn string, w NewWebredir) error {
	_, err := s.do(ctx, request{route: "POST /domain/domains/{d}/webredirs", path: []string{fqdn}, body: w})
	return err
}

// UpdateWebredir changes type and target of a redirection; "" leaves either.
func (s *Session) UpdateWebredir(ctx context.Context, fqdn, host, typ, url string) error {
	_, err := s.do(ctx, request{route: "PATCH /domain/domains/{d}/webredirs/{host}", path: []string{fqdn, host}, body: webredirPatch{typ, url}})
	return err
}

// DeleteWebredir takes a redirection away; a bare label for the host is an error
// (seen in a client).
func (s *Session) DeleteWebredir(ctx context.Context, fqdn, host string) error {
	_, err := s.do(ctx, request{route: "DELETE /domain/domains/{d}/webredirs/{host}", path: []string{fqdn, host}})
	return err
}
