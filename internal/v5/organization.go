package v5

import (
	"context"
	"errors"
)

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

// Customer is a customer of a reseller's organization.
type Customer struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	FirstName string `json:"firstname"`
	LastName  string `json:"lastname"`
	OrgName   string `json:"orgname"`
	Email     string `json:"email"`
	Type      string `json:"type"` // individual, company, association or publicbody
}

// Customers lists the customers of the session's organization.
func (s *Session) Customers(ctx context.Context) ([]Customer, error) {
	list, err := read[[]Customer](ctx, s, request{route: "GET /organization/organizations/{id}/customers", path: []string{s.sharingID}})
	if err != nil {
		return nil, err
	}
	return *list, nil
}

type organizationAction struct {
	Action string       `json:"action"`
	Params ActionParams `json:"params"`
}

// ActionParams say whom an action of an organization is about.
type ActionParams struct {
	ID string `json:"id"` // of the customer
}

// ReleaseCustomer gives a customer of the session's organization up, with all of
// the customer's domains. An id that is "" is refused here: nothing is sent. The
// code of a success is not documented.
func (s *Session) ReleaseCustomer(ctx context.Context, id string) error {
	r := request{
		route: "POST /organization/organizations/{id}/action", path: []string{s.sharingID},
		body: organizationAction{Action: "release_resellee", Params: ActionParams{ID: id}},
	}
	if id == "" {
		return r.refused(errors.New("release customer: no id"))
	}
	_, err := s.do(ctx, r)
	return err
}
