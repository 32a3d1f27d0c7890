package translate

import (
	"context"
	"strings"

	"v3gate/internal/fault"
	"v3gate/internal/handles"
	"v3gate/internal/ops"
	"v3gate/internal/v5"
	"v3gate/internal/xmlrpc"
)

type mailboxUpdateIn struct {
	Domain string              `v3:"domain"`
	Login  string              `v3:"login"`
	Params mailboxUpdateParams `v3:"params"`
}

type mailboxUpdateParams struct {
	FallbackEmail string       `v3:"fallback_email,opt"`
	Password      string       `v3:"password,opt"`
	Quota         xmlrpc.Value `v3:"quota" refuse:"v5 has no limit of a mailbox; its slot decides"`
}

// mailboxChange is a change of a mailbox that v3 made without an operation.
type mailboxChange struct {
	fqdn     string
	box      *v5.Mailbox
	password string
	fallback string
	aliases  []string
}

func mailboxUpdateCheck(ctx context.Context, c *Call, in mailboxUpdateIn) (mailboxChange, []FieldError, error) {
	p := in.Params
	if p.Password == "" && p.FallbackEmail == "" {
		return mailboxChange{}, nil, fault.New(fault.Struct, fault.CauseExpected, "params needs password or fallback_email")
	}
	if wrong := checkMailbox(p.Password, p.FallbackEmail); len(wrong) > 0 {
		return mailboxChange{}, wrong, nil
	}
	fqdn, m, err := c.findMailbox(ctx, in.Domain, in.Login)
	return mailboxChange{fqdn: fqdn, box: m, password: p.Password, fallback: p.FallbackEmail}, nil, err
}

// mailboxUpdateDo sets the password, of which v5 shows nothing: where its answer
// is lost the caller gets a fault, and may set the same one again.
func mailboxUpdateDo(ctx context.Context, c *Call, p mailboxChange) (mailboxOut, error) {
	if p.password != "" {
		if err := c.V5.ChangeMailbox(ctx, p.fqdn, p.box.ID, v5.MailboxChange{Password: p.password}); err != nil {
			return mailboxOut{}, mailError(p.fqdn, err)
		}
	}
	if p.fallback != "" {
		if err := c.Book.KeepMailbox(c.Tenant.Name, p.fqdn, strings.ToLower(p.box.Login), handles.Mailbox{FallbackEmail: p.fallback}); err != nil {
			return mailboxOut{}, err
		}
	}
	return c.mailboxAnswer(ctx, p.fqdn, p.box)
}

type aliasSetIn struct {
	Domain  string   `v3:"domain"`
	Login   string   `v3:"login"`
	Aliases []string `v3:"aliases"`
}

func aliasSetCheck(ctx context.Context, c *Call, in aliasSetIn) (mailboxChange, []FieldError, error) {
	for _, alias := range in.Aliases {
		if err := localPart(fault.Mailbox, "aliases", alias); err != nil {
			return mailboxChange{}, nil, err
		}
	}
	fqdn, m, err := c.findMailbox(ctx, in.Domain, in.Login)
	return mailboxChange{fqdn: fqdn, box: m, aliases: list(in.Aliases)}, nil, err
}

// aliasSetDo replaces all aliases, and sends nothing where they are there.
func aliasSetDo(ctx context.Context, c *Call, p mailboxChange) (mailboxOut, error) {
	if !sameTexts(p.box.Aliases, p.aliases) {
		err := found(c.V5.ChangeMailbox(ctx, p.fqdn, p.box.ID, v5.MailboxChange{Aliases: &p.aliases}), func() (bool, error) {
			m, err := c.V5.Mailbox(ctx, p.fqdn, p.box.ID)
			return err == nil && sameTexts(m.Aliases, p.aliases), err
		})
		if err != nil {
			return mailboxOut{}, mailError(p.fqdn, err)
		}
	}
	p.box.Aliases = p.aliases
	return c.mailboxAnswer(ctx, p.fqdn, p.box)
}

// boxPlan is the plan of an operation on a mailbox that is there.
func (c *Call) boxPlan(ctx context.Context, in mailboxIn, typ, kind, action string) (domainPlan, *v5.Mailbox, error) {
	fqdn, m, err := c.findMailbox(ctx, in.Domain, in.Login)
	if err != nil {
		return domainPlan{}, nil, err
	}
	login := strings.ToLower(m.Login)
	return domainPlan{
		fqdn: fqdn, typ: typ, kind: kind, action: action,
		request: ops.MailboxRef{ID: m.ID, Login: login}, params: []param{{"login", login}},
	}, m, nil
}

func mailboxDeleteCheck(ctx context.Context, c *Call, in mailboxIn) (domainPlan, []FieldError, error) {
	plan, _, err := c.boxPlan(ctx, in, "mailbox_delete", ops.KindMailboxDelete, "delete")
	return plan, nil, err
}

func mailboxDeleteDo(ctx context.Context, c *Call, p domainPlan) (bool, error) {
	_, err := submit(ctx, c, p)
	return err == nil, err
}

func mailboxPurgeCheck(ctx context.Context, c *Call, in mailboxIn) (domainPlan, []FieldError, error) {
	plan, _, err := c.boxPlan(ctx, in, "mailbox_purge", ops.KindMailboxPurge, "update")
	return plan, nil, err
}
