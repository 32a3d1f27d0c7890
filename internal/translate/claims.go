package translate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"v3gate/internal/fault"
	"v3gate/internal/handles"
	"v3gate/internal/v5"
	"v3gate/internal/xmlrpc"
)

type claimsCheckIn struct {
	Domains []string `v3:"domains"`
}

// claimsCheck tells for each name, by the text that was sent, whether something is
// claimed of it. Each costs a request; spellings of one name share it.
func claimsCheck(ctx context.Context, c *Call, in claimsCheckIn) (keyed, error) {
	if len(in.Domains) == 0 {
		return nil, fault.New(fault.List, fault.CauseExpected, "domains has no name").About("domains")
	}
	forms := map[string]string{} // of v5, by the text that was sent
	place := map[string]int{}    // of each form in names
	var names []string
	for _, text := range in.Domains {
		fqdn, err := normal(text)
		if err != nil {
			return nil, err
		}
		forms[text] = fqdn
		if _, ok := place[fqdn]; !ok {
			place[fqdn] = len(names)
			names = append(names, fqdn)
		}
	}
	claimed := make([]bool, len(names))
	err := eachName(ctx, "domains", names, func(ctx context.Context, i int, fqdn string) error {
		claims, err := c.V5.Claims(ctx, fqdn)
		if err != nil {
			return onDomain{fqdn, err}
		}
		claimed[i] = len(claims) > 0
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out keyed
	for _, text := range in.Domains {
		if fqdn, left := forms[text]; left { // not sent twice
			out = append(out, xmlrpc.M(text, xmlrpc.Bool(claimed[place[fqdn]])))
			delete(forms, text)
		}
	}
	return out, nil
}

// claimContactOut is ClaimContactReturn.
type claimContactOut struct {
	CC     string `v3:"cc"`
	City   string `v3:"city"`
	Email  string `v3:"email"`
	Fax    string `v3:"fax"`
	Name   string `v3:"name"`
	Org    string `v3:"org"`
	PC     string `v3:"pc"`
	Phone  string `v3:"phone"`
	SP     string `v3:"sp"`
	Street string `v3:"street"`
}

// claimOut is ClaimReturn.
type claimOut struct {
	Contacts            claimContactOut `v3:"contacts"`
	GoodsAndServices    string          `v3:"goods_and_services"`
	Holders             claimContactOut `v3:"holders"`
	JurisdictionClasses []string        `v3:"jurisdiction_classes"`
	JurisdictionCountry string          `v3:"jurisdiction_country"`
	MarkName            string          `v3:"mark_name"`
}

// claimsOut is ClaimsRequestReturn.
type claimsOut struct {
	Claims      []claimOut `v3:"claims"`
	DateCreated time.Time  `v3:"date_created"`
	DateExpire  time.Time  `v3:"date_expire"`
	NoticeID    string     `v3:"notice_id"`
	Status      string     `v3:"status"`
}

// claimsInfo shows what is claimed of a name, and gives the notice of it an id.
func claimsInfo(ctx context.Context, c *Call, in domainIn) (claimsOut, error) {
	fqdn, err := normal(in.Domain)
	if err != nil {
		return claimsOut{}, err
	}
	claims, err := c.V5.Claims(ctx, fqdn)
	if err != nil {
		return claimsOut{}, onDomain{fqdn, err}
	}
	if len(claims) == 0 {
		return claimsOut{}, fault.New(fault.Claims, fault.CauseNotFound, "nothing is claimed of '%s'", fqdn)
	}
	content, err := digestOfClaims(claims)
	if err != nil {
		return claimsOut{}, err
	}
	n, err := c.Book.GiveNotice(c.Tenant.Name, fqdn, content)
	if err != nil {
		return claimsOut{}, err
	}
	out := claimsOut{DateCreated: paris(n.Created), DateExpire: paris(n.Expire), NoticeID: n.ID, Status: "new"}
	if n.Accepted {
		out.Status = "accepted"
	}
	for i := range claims {
		// A contact of v5 that has no one-to-one place is shown as a claim of its own,
		// since all of it is for the customer to know.
		k := &claims[i]
		for j := range max(1, len(k.Contacts), len(k.Holders)) {
			out.Claims = append(out.Claims, claimOut{
				Contacts: claimContact(k.Contacts, j), Holders: claimContact(k.Holders, j), GoodsAndServices: k.GoodsAndServices,
				JurisdictionClasses: textsOf(k.Classes), JurisdictionCountry: k.Jurisdiction, MarkName: k.MarkName,
			})
		}
	}
	return out, nil
}

// claimContact is the contact in a place, or the last one before it.
func claimContact(list []v5.ClaimContact, place int) claimContactOut {
	if len(list) == 0 {
		return claimContactOut{}
	}
	return claimContactOut(list[min(place, len(list)-1)])
}

// textsOf are values as text, whatever v5 gives: what a class is there is not
// documented.
func textsOf(values []any) []string {
	out := []string{}
	for _, v := range values {
		out = append(out, fmt.Sprint(v))
	}
	return out
}

type claimsAcceptIn struct {
	NoticeID string `v3:"notice_id"`
}

func claimsAcceptCheck(_ context.Context, _ *Call, in claimsAcceptIn) (string, []FieldError, error) {
	return in.NoticeID, nil, nil
}

// claimsAccept notes that the caller has accepted a notice. v5 is told when the
// domain is ordered, as it was in v3.
func claimsAccept(_ context.Context, c *Call, id string) (bool, error) {
	err := c.Book.AcceptNotice(c.Tenant.Name, id)
	switch {
	case errors.Is(err, handles.ErrUnknown):
		err = fault.New(fault.Claims, fault.CauseNotFound, "there is no notice '%s'; domain.claims.info gives its notice_id", clip(id)).About("notice_id")
	case errors.Is(err, handles.ErrExpired):
		err = fault.New(fault.Claims, fault.CauseExpired, "notice '%s' has expired; domain.claims.info gives a new one", clip(id)).About("notice_id")
	}
	return err == nil, err
}

// digestOfClaims tells one notice from another.
func digestOfClaims(claims []v5.Claim) (string, error) {
	raw, err := json.Marshal(claims)
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), err
}

// acceptance tells whether an order of a name has to tell v5 first that what is
// claimed of it was accepted. v5 is asked in the phase claims, and for a name of which
// the caller was given a notice; an order of a name whose present claims are not
// accepted is refused.
func (c *Call) acceptance(ctx context.Context, fqdn string, inClaims bool) (send bool, err error) {
	n, missing := c.Book.Notice(c.Tenant.Name, fqdn)
	switch {
	case errors.Is(missing, handles.ErrUnknown) && !inClaims:
		return false, nil
	case missing != nil && !errors.Is(missing, handles.ErrUnknown) && !errors.Is(missing, handles.ErrExpired):
		return false, missing
	}
	claims, err := c.V5.Claims(ctx, fqdn)
	if err != nil {
		return false, onDomain{fqdn, err}
	}
	if len(claims) == 0 {
		return false, nil
	}
	content, err := digestOfClaims(claims)
	if err != nil {
		return false, err
	}
	if missing != nil || !n.Accepted || n.Content != content {
		return false, fault.New(fault.Claims, fault.CauseExpected,
			"params.tld_phase: something is claimed of '%s', and no notice that holds was accepted; show domain.claims.info to the owner, then call domain.claims.accept", fqdn).
			About("params.tld_phase")
	}
	return !n.Sent, nil
}

// acceptClaims tells v5 of an accepted notice, before the order. Where it knows
// already, nothing is to be done.
func (c *Call) acceptClaims(ctx context.Context, fqdn string) error {
	err := c.V5.AcceptClaims(ctx, fqdn)
	if e := (*v5.Error)(nil); errors.As(err, &e) && e.Status == http.StatusConflict && e.IsJSON {
		err = nil
	}
	if err != nil {
		return onDomain{fqdn, err}
	}
	return c.Book.NoticeSent(c.Tenant.Name, fqdn)
}
