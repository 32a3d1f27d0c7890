package translate

import (
	"encoding/base64"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"v3gate/internal/fault"
	"v3gate/internal/handles"
	"v3gate/internal/store"
	"v3gate/internal/tenant"
)

const smdXML = `<?xml version="1.0" encoding="UTF-8"?>
<smd:signedMark xmlns:smd="urn:ietf:params:xml:ns:signedMark-1.0" id="s1">
<smd:id>0000001751376056503931-65535</smd:id>
<smd:notBefore>2013-08-09T13:55:03.931Z</smd:notBefore>
<smd:notAfter>2017-07-23T22:00:00.000Z</smd:notAfter>
<mark:mark xmlns:mark="urn:ietf:params:xml:ns:mark-1.0"><mark:trademark>
<mark:id>00052013734689731373468973-65535</mark:id><mark:markName>Test &amp; Validate</mark:markName>
<mark:label>test-and-validate</mark:label><mark:label>test---validate</mark:label>
</mark:trademark></mark:mark>
</smd:signedMark>`

func smdFile(x string) string {
	return "Marks: Test & Validate\nsmdID: 1-65535\n" + smdBegin + "\n" + base64.StdEncoding.EncodeToString([]byte(x)) + "\n" + smdEnd + "\n"
}

func TestParseSMDReadsEachForm(t *testing.T) {
	want := signedMark{UID: "0000001751376056503931-65535", Expire: time.Date(2017, 7, 23, 22, 0, 0, 0, time.UTC),
		MarkID: "00052013734689731373468973-65535", MarkName: "Test & Validate", Labels: []string{"test-and-validate", "test---validate"}}
	for name, text := range map[string]string{
		"xml": smdXML, "base64": base64.StdEncoding.EncodeToString([]byte(smdXML)), "file": smdFile(smdXML), "mark of order": "\ufeff" + smdXML,
	} {
		got, err := parseSMD(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestParseSMDRefuses(t *testing.T) {
	replace := func(old, new string) string { return strings.Replace(smdXML, old, new, 1) }
	for name, c := range map[string]struct{ text, want string }{
		"long":     {strings.Repeat("A", maxSMDBytes+1), "longer"},
		"words":    {"no file", "neither"},
		"no end":   {smdBegin + "AAAA", "no end"},
		"doctype":  {replace("?>\n", "?>\n<!DOCTYPE a [<!ENTITY e 'x'>]>\n"), "DOCTYPE"},
		"entity":   {replace("&amp;", "&e;"), "well-formed"},
		"charset":  {replace("UTF-8", "ISO-8859-1"), "well-formed"},
		"bytes":    {replace("Test &", "\xff &"), "UTF-8"},
		"root":     {"<a/>", "signedMark"},
		"two":      {smdXML + strings.SplitN(smdXML, "\n", 2)[1], "signedMark"},
		"cut":      {smdXML[:len(smdXML)-5], "well-formed"},
		"deep":     {replace("<smd:notBefore>", strings.Repeat("<a>", 30)), "levels"},
		"many":     {replace("<smd:notBefore>", strings.Repeat("<a/>", maxSMDElements)+"<smd:notBefore>"), "elements"},
		"labels":   {replace("<mark:label>", strings.Repeat("<mark:label>a</mark:label>", maxSMDLabels)+"<mark:label>"), "labels"},
		"no id":    {replace("<smd:id>0000001751376056503931-65535</smd:id>", ""), "no id"},
		"no date":  {replace("<smd:notAfter>2017-07-23T22:00:00.000Z</smd:notAfter>", ""), "no notAfter"},
		"bad date": {replace("2017-07-23T22", "2017-07-33T22"), "notAfter"},
		"no name":  {replace("<mark:markName>Test &amp; Validate</mark:markName>", ""), "markName"},
		"mixed":    {replace("<smd:id>", "<smd:id>9<b/>"), "holds an element"},
		"two ids":  {replace("<smd:notBefore>", "<smd:id>2</smd:id><smd:notBefore>"), "two ids"},
	} {
		if _, err := parseSMD(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// What is read is complete and within the bounds.
func FuzzParseSMD(f *testing.F) {
	for _, s := range []string{smdXML, smdFile(smdXML), "", "<", "<a/>", smdBegin, "<!DOCTYPE a>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseSMD(text)
		if err != nil {
			return
		}
		if m.UID == "" || m.MarkName == "" || m.Expire.IsZero() || len(m.Labels) > maxSMDLabels {
			t.Fatalf("incomplete or unbounded: %+v", m)
		}
	})
}

// Of several holders the first is shown, and of another kind of mark its reference.
func TestParseSMDReadsWhatTheMarkSays(t *testing.T) {
	holder := func(name string) string {
		return "<mark:holder><mark:name>" + name + "</mark:name><mark:org>Org " + name + "</mark:org></mark:holder>"
	}
	x := strings.NewReplacer("mark:trademark>", "mark:treatyOrStatute>",
		"<mark:label>test-and-validate", holder("One")+holder("Two")+"<mark:refNum>R 7</mark:refNum><mark:label>test-and-validate").Replace(smdXML)
	m, err := parseSMD(x)
	if err != nil || m.HolderName != "One" || m.HolderOrg != "Org One" || m.RegNum != "R 7" || m.Jurisdiction != "" {
		t.Errorf("%+v, %v", m, err)
	}
	for _, twice := range []string{"<mark:id>1</mark:id>", "<mark:jurisdiction>US</mark:jurisdiction><mark:jurisdiction>FR</mark:jurisdiction>",
		"<mark:regNum>1</mark:regNum><mark:refNum>2</mark:refNum>"} {
		if _, err := parseSMD(strings.Replace(smdXML, "<mark:label>", twice+"<mark:label>", 1)); err == nil {
			t.Errorf("with %s it is read", twice)
		}
	}
}

func TestTooManySignedMarksAreAFault(t *testing.T) {
	db, err := store.Open(filepath.Join(t.TempDir(), "store.db"), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c := &Call{Tenant: &tenant.Tenant{Name: "a"}, Services: &Services{Now: time.Now, Book: handles.New(db, handles.DefaultFloors(), time.Now)}}
	if _, err := smdCreateDo(t.Context(), c, handles.SMD{UID: "all", Original: strings.Repeat("x", handles.MostSMDBytes)}); err != nil {
		t.Fatal(err)
	}
	_, err = smdCreateDo(t.Context(), c, handles.SMD{UID: "one more", Original: "x"})
	if f, ok := fault.As(err); !ok || f.Code() != 523535 {
		t.Errorf("%v", err)
	}
}
