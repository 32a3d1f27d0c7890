package translate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"v3gate/internal/fault"
	"v3gate/internal/handles"
	"v3gate/internal/ops"
	"v3gate/internal/portfolio"
	"v3gate/internal/store"
	"v3gate/internal/v5"
)

// onDomain says which domain an error is about, so that its fault can name it.
type onDomain struct {
	fqdn string
	err  error
}

func (e onDomain) Error() string { return e.fqdn + ": " + e.err.Error() }
func (e onDomain) Unwrap() error { return e.err }

// noDomain is the recorded fault for a domain that is not on the account.
func noDomain(fqdn string) error {
	return fault.New(fault.Domain, fault.CauseNotFound, "Domain '%s' doesn't exist.", fqdn)
}

// contactFault is the fault for a handle that is not to be had. A client looks
// for CAUSE_NOTFOUND in the text, and another's contact has a recorded one.
func contactFault(err error, param, handle string) error {
	switch {
	case errors.Is(err, handles.ErrForeign):
		return fault.New(fault.Contact, fault.CauseNoRight, "You aren't allowed to read that contact")
	case errors.Is(err, handles.ErrUnknown):
		return fault.New(fault.Contact, fault.CauseNotFound,
			"%s: handle '%s' is not known to this gateway; it can be imported", param, clip(handle))
	}
	return err
}

// Fault is the one bridge from errors to what a v3 client sees. known is false
// for an error that is our own bug: the caller then sees a request id and
// nothing else, and err belongs into the log.
func (s *Services) Fault(c *Call, err error) (f *fault.Error, known bool) {
	if f, ok := fault.As(err); ok {
		return f, true
	}
	if f := c.zoneErrors(err); f != nil {
		return f, true
	}
	var about onDomain
	errors.As(err, &about)
	if f := c.premiumUnsaid(about.fqdn, err); f != nil {
		return f, true
	}
	var busy *ops.BusyError
	var exists *ops.ErrExists
	var spent *ops.SpentError
	var stale *ops.StaleError
	var taken *ops.TakenError
	var rejected *v5.DryRunError
	var unread *portfolio.UnreadError
	var answer *v5.Error
	switch {
	case errors.As(err, &unread):
		return fault.New(fault.Application, fault.CauseServerUnavailable, "%s", unread.Error()), true
	case errors.As(err, &busy) && busy.ID != 0:
		return fault.New(fault.Domain, fault.CauseRunning, "operation %d (%s) is running on %s", busy.ID, busy.Type, busy.FQDN), true
	case errors.As(err, &busy):
		return fault.New(fault.Domain, fault.CauseRunning, "an operation is running on %s", busy.FQDN), true
	case errors.As(err, &exists) && exists.Login != "":
		return mailboxExists(exists.FQDN, exists.Login), true
	case errors.As(err, &exists):
		return fault.New(fault.Domain, fault.CauseExist, "Domain '%s' already exists.", exists.FQDN), true
	case errors.As(err, &spent):
		return fault.New(fault.BuyrenewPeriod, fault.CauseExist, "%s was renewed for %s", spent.FQDN, spent.Once), true
	case errors.As(err, &taken):
		return fault.New(fault.Operation, fault.CauseRunning, "the registrar took the dry run for the real call; operation %d follows it", taken.ID), true
	case errors.As(err, &stale):
		return fault.New(fault.Domain, fault.CauseState, "%s", stale.Reason), true
	case errors.Is(err, ops.ErrStep):
		return fault.New(fault.Operation, fault.CauseInvalidStep, "the operation is in a step that does not allow it"), true
	case errors.Is(err, ops.ErrUnknown):
		return fault.New(fault.Operation, fault.CauseNotFound, "no such operation"), true
	case errors.Is(err, ops.ErrForeign):
		return fault.New(fault.Operation, fault.CauseNoRight, "You aren't allowed to read that operation"), true
	case errors.Is(err, store.ErrUnsure):
		return fault.New(fault.Database, fault.CauseServerQuery, "the gateway's disk failed, and it is not known whether it kept the call; ask again later"), true
	case errors.Is(err, store.ErrCommit):
		return fault.New(fault.Database, fault.CauseServerQuery, "the gateway's disk does not take what is written; nothing was done"), true
	case errors.As(err, &rejected) && rejected.Err == nil:
		return badFields(rejected.Fields), true
	case errors.As(err, &answer):
		return s.v5Fault(answer, about.fqdn), true
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fault.New(fault.Service, fault.CauseServerUnavailable, "no answer in time"), true
	}
	return fault.Internal(c.ID), false
}

