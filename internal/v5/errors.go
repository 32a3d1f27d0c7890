package v5

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ErrDryRunIgnored means that a request with Dry-Run: 1 was answered 202: v5
// did not honour the header, so the order was really placed.
var ErrDryRunIgnored = errors.New("v5 ignored the dry run and took the order")

// Error is the one error of a call to v5, but for a *DryRunError. It never
// holds the credential or the body of the request.
type Error struct {
	// Route is the template, as in "POST /domain/domains".
	Route string
	// Status is the HTTP status; 0 where no answer came.
	Status int
	// Code, Object, Cause and Message are the members of v5's error envelope,
	// or of the shorter forms that exist; zero where the answer had none. Code
	// is not always there and not always equal to Status. Cause may be a CAUSE_
	// word of v3 (seen live).
	Code    int
	Object  string
	Cause   string
	Message string
	// Fields are the single complaints of a validation.
	Fields []FieldError
	// IsJSON tells that the body was a complete JSON object, whatever its
	// Content-Type (application/josn is documented): v5 itself has spoken, not
	// some machine in front of it.
	IsJSON bool
	// RetryAfter is what v5 asked to wait; 0 where it did not.
	RetryAfter time.Duration
	// MaybeSent is false only where no byte of the request can have left:
	// refused here (Err may wrap ErrQueueFull or ErrOpen), ended while waiting
	// for a turn, or no connection was made.
	// It holds for the call as a whole, with all its attempts.
	MaybeSent bool
	// Unclear tells that an earlier attempt of the same write ended without a
	// definite no. The answer to the last one may then be an effect of it.
	Unclear bool
	// Err is the cause that did not come from v5, nil where there is none.
	Err error
}

// FieldError is one complaint of v5 about a request.
type FieldError struct {
	Location    string `json:"location"` // header, path, querystring or body
	Name        string `json:"name"`     // path of the member, as in nameservers.0 or owner.email
	Description string `json:"description"`
}

// String is "name: description", or the part of it that there is.
func (f FieldError) String() string {
	return strings.Trim(clipped(f.Name, 100)+": "+clipped(f.Description, 300), ": ")
}

