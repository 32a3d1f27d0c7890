package console

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// onPage is how many operations or handles a page lists.
const onPage = 50

// mostPages bounds the page that can be asked for.
const mostPages = 1_000_000

const (
	// usualStep is how long an operation stays in a step at most when all goes
	// well: registries do what takes longer, such as a name in review, seldom.
	usualStep = time.Hour
	// usualTransfer is that of a transfer, for which the registry gives the other
	// registrar five days and more.
	usualTransfer = 7 * 24 * time.Hour
)

// Stuck tells whether an operation is in a step for longer than is usual. One in
// SUPPORT is not stuck: it waits for people.
func Stuck(kind, step string, in time.Duration) bool {
	if step == "SUPPORT" {
		return false
	}
	if strings.Contains(kind, "transfer") {
		return in > usualTransfer
	}
	return in > usualStep
}

// operationRow is an operation in a table.
type operationRow struct {
	Operation
	In, Age time.Duration // in its step, and since it was made
}

func (c *console) row(op Operation) operationRow {
	now := c.Now()
	return operationRow{op, now.Sub(op.Since), now.Sub(op.Created)}
}

type operationsPage struct {
	Rows        []operationRow
	All         int
	From, To    int // which of all are shown, counted from 1
	Newer, More string
}

func (c *console) operations(r *http.Request) (*shownPage, error) {
	q := r.URL.Query()
	if id := strings.TrimSpace(q.Get("id")); id != "" {
		return c.one(id)
	}
	n, err := strconv.Atoi(q.Get("page"))
	if err != nil || n < 1 || n > mostPages {
		n = 1
	}
	skip := (n - 1) * onPage
	page, all, err := c.Operations(skip, onPage)
	if err != nil {
		return nil, err
	}
	p := operationsPage{All: all, From: skip + 1, To: skip + len(page)}
	for _, op := range page {
		p.Rows = append(p.Rows, c.row(op))
	}
	if n > 1 {
		p.Newer = link("operations", "page", strconv.Itoa(n-1))
	}
	if p.To < all && len(page) > 0 {
		p.More = link("operations", "page", strconv.Itoa(n+1))
	}
	return &shownPage{name: "operations", title: "Operations", place: "operations", content: p}, nil
}

type operationPage struct {
	operationRow
	History []passed
	AtEnd   bool
}

// passed is a line of an operation's history.
type passed struct {
	Passage
	Text string
	Took time.Duration // until the next line; until now for the last one of an open operation
	Last bool
}

// meanings are what the states of the journal say.
var meanings = map[string]string{
	"intended": "written down, nothing is sent",
	"sending":  "the request may be on its way",
	"unknown":  "the outcome is not known; it is looked for",
	"accepted": "v5 took the call",
	"refused":  "v5 definitely did not take the call",
}

func (c *console) operation(r *http.Request) (*shownPage, error) { return c.one(r.PathValue("id")) }

// one shows one operation.
func (c *console) one(text string) (*shownPage, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return missing("There is no such operation", "An operation's id is a number."), nil
	}
	op, err := c.Operation(id)
	if err != nil {
		return nil, err
	}
	if op == nil {
		return missing("There is no such operation", "None has the id "+strconv.FormatInt(id, 10)+
			" in the store. One that ended long ago is in the archive."), nil
	}
	p := operationPage{operationRow: c.row(*op)}
	p.AtEnd = op.Step == "DONE" || op.Step == "ERROR" || op.Step == "CANCEL"
	for i, at := range op.Passed {
		line := passed{Passage: at, Text: meanings[at.State], Last: i == len(op.Passed)-1}
		until := c.Now()
		if !line.Last {
			until = op.Passed[i+1].At
		}
		line.Took = until.Sub(at.At)
		p.History = append(p.History, line)
	}
	return &shownPage{name: "operation", title: "Operation " + strconv.FormatInt(id, 10), place: "operations", content: p}, nil
}
