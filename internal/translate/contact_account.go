package translate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"v3gate/internal/fault"
	"v3gate/internal/handles"
	"v3gate/internal/v5"
)

type contactBalanceIn struct {
	Handle string `v3:"handle,opt"`
}

// balanceOut is what an account has and owes (seen in clients). Only the amount
// outstanding is a number.
type balanceOut struct {
	Prepaid           *prepaidOut `v3:"prepaid"`
	AnnualBalance     string      `v3:"annual_balance"`
	Grid              string      `v3:"grid"`
	OutstandingAmount float64     `v3:"outstanding_amount"`
}

type prepaidOut struct {
	ID          int64      `v3:"id"`
	Amount      string     `v3:"amount"`
	Currency    string     `v3:"currency"`
	DateCreated *time.Time `v3:"date_created"`
	DateUpdated *time.Time `v3:"date_updated"`
}

// contactBalance answers the account of the tenant's organization, which in v3
// was that of the key's owner. v5 has accounts of organizations only.
func contactBalance(ctx context.Context, c *Call, in contactBalanceIn) (balanceOut, error) {
	own, err := c.source()
	if err != nil {
		return balanceOut{}, err
	}
	if in.Handle != "" {
		asked, err := c.Book.Get(c.Tenant.Name, strings.ToUpper(in.Handle))
		if err != nil {
			return balanceOut{}, contactFault(err, "handle", in.Handle)
		}
		if asked.Handle != own {
			return balanceOut{}, unsupported("handle", "v5 has the account of the organization only, which is that of "+own)
		}
	}
	id, err := c.Book.Ref(c.Tenant.Name, own)
	if err != nil {
		return balanceOut{}, err
	}
	b, err := c.V5.Billing(ctx)
	if err != nil {
		return balanceOut{}, err
	}
	out := balanceOut{AnnualBalance: amount(b.AnnualBalance), Grid: b.Grid, OutstandingAmount: b.Outstanding}
	if p := b.Prepaid; p != nil {
		out.Prepaid = &prepaidOut{ID: id, Amount: amount(p.Amount), Currency: p.Currency,
			DateCreated: parisOrNil(p.CreatedAt), DateUpdated: parisOrNil(p.UpdatedAt)}
	}
	return out, nil
}

// amount writes money as v3 did: two decimals, in a string.
func amount(units float64) string { return fmt.Sprintf("%.2f", units) }

// currencies are v5's (v5 documentation); v3's own answer is not known.
var currencies = []string{"EUR", "USD", "GBP", "TWD", "CNY"}

type availableCurrenciesIn struct{}

func availableCurrencies(context.Context, *Call, availableCurrenciesIn) ([]string, error) {
	return currencies, nil
}

type contactReleaseIn struct {
	Handle string `v3:"handle"`
}

// contactRelease gives a customer up, who takes all their domains along. v5 knows
// customers and no handles: exactly one must have the contact's name and mail
// address.
func contactRelease(ctx context.Context, c *Call, in contactReleaseIn) (bool, error) {
	contact, err := c.contact(ctx, "handle", in.Handle)
	if err != nil {
		return false, err
	}
	if c.V5.SharingID() == "" {
		return false, fault.Disabled("this account is not set up with an organization, which alone has customers")
	}
	customers, err := c.V5.Customers(ctx)
	if err != nil {
		return false, err
	}
	var found []v5.Customer
	for _, one := range customers {
		if isCustomer(&contact, &one) {
			found = append(found, one)
		}
	}
	switch len(found) {
	case 0:
		return false, fault.New(fault.Contact, fault.CauseNotFound, "no customer of the organization has the name and the mail address of %s", contact.Handle)
	case 1:
		err := c.V5.ReleaseCustomer(ctx, found[0].ID)
		if answer := (*v5.Error)(nil); errors.As(err, &answer) && answer.Absent() {
			err = fault.New(fault.Contact, fault.CauseNotFound, "the customer that %s is was given up already", contact.Handle)
		}
		return err == nil, err
	}
	return false, fault.New(fault.Contact, fault.CauseMultipleResults,
		"%d customers of the organization have the name and the mail address of %s, and nothing tells which one is meant", len(found), contact.Handle)
}

// isCustomer compares what v5 makes a customer of (v5 documentation).
func isCustomer(c *handles.Contact, one *v5.Customer) bool {
	orgname := c.OrgName
	if c.Type == 0 {
		orgname = ""
	}
	return strings.EqualFold(c.Email, one.Email) && strings.EqualFold(c.Given, one.FirstName) &&
		strings.EqualFold(c.Family, one.LastName) && strings.EqualFold(orgname, one.OrgName)
}
