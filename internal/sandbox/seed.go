package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Seed puts facts in place without an order. Every member is optional.
type Seed struct {
	Organizations []Organization `json:"organizations"`
	Domains       []SeedDomain   `json:"domains"`
	// Balance is the new prepaid amount of every organization.
	Balance string `json:"balance"`
	// Taken are names registered by somebody else.
	Taken []string `json:"taken"`
	// TransferCodes are the codes of taken names; without one, any code is right.
	TransferCodes map[string]string `json:"transfer_codes"`
	// CheckStatus forces the status word that check answers for a name.
	CheckStatus map[string]string `json:"check_status"`
	// Premium are the prices of premium names, without tax for one year.
	Premium map[string]string `json:"premium"`
	// Claimed are names of which the holder of a trademark claims something.
	Claimed []string `json:"claimed"`
	// FailCreate and FailChangeOwner let the next order for a name fail.
	FailCreate      map[string]FailedOrder `json:"fail_create"`
	FailChangeOwner map[string]FailedOrder `json:"fail_change_owner"`
	// OutOfMoney is OutOfMoneyRefuse or OutOfMoneyBill.
	OutOfMoney string     `json:"out_of_money"`
	NextError  *NextError `json:"next_error"`
}

// SeedDomain is a domain to put in place, or to replace. In JSON a bare name
// will do.
type SeedDomain struct {
	FQDN string `json:"fqdn"`
	// SharingID is its sharing space; empty means the first organization of the
	// first token. One that no token has makes the domain somebody else's.
	SharingID string `json:"sharing_id"`
	// Owner, Admin, Bill and Tech are full contacts. A missing owner is Alice
	// Doe, the others default to the owner.
	Owner map[string]any `json:"owner"`
	Admin map[string]any `json:"admin"`
	Bill  map[string]any `json:"bill"`
	Tech  map[string]any `json:"tech"`
	// RegistryCreatedAt defaults to now, or to one year before an end that is
	// not in the future; RegistryEndsAt to one year after it.
	RegistryCreatedAt time.Time           `json:"registry_created_at"`
	RegistryEndsAt    time.Time           `json:"registry_ends_at"`
	UpdatedAt         time.Time           `json:"updated_at"`
	Nameservers       []string            `json:"nameservers"`
	Hosts             map[string][]string `json:"hosts"`
	Status            []string            `json:"status"`
	Services          []string            `json:"services"`
	Tags              []string            `json:"tags"`
	Authinfo          string              `json:"authinfo"`
	Reachability      string              `json:"reachability"`
	Autorenew         *SeedAutorenew      `json:"autorenew"`
	Mail              SeedMail            `json:"mail"`
}

// SeedAutorenew is a setting of the automatic renewal. In JSON a boolean will do.
type SeedAutorenew struct {
	Enabled  bool   `json:"enabled"`
	Duration int    `json:"duration"`
	OrgID    string `json:"org_id"`
}

// FailedOrder says how an order ends. In JSON the error type alone will do; it
// then ends in ERROR.
type FailedOrder struct {
	Step           string `json:"step"` // ERROR (also when empty) or SUPPORT
	ErrorType      string `json:"errortype"`
	ErrorTypeLabel string `json:"errortype_label"`
}

// UnmarshalJSON takes a name or an object.
func (d *SeedDomain) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &d.FQDN) == nil {
		return nil
	}
	type plain SeedDomain
	return strict(data, (*plain)(d))
}

// UnmarshalJSON takes a boolean or an object.
func (a *SeedAutorenew) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &a.Enabled) == nil {
		return nil
	}
	type plain SeedAutorenew
	return strict(data, (*plain)(a))
}

// UnmarshalJSON takes an error type or an object.
func (f *FailedOrder) UnmarshalJSON(data []byte) error {
	var label string
	if json.Unmarshal(data, &label) == nil {
		*f = failed(label)
		return nil
	}
	type plain FailedOrder
	return strict(data, (*plain)(f))
}

// failed is an order that ends in ERROR; the label is made from the error type.
func failed(errorType string) FailedOrder {
	_, label, found := strings.Cut(errorType, ":")
	if !found {
		label = errorType
	}
	return FailedOrder{Step: "ERROR", ErrorType: errorType, ErrorTypeLabel: strings.ReplaceAll(label, "_", " ")}
}

func (f FailedOrder) orError() FailedOrder {
	if f.Step == "" {
		f.Step = "ERROR"
	}
	return f
}

// strict decodes one JSON value and refuses unknown members.
func strict(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if dec.More() {
		return fmt.Errorf("more than one JSON value")
	}
	return nil
}

// Seed applies the whole seed, or nothing of it when any part is wrong.
func (s *Sandbox) Seed(seed Seed) error {
	seed.Domains = slices.Clone(seed.Domains)
	if err := seed.check(); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	for _, o := range seed.Organizations {
		s.found(o)
	}
	for _, d := range seed.Domains {
		s.plant(d)
	}
	for _, name := range seed.Taken {
		s.taken[strings.ToLower(name)] = true
	}
	merge(s.transferCodes, seed.TransferCodes)
	merge(s.checkStatus, seed.CheckStatus)
	for name, f := range seed.FailCreate {
		s.failCreate[strings.ToLower(name)] = f.orError()
	}
	for name, f := range seed.FailChangeOwner {
		s.failChangeOwner[strings.ToLower(name)] = f.orError()
	}
	for _, name := range seed.Claimed {
		s.claims[strings.ToLower(name)] = false
	}
	for name, price := range seed.Premium {
		s.premium[strings.ToLower(name)], _ = cents(price)
	}
	if seed.OutOfMoney != "" {
		s.outOfMoney = seed.OutOfMoney
	}
	if seed.NextError != nil {
		s.nextErrors = append(s.nextErrors, *seed.NextError)
	}
	if seed.Balance != "" {
		for _, o := range s.orgs {
			o.balance, _ = cents(seed.Balance)
			o.lastChange = s.now()
		}
	}
	s.retryUnpaid()
	return nil
}