// v5Fault turns what v5 said into a fault: by route and status, and by the word
// where v5 passes a cause of v3 through.
func (s *Services) v5Fault(e *v5.Error, fqdn string) *fault.Error {
	onOne := strings.Contains(e.Route, "{d}") // a 403 may then be about that domain alone
	part := partOf(e.Route)
	if f := deleteFault(e); f != nil {
		return f // it was just read with the same credential
	}
	if e.Auth() || e.Status == http.StatusForbidden {
		s.AuthFailed(e.Status)
	}
	if f := mailFault(e); f != nil {
		return f
	}
	switch {
	case e.Auth(), e.Status == http.StatusForbidden && !onOne:
		// The caller's key is fine; the gateway's credential is not.
		return fault.New(fault.Service, fault.CauseServerConf, "the gateway's access to the registrar is refused; tell its operator")
	case e.Missing() && strings.HasSuffix(e.Route, "}") && part != fault.Domain:
		return fault.New(part, fault.CauseNotFound, "%s", said(e))
	case (e.Status == http.StatusForbidden || e.Absent()) && fqdn != "":
		return fault.New(fault.Domain, fault.CauseNotFound, "Domain '%s' doesn't exist.", fqdn)
	case e.Status == http.StatusTooManyRequests:
		return fault.New(fault.Application, fault.CauseServerTooMany, "the registrar takes no more requests for now")
	case e.Status == 0, e.Status >= 500, e.Status == http.StatusRequestTimeout, !e.IsJSON:
		return fault.New(fault.Service, fault.CauseServerUnavailable, "the registrar cannot be reached")
	case outOfMoney(e):
		return fault.New(fault.Prepaid, fault.CauseNotEnoughMoney, "%s", said(e))
	case e.Status == http.StatusConflict:
		return fault.New(part, fault.CauseExist, "%s", said(e))
	case len(e.Fields) > 0:
		return badFields(e.Fields)
	}
	if cause, ok := fault.CauseNamed(e.Cause); ok {
		return fault.New(part, cause, "%s", said(e))
	}
	if e.Status == http.StatusBadRequest {
		return fault.New(fault.Method, fault.CauseBadParameter, "%s", said(e))
	}
	s.UnmappedV5(e.Route)
	return fault.New(fault.Unknown, fault.CauseUnknown, "the registrar answered %d: %s", e.Status, said(e))
}

// partOf is what of a domain a route is about.
func partOf(route string) fault.Object {
	switch {
	case strings.Contains(route, "{d}/hosts"):
		return fault.Host
	case strings.Contains(route, "{d}/dnskeys"):
		return fault.DNSSECKey
	case strings.Contains(route, "{d}/webredirs"):
		return fault.WebRedirection
	}
	return fault.Domain
}

// outOfMoney knows a refusal for lack of money. Its form is not established: v5
// may use 402, or say so in words.
func outOfMoney(e *v5.Error) bool {
	text := strings.ToLower(e.Message + " " + e.Cause)
	return e.Status == http.StatusPaymentRequired || e.Cause == "CAUSE_NOT_ENOUGH_MONEY" ||
		strings.Contains(text, "prepaid") || strings.Contains(text, "not enough money") || strings.Contains(text, "insufficient fund")
}

// said is v5's own text.
func said(e *v5.Error) string {
	if e.Message != "" {
		return clip(e.Message)
	}
	return fmt.Sprintf("status %d", e.Status)
}

// badFields names what v5 does not like about the parameters.
func badFields(fields []v5.FieldError) *fault.Error {
	texts := make([]string, 0, len(fields))
	for _, f := range fields {
		texts = append(texts, f.String())
	}
	if len(texts) == 0 {
		texts = append(texts, "the registrar does not take these parameters")
	}
	return fault.New(fault.Method, fault.CauseBadParameter, "%s", clip(strings.Join(texts, "; ")))
}
