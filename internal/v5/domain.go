package v5

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Domain is the detailed form of a domain. Members that v5 left out are the
// zero value; which ones are sure is not the same in all documented versions.
type Domain struct {
	ID          string `json:"id"` // uuid
	FQDN        string `json:"fqdn"`
	FQDNUnicode string `json:"fqdn_unicode"`
	TLD         string `json:"tld"` // without a dot
	Href        string `json:"href"`
	// Status holds EPP words such as clientTransferProhibited; empty where
	// nothing is set.
	Status      []string  `json:"status"`
	Dates       Dates     `json:"dates"`
	CanTLDLock  bool      `json:"can_tld_lock"`
	Nameservers []string  `json:"nameservers"`
	Contacts    Contacts  `json:"contacts"`
	AutoRenew   AutoRenew `json:"autorenew"`
	// Services holds words such as gandilivedns and mailboxv2.
	Services     []string      `json:"services"`
	SharingSpace *SharingSpace `json:"sharing_space"`
	SharingID    string        `json:"sharing_id"`
	// AuthInfo is the transfer code in clear text, a secret; "" where the
	// credential may not see it.
	AuthInfo     string        `json:"authinfo"`
	Tags         []string      `json:"tags"`
	Reachability string        `json:"reachability"` // pending, done, failed, deleted or none
	TrusteeRoles []TrusteeRole `json:"trustee_roles"`
}

// UnmarshalJSON reads dates as Dates does, and contacts as Contact does.
func (d *Domain) UnmarshalJSON(b []byte) error { return readJSON(string(b), d) }

func (d *Domain) read(r *reader) {
	r.object(func(name string) {
		switch name {
		case "id":
			d.ID = r.text()
		case "fqdn":
			d.FQDN = r.text()
		case "fqdn_unicode":
			d.FQDNUnicode = r.text()
		case "tld":
			d.TLD = r.text()
		case "href":
			d.Href = r.text()
		case "status":
			d.Status = r.texts()
		case "dates":
			d.Dates.read(r)
		case "can_tld_lock":
			d.CanTLDLock = r.truth()
		case "nameservers":
			d.Nameservers = r.texts()
		case "contacts":
			d.Contacts.read(r)
		case "autorenew":
			d.AutoRenew.read(r)
		case "services":
			d.Services = r.texts()
		case "sharing_space":
			d.SharingSpace = maybe(r, (*SharingSpace).read)
		case "sharing_id":
			d.SharingID = r.text()
		case "authinfo":
			d.AuthInfo = r.text()
		case "tags":
			d.Tags = r.texts()
		case "reachability":
			d.Reachability = r.text()
		case "trustee_roles":
			d.TrusteeRoles = several(r, (*TrusteeRole).read)
		default:
			r.skip()
		}
	})
}

// Dates are a domain's dates, nil where v5 left one out. The wire form is
// YYYY-MM-DDTHH:MM:SSZ (v5 documentation). CreatedAt carries a Z but looks like
// Paris time in all known samples (inferred).
type Dates struct {
	CreatedAt           *time.Time `json:"created_at,omitempty"`
	RegistryCreatedAt   *time.Time `json:"registry_created_at,omitempty"`
	RegistryEndsAt      *time.Time `json:"registry_ends_at,omitempty"`
	UpdatedAt           *time.Time `json:"updated_at,omitempty"`
	AuthInfoExpiresAt   *time.Time `json:"authinfo_expires_at,omitempty"`
	RenewBeginsAt       *time.Time `json:"renew_begins_at,omitempty"`
	HoldBeginsAt        *time.Time `json:"hold_begins_at,omitempty"`
	HoldEndsAt          *time.Time `json:"hold_ends_at,omitempty"`
	DeletesAt           *time.Time `json:"deletes_at,omitempty"`
	RestoreEndsAt       *time.Time `json:"restore_ends_at,omitempty"`
	PendingDeleteEndsAt *time.Time `json:"pending_delete_ends_at,omitempty"`
}

// UnmarshalJSON takes null, "" and dates without a zone (read as UTC) besides
// the documented form; the error names the member that is no date.
func (d *Dates) UnmarshalJSON(b []byte) error { return readJSON(string(b), d) }

