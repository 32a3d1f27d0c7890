package v5

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestContactType(t *testing.T) {
	for in, want := range map[string]string{
		`"company"`: "company", `0`: "individual", `1`: "company", `2`: "association", `3`: "publicbody", `4`: "reseller",
		`"3"`: "publicbody", `null`: "", `""`: "", `"newkind"`: "newkind",
	} {
		var c Contact
		if err := json.Unmarshal([]byte(`{"given":"A","type":`+in+`}`), &c); err != nil || c.Type != want || c.Given != "A" {
			t.Errorf("%s: %q, %v, want %q", in, c.Type, err, want)
		}
	}
	for _, in := range []string{`5`, `-1`, `1.5`, `"17"`} {
		var c Contact
		if err := json.Unmarshal([]byte(`{"type":`+in+`}`), &c); err == nil {
			t.Errorf("%s: read as %q, want an error", in, c.Type)
		}
	}
}

func TestContactSendsWhatWasGiven(t *testing.T) {
	no, yes := false, true
	for _, tc := range []struct {
		c    Contact
		want string
	}{
		{Contact{}, `{}`},
		{Contact{Type: "company", DataObfuscated: &no, MailObfuscated: &yes, ReadOnly: ContactState{Validation: "done", SharingID: "x"}},
			`{"type":"company","data_obfuscated":false,"mail_obfuscated":true}`},
		{Contact{ExtraParameters: map[string]string{"birth_date": ""}}, `{"extra_parameters":{"birth_date":""}}`},
	} {
		if b, err := json.Marshal(&tc.c); err != nil || string(b) != tc.want {
			t.Errorf("%s, %v, want %s", b, err, tc.want)
		}
	}
}

func TestContactReadBack(t *testing.T) {
	const in = `{"type":1,"given":"A","family":"B","streetaddr":"s","country":"FR","email":"e@x","phone":"+33.1","city":"P",
		"zip":"75001","state":"FR-IDF","orgname":"O","fax":null,"mobile":"+33.2","lang":"fr","siren":"s1","brand_number":"b",
		"jo_announce_number":"1","jo_announce_page":"2","jo_publication_date":"3","jo_declaration_date":"4",
		"data_obfuscated":true,"mail_obfuscated":null,"icann_contract_accept":true,"validation":"done","reachability":"pending",
		"same_as_owner":false,"sharing_id":"u","extra_parameters":{"birth_city":"","x-a":1,"x-b":true,"x-c":null},"unknown":{}}`
	var c Contact
	if err := json.Unmarshal([]byte(in), &c); err != nil {
		t.Fatal(err)
	}
	yes, no := true, false
	want := Contact{Type: "company", Given: "A", Family: "B", StreetAddr: "s", Country: "FR", Email: "e@x", Phone: "+33.1", City: "P",
		Zip: "75001", State: "FR-IDF", OrgName: "O", Mobile: "+33.2", Lang: "fr", Siren: "s1", BrandNumber: "b",
		JOAnnounceNumber: "1", JOAnnouncePage: "2", JOPublicationDate: "3", JODeclarationDate: "4",
		DataObfuscated: &yes, ICANNContractAccept: &yes,
		ExtraParameters: map[string]string{"birth_city": "", "x-a": "1", "x-b": "true", "x-c": ""},
		ReadOnly:        ContactState{Validation: "done", Reachability: "pending", SameAsOwner: &no, SharingID: "u"}}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("contact differs (-want +got):\n%s", diff)
	}
}

const detail = `{"id":"ba1167be","fqdn":"example.net","fqdn_unicode":"example.net","tld":"net","href":"https://api.test/v5/domain/domains/example.net",
	"status":["clientTransferProhibited"],
	"dates":{"created_at":"2019-02-13T11:04:18Z","registry_created_at":"2019-02-13T10:04:18Z","registry_ends_at":"2021-02-13T10:04:18Z",
		"updated_at":"2019-02-25T16:20:49Z","authinfo_expires_at":null,"hold_begins_at":"","hold_ends_at":"2021-03-30T10:04:18","other":7},
	"can_tld_lock":true,"nameservers":["ns-1-a.gandi.net"],
	"contacts":{"owner":{"type":0,"given":"Alice"},"admin":{"same_as_owner":true},"tech":null},
	"autorenew":{"href":"h","dates":["2021-01-13T09:04:18Z","2021-01-29T09:04:18Z"],"duration":1,"enabled":true,"org_id":"o"},
	"services":["gandilivedns"],
	"sharing_space":{"id":"s1","name":"customer","type":"organization","reseller":false,"sharing_space":{"id":"s2","name":"reseller"}},
	"authinfo":"8vyhljvJg+","tags":[],"trustee_roles":["old",{"name":"new","allow_transferout":true}],"future":{}}`

