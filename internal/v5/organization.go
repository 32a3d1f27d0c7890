package v5

import "context"

// UserInfo is the user that a credential belongs to. Members that v5 left out
// are "".
type UserInfo struct {
	ID         string `json:"id"` // uuid
	Username   string `json:"username"`
	Name       string `json:"name"`
	FirstName  string `json:"firstname"`
	LastName   string `json:"lastname"`
	Email      string `json:"email"`
	StreetAddr string `json:"streetaddr"`
	Zip        string `json:"zip"`
	City       string `json:"city"`
	State      string `json:"state"`
	Country    string `json:"country"`
	Phone      string `json:"phone"`
	Fax        string `json:"fax"`
	Lang       string `json:"lang"`
}

// Organization is one organization that a credential can act for.
type Organization struct {
	ID        string `json:"id"` // the sharing_id
	Name      string `json:"name"`
	FirstName string `json:"firstname"`
	LastName  string `json:"lastname"`
	OrgName   string `json:"orgname"`
	Email     string `json:"email"`
	Type      string `json:"type"` // individual, company, association or publicbody
	Reseller  bool   `json:"reseller"`
	Corporate bool   `json:"corporate"`
}

// UserInfo reads the user of the session's credential.
func (s *Session) UserInfo(ctx context.Context) (*UserInfo, error) {
	return read[UserInfo](ctx, s, request{route: "GET /organization/user-info"})
}

// Organizations lists the organizations that the session's credential can act
// for. A personal access token sees one only. The session's own sharing_id has
// no part in it.
func (s *Session) Organizations(ctx context.Context) ([]Organization, error) {
	list, err := read[[]Organization](ctx, s, request{route: "GET /organization/organizations"})
	if err != nil {
		return nil, err
	}
	return *list, nil
}
