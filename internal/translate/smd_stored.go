package translate

import (
	"context"
	"errors"
	"iter"
	"time"

	"v3gate/internal/fault"
	"v3gate/internal/handles"
	"v3gate/internal/query"
	"v3gate/internal/store"
)

// smdItemOut is SMDListReturn.
type smdItemOut struct {
	DateCreated time.Time `v3:"date_created"`
	DateExpire  time.Time `v3:"date_expire"`
	ID          int64     `v3:"id"`
	Labels      []string  `v3:"labels"`
	MarkID      string    `v3:"mark_id"`
	MarkName    string    `v3:"mark_name"`
	Status      string    `v3:"status"`
	UID         string    `v3:"uid"`
}

// smdOut is SMDReturn.
type smdOut struct {
	DateCreated      time.Time `v3:"date_created"`
	DateExpire       time.Time `v3:"date_expire"`
	ID               int64     `v3:"id"`
	Labels           []string  `v3:"labels"`
	MarkHolderName   string    `v3:"mark_holder_name"`
	MarkHolderOrg    string    `v3:"mark_holder_org"`
	MarkID           string    `v3:"mark_id"`
	MarkJurisdiction string    `v3:"mark_jurisdiction"`
	MarkName         string    `v3:"mark_name"`
	MarkRegnum       string    `v3:"mark_regnum"`
	Original         string    `v3:"original"`
	Status           string    `v3:"status"`
	UID              string    `v3:"uid"`
}

// smdStatus is what can be said of a signed mark without asking whether it was
// revoked. v3's words are not documented.
func (c *Call) smdStatus(m *handles.SMD) string {
	if m.Expire.Before(c.Now()) {
		return "expired"
	}
	return "valid"
}

func (c *Call) smdAnswer(m *handles.SMD) smdOut {
	return smdOut{
		DateCreated: paris(m.Created), DateExpire: m.Expire, ID: m.ID, Labels: list(m.Labels), MarkHolderName: m.HolderName,
		MarkHolderOrg: m.HolderOrg, MarkID: m.MarkID, MarkJurisdiction: m.Jurisdiction, MarkName: m.MarkName, MarkRegnum: m.RegNum,
		Original: m.Original, Status: c.smdStatus(m), UID: m.UID,
	}
}

// smdOptions are those of domain.smd.list and domain.smd.count. Marks come by their
// ids.
func smdOptions() *query.Schema[handles.SMD] {
	type m = handles.SMD
	const date, text = query.Eq | query.Lt | query.Gt | query.Sort, query.Eq | query.Many | query.Sort
	return query.New(query.DefaultPerPage,
		query.Time("date_created", date, parisZone, func(m *m) time.Time { return m.Created }),
		query.Time("date_expire", date, time.UTC, func(m *m) time.Time { return m.Expire }),
		query.Int("id", text|query.Natural, func(m *m) int64 { return m.ID }),
		query.Texts("labels", text, func(m *m) []string { return m.Labels }),
		query.Text("mark_name", text|query.Like, func(m *m) string { return m.MarkName }),
		query.Text("uid", text, func(m *m) string { return m.UID }),
	)
}

// smds gives the caller's signed marks in either direction, and afterwards what
// went wrong.
func (c *Call) smds(err *error) func(backward bool) iter.Seq[*handles.SMD] {
	return func(backward bool) iter.Seq[*handles.SMD] {
		return func(yield func(*handles.SMD) bool) {
			*err = c.Book.SMDs(c.Tenant.Name, backward, func(m *handles.SMD) error {
				if !yield(m) {
					return store.Stop
				}
				return nil
			})
		}
	}
}

func smdList(_ context.Context, c *Call, q *query.Query[handles.SMD]) ([]smdItemOut, error) {
	var err error
	out := []smdItemOut{}
	for _, m := range q.Page(c.smds(&err)) {
		out = append(out, smdItemOut{paris(m.Created), m.Expire, m.ID, list(m.Labels), m.MarkID, m.MarkName, c.smdStatus(m), m.UID})
	}
	return out, err
}

func smdCount(_ context.Context, c *Call, q *query.Query[handles.SMD]) (int64, error) {
	var err error
	n := q.Count(c.smds(&err)(false))
	return n, err
}

func smdCreateCheck(_ context.Context, _ *Call, in smdIn) (handles.SMD, []FieldError, error) {
	m, err := parseSMD(in.SMD)
	if err != nil {
		return handles.SMD{}, nil, unreadable(err)
	}
	return handles.SMD{UID: m.UID, Expire: m.Expire, MarkID: m.MarkID, MarkName: m.MarkName, Labels: m.Labels, HolderName: m.HolderName,
		HolderOrg: m.HolderOrg, Jurisdiction: m.Jurisdiction, RegNum: m.RegNum, Original: in.SMD}, nil, nil
}

func smdCreateDo(_ context.Context, c *Call, m handles.SMD) (smdOut, error) {
	kept, err := c.Book.KeepSMD(c.Tenant.Name, m)
	var exists *handles.SMDExistsError
	switch {
	case errors.As(err, &exists):
		return smdOut{}, fault.New(fault.SMD, fault.CauseExist, "%s is there already, as smd_id %d", clip(m.UID), exists.ID).About("smd")
	case errors.Is(err, handles.ErrManySMDs):
		return smdOut{}, fault.New(fault.SMD, fault.CauseQuotaReached, "an account keeps at most %d, of %d MiB together; delete those that have expired",
			handles.MostSMDs, handles.MostSMDBytes>>20)
	case err != nil:
		return smdOut{}, err
	}
	return c.smdAnswer(&kept), nil
}

type smdIDIn struct {
	ID int64 `v3:"smd_id"`
}

// smd finds a signed mark of the caller's; param names the parameter in the fault.
func (c *Call) smd(param string, id int64) (handles.SMD, error) {
	m, err := c.Book.SMD(c.Tenant.Name, id)
	if errors.Is(err, handles.ErrUnknown) {
		err = noSMD(param, id)
	}
	return m, err
}

func noSMD(param string, id int64) error {
	return fault.New(fault.SMD, fault.CauseNotFound, "no such SMD (%s: %d)", param, id).About(param)
}

func smdInfo(_ context.Context, c *Call, in smdIDIn) (smdOut, error) {
	m, err := c.smd("smd_id", in.ID)
	if err != nil {
		return smdOut{}, err
	}
	return c.smdAnswer(&m), nil
}

func smdDeleteCheck(_ context.Context, c *Call, in smdIDIn) (int64, []FieldError, error) {
	_, err := c.smd("smd_id", in.ID)
	return in.ID, nil, err
}

func smdDeleteDo(_ context.Context, c *Call, id int64) (nothing, error) {
	err := c.Book.DeleteSMD(c.Tenant.Name, id)
	if errors.Is(err, handles.ErrUnknown) { // another caller was first
		err = noSMD("smd_id", id)
	}
	return nothing{}, err
}

// smdOf gives the text of the signed mark that a registration names, by itself or
// by the id of a stored one. One that has expired is refused before anything is
// ordered.
func (c *Call) smdOf(text string, id *int64) (string, error) {
	switch {
	case id == nil:
		return text, nil
	case text != "":
		return "", unsupported("params.smd_id", "params.smd is given, too; give one of them")
	}
	m, err := c.smd("params.smd_id", *id)
	if err == nil && m.Expire.Before(c.Now()) {
		err = fault.New(fault.SMD, fault.CauseExpired, "params.smd_id: it expired on %s; create a new one", m.Expire.Format(time.DateTime)).About("params.smd_id")
	}
	return m.Original, err
}