func TestDomain(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, detail) })
	d, err := s.Domain(t.Context(), "example.net")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) *time.Time {
		x, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return &x
	}
	yes := true
	want := &Domain{ID: "ba1167be", FQDN: "example.net", FQDNUnicode: "example.net", TLD: "net",
		Href: "https://api.test/v5/domain/domains/example.net", Status: []string{"clientTransferProhibited"},
		Dates: Dates{CreatedAt: at("2019-02-13T11:04:18Z"), RegistryCreatedAt: at("2019-02-13T10:04:18Z"),
			RegistryEndsAt: at("2021-02-13T10:04:18Z"), UpdatedAt: at("2019-02-25T16:20:49Z"), HoldEndsAt: at("2021-03-30T10:04:18Z")},
		CanTLDLock: true, Nameservers: []string{"ns-1-a.gandi.net"},
		Contacts: Contacts{Owner: &Contact{Type: "individual", Given: "Alice"}, Admin: &Contact{ReadOnly: ContactState{SameAsOwner: &yes}}},
		AutoRenew: AutoRenew{Href: "h", Dates: []time.Time{*at("2021-01-13T09:04:18Z"), *at("2021-01-29T09:04:18Z")},
			Duration: 1, Enabled: true, OrgID: "o"},
		Services: []string{"gandilivedns"},
		SharingSpace: &SharingSpace{ID: "s1", Name: "customer", Type: "organization",
			SharingSpace: &SharingSpace{ID: "s2", Name: "reseller"}},
		AuthInfo: "8vyhljvJg+", Tags: []string{}, TrusteeRoles: []TrusteeRole{{Name: "old"}, {Name: "new"}}}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Errorf("domain differs (-want +got):\n%s", diff)
	}
	// What is stored as JSON is read back as it was, but for what only v5 says.
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var again Domain
	if err := json.Unmarshal(b, &again); err != nil {
		t.Fatal(err)
	}
	want.Contacts.Admin.ReadOnly = ContactState{}
	if diff := cmp.Diff(*want, again); diff != "" {
		t.Errorf("stored domain differs (-want +got):\n%s", diff)
	}
}

