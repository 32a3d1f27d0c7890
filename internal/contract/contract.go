// Package contract reads the two contracts that were typed by hand from the documents: testdata/v3/reference.txt and
// testdata/v5/routes.txt. Tests compare the code with them, so that what the code forgot, or what a client and its
// simulation both misspell, is seen. The format is described at the top of each file.
//
// The readers are strict: an unknown word, a type that nothing defines and one that nothing uses are errors that name
// the line, so a contract that was read is consistent in itself.
package contract

import (
	"slices"
	"strings"
)

// Type is the type of a value. Kind is a scalar of the file, "array", "map", "union", "?" (unknown), or "struct" in v3
// and "object" in v5.
type Type struct {
	Kind  string
	Name  string // of the struct or object; empty when its members are not known
	Elems []Type // the element of an array or map (none when not known), the alternatives of a union
}

func (t Type) String() string {
	elems := make([]string, len(t.Elems))
	for i, e := range t.Elems {
		elems[i] = e.String()
	}
	switch {
	case t.Name != "":
		return t.Name
	case t.Kind == "union":
		return strings.Join(elems, "|")
	case len(elems) > 0:
		return t.Kind + "<" + elems[0] + ">"
	}
	return t.Kind
}

// names adds the struct names that t mentions.
func (t Type) names(to []string) []string {
	if t.Name != "" {
		to = append(to, t.Name)
	}
	for _, e := range t.Elems {
		to = e.names(to)
	}
	return to
}

// Member is a positional argument, a member of a struct or object, of a query string or of a body.
type Member struct {
	Line       int
	Name       string // list options with their prefix: "<date_created"
	Type       Type   // the one that must hold
	Need       string // required, optional; in answers also always, sometimes (v3), listed (v5)
	Default    string
	HasDefault bool
	Documented *Type    // what the documents say instead of Type, nil when they agree
	Seen       *Type    // a type seen besides Type
	Enum       string   // name of the enumeration of the values
	OneOf      []string // the values, where no enumeration has a name
	Sort       []string // what sort_by may name
	Range      string   // "1-10"
	Format     string   // datetime or uuid, v5 only
	When       string   // the condition that makes an optional member required
	Alt        string   // another spelling of the name
	From       string   // the source
	Unsettled  bool     // the documents leave the line open; with Alt it is the spelling
	Deprecated bool
	ReadOnly   bool
}

// Required says whether the member must be sent, or is always answered.
func (m *Member) Required() bool { return m.Need == "required" || m.Need == "always" }

// Members is a list of members in the order of the file.
type Members []Member

// Get returns the member of that name, or nil.
func (ms Members) Get(name string) *Member {
	for i := range ms {
		if ms[i].Name == name {
			return &ms[i]
		}
	}
	return nil
}

// Struct is a struct of v3 or an object of v5.
type Struct struct {
	Line         int
	Name         string
	Section      string
	Kind         string // params, options, return or both; empty in v5
	From         string
	Open         bool   // there are more members than these
	OpenPrefix   string // more members that begin so
	Unsettled    bool
	Unreferenced bool
	Includes     string // the struct whose members are the last of Members
	Members      Members
}

// Enum is an enumeration. From has the source of each value.
type Enum struct {
	Line         int
	Name         string
	Open         bool
	Unreferenced bool
	Values       []string
	From         []string
}

// Has says whether the enumeration lists the value.
func (e *Enum) Has(value string) bool { return slices.Contains(e.Values, value) }

// Types are the named types of a contract.
type Types struct {
	Structs []*Struct
	Enums   []*Enum
}

// Struct returns the struct or object of that name, or nil.
func (t *Types) Struct(name string) *Struct {
	return find(t.Structs, func(s *Struct) bool { return s.Name == name })
}

// Enum returns the enumeration of that name, or nil.
func (t *Types) Enum(name string) *Enum {
	return find(t.Enums, func(e *Enum) bool { return e.Name == name })
}

func find[T any](list []*T, is func(*T) bool) *T {
	if i := slices.IndexFunc(list, is); i >= 0 {
		return list[i]
	}
	return nil
}

// V3 is the contract of the v3 XML-RPC API.
type V3 struct {
	Types
	Methods []*Method
	Errors  []*OperationErrors
}

// Method is a v3 method.
type Method struct {
	Line         int
	Name         string
	Section      string
	Key          string // required, optional, none
	Class        string // read, write, paid
	Args         Members
	ArgsUnknown  bool // there may be more arguments than these
	Returns      Type
	ReturnsEnum  string   // the enumeration of the returned strings
	Documented   *Type    // what the documents say in place of Returns, nil when they agree
	Op           []string // types of the operations that the call starts
	DocumentedOp string
	Errors       string // name of the OperationErrors
	Since        string
	From         string
}

// OperationErrors are the documented identifiers of what an operation may fail with.
type OperationErrors struct {
	Line   int
	Name   string
	Errors []OperationError
}

// OperationError is one of them. Class is fatal, temporary, client_recoverable, support_recoverable or unknown.
type OperationError struct {
	ID, Class string
}

// Method returns the method of that name, or nil.
func (v *V3) Method(name string) *Method {
	return find(v.Methods, func(m *Method) bool { return m.Name == name })
}

// OperationErrors returns the errors block of that name, or nil.
func (v *V3) OperationErrors(name string) *OperationErrors {
	return find(v.Errors, func(e *OperationErrors) bool { return e.Name == name })
}

// V5 is the contract of the v5 REST API. Its objects are the Structs of Types.
type V5 struct {
	Types
	Routes []*Route
}

// Route is a method and a path of the v5 API.
type Route struct {
	Line        int
	Section     string
	Method      string
	Path        string // a template: /v5/domain/domains/{d}
	DryRun      bool   // honours the header Dry-Run, and then answers 200 DryRunAnswer
	Auth        bool   // wants a credential
	Query       Members
	Body        Members
	BodyUnknown bool     // (more of) the body is not documented
	Consumes    []string // media types besides application/json
	Produces    []string
	Answers     []Answer // successes
	Errors      []Answer // errors peculiar to the route
	From        string
}

// Answer is a status code and what comes with it.
type Answer struct {
	Line      int
	Status    int   // 0 when it is not known
	Type      *Type // nil: no body
	Headers   []string
	Cause     string // the member cause of an error
	From      string
	Unsettled bool
}

// Statuses returns the known success codes.
func (r *Route) Statuses() []int {
	var codes []int
	for _, a := range r.Answers {
		if a.Status != 0 {
			codes = append(codes, a.Status)
		}
	}
	return codes
}

// SharingID returns the line that documents sharing_id for the route, or nil.
func (r *Route) SharingID() *Member {
	if m := r.Query.Get("sharing_id"); m != nil {
		return m
	}
	return r.Body.Get("sharing_id")
}

// Route returns the route that a request for the path goes to, or nil. The path is escaped and has no query; a
// template finds its own route, whatever the names in the braces.
func (v *V5) Route(method, path string) *Route {
	var best *Route
	got := strings.Split(path, "/")
	for _, r := range v.Routes {
		want := strings.Split(r.Path, "/")
		if r.Method == method && len(want) == len(got) && slices.EqualFunc(want, got, fits) &&
			(best == nil || holes(r.Path) < holes(best.Path)) {
			best = r
		}
	}
	return best
}

func fits(want, got string) bool { return want == got || strings.HasPrefix(want, "{") && got != "" }

func holes(path string) int { return strings.Count(path, "{") }
