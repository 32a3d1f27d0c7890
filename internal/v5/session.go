package v5

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Credential is a secret of a tenant with the scheme to send it by. However it
// is printed or encoded, it does not show the secret; but fmt cannot be kept
// from showing it inside an unexported field of another type.
type Credential struct {
	Scheme string // Bearer for a personal access token, Apikey for an API key
	Secret string
}

const hidden = "[redacted]"

// String is the scheme and a mark in place of the secret.
func (c Credential) String() string { return c.Scheme + " " + hidden }

// GoString is String.
func (c Credential) GoString() string { return c.String() }

// Format writes String for every verb: with %d, fmt would print the fields.
func (c Credential) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.String()) }

// MarshalJSON gives String as a JSON string.
func (c Credential) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }

// MarshalText gives String, for the other encoders.
func (c Credential) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// check refuses what no request can be sent with. The error holds no secret.
func (c Credential) check() error {
	switch {
	case c.Scheme != "Bearer" && c.Scheme != "Apikey":
		return errors.New("check credential: the scheme is neither Bearer nor Apikey")
	case c.Secret == "":
		return errors.New("check credential: the secret is empty")
	}
	for i := range len(c.Secret) {
		if b := c.Secret[i]; b <= ' ' || b > '~' {
			return errors.New("check credential: the secret holds blanks or characters beyond ASCII")
		}
	}
	return nil
}

// Session is one tenant's view of v5. It holds no connection and needs no
// closing; it is safe for concurrent use.
type Session struct {
	c         *Client
	tenant    string
	sharingID string
	// credential is a function so that nothing that prints a Session can show
	// the secret: where a Session is in an unexported field, fmt does not call
	// Format, and where a Credential is in one, not Credential's either.
	credential func() Credential
}

// Format writes the sharing_id for every verb.
func (s Session) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "v5 session %q", s.sharingID) }

// Session is SessionFor the tenant without a name.
func (c *Client) Session(cred Credential, sharingID string) *Session {
	return c.SessionFor("", cred, sharingID)
}

// SessionFor makes the view of one tenant. Requests of sessions with the same
// name wait in one line, and lines of different names take turns. sharingID is the organization that pays
// and whose prices count, as an id from Organizations; "" leaves it to v5,
// which takes the user's own organization. It is sent only on routes that
// document it.
func (c *Client) SessionFor(name string, cred Credential, sharingID string) *Session {
	return &Session{c: c, tenant: name, sharingID: sharingID, credential: func() Credential { return cred }}
}

// SharingID is the organization of the session, "" for none.
func (s *Session) SharingID() string { return s.sharingID }