func (d *Dates) read(r *reader) {
	r.object(func(name string) {
		switch name {
		case "created_at":
			d.CreatedAt = r.maybeDate()
		case "registry_created_at":
			d.RegistryCreatedAt = r.maybeDate()
		case "registry_ends_at":
			d.RegistryEndsAt = r.maybeDate()
		case "updated_at":
			d.UpdatedAt = r.maybeDate()
		case "authinfo_expires_at":
			d.AuthInfoExpiresAt = r.maybeDate()
		case "renew_begins_at":
			d.RenewBeginsAt = r.maybeDate()
		case "hold_begins_at":
			d.HoldBeginsAt = r.maybeDate()
		case "hold_ends_at":
			d.HoldEndsAt = r.maybeDate()
		case "deletes_at":
			d.DeletesAt = r.maybeDate()
		case "restore_ends_at":
			d.RestoreEndsAt = r.maybeDate()
		case "pending_delete_ends_at":
			d.PendingDeleteEndsAt = r.maybeDate()
		default:
			r.skip()
		}
	})
}

// AutoRenew is the automatic renewal of a domain in its detailed form; lists
// have a bare truth value instead.
type AutoRenew struct {
	Href     string      `json:"href"`
	Dates    []time.Time `json:"dates"` // 31, 15 and 1 day before the end (v5 documentation)
	Duration int         `json:"duration"`
	Enabled  bool        `json:"enabled"`
	OrgID    string      `json:"org_id"` // the organization that pays
}

// UnmarshalJSON reads dates as Dates does.
func (a *AutoRenew) UnmarshalJSON(b []byte) error { return readJSON(string(b), a) }

func (a *AutoRenew) read(r *reader) {
	r.object(func(name string) {
		switch name {
		case "href":
			a.Href = r.text()
		case "dates":
			a.Dates = several(r, func(t *time.Time, r *reader) { *t = r.date() })
		case "duration":
			a.Duration = r.whole()
		case "enabled":
			a.Enabled = r.truth()
		case "org_id":
			a.OrgID = r.text()
		default:
			r.skip()
		}
	})
}

// SharingSpace is the organization that holds a domain, with the reseller above
// it where there is one.
type SharingSpace struct {
	ID           string        `json:"id"` // a sharing_id
	Name         string        `json:"name"`
	Type         string        `json:"type"` // user or organization
	Reseller     bool          `json:"reseller"`
	SharingSpace *SharingSpace `json:"sharing_space,omitempty"`
}

func (s *SharingSpace) read(r *reader) {
	r.object(func(name string) {
		switch name {
		case "id":
			s.ID = r.text()
		case "name":
			s.Name = r.text()
		case "type":
			s.Type = r.text()
		case "reseller":
			s.Reseller = r.truth()
		case "sharing_space":
			s.SharingSpace = maybe(r, (*SharingSpace).read)
		default:
			r.skip()
		}
	})
}

// TrusteeRole is a role that a trustee fills for the holder; usually there is
// none. Its members allow_transferout and editable are not read: their types
// are not documented.
type TrusteeRole struct {
	Name string `json:"name"`
}

// UnmarshalJSON takes the bare name of earlier documentation too.
func (t *TrusteeRole) UnmarshalJSON(b []byte) error { return readJSON(string(b), t) }

func (t *TrusteeRole) read(r *reader) {
	if r.peek() == '"' {
		t.Name = r.text()
		return
	}
	r.object(func(name string) {
		if name == "name" {
			t.Name = r.text()
		} else {
			r.skip()
		}
	})
}

