package v5

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"v3gate/internal/contract"
)

// answers are the documented types of answers with how this package reads them.
// own are the fields that are filled from elsewhere, or by other types of
// answer.
var answers = []answerType{
	{"Domain", into[Domain],
		// The reseller above a sharing space has an id and a name only.
		"SharingSpace.SharingSpace.Type SharingSpace.SharingSpace.Reseller SharingSpace.SharingSpace.SharingSpace"},
	{"DomainContacts", into[Contacts], ""},
	{"CreateStatus", into[Progress], "CreatedAt UpdatedAt InnerStep Params FOA Done Location"},
	{"ChangeOwnerStatus", into[Progress], "Done Location"},
	{"TransferStatus", into[Progress], "Done Location"},
	{"TransferAvailable", into[TransferAvailable], ""},
	{"array<DomainItem>", into[[]DomainItem], ""},
	{"RenewInfo", into[RenewInfo], ""},
	{"RestoreInfo", into[RestoreInfo], ""},
	{"CheckAnswer", into[Check], ""},
	{"PriceAnswer", into[PriceList], ""},
	{"array<string>", into[[]string], ""},
	{"NameserverKind", into[NameserverKind], ""},
	{"array<DNSKey>", into[[]DNSKey], ""},
	{"Claims", into[claims], "Claims.Jurisdiction Claims.Classes"},
	{"array<TLDItem>", into[[]TLD], ""},
	{"array<Webredir>", into[[]Webredir], ""},
	{"Webredir", into[Webredir], ""},
	{"array<Host>", into[[]Host], ""},
	{"Host", into[Host], ""},
	{"UserInfo", into[UserInfo], ""},
	{"array<Organization>", into[[]Organization], ""},
	{"array<Customer>", into[[]Customer], ""},
	{"BillingInfo", into[Billing], ""},
	{"array<RRset>", into[[]RRset], ""},
	{"RRset", into[RRset], ""},
	{"array<Forward>", into[[]Forward], ""},
	{"array<MailboxItem>", into[[]Mailbox], ""},
	{"Mailbox", into[Mailbox], ""},
	{"array<Slot>", into[[]Slot], ""},
	{"Offer", into[Offer], ""},
	{"DryRunAnswer", readVerdict, "Route Warning Err"},
	{"Error", readError, "Route Status RetryAfter MaybeSent Unclear Err"},
}

type answerType struct {
	name string
	read func([]byte) (any, error)
	own  string
}

func into[T any](b []byte) (any, error) {
	v := new(T)
	return v, json.Unmarshal(b, v)
}

func readVerdict(b []byte) (any, error) {
	var refused *DryRunError
	err := verdict(&answer{request: &prepared{}, status: http.StatusOK, body: string(b)})
	if errors.As(err, &refused) || err == nil {
		return refused, nil
	}
	return nil, err
}

func readError(b []byte) (any, error) {
	e := &Error{}
	e.readEnvelope(b)
	return e, nil
}

// TestAnswersAreRead makes of each documented answer a whole one, whose every
// member is there, and wants every field that this package has for it filled.
// So a field whose name is not documented, or whose type is another one, shows.
func TestAnswersAreRead(t *testing.T) {
	rest := routes(t)
	for _, a := range answers {
		v, err := a.read(sample{types: &rest.Types}.make(t, a.name))
		if err != nil {
			t.Errorf("%s: %v", a.name, err)
			continue
		}
		empty := zeros("", reflect.ValueOf(v))
		for _, path := range strings.Fields(a.own) {
			i := slices.Index(empty, path)
			if i < 0 {
				t.Errorf("%s: %s is filled from the answer", a.name, path)
				continue
			}
			empty = slices.Delete(empty, i, i+1)
		}
		for _, path := range empty {
			t.Errorf("%s: nothing documented fills %s", a.name, path)
		}
	}
}

// Answers can be without what is not required, or have null there, and some have
// been seen with other types.
func TestLeanAnswersAreRead(t *testing.T) {
	types := &routes(t).Types
	for _, a := range answers {
		for _, s := range []sample{{sparse: true}, {nulls: true}, {seen: true}, {unknown: 7}, {unknown: []any{"x", 1}}} {
			s.types = types
			if _, err := a.read(s.make(t, a.name)); err != nil {
				s.types = nil
				t.Errorf("%s of %+v: %v", a.name, s, err)
			}
		}
	}
}

// TestAllAnswersAreTested wants each answer of a used route above. An accepted
// order has nothing in its answer that this package reads.
func TestAllAnswersAreTested(t *testing.T) {
	rest := routes(t)
	for _, r := range Routes() {
		for _, a := range rest.Route(r.Method, apiRoot+r.Path).Answers {
			if a.Type == nil || a.Type.Name == "Message" {
				continue
			}
			if !slices.ContainsFunc(answers, func(known answerType) bool { return known.name == a.Type.String() }) {
				t.Errorf("%s %s answers %s, which no test reads", r.Method, r.Path, a.Type)
			}
		}
	}
}