// Error names the route, the status and v5's own words, for logs.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("call v5 " + e.Route)
	switch {
	case e.Status != 0:
		b.WriteString(": status " + strconv.Itoa(e.Status))
	case e.MaybeSent:
		b.WriteString(": no answer")
	default:
		b.WriteString(": not sent")
	}
	if e.Message != "" {
		b.WriteString(": " + clipped(e.Message, 300))
	}
	if e.Cause != "" {
		b.WriteString(" (" + clipped(e.Cause, 100) + ")")
	}
	for _, f := range e.Fields {
		b.WriteString("; " + f.String())
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the cause that did not come from v5, such as a context's error.
func (e *Error) Unwrap() error { return e.Err }

// DefiniteNo tells that the call has certainly changed nothing: nothing was
// sent, or v5 refused it by a 429 or a 4xx with a JSON body. 408 is left out,
// because machines on the way use it for requests that went through.
func (e *Error) DefiniteNo() bool {
	if e.Unclear {
		return false
	}
	if !e.MaybeSent || e.Status == http.StatusTooManyRequests {
		return true
	}
	return e.IsJSON && e.Status >= 400 && e.Status < 500 && e.Status != http.StatusRequestTimeout
}

// Absent tells that v5 itself says that the resource does not exist. An HTML
// 404 says only that a path is not routed, a 403 may be about anything.
func (e *Error) Absent() bool { return e.Status == http.StatusNotFound && e.IsJSON }

// Auth tells that v5 did not take the credential (401).
func (e *Error) Auth() bool { return e.Status == http.StatusUnauthorized }

// DryRunError is v5's no to a dry run.
type DryRunError struct {
	Route  string
	Fields []FieldError
	// Warning is the Warning header of the answer; usually "".
	Warning string
	// Err is the *Error where v5 refused by a 4xx and not by the verdict of a
	// dry run (200); nil otherwise.
	Err error
}

// Error lists v5's complaints.
func (e *DryRunError) Error() string {
	var b strings.Builder
	b.WriteString("dry-run v5 " + e.Route + ": refused")
	for _, f := range e.Fields {
		b.WriteString("; " + f.String())
	}
	return b.String()
}

// Unwrap gives Err.
func (e *DryRunError) Unwrap() error { return e.Err }

// readEnvelope fills e from the body of an error answer. Every known form is a
// JSON object, and members are read one by one, so that one odd member does not
// hide the others:
//
//	{object, cause, code, message} in any order, with or without errors
//	{status: "error", errors}      the form of a dry run's verdict
//	{message}                      no credential at all
//	{message, status_code}         renewal of a mailbox
//
// HTML, empty and all other bodies leave IsJSON false.
func (e *Error) readEnvelope(body []byte) {
	var env map[string]json.RawMessage
	if json.Unmarshal(body, &env) != nil || env == nil {
		return
	}
	e.IsJSON = true
	text := func(name string) string {
		var s laxString
		if raw, ok := env[name]; ok {
			_ = s.UnmarshalJSON(raw) // raw is valid JSON, which is all that it asks
		}
		return string(s)
	}
	e.Object, e.Cause, e.Message = text("object"), text("cause"), text("message")
	for _, name := range [...]string{"status_code", "code"} {
		var n laxInt
		if raw, ok := env[name]; ok && n.UnmarshalJSON(raw) == nil {
			e.Code = int(n)
		}
	}
	e.Fields = readFields(env["errors"])
}

// hide takes secrets out of what a server said: it may repeat what it was sent.
func (e *Error) hide(secrets []string) {
	for _, text := range [...]*string{&e.Object, &e.Cause, &e.Message} {
		*text = without(*text, secrets)
	}
	hideIn(e.Fields, secrets)
}

func hideIn(fields []FieldError, secrets []string) {
	for i := range fields {
		f := &fields[i]
		for _, text := range [...]*string{&f.Location, &f.Name, &f.Description} {
			*text = without(*text, secrets)
		}
	}
}

// readFields reads an errors array. An entry that is no object becomes a
// description.
func readFields(raw json.RawMessage) []FieldError {
	var entries []json.RawMessage
	if json.Unmarshal(raw, &entries) != nil {
		return nil
	}
	var fields []FieldError
	for _, entry := range entries {
		var f struct{ Location, Name, Description laxString }
		if json.Unmarshal(entry, &f) != nil {
			_ = f.Description.UnmarshalJSON(entry) // valid JSON, as above
		}
		fields = append(fields, FieldError{
			Location:    string(f.Location),
			Name:        string(f.Name),
			Description: string(f.Description),
		})
	}
	return fields
}

// verdict reads the answer of v5 to a dry run, whose status was 200: {status:
// "success" or "error", errors?}. A body without that status is an Error: the
// dry run may not have been one.
func verdict(ans *answer) error {
	var v struct {
		Status string          `json:"status"`
		Errors json.RawMessage `json:"errors"`
	}
	if err := json.Unmarshal([]byte(ans.body), &v); err != nil {
		return ans.unusable(fmt.Errorf("read dry-run verdict: %w", err))
	}
	switch v.Status {
	case "success":
		return nil
	case "error":
		no := &DryRunError{Route: ans.request.route, Fields: readFields(v.Errors), Warning: without(ans.header.Get("Warning"), ans.request.secrets())}
		hideIn(no.Fields, ans.request.secrets())
		return no
	}
	return ans.unusable(fmt.Errorf("read dry-run verdict: status %.40q is not known", without(v.Status, ans.request.secrets())))
}

// retryAfter reads a Retry-After header: seconds, or a date. 0 where there is
// none, it cannot be read, or the time is past; at most a week.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if text == "" {
		return 0
	}
	const most = 7 * 24 * time.Hour
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		if seconds >= most.Seconds() {
			return most
		}
		return max(0, time.Duration(seconds*float64(time.Second)))
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(0, at.Sub(now)), most)
}