func TestDomainContacts(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"owner":{"type":"company","orgname":"O"},"bill":{"type":2}}`)
	})
	got, err := s.DomainContacts(t.Context(), "example.com")
	want := &Contacts{Owner: &Contact{Type: "company", OrgName: "O"}, Bill: &Contact{Type: "association"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("contacts differ (-want +got):\n%s%v", diff, err)
	}
}

func TestCreateStatus(t *testing.T) {
	for _, tc := range []struct {
		name     string
		status   int
		location string
		body     string
		want     *Progress // nil: an error
	}{
		{"running", 200, "", `{"step":"RUN","step_nb":3}`, &Progress{Step: "RUN", StepNb: 3}},
		{"numbers and nulls", 200, "", `{"step":"ERROR","step_nb":"4","errortype":null,"errortype_label":"L","created_at":null}`,
			&Progress{Step: "ERROR", StepNb: 4, ErrorLabel: "L"}},
		{"error type as an object", 200, "", `{"step":"ERROR","errortype":{"a": 1}}`, &Progress{Step: "ERROR", ErrorType: `{"a":1}`}},
		{"done, 303", 303, "https://h/v5/domain/domains/example.com", "", &Progress{Done: true, Location: "https://h/v5/domain/domains/example.com"}},
		{"done, 302 relative", 302, "/v5/domain/domains/example.com", "moved", &Progress{Done: true, Location: "/v5/domain/domains/example.com"}},
		{"done, 200 and no body", 200, "/v5/domain/domains/example.com", "", &Progress{Done: true, Location: "/v5/domain/domains/example.com"}},
		{"done is not v5's word", 200, "", `{"step":"RUN","done":true}`, &Progress{Step: "RUN"}},
		{"redirect to itself", 301, "https://h/v5/domain/domains/example.com/createstatus", "", nil},
		{"redirect to a login", 302, "https://h/login?to=/v5/domain/domains/example.com", "", nil},
		{"redirect to nowhere", 303, "", "", nil},
		{"no step", 200, "", `{}`, nil},
		{"step without sense", 200, "", `{"step":"RUN","step_nb":"x"}`, nil},
		{"empty", 200, "", ``, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			calls := 0
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				calls++
				if tc.location != "" {
					w.Header().Set("Location", tc.location)
				}
				w.WriteHeader(tc.status)
				io.WriteString(w, tc.body)
			})
			got, err := s.CreateStatus(t.Context(), "example.com")
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("progress differs (-want +got):\n%s%v", diff, err)
			}
			if tc.want == nil {
				if e := asError(t, err); e.Absent() || e.DefiniteNo() || e.Err == nil {
					t.Errorf("error %+v", e)
				}
			}
			if calls != 1 {
				t.Errorf("%d requests: redirects must not be followed", calls)
			}
		})
	}
}

func TestChangeOwnerStatus(t *testing.T) {
	answers := []string{`{"created_at":"2020-01-02T03:04:05Z","updated_at":"2020-01-02T03:04:06Z","step":"WAIT","step_nb":1,
		"inner_step":"checking_foa_response","params":{"answer_old_owner":"T","n":1},"foa":[{"answer":null,"email":"a@x"},{"email":"b@x","answer":"T"}]}`,
		`{"step":"WAIT","params":{"inner_step":"inside"},"foa":null}`}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, answers[0])
		answers = answers[1:]
	})
	got, err := s.ChangeOwnerStatus(t.Context(), "example.com")
	want := &Progress{Step: "WAIT", StepNb: 1, InnerStep: "checking_foa_response",
		CreatedAt: time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC), UpdatedAt: time.Date(2020, 1, 2, 3, 4, 6, 0, time.UTC),
		Params: map[string]string{"answer_old_owner": "T", "n": "1"}, FOA: []FOA{{Email: "a@x"}, {Email: "b@x", Answer: "T"}}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("progress differs (-want +got):\n%s%v", diff, err)
	}
	b, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var stored Progress
	if err := json.Unmarshal(b, &stored); err != nil || !cmp.Equal(*want, stored) {
		t.Errorf("stored progress: %s, %v", b, err)
	}
	if got, err = s.ChangeOwnerStatus(t.Context(), "example.com"); err != nil || got.InnerStep != "inside" || !got.CreatedAt.IsZero() {
		t.Errorf("second: %+v, %v", got, err)
	}
}

func TestCheck(t *testing.T) {
	query := ""
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		query = r.URL.RawQuery
		io.WriteString(w, `{"currency":"EUR","grid":"A","taxes":[{"name":"vat","rate":20,"type":"service"}],
			"products":[{"name":"example.com","process":"create","status":"available","taxes":[],
			"prices":[{"duration_unit":"y","min_duration":1,"max_duration":1,"price_before_taxes":12.5,"price_after_taxes":15,
				"discount":true,"normal_price_before_taxes":15.5,"type":"premium"}],
			"periods":[{"name":"golive","starts_at":"2014-03-26T16:00:00Z"}]}]}`)
	})
	got, err := s.Check(t.Context(), CheckQuery{Name: "example.com", Processes: []string{"create", "transfer"}, Period: "golive"})
	normal := 15.5
	want := &Check{Currency: "EUR", Grid: "A", Taxes: []Tax{{"vat", 20, "service"}}, Products: []Product{{
		Name: "example.com", Process: "create", Status: "available", Taxes: []Tax{},
		Prices: []Price{{DurationUnit: "y", MinDuration: 1, MaxDuration: 1, PriceBeforeTaxes: 12.5, PriceAfterTaxes: 15,
			Discount: true, NormalPriceBeforeTaxes: &normal, Type: "premium"}},
		Periods: []Period{{Name: "golive", StartsAt: time.Date(2014, 3, 26, 16, 0, 0, 0, time.UTC)}}}}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("check differs (-want +got):\n%s%v", diff, err)
	}
	if want := "name=example.com&period=golive&processes=create&processes=transfer&sharing_id=org%26id%3D1+%C3%BC%23"; query != want {
		t.Errorf("query %s, want %s", query, want)
	}
}

func TestOrganizations(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/user-info") {
			io.WriteString(w, `{"id":"u","username":"alice","firstname":null,"lang":"fr","security_phone":""}`)
			return
		}
		io.WriteString(w, `[{"id":"o","name":"N","firstname":"A","lastname":"B","email":"e@x","type":"company","reseller":true,"corporate":false}]`)
	})
	user, err := s.UserInfo(t.Context())
	if diff := cmp.Diff(&UserInfo{ID: "u", Username: "alice", Lang: "fr"}, user); diff != "" || err != nil {
		t.Errorf("user differs (-want +got):\n%s%v", diff, err)
	}
	list, err := s.Organizations(t.Context())
	want := []Organization{{ID: "o", Name: "N", FirstName: "A", LastName: "B", Email: "e@x", Type: "company", Reseller: true}}
	if diff := cmp.Diff(want, list); diff != "" || err != nil {
		t.Errorf("list differs (-want +got):\n%s%v", diff, err)
	}
}

func TestWhatCannotBeSentIsRefusedByName(t *testing.T) {
	rt := &script{}
	s := open(t, Options{BaseURL: "https://h/v5", Transport: rt})
	ctx := t.Context()
	_, check := s.Check(ctx, CheckQuery{})
	for want, err := range map[string]error{
		"owner cannot be changed":     s.SetContacts(ctx, "d.com", Contacts{Owner: owner, Admin: owner}),
		"no contact":                  s.SetContacts(ctx, "d.com", Contacts{}),
		"owner is required":           s.ChangeOwner(ctx, "d.com", ChangeOwner{Admin: owner}),
		"fqdn and owner are required": s.CreateDomain(ctx, DomainCreate{Owner: owner}),
		"fqdn and owner":              s.DryRunCreateDomain(ctx, DomainCreate{FQDN: "d.com"}),
		"name is required":            check,
		"release customer: no id":     s.ReleaseCustomer(ctx, ""),
	} {
		if e := asError(t, err); e.MaybeSent || !e.DefiniteNo() || !strings.Contains(e.Error(), want) || e.Route == "" {
			t.Errorf("%v, want %q in it", err, want)
		}
	}
	if rt.count() != 0 {
		t.Errorf("%d requests were sent", rt.count())
	}
}
