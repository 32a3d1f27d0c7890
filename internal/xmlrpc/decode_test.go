package xmlrpc

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDecodeCallAccepts(t *testing.T) {
	for _, c := range accepted {
		t.Run(c.name, func(t *testing.T) {
			call, err := DecodeCall([]byte(c.body), c.charset, DefaultLimits())
			if err != nil {
				t.Fatalf("refused: %v", err)
			}
			if diff := cmp.Diff(c.want, showCall(call)); diff != "" {
				t.Errorf("call differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeCallRefuses(t *testing.T) {
	for _, c := range refused {
		t.Run(c.name, func(t *testing.T) {
			body, want := unmark(c.body, c.want)
			_, err := DecodeCall([]byte(body), c.charset, DefaultLimits())
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("error is %T, want *Error", err)
			}
			code, text := e.Fault()
			if diff := cmp.Diff("Invalid XMLRPC input: "+want, text); diff != "" || code != 1 {
				t.Errorf("fault code %d, text differs (-want +got):\n%s", code, diff)
			}
		})
	}
}

// unmark takes the ¦ out of a body and adds its place to the message.
func unmark(body, want string) (string, string) {
	before, after, ok := strings.Cut(body, "¦")
	if !ok {
		return body, want
	}
	line := strings.Count(before, "\n") + 1
	column := len(before) - strings.LastIndex(before, "\n")
	return before + after, fmt.Sprintf("%s at line %d, column %d", want, line, column)
}

func TestDecodeCallNamesTheMethod(t *testing.T) {
	body := strings.Replace(in("<value><int>x</int></value>"), ">m<", ">domain.info<", 1)
	_, err := DecodeCall([]byte(body), "", DefaultLimits())
	var e *Error
	if !errors.As(err, &e) || e.Method != "domain.info" || e.Reason != ReasonMalformed {
		t.Errorf("got %+v, want the method and the reason", err)
	}
}

func TestDecodeLimits(t *testing.T) {
	nested := func(n int) string {
		return in(strings.Repeat("<value><array><data>", n) + strings.Repeat("</data></array></value>", n))
	}
	structs := func(n int) string {
		return in(strings.Repeat("<struct><member><name>a</name>", n) + strings.Repeat("</member></struct>", n))
	}
	for _, c := range []struct {
		name, body string
		lim        Limits
		want       string // empty when accepted
	}{
		{"64 levels", nested(64), DefaultLimits(), ""},
		{"65 levels", nested(65), DefaultLimits(), "nesting deeper than 64 levels"},
		{"65 levels of structs", structs(65), DefaultLimits(), "nesting deeper than 64 levels"},
		{"65 levels, cut off", strings.Repeat("<value><array><data>", 100_000), DefaultLimits(), "expected <methodCall>"},
		{"zero limits are the defaults", nested(65), Limits{}, "nesting deeper than 64 levels"},
		{"200,000 values", in("<array><data>" + strings.Repeat("<value/>", 199_999) + "</data></array>"), DefaultLimits(), ""},
		{"200,001 values", in("<array><data>" + strings.Repeat("<value/>", 200_000) + "</data></array>"), DefaultLimits(), "more than 200000 values"},
		{"too many nils", in("<array>" + strings.Repeat("<nil/>", 200_000) + "</array>"), DefaultLimits(), "more than 200000 values"},
		{"too many params", "<methodCall><methodName>m</methodName>" + strings.Repeat("<param/>", 200_001) + "</methodCall>", DefaultLimits(), "more than 200000 values"},
		{"too many members", in("<struct>" + strings.Repeat("<member><name/><nil/></member>", 200_000) + "</struct>"), DefaultLimits(), "more than 200000 values"},
		{"as many bytes as allowed", in("<value>abc</value>"), Limits{MaxBytes: int64(len(in("<value>abc</value>")))}, ""},
		{"one byte more", in("<value>abcd</value>"), Limits{MaxBytes: int64(len(in("<value>abc</value>")))}, "larger than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := DecodeCall([]byte(c.body), "", c.lim)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestDecodeIsLinear reads inputs that make a careless scanner quadratic. Each
// one has about 4 MB; at quadratic cost one alone would take minutes.
func TestDecodeIsLinear(t *testing.T) {
	const n = 4 << 20
	for name, body := range map[string]string{
		"ampersands":          in("<value>" + strings.Repeat("&", n) + "</value>"),
		"references":          in("<value>" + strings.Repeat("&amp;", n/5) + "</value>"),
		"comments in text":    in("<value>" + strings.Repeat("a<!---->", n/8) + "</value>"),
		"cdata in text":       in("<value>" + strings.Repeat("<![CDATA[a]]>", n/13) + "</value>"),
		"comments":            in(strings.Repeat("<!---->", n/7)),
		"opening brackets":    strings.Repeat("<", n),
		"open comments":       strings.Repeat("<!--", n/4),
		"open cdata":          in("<value>" + strings.Repeat("<![CDATA[", n/9)),
		"line ends":           strings.Repeat("\r\n", n/2),
		"quotes":              "<methodCall " + strings.Repeat("'\"", n/2),
		"strings with markup": in("<array>" + strings.Repeat("<value><string>&lt;</string></value>", 100_000) + "</array>"),
		"one huge string":     in("<value>" + strings.Repeat("a", n) + "</value>"),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, _ = DecodeCall([]byte(body), "", DefaultLimits())
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestDecodeResponse(t *testing.T) {
	answer := func(s string) string { return "<methodResponse>" + s + "</methodResponse>" }
	fault := func(code, text string) string {
		return answer("<fault><value><struct><member><name>faultCode</name>" + code + "</member><member><name>faultString</name>" + text + "</member></struct></value></fault>")
	}
	for _, c := range []struct{ name, body, want string }{
		{"value", answer("<params><param><value><int>5</int></value></param></params>"), "int(5)"},
		{"nil", answer("<params><param><value><nil/></value></param></params>"), "nil"},
		{"fault", fault("<value><int>510042</int></value>", "<value><string>no</string></value>"), "fault 510042: no"},
		{"fault with untyped text", fault("<value><i4>1</i4></value>", "<value>no</value>"), "fault 1: no"},
		{"fault without a code", answer("<fault><value><struct/></value></fault>"), "Invalid XMLRPC input: a <fault> needs a struct with faultCode and faultString"},
		{"fault that is no struct", answer("<fault><value>x</value></fault>"), "Invalid XMLRPC input: a <fault> needs a struct with faultCode and faultString"},
		{"no value", answer("<params/>"), "Invalid XMLRPC input: an answer needs one value, found 0 at line 1, column 43"},
		{"nothing", answer(""), "Invalid XMLRPC input: an answer needs one value, found 0 at line 1, column 34"},
		{"empty answer", "<methodResponse/>", "Invalid XMLRPC input: an answer needs one value, found 0 at line 1, column 18"},
		{"two values", answer("<params><param/><param/></params>"), "Invalid XMLRPC input: an answer needs one value, found 2 at line 1, column 67"},
		{"unknown element", answer("<foo/>"), "Invalid XMLRPC input: unexpected <foo/> inside <methodResponse> at line 1, column 17"},
		{"a call", in(""), "Invalid XMLRPC input: expected <methodResponse>, found <methodCall> at line 1, column 1"},
		{"trailing data", answer("<params><param/></params>") + "x", "Invalid XMLRPC input: trailing data after the document at line 1, column 59"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := DecodeResponse([]byte(c.body), DefaultLimits())
			got := show(v)
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("answer differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeLeavesBodyAlone(t *testing.T) {
	body := []byte(in("<value><string>abc</string></value>"))
	call, err := DecodeCall(body, "", DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	clear(body) // as a pooled buffer is overwritten by the next request
	if got := showCall(call); got != `m(string("abc"))` {
		t.Errorf("call changed with the buffer: %s", got)
	}
}

func TestAllocations(t *testing.T) {
	for _, d := range documents() {
		if d.name != "contact.create" && d.name != "operation" {
			continue
		}
		body := d.encoded(t)
		allocs := testing.AllocsPerRun(100, func() {
			if err := d.decode(body); err != nil {
				t.Fatal(err)
			}
		})
		if allocs > 5 && !raceEnabled {
			t.Errorf("decode %s: %v allocations, want 5 at most", d.name, allocs)
		}
		buf, params := make([]byte, 0, 2*len(body)), d.params()
		allocs = testing.AllocsPerRun(100, func() {
			var err error
			if d.method == "" {
				_, err = AppendResponse(buf, d.value)
			} else {
				_, err = AppendCall(buf, d.method, params...)
			}
			if err != nil {
				t.Fatal(err)
			}
		})
		if allocs > 0 {
			t.Errorf("encode %s: %v allocations, want none", d.name, allocs)
		}
	}
}
