package translate

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"v3gate/internal/fault"
	"v3gate/internal/handles"
	"v3gate/internal/ops"
	"v3gate/internal/store"
	"v3gate/internal/tenant"
	"v3gate/internal/v5"
	"v3gate/internal/xmlrpc"
)

type mailboxCreateIn struct {
	Domain string              `v3:"domain"`
	Login  string              `v3:"login"`
	Params mailboxCreateParams `v3:"params"`
}

type mailboxCreateParams struct {
	Password      string       `v3:"password"`
	FallbackEmail string       `v3:"fallback_email,opt"`
	Quota         xmlrpc.Value `v3:"quota" refuse:"v5 has no limit of a mailbox; its slot decides"`
}

// mailboxPlan is a mailbox to be made, with the answer.
type mailboxPlan struct {
	domainPlan
	out mailboxOut
}

// mailboxCreateCheck decides whether a mailbox goes into a slot that is free, or
// whether one has to be bought for it.
func mailboxCreateCheck(ctx context.Context, c *Call, in mailboxCreateIn) (mailboxPlan, []FieldError, error) {
	var plan mailboxPlan
	if err := localPart(fault.Mailbox, "login", in.Login); err != nil {
		return plan, nil, err
	}
	if wrong := checkMailbox(in.Params.Password, in.Params.FallbackEmail); len(wrong) > 0 {
		return plan, wrong, nil
	}
	fqdn, err := c.mailDomain(ctx, in.Domain)
	if err != nil {
		return plan, nil, err
	}
	login := strings.ToLower(in.Login)
	plan.domainPlan = domainPlan{
		fqdn: fqdn, typ: "mailbox_create", kind: ops.KindMailbox, action: "create", secret: in.Params.Password,
		params: []param{{"login", login}, {"fallback_email", in.Params.FallbackEmail}},
	}
	plan.out = mailboxOut{Aliases: []string{}, FallbackEmail: in.Params.FallbackEmail, Login: login}
	// A slot that was bought for another call is not to be taken from it, and the
	// same call again buys nothing.
	buying, err := c.Ops.Running(c.Tenant.Name, plan.typ, fqdn)
	if err != nil {
		return plan, nil, err
	}
	if !buying {
		there, err := c.listedMailbox(ctx, fqdn, login)
		if err != nil {
			return plan, nil, mailError(fqdn, err)
		}
		if there != nil {
			return plan, nil, mailboxExists(fqdn, login)
		}
	}
	return plan, nil, c.place(ctx, &plan, in.Params.Password, buying)
}

// place finds the slot of a new mailbox: a free one, of the configured type if
// there is one, or one that is to be bought.
func (c *Call) place(ctx context.Context, plan *mailboxPlan, password string, buying bool) error {
	slots, err := c.V5.Slots(ctx, plan.fqdn)
	if err != nil {
		return mailError(plan.fqdn, err)
	}
	settings := c.Tenant.MailSlots
	box := v5.MailboxCreate{Login: plan.out.Login, Password: password, MailboxType: settings.Type}
	free := slices.DeleteFunc(slices.Clone(slots), func(s v5.Slot) bool { return s.Status != "inactive" || s.MailboxType == "" })
	switch {
	case !buying && len(free) > 0:
		best := slices.MinFunc(free, func(a, b v5.Slot) int {
			return cmp.Or(-boolCompare(a.MailboxType == settings.Type, b.MailboxType == settings.Type), cmp.Compare(a.Capacity, b.Capacity))
		})
		box.MailboxType = best.MailboxType
		plan.request = box
	case !settings.Buy:
		return fault.New(fault.MailZone, fault.CauseQuotaReached, "no mailbox slot of %s is free; buy one in Gandi's web interface, "+
			"or have the gateway's operator allow the purchase with buy_mail_slots", plan.fqdn)
	default:
		raw, err := marshalItem(box)
		if err != nil {
			return err
		}
		plan.kind, plan.request = ops.KindMailSlot, v5.SlotOrder{MailboxType: settings.Type, Duration: settings.Months}
		plan.items = []ops.Item{{Name: box.Login, Request: raw}}
	}
	plan.out.Quota = mailQuota(&v5.Mailbox{MailboxType: box.MailboxType}, slots)
	return nil
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// mailboxCreateDo answers what was asked for: v5 makes the mailbox later, as the
// operation shows.
func mailboxCreateDo(ctx context.Context, c *Call, p mailboxPlan) (mailboxOut, error) {
	if p.kind == ops.KindMailSlot && c.Tenant.Mode == tenant.NoSpend {
		return mailboxOut{}, fault.Disabled("this account may not spend: the mailbox needs a slot, which was not bought")
	}
	_, err := submit(ctx, c, p.domainPlan)
	return p.out, err
}

func mailboxExists(fqdn, login string) *fault.Error {
	return fault.New(fault.Mailbox, fault.CauseExist, "Mailbox '%s@%s' already exists.", clip(login), fqdn)
}

// checkMailbox holds v5's rules, which are stricter than v3's were. Either may be
// "", for not given.
func checkMailbox(password, fallback string) (wrong []FieldError) {
	if password != "" && !strong(password) {
		wrong = append(wrong, FieldError{Field: "password", Type: "String", Error: "EC_VALIDPASSWORD", Object: fault.Password,
			Cause: fault.CauseBadParameter, Reason: "password: it must have 8 to 200 characters, of which 1 upper case letter, 3 digits and 1 special character"})
	}
	if fallback != "" && !emailForm.MatchString(fallback) {
		wrong = append(wrong, matchError("fallback_email", fault.Email, fallback, emailForm.String()))
	}
	return wrong
}

// strong tells whether v5 takes a password (v5 documentation).
func strong(password string) bool {
	length, upper, figures, special := 0, 0, 0, 0
	for _, r := range password {
		length++
		switch {
		case unicode.IsUpper(r):
			upper++
		case '0' <= r && r <= '9':
			figures++
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			special++
		}
	}
	return length >= 8 && length <= 200 && upper > 0 && figures >= 3 && special > 0
}

// settleMailbox keeps what v5 has no place for, once a mailbox is there, and
// forgets it with the mailbox.
func settleMailbox(tx *store.Tx, book *handles.Book, op *ops.Operation) error {
	if op.Type != "mailbox_create" && op.Type != "mailbox_delete" {
		return nil
	}
	var p struct {
		Login    string `json:"login"`
		Fallback string `json:"fallback_email"`
	}
	if err := json.Unmarshal(op.Params, &p); err != nil {
		return fmt.Errorf("settle operation %d: %w", op.ID, err)
	}
	return book.SetMailbox(tx, op.Tenant, op.FQDN, p.Login, handles.Mailbox{FallbackEmail: p.Fallback})
}
