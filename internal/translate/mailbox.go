package translate

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"v3gate/internal/query"
	"v3gate/internal/v5"
)

// mailboxOut is a mailbox as v3 gave it (v3 domain reference).
type mailboxOut struct {
	Aliases       []string     `v3:"aliases"`
	FallbackEmail string       `v3:"fallback_email"`
	Login         string       `v3:"login"`
	Quota         mailQuotaOut `v3:"quota"`
	Responder     responderOut `v3:"responder"`
}

// mailQuotaOut is in KB, as what v5 shows of what is used.
type mailQuotaOut struct {
	Granted int64  `v3:"granted"`
	Used    string `v3:"used"`
}

type responderOut struct {
	Active bool   `v3:"active"`
	Text   string `v3:"text"`
}

// mailboxItemOut is what lists have of a mailbox.
type mailboxItemOut struct {
	Login     string            `v3:"login"`
	Quota     mailQuotaOut      `v3:"quota"`
	Responder responderShortOut `v3:"responder"`
}

type responderShortOut struct {
	Active bool `v3:"active"`
}

func mailboxOptions() *query.Schema[v5.Mailbox] {
	return query.New(query.DefaultPerPage,
		query.Text("login", query.Eq|query.Like|query.Sort|query.Natural, func(m *v5.Mailbox) string { return m.Login }))
}

// mailboxes gives the mailboxes of a domain by their logins.
func (c *Call) mailboxes(ctx context.Context, fqdn string) ([]v5.Mailbox, error) {
	all, err := c.V5.Mailboxes(ctx, fqdn, "")
	slices.SortStableFunc(all, func(a, b v5.Mailbox) int { return strings.Compare(a.Login, b.Login) })
	return all, err
}

func mailboxCount(ctx context.Context, c *Call, fqdn string, q *query.Query[v5.Mailbox]) (int64, error) {
	all, err := c.mailboxes(ctx, fqdn)
	return q.Count(query.Slice(all)(false)), err
}

// detailsAtOnce bounds the details that one list reads at a time.
const detailsAtOnce = 8

// mailboxList reads the details of those on the page asked for: v5's lists no
// longer say whether a responder is active.
func mailboxList(ctx context.Context, c *Call, fqdn string, q *query.Query[v5.Mailbox]) ([]mailboxItemOut, error) {
	out := []mailboxItemOut{}
	all, err := c.mailboxes(ctx, fqdn)
	if err != nil {
		return nil, err
	}
	page := q.Page(query.Slice(all))
	if len(page) == 0 {
		return out, nil
	}
	slots, err := c.V5.Slots(ctx, fqdn)
	if err != nil {
		return nil, err
	}
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(detailsAtOnce)
	for _, m := range page {
		if m.Responder != nil {
			continue
		}
		group.Go(func() error {
			details, err := c.V5.Mailbox(reading, fqdn, m.ID)
			if absent(err) {
				return nil // since the list was read
			}
			if err == nil {
				m.Responder = details.Responder
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, m := range page {
		out = append(out, mailboxItemOut{m.Login, mailQuota(m, slots), responderShortOut{m.Responder.Active(c.Now())}})
	}
	return out, nil
}

type mailboxIn struct {
	Domain string `v3:"domain"`
	Login  string `v3:"login"`
}

func mailboxInfo(ctx context.Context, c *Call, in mailboxIn) (mailboxOut, error) {
	fqdn, m, err := c.findMailbox(ctx, in.Domain, in.Login)
	if err != nil {
		return mailboxOut{}, err
	}
	return c.mailboxAnswer(ctx, fqdn, m)
}

// mailboxAnswer is a mailbox with its details, and with what the gateway keeps.
func (c *Call) mailboxAnswer(ctx context.Context, fqdn string, m *v5.Mailbox) (mailboxOut, error) {
	slots, err := c.V5.Slots(ctx, fqdn)
	if err != nil {
		return mailboxOut{}, mailError(fqdn, err)
	}
	kept, err := c.Book.Mailbox(c.Tenant.Name, fqdn, strings.ToLower(m.Login))
	if err != nil {
		return mailboxOut{}, err
	}
	out := mailboxOut{Aliases: list(m.Aliases), FallbackEmail: kept.FallbackEmail, Login: m.Login, Quota: mailQuota(m, slots)}
	if m.Responder != nil {
		out.Responder = responderOut{m.Responder.Active(c.Now()), m.Responder.Message}
	}
	return out, nil
}

// mailQuota takes the capacity of slots of the mailbox's type for what is
// granted; v5 has no limit of a mailbox. 0 is for none that is known.
func mailQuota(m *v5.Mailbox, slots []v5.Slot) mailQuotaOut {
	quota := mailQuotaOut{Used: strconv.Itoa(m.QuotaUsed)}
	for _, s := range slots {
		if s.MailboxType == m.MailboxType {
			quota.Granted = max(quota.Granted, int64(s.Capacity)<<10)
		}
	}
	return quota
}
