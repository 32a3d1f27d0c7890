package gateway

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"v3gate/internal/config"
	"v3gate/internal/v5"
)

// Skews of the clock: v5's Date has whole seconds.
const (
	skewed    = 5 * time.Second
	farSkewed = 5 * time.Minute
)

// lookAtV5 looks whether v5 answers at all, and what time it has. It needs no
// credential: v5 answers that there is none, with its Date.
func (d *Doctor) lookAtV5(ctx context.Context) []Finding {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(d.Config.V5URL, "/")+"/organization/user-info", nil)
	if err != nil {
		return []Finding{broken("the address of v5 is none", "correct v5_url")}
	}
	r.Header.Set("User-Agent", "v3gate/"+Build().Version)
	transport := d.transport
	if transport == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		defer own.CloseIdleConnections()
		transport = own
	}
	before := d.Now()
	res, err := transport.RoundTrip(r) // redirects are not followed
	took := d.Now().Sub(before)
	if err != nil {
		return []Finding{unreachable(d.Config.V5URL, err)}
	}
	res.Body.Close()
	found := []Finding{}
	switch {
	case res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests:
		found = append(found, warning(fmt.Sprintf("v5 answers, with status %d", res.StatusCode), "wait, and see the status page of the registrar"))
	case res.StatusCode != http.StatusUnauthorized:
		found = append(found, broken(fmt.Sprintf("%s answers %d to a request without a credential, where v5 answers 401", d.Config.V5URL, res.StatusCode),
			"correct v5_url: it ends in /v5; or see what stands between here and v5"))
	default:
		found = append(found, fine("v5 answers at %s, in %s", d.Config.V5URL, took.Round(time.Millisecond)))
	}
	return append(found, clock(res.Header.Get("Date"), before.Add(took/2), took).of("clock"))
}

// clock compares with v5's Date, which was cut to a second at some moment of a
// request that took so long.
func clock(date string, now time.Time, took time.Duration) Finding {
	theirs, err := http.ParseTime(date)
	if err != nil {
		return warning("v5 gives no Date to compare the clock with", "see that the clock is synchronised")
	}
	off := now.Sub(theirs.Add(500 * time.Millisecond))
	what := fmt.Sprintf("the clock is %s off v5's", off.Abs().Round(100*time.Millisecond))
	const do = "synchronise the clock (chrony, systemd-timesyncd): operations are dated by it, and certificates judged"
	switch beyond := off.Abs() - took/2 - 500*time.Millisecond; {
	case beyond > farSkewed:
		return broken(what, do)
	case beyond > skewed:
		return warning(what, do)
	}
	return fine("the clock is v5's, to within %s", (took/2 + time.Second).Round(100*time.Millisecond))
}

func unreachable(url string, err error) Finding {
	do := "see name resolution, routes, firewall and proxy (HTTPS_PROXY) of this machine"
	var certificate x509.CertificateInvalidError
	var authority x509.UnknownAuthorityError
	if errors.As(err, &certificate) || errors.As(err, &authority) {
		do = "see the clock and the CA certificates of this machine, and who stands between here and v5"
	}
	return broken(fmt.Sprintf("v5 cannot be reached at %s: %v", url, err), do)
}

// lookAtAccount looks whether a tenant's credential works, and for which
// organization, and what that has to spend.
func (d *Doctor) lookAtAccount(ctx context.Context, t config.Tenant) []Finding {
	client, err := v5.New(v5.Options{BaseURL: d.Config.V5URL, Transport: d.transport, UserAgent: "v3gate/" + Build().Version})
	if err != nil {
		return nil // lookAtV5 says it
	}
	defer client.Close()
	credential, from := v5.Credential{Scheme: "Bearer", Secret: t.V5Token}, "v5_token"
	if t.V5APIKey != "" {
		credential, from = v5.Credential{Scheme: "Apikey", Secret: t.V5APIKey}, "v5_apikey"
	}
	if credential.Secret == "" {
		return []Finding{broken("there is no v5 credential", "set v5_token").of("credential")}
	}
	s := client.SessionFor(t.Name, credential, t.SharingID)
	user, err := s.UserInfo(ctx)
	if err != nil {
		return []Finding{refused(err, "the "+from+" does not work", "make a new one at the registrar, with the rights that the manual names, and set "+from).of("credential")}
	}
	found := []Finding{fine("the %s works; it is that of user %s", from, user.Username).of("credential")}
	organizations, err := s.Organizations(ctx)
	if err != nil {
		return append(found, refused(err, "the organizations cannot be read", "give the credential the right to see organizations").of("organization"))
	}
	found = append(found, organization(t.SharingID, organizations).of("organization"))
	bill, err := s.Billing(ctx)
	if err != nil {
		return append(found, refused(err, "the balance cannot be read", "give the credential the right to see billing, or watch the balance by other means").of("balance"))
	}
	return append(found, balance(bill).of("balance"))
}

// refused tells a v5 that says no from one that does not answer well.
func refused(err error, what, do string) Finding {
	var e *v5.Error
	if errors.As(err, &e) && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden) {
		return broken(fmt.Sprintf("%s: %v", what, err), do)
	}
	if e != nil && (e.Status >= 500 || e.Status == http.StatusTooManyRequests) {
		return warning(fmt.Sprintf("%s now: %v", what, err), "wait, and run doctor again")
	}
	return broken(fmt.Sprintf("%s: %v", what, err), "see what is said of v5 itself, then run doctor again")
}

// organization judges who pays.
func organization(id string, seen []v5.Organization) Finding {
	var names []string
	for _, o := range seen {
		names = append(names, fmt.Sprintf("%s (%s)", o.ID, o.Name))
	}
	if id == "" {
		return warning("no sharing_id is set: whatever the credential can see is the tenant's, and its user's own organization pays",
			"set sharing_id to one of: "+strings.Join(names, ", "))
	}
	i := slices.IndexFunc(seen, func(o v5.Organization) bool { return o.ID == id })
	switch {
	case i < 0:
		return broken(fmt.Sprintf("sharing_id %s is not among the credential's organizations", id),
			"set sharing_id to one of: "+strings.Join(names, ", ")+"; a personal access token sees the one organization that it was made for")
	case !seen[i].Reseller:
		return warning(fmt.Sprintf("organization %s is no reseller: owners of domains get no organization of their own, as v3's resellers had it", seen[i].Name),
			"nothing, where the domains are your own; else set the sharing_id of a reseller")
	}
	return fine("organization %s is a reseller", seen[i].Name)
}

// balance judges what there is to spend.
func balance(b *v5.Billing) Finding {
	p := b.Prepaid
	if p == nil {
		return fine("there is no prepaid account; %.2f are outstanding", b.Outstanding)
	}
	what := fmt.Sprintf("the prepaid account has %.2f %s", p.Amount, p.Currency)
	switch {
	case p.Amount <= 0:
		return broken(what+": purchases are refused, or wait", "pay into it")
	case p.Warning != nil && p.Amount < *p.Warning:
		return warning(fmt.Sprintf("%s, less than the %.2f that v5 warns at", what, *p.Warning), "pay into it")
	}
	return fine("%s", what)
}