// DomainCreate is a registration. FQDN and Owner are required; every other zero
// value is left out and v5's default holds.
type DomainCreate struct {
	FQDN  string   `json:"fqdn"`
	Owner *Contact `json:"owner"`
	// Admin, Bill and Tech are the owner's data where they are left out.
	Admin    *Contact `json:"admin,omitempty"`
	Bill     *Contact `json:"bill,omitempty"`
	Tech     *Contact `json:"tech,omitempty"`
	Duration int      `json:"duration,omitempty"` // years, 1 to 10; v5 takes 1
	// Nameservers are LiveDNS's where none are given.
	Nameservers     []string          `json:"nameservers,omitempty"`
	ExtraParameters map[string]string `json:"extra_parameters,omitempty"` // x- keys of the domain
	Lang            string            `json:"lang,omitempty"`             // ISO 639-2, for IDN
	TLDPeriod       string            `json:"tld_period,omitempty"`       // sunrise, landrush, eap1 to eap9, golive
	SMD             string            `json:"smd,omitempty"`              // for sunrise
	EnforcePremium  bool              `json:"enforce_premium,omitempty"`  // needed for a premium name
	// Price and Currency (EUR, USD, GBP, TWD, CNY) guard against another price
	// than the one that was shown.
	Price    float64 `json:"price,omitempty"`
	Currency string  `json:"currency,omitempty"`
	// MailboxOptin orders the included mailboxes. v5 takes true where it is
	// left out, so a caller that does not want them points to false.
	MailboxOptin *bool  `json:"mailbox_optin,omitempty"`
	ReselleeID   string `json:"resellee_id,omitempty"` // an existing customer
}

// Domain reads a domain. v5 answers 404 or 403 for a domain that is not on the
// account, that has left it, or whose creation has not ended.
func (s *Session) Domain(ctx context.Context, fqdn string) (*Domain, error) {
	ans, err := s.do(ctx, request{route: "GET /domain/domains/{d}", path: []string{fqdn}})
	if err != nil {
		return nil, err
	}
	d, err := decode[Domain](ans)
	if err == nil && d.FQDN == "" {
		err = ans.unusable(errors.New("read domain: no fqdn"))
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// CreateDomain registers a domain, which costs money. It returns nil where v5
// has accepted the order (202); the work then goes on and CreateStatus shows
// it. It sends at most one request. On an error, (*Error).DefiniteNo tells
// whether the order can be ruled out.
func (s *Session) CreateDomain(ctx context.Context, d DomainCreate) error {
	return s.createDomain(ctx, d, false)
}

// DryRunCreateDomain asks v5 whether it would accept a registration. It returns
// nil for yes and a *DryRunError for no. An error that wraps ErrDryRunIgnored
// means that v5 took the order for real; any other error leaves that open as it
// does for CreateDomain.
func (s *Session) DryRunCreateDomain(ctx context.Context, d DomainCreate) error {
	return s.createDomain(ctx, d, true)
}

func (s *Session) createDomain(ctx context.Context, d DomainCreate, dryRun bool) error {
	r := request{route: "POST /domain/domains", body: d, dryRun: dryRun}
	if d.FQDN == "" || d.Owner == nil {
		return r.refused(errors.New("create domain: fqdn and owner are required"))
	}
	return s.order(ctx, r)
}

// CreateStatus reads how far the registration of a domain has come. When it has
// ended well v5 answers a redirect to the domain instead of a step (v5
// documentation; the code is not established): Progress.Done. A resource may
// describe an older attempt that failed.
func (s *Session) CreateStatus(ctx context.Context, fqdn string) (*Progress, error) {
	r := request{route: "GET /domain/domains/{d}/createstatus", path: []string{fqdn}}
	ans, err := s.do(ctx, r)
	if err != nil {
		return nil, err
	}
	location := ans.header.Get("Location")
	if ans.status >= 300 || (location != "" && len(ans.body) == 0) {
		if !pointsToDomain(location) {
			return nil, ans.unusable(fmt.Errorf("read create status: redirect does not lead to a domain"))
		}
		return &Progress{Done: true, Location: location}, nil
	}
	return decodeProgress(ans)
}

// pointsToDomain tells the redirect that means "created" from one that only
// moves the request to another host, scheme or a login page.
func pointsToDomain(location string) bool {
	u, err := url.Parse(location)
	if err != nil {
		return false
	}
	path := strings.TrimSuffix(u.Path, "/")
	return strings.Contains(path, "/domains/") && !strings.HasSuffix(path, "/createstatus")
}
