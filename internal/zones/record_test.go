package zones

import (
	"errors"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

func reasonOf(t *testing.T, err error) string {
	t.Helper()
	var wrong *Error
	if !errors.As(err, &wrong) {
		t.Fatalf("%v is not an error about a record", err)
	}
	return wrong.Reason
}

func TestRecordsAreBroughtIntoTheirForm(t *testing.T) {
	apexes := []string{"example.com", "example.net"}
	long := strings.Repeat("a", 300)
	for _, c := range []struct{ name, typ, value, wantName, wantValue string }{
		{"www", "A", "192.0.2.1", "www", "192.0.2.1"},
		{" WWW ", "a", " 192.0.2.1 ", "www", "192.0.2.1"},
		{"@", "AAAA", "2001:DB8::1", "@", "2001:DB8::1"},
		{"www.Example.net.", "A", "192.0.2.1", "www", "192.0.2.1"},
		{"example.com.", "A", "192.0.2.1", "@", "192.0.2.1"},
		{"www.example.com", "A", "192.0.2.1", "www.example.com", "192.0.2.1"},
		{"*", "CNAME", "www", "*", "www"},
		{"*.sub", "CNAME", "host.example.org.", "*.sub", "host.example.org."},
		{"_acme-challenge.www", "TXT", "token", "_acme-challenge.www", `"token"`},
		{"t", "TXT", `"token"`, "t", `"token"`},
		{"t", "TXT", `"a b" "c"`, "t", `"a b" "c"`},
		{"t", "TXT", `v=spf1 include:_mailcust.gandi.net ?all`, "t", `"v=spf1 include:_mailcust.gandi.net ?all"`},
		{"t", "TXT", `back\slash;`, "t", `"back\\slash;"`},
		{"t", "TXT", `"q\"uote \065"`, "t", `"q\"uote A"`},
		{"t", "TXT", `""`, "t", `""`},
		{"t", "TXT", long, "t", `"` + long[:255] + `" "` + long[255:] + `"`},
		{"t", "SPF", "v=spf1 -all", "t", `"v=spf1 -all"`},
		{"@", "MX", "10 mail.example.com.", "@", "10 mail.example.com."},
		{"_sip._tcp", "SRV", "0 5 5060 sip", "_sip._tcp", "0 5 5060 sip"},
		{"l", "LOC", "51 30 12.748 N 0 7 39.611 W 0.00m 0.00m 0.00m 0.00m", "l", "51 30 12.748 N 0 7 39.611 W 0.00m 0.00m 0.00m 0.00m"},
		{"w", "WKS", "192.0.2.1 TCP 25 80", "w", "192.0.2.1 TCP 25 80"},
		{"@", "CAA", `0 issue "ca.example.net;x"`, "@", `0 issue "ca.example.net;x"`},
		{"@", "ALIAS", "host.example.org.", "@", "host.example.org."},
		{"0/25.2.0.192", "NS", "ns.example.net.", "0/25.2.0.192", "ns.example.net."},
	} {
		r, err := Normal(apexes, c.name, c.typ, c.value, 300)
		if err != nil {
			t.Errorf("%s %s %s: %v", c.name, c.typ, c.value, err)
			continue
		}
		if r.Name != c.wantName || r.Value != c.wantValue || r.Type != strings.ToUpper(c.typ) || r.TTL != 300 {
			t.Errorf("%s %s %s became %+v", c.name, c.typ, c.value, r)
		}
		again, err := Normal(nil, r.Name, r.Type, r.Value, r.TTL)
		if err != nil || again != r {
			t.Errorf("%+v became %+v, %v", r, again, err)
		}
	}
}

func TestRecordsThatCannotBe(t *testing.T) {
	for _, c := range []struct {
		name, typ, value string
		ttl              int64
		want             string
	}{
		{"www", "A", "192.0.2.256", 300, "no address"},
		{"www", "A", "2001:db8::1", 300, "no address"},
		{"www", "AAAA", "::ffff:192.0.2.1", 300, "no address"},
		{"www", "AAAA", "fe80::1%eth0", 300, "no address"},
		{"www", "A", "192.0.2.1\nevil A 192.0.2.2", 300, "printable"},
		{"www", "CNAME", "www ; comment", 300, "comment"},
		{"www", "CNAME", "( www\n )", 300, "printable"},
		{"www", "CNAME", "a b", 300, "is none for CNAME"},
		{"www", "CNAME", "", 300, "1 to"},
		{"www", "MX", "mail", 300, "is none for MX"},
		{"www", "MX", "99999 mail", 300, "is none for MX"},
		{"www", "SRV", "1 2 sip", 300, "is none for SRV"},
		{"www", "LOC", "here", 300, "is none for LOC"},
		{"www", "WKS", "25", 300, "WKS"},
		{"www", "TXT", `"open`, 300, "not closed"},
		{"www", "TXT", `a"b"`, 300, "do not begin"},
		{"www", "TXT", `"a"b`, 300, "outside"},
		{"www", "TXT", `"\999"`, 300, "no byte"},
		{"www", "TXT", `"\1"`, 300, "three digits"},
		{"www", "TXT", `"\`, 300, "backslash"},
		{"www", "TXT", "é", 300, "printable"},
		{"www", "SOA", "a b 1 2 3 4 5", 300, "for @ only"},
		{"www", "ANY", "x", 300, "none of"},
		{"www", "A", "192.0.2.1", 299, "ttl 299"},
		{"www", "A", "192.0.2.1", 2592001, "ttl 2592001"},
		{"a..b", "A", "192.0.2.1", 300, "label"},
		{"a b", "A", "192.0.2.1", 300, "label"},
		{"a.*", "A", "192.0.2.1", 300, "label"},
		{strings.Repeat("a", 64), "A", "192.0.2.1", 300, "label"},
		{strings.Repeat("a.", 126), "A", "192.0.2.1", 300, "not in example.com"},
		{"www.example.org.", "A", "192.0.2.1", 300, "not in example.com"},
		{"badexample.com.", "A", "192.0.2.1", 300, "not in example.com"},
		{".", "A", "192.0.2.1", 300, "not in example.com"},
		{" ", "A", "192.0.2.1", 300, "1 to 250"},
	} {
		_, err := Normal([]string{"example.com"}, c.name, c.typ, c.value, c.ttl)
		if err == nil {
			t.Errorf("%q %s %q is taken", c.name, c.typ, c.value)
		} else if reason := reasonOf(t, err); !strings.Contains(reason, c.want) {
			t.Errorf("%q %s %q: %s, want %q in it", c.name, c.typ, c.value, reason, c.want)
		}
	}
}

func TestZoneTexts(t *testing.T) {
	text := `; a comment
$TTL 1h
@	IN	SOA	ns1.example.net. admin.example.net. (
		2026010100 ; serial
		10800 3600 604800 10800 )
	IN	NS	ns1.example.net.
	600	IN	A	192.0.2.1
www	CNAME	@
Mail.Example.com.	A	192.0.2.2
*	IN	TXT	"one two" three
_sip._tcp	SRV	0 5 5060 sip
$ORIGIN sub.example.com.
a	MX	10 b
`
	records, err := Parse([]string{"example.com"}, text)
	if err != nil {
		t.Fatal(err)
	}
	want := []Record{
		{Name: "@", Type: "SOA", TTL: 3600, Value: "ns1.example.net. admin.example.net. 2026010100 10800 3600 604800 10800"},
		{Name: "@", Type: "NS", TTL: 3600, Value: "ns1.example.net."},
		{Name: "@", Type: "A", TTL: 600, Value: "192.0.2.1"},
		{Name: "www", Type: "CNAME", TTL: 3600, Value: "@"},
		{Name: "mail", Type: "A", TTL: 3600, Value: "192.0.2.2"},
		{Name: "*", Type: "TXT", TTL: 3600, Value: `"one two" "three"`},
		{Name: "_sip._tcp", Type: "SRV", TTL: 3600, Value: "0 5 5060 sip"},
		{Name: "a.sub", Type: "MX", TTL: 3600, Value: "10 b.sub.example.com."},
	}
	if diff := gocmp.Diff(want, records); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	again, err := Parse(nil, Print(records))
	if diff := gocmp.Diff(records, again); err != nil || diff != "" {
		t.Errorf("printed and read again: %v (-want +got):\n%s", err, diff)
	}
}

func TestZoneTextsThatCannotBe(t *testing.T) {
	for text, want := range map[string]string{
		"a A 192.0.2.1\nb A nowhere\n":                   "line 2: ",
		"a A 192.0.2.1\n\n\nb 60 A 192.0.2.1\n":          "line 4: ttl 60",
		"a A 192.0.2.1\na A 192.0.2.1\n":                 "line 2: the record is there twice",
		"a A 192.0.2.1\nwww.example.org. A 192.0.2.1":    "line 2: name 'www.example.org.'",
		"$INCLUDE /etc/passwd\n":                         "$INCLUDE",
		"$TTL 1\na A 192.0.2.1":                          "line 2: ttl 1",
		"a CH A 192.0.2.1\n":                             "line",
		"a HINFO x y\n":                                  "line 1: type 'HINFO'",
		"a TYPE65280 \\# 0\n":                            "line 1",
		"$GENERATE 1-60000 h$ A 192.0.2.1\n":             "line 1: $GENERATE",
		"a A 192.0.2.1\n $generate 1-2 h$ A 192.0.2.1\n": "line 2: $GENERATE",
		"a A\n":             "line",
		"a TXT \"open\n":    "line",
		"(":                 "",
		"a A 192.0.2.1 )\n": "line",
		"@ SOA ns. admin. 1 2 3 4 5\nx SOA ns. admin. 1 2 3 4 5\n": "line 2: SOA is for @ only",
		"a\x00 A 192.0.2.1\n":                                          "line",
		strings.Repeat("a", 300) + " A 192.0.2.1\n":                    "line",
		"a A 192.0.2.1\n" + strings.Repeat("b", 64) + " A 192.0.2.1\n": "line 2: ",
	} {
		records, err := Parse([]string{"example.com"}, text)
		if text == "(" {
			if err == nil && len(records) > 0 {
				t.Errorf("%q gave %v", text, records)
			}
			continue
		}
		if err == nil {
			t.Errorf("%.60q is taken: %v", text, records)
		} else if reason := reasonOf(t, err); !strings.Contains(reason, want) {
			t.Errorf("%.60q: %s, want %q in it", text, reason, want)
		}
	}
}

// FuzzParse: a text is read or refused, in bounded time, and what was read is in
// its form and can be printed and read again.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"a A 192.0.2.1\n", "$TTL 1h\n@ MX 10 a\n", "$ORIGIN example.com.\na TXT \"x\\\"y\" z\n", "a CAA 0 issue \"x;y\"\n",
		"$GENERATE 1-3 h$ CNAME a$\n", "a 300 IN SRV 1 2 3 b ; c\n", "@ SOA a b 1 2 3 4 5\n", "a LOC 1 N 1 E 0m\n", "*.b TXT \\; \"\" ( \"a\"\n\"b\" )\n",
		"a HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1\n", "a NAPTR 1 1 \"u\" \"sip\" \"!^.*$!sip:x!\" .\n", "a\\.b A 192.0.2.1\n", "a\\032 A 1.1.1.1\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		records, err := Parse([]string{"example.com"}, text)
		if err != nil {
			reasonOf(t, err)
			return
		}
		for _, r := range records {
			again, err := Normal(nil, r.Name, r.Type, r.Value, r.TTL)
			if err != nil || again != r {
				t.Fatalf("%+v became %+v, %v", r, again, err)
			}
		}
		printed, err := Parse(nil, Print(records))
		if err != nil || len(printed) != len(records) {
			t.Fatalf("%q printed as %q: %v", text, Print(records), err)
		}
		for i := range records {
			if printed[i].identity() != records[i].identity() || printed[i].TTL != records[i].TTL {
				t.Fatalf("%+v was printed and read as %+v", records[i], printed[i])
			}
		}
	})
}

// FuzzValue: a value that is taken is one record's and stays as it is.
func FuzzValue(f *testing.F) {
	for _, typ := range Types {
		f.Add(typ, "a")
	}
	f.Add("TXT", `"a\"b" c`)
	f.Add("CAA", `0 issue "x;y"`)
	f.Add("MX", "10 a\t")
	f.Fuzz(func(t *testing.T, typ, value string) {
		r, err := Normal(nil, "a", typ, value, 300)
		if err != nil {
			return
		}
		if strings.ContainsAny(r.Value, "\r\n") {
			t.Fatalf("%q is more than a line", r.Value)
		}
		if again, err := Normal(nil, r.Name, r.Type, r.Value, r.TTL); err != nil || again != r {
			t.Fatalf("%+v became %+v, %v", r, again, err)
		}
		if r.Type == "WKS" || r.Type == "ALIAS" {
			return
		}
		read, err := Parse(nil, Print([]Record{r}))
		if err != nil || len(read) != 1 || read[0].Name != "a" || read[0].Type != r.Type {
			t.Fatalf("%+v is in a text: %+v, %v", r, read, err)
		}
	})
}
