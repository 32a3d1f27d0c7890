package translate

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"unicode"

	"v3gate/internal/fault"
	"v3gate/internal/query"
	"v3gate/internal/v5"
)

// mailListIn is what the list and count methods of mail take.
type mailListIn struct {
	Domain string  `v3:"domain"`
	Opts   options `v3:"opts,opt"`
}

// mailListing makes the row of such a method. The handler gets the name of a
// domain of the caller's, and the options read.
func mailListing[T, Out any](name string, schema *query.Schema[T],
	handle func(context.Context, *Call, string, *query.Query[T]) (Out, error), r Row) Row {
	described := Listing(name, schema, func(context.Context, *Call, *query.Query[T]) (Out, error) {
		var none Out
		return none, nil
	}, r)
	r = Method(name, func(ctx context.Context, c *Call, in mailListIn) (Out, error) {
		var none Out
		q, err := schema.Parse(in.Opts)
		if err != nil {
			return none, optionFault("opts", err)
		}
		fqdn, err := c.mailDomain(ctx, in.Domain)
		if err != nil {
			return none, err
		}
		out, err := handle(ctx, c, fqdn, q)
		return out, mailError(fqdn, err)
	}, r)
	r.Params[1] = described.Params[0]
	return r
}

// mailDomain gives the form of a domain name that v5 is asked with. The domain
// has to be the caller's.
func (c *Call) mailDomain(ctx context.Context, name string) (string, error) {
	fqdn, err := normal(name)
	if err != nil {
		return "", err
	}
	return fqdn, c.ownsDomain(ctx, fqdn)
}

func mailError(fqdn string, err error) error {
	if err == nil {
		return nil
	}
	return onDomain{fqdn, err}
}

// localPart checks what stands in front of the @ of an address: v3 takes that
// alone. It is part of a path of v5.
func localPart(o fault.Object, name, text string) error {
	bad := func(r rune) bool {
		return r == '@' || r == '/' || r == '\\' || unicode.IsSpace(r) || unicode.IsControl(r)
	}
	if len(text) > 64 || text == "." || text == ".." || strings.ContainsFunc(text, bad) {
		return fault.New(o, fault.CauseBadParameter, "%s: '%s' is not what stands in front of the @ of an address", name, clip(text)).About(name)
	}
	return nil
}

// found decides what an error of a change means. Where nobody knows what became
// of it, v5 is looked at, and never asked again: when that shows what was wanted,
// there is no error.
func found(err error, shown func() (bool, error)) error {
	var e *v5.Error
	if err == nil || !errors.As(err, &e) || e.DefiniteNo() {
		return err
	}
	if yes, lost := shown(); lost == nil && yes {
		return nil
	}
	return err
}

// mailFault is v5Fault for what the routes of mail say by a status or cause of
// their own; nil for all else. v5's form of the weekly limit of forwards is
// documented for its newer API only (429), and a 429 that outlasts the client's
// own waits is taken for it here.
func mailFault(e *v5.Error) *fault.Error {
	method, path, _ := strings.Cut(e.Route, " ")
	if !strings.HasPrefix(path, "/email/") || !e.IsJSON || e.Status < 400 || e.Status >= 500 {
		return nil
	}
	object := fault.Mailbox
	forwards := strings.HasPrefix(path, "/email/forwards/")
	if forwards {
		object = fault.Forward
	}
	cause, named := fault.CauseNamed(e.Cause)
	one := strings.Count(path, "{") > 1
	for _, f := range e.Fields {
		if strings.Contains(f.Name, "password") {
			return fault.New(fault.Password, fault.CauseBadParameter, "password: %s", clip(f.Description)).About("password")
		}
	}
	switch {
	case outOfMoney(e):
		return nil
	case e.Absent() && one:
		return fault.New(object, fault.CauseNotFound, "it doesn't exist, or no longer")
	case e.Status == http.StatusConflict:
		return fault.New(object, fault.CauseExist, "%s", said(e))
	case named && cause == fault.CauseQuotaReached, forwards && method != http.MethodGet && e.Status == http.StatusTooManyRequests:
		return fault.New(fault.MailZone, fault.CauseQuotaReached, "%s", said(e))
	case named && e.Status == http.StatusBadRequest && len(e.Fields) == 0:
		return fault.New(object, cause, "%s", said(e))
	}
	return nil
}
