package sandbox

import (
	"slices"
	"strings"
)

// authenticate finds the credential of an Authorization header. Only the two
// schemes in the spelling of the v5 documentation count; anything else is as if
// the header were missing.
func (s *Sandbox) authenticate(header string) (*Token, *answer) {
	scheme, secret, _ := strings.Cut(header, " ")
	if scheme != "Bearer" && scheme != "Apikey" || secret == "" {
		a := unauthenticated()
		return nil, &a
	}
	for i := range s.opts.Tokens {
		t := &s.opts.Tokens[i]
		if t.Secret == secret && (t.Scheme == "" || t.Scheme == scheme) {
			return t, nil
		}
	}
	a := forbidden()
	return nil, &a
}

// mayUse tells whether a token reaches an organization: one of its own, or a
// customer of one of its own.
func (s *Sandbox) mayUse(t *Token, id string) bool {
	if slices.Contains(t.Orgs, id) {
		return true
	}
	o := s.orgs[id]
	return o != nil && o.parent != "" && slices.Contains(t.Orgs, o.parent)
}