// TestTagsAreDocumented compares the names in the tags themselves: encoding/json
// does not mind another case.
func TestTagsAreDocumented(t *testing.T) {
	rest := routes(t)
	own := []string{"Progress done", "Progress location"} // written to the journal, never read from v5
	for _, c := range []struct {
		typ     reflect.Type
		objects string
	}{
		{reflect.TypeFor[Domain](), "Domain"}, {reflect.TypeFor[Dates](), "DomainDates"},
		{reflect.TypeFor[AutoRenew](), "DomainAutorenew"}, {reflect.TypeFor[SharingSpace](), "SharingSpace"},
		{reflect.TypeFor[TrusteeRole](), "TrusteeRole"}, {reflect.TypeFor[Contacts](), "DomainContacts"},
		{reflect.TypeFor[Contact](), "Contact"}, {reflect.TypeFor[Check](), "CheckAnswer"},
		{reflect.TypeFor[Tax](), "CheckTax"}, {reflect.TypeFor[Product](), "CheckProduct"},
		{reflect.TypeFor[Price](), "CheckPrice"}, {reflect.TypeFor[Progress](), "CreateStatus ChangeOwnerStatus TransferStatus"},
		{reflect.TypeFor[RenewInfo](), "RenewInfo"}, {reflect.TypeFor[RestoreInfo](), "RestoreInfo"},
		{reflect.TypeFor[Contract](), "Contract"}, {reflect.TypeFor[TransferAvailable](), "TransferAvailable"},
		{reflect.TypeFor[FOA](), "FOA"}, {reflect.TypeFor[UserInfo](), "UserInfo"},
		{reflect.TypeFor[Organization](), "Organization"}, {reflect.TypeFor[Billing](), "BillingInfo"},
		{reflect.TypeFor[FieldError](), "ErrorItem"}, {reflect.TypeFor[RRset](), "RRset"}, {reflect.TypeFor[RRsetItem](), "RRsetItem"},
		{reflect.TypeFor[NameserverKind](), "NameserverKind"}, {reflect.TypeFor[Host](), "Host"}, {reflect.TypeFor[Webredir](), "Webredir"}, {reflect.TypeFor[TLD](), "TLDItem"},
		{reflect.TypeFor[DNSKey](), "DNSKey"}, {reflect.TypeFor[NewDNSKey](), "NewDNSKey"},
		{reflect.TypeFor[Forward](), "Forward"}, {reflect.TypeFor[Mailbox](), "Mailbox"}, {reflect.TypeFor[Slot](), "Slot"},
		{reflect.TypeFor[MailAutoRenew](), "MailboxAutorenew"}, {reflect.TypeFor[Responder](), "Responder"},
		{reflect.TypeFor[Offer](), "Offer"},
	} {
		var documented contract.Members
		for _, name := range strings.Split(c.objects, " ") {
			documented = append(documented, rest.Struct(name).Members...)
		}
		names := members(c.typ)
		if len(names) == 0 {
			t.Errorf("%s has no tags", c.typ)
		}
		for _, name := range names {
			if documented.Get(name) == nil && !slices.Contains(own, c.typ.Name()+" "+name) {
				t.Errorf("%s: %s has no member %s", c.typ, c.objects, name)
			}
		}
	}
}

// sample makes answers from the contract.
type sample struct {
	types   *contract.Types
	sparse  bool // without what is not required
	nulls   bool // with null in its place
	seen    bool // with the types that were seen besides
	unknown any  // stands where no type is known; nil is true
}

func (s sample) make(t *testing.T, typ string) []byte {
	t.Helper()
	if typ == "array<string>" {
		return []byte(`["text"]`)
	}
	elem, isList := strings.CutPrefix(typ, "array<")
	object := s.types.Struct(strings.TrimSuffix(elem, ">"))
	if object == nil {
		t.Fatalf("there is no object %s", typ)
	}
	v := s.object(object)
	if typ == "DryRunAnswer" {
		v.(map[string]any)["status"] = "error" // only that one comes with errors
	}
	if isList {
		v = []any{v}
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (s sample) object(o *contract.Struct) any {
	out := map[string]any{}
	for i := range o.Members {
		m := &o.Members[i]
		switch {
		case m.Required() || !s.sparse && !s.nulls:
			out[m.Name] = s.member(m)
		case s.nulls:
			out[m.Name] = nil
		}
	}
	return out
}

func (s sample) member(m *contract.Member) any {
	typ := m.Type
	if s.seen && m.Seen != nil {
		typ = *m.Seen
	}
	switch {
	case typ.Kind == "string" && m.Format == "datetime":
		return "2026-01-31T10:00:00Z"
	case typ.Kind == "string" && m.Enum != "":
		return s.types.Enum(m.Enum).Values[0]
	case typ.Kind == "array" && m.Format == "datetime":
		return []any{"2026-01-31T10:00:00Z"}
	}
	return s.value(typ)
}

func (s sample) value(typ contract.Type) any {
	switch typ.Kind {
	case "string":
		return "text"
	case "int":
		return 3
	case "number":
		return 1.5
	case "bool":
		return true
	case "null":
		return nil
	case "array":
		if len(typ.Elems) == 0 {
			return []any{"x"}
		}
		return []any{s.value(typ.Elems[0])}
	case "union":
		return s.value(typ.Elems[0])
	case "object":
		return s.object(s.types.Struct(typ.Name))
	case "?":
		if s.unknown == nil {
			return true
		}
		return s.unknown
	}
	panic(fmt.Sprintf("no sample of %s", typ))
}

// zeros lists the fields that are not filled.
func zeros(path string, v reflect.Value) []string {
	join := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	switch {
	case v.IsZero(), (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0:
		return []string{path}
	case v.Kind() == reflect.Pointer:
		return zeros(path, v.Elem())
	case v.Kind() == reflect.Slice:
		return zeros(path, v.Index(0))
	case v.Kind() != reflect.Struct || v.Type() == reflect.TypeFor[time.Time]():
		return nil
	}
	var empty []string
	for i := range v.NumField() {
		empty = append(empty, zeros(join(v.Type().Field(i).Name), v.Field(i))...)
	}
	return empty
}
