package translate

import (
	"context"
	"errors"
	"slices"
	"time"

	"v3gate/internal/handles"
	"v3gate/internal/v5"
)

type domainIn struct {
	Domain string `v3:"domain"`
}

// domainOut is a domain as v3 gave it, in the recorded order of members.
type domainOut struct {
	EntityID             *string        `v3:"entity_id"`
	DateUpdated          *time.Time     `v3:"date_updated"`
	DateDelete           *time.Time     `v3:"date_delete"`
	CanTLDLock           bool           `v3:"can_tld_lock"`
	IsPremium            bool           `v3:"is_premium"`
	DateHoldBegin        *time.Time     `v3:"date_hold_begin"`
	DateRegistryEnd      *time.Time     `v3:"date_registry_end"`
	AuthinfoExpiration   *time.Time     `v3:"authinfo_expiration_date"`
	Contacts             domainContacts `v3:"contacts"`
	Nameservers          []string       `v3:"nameservers"`
	DateRestoreEnd       *time.Time     `v3:"date_restore_end"`
	ID                   int64          `v3:"id"`
	Authinfo             string         `v3:"authinfo"`
	Status               []string       `v3:"status"`
	Tags                 []string       `v3:"tags"`
	DateHoldEnd          *time.Time     `v3:"date_hold_end"`
	Services             []string       `v3:"services"`
	DatePendingDeleteEnd *time.Time     `v3:"date_pending_delete_end"`
	ZoneID               *int64         `v3:"zone_id"`
	DateRenewBegin       *time.Time     `v3:"date_renew_begin"`
	FQDN                 string         `v3:"fqdn"`
	Autorenew            *autorenewOut  `v3:"autorenew"`
	DateRegistryCreation *time.Time     `v3:"date_registry_creation"`
	TLD                  string         `v3:"tld"`
	DateCreated          *time.Time     `v3:"date_created"`
	IsSpecialPrice       bool           `v3:"is_special_price"`
}

type domainContacts struct {
	Owner    handleOut  `v3:"owner"`
	Admin    handleOut  `v3:"admin"`
	Bill     handleOut  `v3:"bill"`
	Tech     handleOut  `v3:"tech"`
	Reseller *handleOut `v3:"reseller"`
}

type handleOut struct {
	Handle string `v3:"handle"`
	ID     int64  `v3:"id"`
}

type autorenewOut struct {
	Active        bool   `v3:"active"`
	Contact       string `v3:"contact"`
	Duration      int64  `v3:"duration"`
	ID            int64  `v3:"id"`
	ProductID     int64  `v3:"product_id"`
	ProductTypeID int64  `v3:"product_type_id"`
}

func domainInfo(ctx context.Context, c *Call, in domainIn) (domainOut, error) {
	fqdn, err := normal(in.Domain)
	if err != nil {
		return domainOut{}, err
	}
	d, known, err := c.recognised(ctx, fqdn, c.sharedDomain)
	if err != nil {
		return domainOut{}, err
	}
	return c.domainAnswer(d, known)
}

func (c *Call) domainAnswer(d *v5.Domain, known handles.Domain) (domainOut, error) {
	out := domainOut{
		EntityID: orNil(d.ID), CanTLDLock: d.CanTLDLock, Nameservers: list(d.Nameservers), ID: known.ID,
		Authinfo: d.AuthInfo, Status: list(d.Status), Tags: list(d.Tags), Services: services(d.Services),
		FQDN: d.FQDN, TLD: d.TLD,
		// Gandi's own clock was Paris time; created_at still is, with a Z behind
		// it, so its digits stay as they are. Registry dates were UTC.
		DateCreated: d.Dates.CreatedAt, DateUpdated: parisOrNil(d.Dates.UpdatedAt),
		AuthinfoExpiration: parisOrNil(d.Dates.AuthInfoExpiresAt),
		DateDelete:         d.Dates.DeletesAt, DateHoldBegin: d.Dates.HoldBeginsAt, DateHoldEnd: d.Dates.HoldEndsAt,
		DateRegistryCreation: d.Dates.RegistryCreatedAt, DateRegistryEnd: d.Dates.RegistryEndsAt,
		DateRestoreEnd: d.Dates.RestoreEndsAt, DatePendingDeleteEnd: d.Dates.PendingDeleteEndsAt,
		DateRenewBegin: d.Dates.RenewBeginsAt,
	}
	var err error
	if out.ZoneID, err = c.zoneIDOf(d); err != nil {
		return out, err
	}
	var errs [4]error
	out.Contacts.Owner, errs[0] = c.handleOf(known.Roles.Owner)
	out.Contacts.Admin, errs[1] = c.handleOf(known.Roles.Admin)
	out.Contacts.Bill, errs[2] = c.handleOf(known.Roles.Bill)
	out.Contacts.Tech, errs[3] = c.handleOf(known.Roles.Tech)
	if err := errors.Join(errs[:]...); err != nil {
		return out, err
	}
	if !c.resells(d) && !d.AutoRenew.Enabled {
		return out, nil
	}
	own, err := c.Book.Own(c.Tenant.Name, c.Tenant.OwnHandle)
	if err != nil {
		return out, err
	}
	if c.resells(d) {
		reseller, err := c.handleOf(own)
		if err != nil {
			return out, err
		}
		out.Contacts.Reseller = &reseller
	}
	if d.AutoRenew.Enabled {
		out.Autorenew = &autorenewOut{Active: true, Contact: own, Duration: int64(d.AutoRenew.Duration),
			ID: known.ID, ProductID: known.ID, ProductTypeID: 1}
	}
	return out, nil
}

func (c *Call) handleOf(handle string) (handleOut, error) {
	id, err := c.Book.Ref(c.Tenant.Name, handle)
	return handleOut{handle, id}, err
}

// resells tells whether the domain is a customer's of the tenant's organization
// and not the organization's own.
func (c *Call) resells(d *v5.Domain) bool {
	return c.V5.SharingID() != "" && d.SharingSpace != nil && d.SharingSpace.ID != c.V5.SharingID()
}

// list makes an empty array of what v5 left out.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// services names v5's services by v3's words (inferred from what they are).
func services(words []string) []string {
	out := []string{}
	for _, w := range words {
		switch w {
		case "gandilivedns":
			w = "gandidns"
		case "mailboxv2":
			w = "gandimail"
		}
		if !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}