func merge[V any](into, from map[string]V) {
	for name, v := range from {
		into[strings.ToLower(name)] = v
	}
}

func (seed Seed) check() error {
	amounts := []string{seed.Balance}
	for _, price := range seed.Premium {
		amounts = append(amounts, price)
	}
	for _, o := range seed.Organizations {
		if o.ID == "" {
			return fmt.Errorf("organization without id")
		}
		amounts = append(amounts, o.Balance)
	}
	for _, a := range amounts {
		if _, err := cents(a); a != "" && err != nil {
			return err
		}
	}
	for _, f := range []map[string]FailedOrder{seed.FailCreate, seed.FailChangeOwner} {
		for name, order := range f {
			if !slices.Contains([]string{"", "ERROR", "SUPPORT"}, order.Step) {
				return fmt.Errorf("failed order %s: step must be ERROR or SUPPORT", name)
			}
		}
	}
	if !slices.Contains([]string{"", OutOfMoneyBill, OutOfMoneyRefuse}, seed.OutOfMoney) {
		return fmt.Errorf("out_of_money must be %s or %s", OutOfMoneyRefuse, OutOfMoneyBill)
	}
	if e := seed.NextError; e != nil && e.Status != 0 && (e.Status < 200 || e.Status > 599) {
		return fmt.Errorf("next_error: status %d", e.Status)
	}
	for i := range seed.Domains {
		if err := seed.Domains[i].check(); err != nil {
			return err
		}
	}
	return nil
}

func (d *SeedDomain) check() error {
	if wrong := fqdnError(d.FQDN); wrong != "" {
		return fmt.Errorf("domain %q: %s", d.FQDN, wrong)
	}
	for _, c := range []*map[string]any{&d.Owner, &d.Admin, &d.Bill, &d.Tech} {
		if *c == nil {
			continue
		}
		data, err := json.Marshal(*c)
		if err != nil {
			return fmt.Errorf("domain %s: %w", d.FQDN, err)
		}
		*c = nil
		if err := strict(data, c); err != nil {
			return fmt.Errorf("domain %s: %w", d.FQDN, err)
		}
		if wrong := fullContact(contactTypes...).validate(*c, ""); len(wrong) > 0 {
			return fmt.Errorf("domain %s: contact %s: %s", d.FQDN, wrong[0].Name, wrong[0].Description)
		}
	}
	return nil
}

// alice is the owner of seeded domains that name none; her data are those of the
// documentation's examples.
func alice() map[string]any {
	return map[string]any{
		"type": "individual", "given": "Alice", "family": "Doe", "streetaddr": "5 rue neuve", "zip": "75001",
		"city": "Paris", "country": "FR", "state": "FR-IDF", "phone": "+33.123456789", "email": "alice@example.org",
	}
}

// plant registers a seeded domain.
func (s *Sandbox) plant(in SeedDomain) {
	space := in.SharingID
	if space == "" {
		space = s.opts.Tokens[0].Orgs[0]
	}
	if s.orgs[space] == nil {
		s.found(Organization{ID: space})
	}
	if in.Owner == nil {
		in.Owner = alice()
	}
	d := s.register(strings.ToLower(in.FQDN), space, 1, s.now())
	d.plantDates(in)
	d.contacts["owner"] = s.keep(in.Owner)
	for role, c := range map[string]map[string]any{"admin": in.Admin, "bill": in.Bill, "tech": in.Tech} {
		d.contacts[role] = d.contacts["owner"]
		if c != nil {
			d.contacts[role] = s.keep(c)
		}
	}
	if len(in.Nameservers) > 0 {
		d.setServers(lowered(in.Nameservers))
		if serverKind(d.nameservers) != "livedns" {
			d.records = nil
		}
	}
	for label, ips := range in.Hosts {
		d.hosts[label] = ips
	}
	choose(&d.status, in.Status)
	choose(&d.services, in.Services)
	choose(&d.tags, in.Tags)
	s.plantMail(d, in.Mail)
	if in.Authinfo != "" {
		d.authinfo = in.Authinfo
	}
	if in.Reachability != "" {
		d.reachability = in.Reachability
	}
	if a := in.Autorenew; a != nil {
		d.autorenew.enabled, d.autorenew.duration = a.Enabled, max(a.Duration, 1)
		if a.OrgID != "" {
			d.autorenew.org = a.OrgID
		}
	}
}

func choose(into *[]string, in []string) {
	if in != nil {
		*into = slices.Clone(in)
	}
}

func (d *domain) plantDates(in SeedDomain) {
	if start := in.RegistryCreatedAt; !start.IsZero() {
		d.registered = start.UTC()
		d.ends = d.registered.AddDate(1, 0, 0)
	}
	if end := in.RegistryEndsAt; !end.IsZero() {
		d.ends = end.UTC()
		if in.RegistryCreatedAt.IsZero() && !d.ends.After(d.registered) {
			d.registered = d.ends.AddDate(-1, 0, 0)
		}
	}
	d.created = parisClock(d.registered)
	d.updated = d.registered
	if !in.UpdatedAt.IsZero() {
		d.updated = in.UpdatedAt.UTC()
	}
}
