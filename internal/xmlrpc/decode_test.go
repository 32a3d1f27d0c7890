package xmlrpc

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// in wraps one value element into a call of "m".
func in(value string) string {
	return "<methodCall><methodName>m</methodName><params><param>" + value + "</param></params></methodCall>"
}

// accepted holds the forms of requests that clients send. A name says who sends
// it, or which rule allows it.
var accepted = []struct{ name, body, charset, want string }{
	// The frame around the parameters.
	{"python xmlrpc.client", "<?xml version='1.0'?>\n<methodCall>\n<methodName>version.info</methodName>\n<params>\n<param>\n<value><string>k</string></value>\n</param>\n</params>\n</methodCall>\n", "", `version.info(string("k"))`},
	{"lego has no params element", "<methodCall>\n  <methodName>domain.info</methodName>\n  <param>\n    <value>\n      <string>key</string>\n    </value>\n  </param>\n  <param>\n    <value>\n      <string>example.com.</string>\n    </value>\n  </param>\n</methodCall>", "", `domain.info(string("key"), string("example.com."))`},
	{"no params at all", "<methodCall><methodName>system.listMethods</methodName></methodCall>", "", "system.listMethods()"},
	{"empty params", "<methodCall><methodName>m</methodName><params/></methodCall>", "", "m()"},
	{"empty params with end tag", "<methodCall><methodName>m</methodName><params>\n</params></methodCall>", "", "m()"},
	{"dotnet struct without value", in("<struct><member><name>a</name><value><int>1</int></value></member></struct>"), "", "m({a: int(1)})"},
	{"dotnet array without value", in("<array><data><value><int>1</int></value></data></array>"), "", "m([int(1)])"},
	{"int without value", in("<int>1</int>"), "", "m(int(1))"},
	{"kolo nil parameter", in(""), "", "m(nil)"},
	{"empty param element", "<methodCall><methodName>m</methodName><params><param/></params></methodCall>", "", "m(nil)"},
	{"blank in param", in(" \n "), "", "m(nil)"},
	{"xmlrpc-c CRLF", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<methodCall>\r\n<methodName>m</methodName>\r\n<params>\r\n<param><value><i4>1</i4></value></param>\r\n</params>\r\n</methodCall>\r\n", "", "m(int(1))"},
	{"tcl CRLF and tabs", "<?xml version=\"1.0\"?>\r\n<methodCall>\r\n\t<methodName>m</methodName>\r\n\t<params>\r\n\t\t<param>\r\n\t\t\t<value><string>a</string></value>\r\n\t\t</param>\r\n\t</params>\r\n</methodCall>\r\n", "", `m(string("a"))`},
	{"perl XML::RPC own lines", "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<methodCall>\n<methodName>\n<![CDATA[domain.info]]></methodName>\n<params>\n<param>\n<value>\n<string><![CDATA[key]]></string>\n</value>\n</param>\n</params>\n</methodCall>\n", "", `domain.info(string("key"))`},
	{"attributes are ignored", `<methodCall xmlns:ex="http://ws.apache.org/xmlrpc/namespaces/extensions" a='>'><methodName x="1">m</methodName><params ><param><value><int a="b" >1</int ></value></param></params></methodCall >`, "", "m(int(1))"},
	{"processing instructions", "<?xml version='1.0'?><?a b?><methodCall><?c?><methodName>m<?d?></methodName></methodCall><?e?>\n", "", "m()"},
	{"comments everywhere", "<!-- a --><methodCall><!-- <b> --><methodName>m<!-- c --></methodName><params><!----><param><!-- d --><value><!-- e --><int><!-- f -->1<!-- g -->2</int><!-- h --></value></param></params></methodCall><!-- i -->", "", "m(int(12))"},
	{"prefix on every element", "<x:methodCall><x:methodName>m</x:methodName><x:params><x:param><x:value><x:array><x:data><x:value/></x:data></x:array></x:value></x:param></x:params></x:methodCall>", "", `m([untyped("")])`},
	{"byte order mark", "\xEF\xBB\xBF<?xml version='1.0'?><methodCall><methodName>m</methodName></methodCall>", "", "m()"},
	{"php blank line first", "\n\n<?xml version='1.0'?><methodCall><methodName>m</methodName></methodCall>", "", "m()"},
	{"blanks around the name", "<methodCall><methodName> m\n</methodName></methodCall>", "", "m()"},

	// Strings.
	{"untyped is a string", in("<value>abc</value>"), "", `m(untyped("abc"))`},
	{"untyped keeps blanks", in("<value> a \n b </value>"), "", `m(untyped(" a \n b "))`},
	{"untyped of blanks", in("<value>  </value>"), "", `m(untyped("  "))`},
	{"untyped digits", in("<value>75013</value>"), "", `m(untyped("75013"))`},
	{"xmlrpc::lite undef", in("<value />"), "", `m(untyped(""))`},
	{"phpxmlrpc empty value", in("<value></value>"), "", `m(untyped(""))`},
	{"php extension null", in("<value><string/></value>"), "", `m(string(""))`},
	{"string keeps blanks", in("<value><string> a\t</string></value>"), "", `m(string(" a\t"))`},
	{"npm cdata", in("<value><string><![CDATA[a & b < c]]></string></value>"), "", `m(string("a & b < c"))`},
	{"npm cdata split over two sections", in("<value><string><![CDATA[a]]]]><![CDATA[>b]]></string></value>"), "", `m(string("a]]>b"))`},
	{"cdata mixed with text", in("<value><string>a&amp;<![CDATA[&amp;]]>b</string></value>"), "", `m(string("a&&amp;b"))`},
	{"untyped cdata", in("<value><![CDATA[<x>]]></value>"), "", `m(untyped("<x>"))`},
	{"comment inside text", in("<value><string>ab<!-- c -->d</string></value>"), "", `m(string("abd"))`},
	{"five entities", in("<value><string>&lt;&gt;&amp;&quot;&apos;</string></value>"), "", `m(string("<>&\"'"))`},
	{"php decimal references", in("<value><string>&#233;&#38;&#60;</string></value>"), "", `m(string("é&<"))`},
	{"hex references", in("<value><string>a&#xA;b&#x1F600;</string></value>"), "", `m(string("a\nb😀"))`},
	{"carriage return reference", in("<value><string>a&#13;&#10;b</string></value>"), "", `m(string("a\r\nb"))`},
	{"CRLF in text", in("<value><string>a\r\nb\rc</string></value>"), "", `m(string("a\nb\nc"))`},
	{"raw greater-than", in("<value><string>a > b ]]> c</string></value>"), "", `m(string("a > b ]]> c"))`},

	// Numbers.
	{"frontier leading zeros", in("<value><int>007</int></value>"), "", "m(int(007))"},
	{"ruby i4", in("<value><i4>-5</i4></value>"), "", "m(int(-5))"},
	{"xmlrpc-c i8", in("<value><i8>3264968097</i8></value>"), "", "m(int(3264968097))"},
	{"gad record id beyond 32 bits", in("<value><int>3264968097</int></value>"), "", "m(int(3264968097))"},
	{"int beyond 64 bits", in("<value><int>123456789012345678901</int></value>"), "", "m(int(123456789012345678901))"},
	{"blanks and sign around int", in("<value><int> \n+5\t</int></value>"), "", "m(int(+5))"},
	{"perl phone as double", in("<value><double>+33.123456789</double></value>"), "", "m(double(+33.123456789))"},
	{"exponent", in("<value><double>1e-05</double></value>"), "", "m(double(1e-05))"},
	{"double without fraction", in("<value><double> 5 </double></value>"), "", "m(double(5))"},
	{"double out of range", in("<value><double>1e999</double></value>"), "", "m(double(1e999))"},
	{"boolean", in("<value><boolean>1</boolean></value>"), "", "m(boolean(1))"},
	{"mattn boolean", in("<value><boolean>true</boolean></value>"), "", "m(boolean(true))"},
	{"false", in("<value><boolean> false </boolean></value>"), "", "m(boolean(false))"},

	// Nil.
	{"nil", in("<value><nil/></value>"), "", "m(nil)"},
	{"nil with end tag", in("<value><nil></nil></value>"), "", "m(nil)"},
	{"nil with blanks", in("<value> <nil /> </value>"), "", "m(nil)"},
	{"apache ex:nil", in(`<value><ex:nil xmlns:ex="x"/></value>`), "", "m(nil)"},
	{"apache ex:i8", in("<value><ex:i8>9000000000</ex:i8></value>"), "", "m(int(9000000000))"},
	{"apache other prefix", in("<value><ns1:i2>7</ns1:i2></value>"), "", "m(int(7))"},
	{"apache bigdecimal", in("<value><ex:bigdecimal>1.50</ex:bigdecimal></value>"), "", "m(double(1.50))"},
	{"apache dateTime", in("<value><ex:dateTime>2013-04-04T03:21:39.123+02:00</ex:dateTime></value>"), "", "m(dateTime.iso8601(2013-04-04T03:21:39.123+02:00))"},

	// Dates and binary.
	{"date", in("<value><dateTime.iso8601>20130404T03:21:39</dateTime.iso8601></value>"), "", "m(dateTime.iso8601(20130404T03:21:39))"},
	{"date that is none, as python", in("<value><dateTime.iso8601>soon</dateTime.iso8601></value>"), "", "m(dateTime.iso8601(soon))"},
	{"xmlrpc::lite base64 for non-ascii", in("<value><base64>\nw4lt\n aWxp\tZQ==\r\n</base64></value>"), "", `m(base64("Émilie"))`},
	{"empty base64", in("<value><base64/></value>"), "", `m(base64(""))`},

	// Arrays and structs.
	{"php empty hash", in("<value><array><data/></array></value>"), "", "m([])"},
	{"array without data", in("<value><array/></value>"), "", "m([])"},
	{"array with values directly", in("<value><array><value><int>1</int></value></array></value>"), "", "m([int(1)])"},
	{"php indented array", in("<value>\n <array>\n  <data>\n   <value>\n    <int>1</int>\n   </value>\n   <value>\n    <int>2</int>\n   </value>\n  </data>\n </array>\n</value>"), "", "m([int(1), int(2)])"},
	{"empty struct", in("<value><struct/></value>"), "", "m({})"},
	{"php indented struct", in("<value>\n <struct>\n  <member>\n   <name>a</name>\n   <value>\n    <int>1</int>\n   </value>\n  </member>\n </struct>\n</value>"), "", "m({a: int(1)})"},
	{"value before name", in("<value><struct><member><value><int>1</int></value><name>a</name></member></struct></value>"), "", "m({a: int(1)})"},
	{"member with empty value", in("<value><struct><member><name>a</name><value/></member></struct></value>"), "", `m({a: untyped("")})`},
	{"member with bare type", in("<value><struct><member><name>a</name><int>1</int></member></struct></value>"), "", "m({a: int(1)})"},
	{"escaped member name", in("<value><struct><member><name>&lt;<![CDATA[&]]></name><value>x</value></member></struct></value>"), "", `m({<&: untyped("x")})`},
	{"empty member name", in("<value><struct><member><name/><value>x</value></member></struct></value>"), "", `m({: untyped("x")})`},
	{"gandi.cli nil in a filter", in("<value><struct>\n<member>\n<name>type</name>\n<value><nil/></value></member>\n</struct></value>"), "", "m({type: nil})"},
	{"nested", in("<value><array><data><value><struct><member><name>a</name><value><array><data><value>x</value></data></array></value></member></struct></value><value><array><data></data></array></value></data></array></value>"), "", `m([{a: [untyped("x")]}, []])`},

	// Encodings.
	{"php extension latin-1", "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>" + in("<value><string>\xC9milie</string></value>"), "", `m(string("Émilie"))`},
	{"latin-1 by content type", in("<value>\xE9</value>"), "ISO-8859-1", `m(untyped("é"))`},
	{"declaration before content type", "<?xml version='1.0' encoding='utf-8'?>" + in("<value>é</value>"), "iso-8859-1", `m(untyped("é"))`},
	{"windows-1252", "<?xml version='1.0' encoding='Windows-1252'?>" + in("<value>\x80</value>"), "", `m(untyped("€"))`},
	{"iso-8859-15", "<?xml version='1.0' encoding='ISO-8859-15'?>" + in("<value>\xA4</value>"), "", `m(untyped("€"))`},
	{"rpc::xml us-ascii", "<?xml version=\"1.0\" encoding=\"us-ascii\"?>" + in("<value>a</value>"), "", `m(untyped("a"))`},
	{"utf-8 without declaration", in("<value>é😀</value>"), "", `m(untyped("é😀"))`},
	{"utf-8 in capitals", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + in("<value>é</value>"), "UTF8", `m(untyped("é"))`},
	{"mark before declaration", "\xEF\xBB\xBF<?xml version='1.0' encoding='iso-8859-1'?>" + in("<value>é</value>"), "", `m(untyped("é"))`},
}

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

// refused holds documents that are answered with fault 1, and what is said. A ¦
// marks the place that the message gives; it is not sent.
var refused = []struct{ name, body, charset, want string }{
	{"empty int, recorded", in("<value><int></int></value>"), "", "invalid literal for int() with base 10: ''"},
	{"empty int element", in("<value><int/></value>"), "", "invalid literal for int() with base 10: ''"},
	{"word as int", in("<value><int>abc</int></value>"), "", "invalid literal for int() with base 10: 'abc'"},
	{"int keeps blanks in the message", in("<value><int> x </int></value>"), "", "invalid literal for int() with base 10: ' x '"},
	{"int with a quote", in("<value><i4>it's</i4></value>"), "", `invalid literal for int() with base 10: "it's"`},
	{"int with both quotes", in("<value><i4>'\"\\&#10;</i4></value>"), "", `invalid literal for int() with base 10: '\'"\\\n'`},
	{"int with odd characters", in("<value><int>é\t&#13;\u00a0\u200b\u007f😀\U000e0001</int></value>"), "", `invalid literal for int() with base 10: 'é\t\r\xa0\u200b\x7f😀\U000e0001'`},
	{"fraction as int", in("<value><int>1.5</int></value>"), "", "invalid literal for int() with base 10: '1.5'"},
	{"only a sign", in("<value><int>+</int></value>"), "", "invalid literal for int() with base 10: '+'"},
	{"long int text is cut", in("<value><int>" + strings.Repeat("x", 500) + "</int></value>"), "", "invalid literal for int() with base 10: '" + strings.Repeat("x", 100) + "...'"},
	{"word as double", in("<value><double>abc</double></value>"), "", "could not convert string to float: 'abc'"},
	{"empty double", in("<value><double/></value>"), "", "could not convert string to float: ''"},
	{"hex double", in("<value><double>0x1p2</double></value>"), "", "could not convert string to float: '0x1p2'"},
	{"boolean 2", in("<value><boolean>2</boolean></value>"), "", "bad boolean value: '2'"},
	{"empty boolean", in("<value><boolean/></value>"), "", "bad boolean value: ''"},
	{"bad base64", in("<value><base64>@@</base64></value>"), "", "bad base64 value: '@@'"},

	{"empty body", "¦", "", "unexpected end of the document"},
	{"blank body", " \n¦", "", "unexpected end of the document"},
	{"not xml", "¦hello", "", "unexpected text between elements"},
	{"json", `¦{"method": "m"}`, "", "unexpected text between elements"},
	{"html", "¦<html></html>", "", "expected <methodCall>, found <html>"},
	{"an answer", "¦<methodResponse/>", "", "expected <methodCall>, found <methodResponse/>"},
	{"end tag first", "¦</methodCall>", "", "expected <methodCall>, found </methodCall>"},
	{"missing method name", "<methodCall><params/></methodCall>¦", "", "missing method name"},
	{"empty method name", "<methodCall><methodName> </methodName></methodCall>¦", "", "missing method name"},
	{"empty call", "<methodCall/>¦", "", "missing method name"},
	{"two method names", "<methodCall><methodName>a</methodName>¦<methodName>b</methodName></methodCall>", "", "more than one method name"},
	{"trailing text", in("") + "¦x", "", "trailing data after the document"},
	{"trailing element", in("") + "\n¦<methodCall/>", "", "trailing data after the document"},
	{"text between elements", "<methodCall>\n¦x<methodName>m</methodName></methodCall>", "", "unexpected text between elements"},
	{"unknown element in call", "<methodCall>¦<foo/></methodCall>", "", "unexpected <foo/> inside <methodCall>"},
	{"unknown element in params", "<methodCall><methodName>m</methodName><params>¦<foo/></params></methodCall>", "", "unexpected <foo/> inside <params>"},
	{"unknown type", in("<value>¦<foo>1</foo></value>"), "", "unknown element <foo> as a value"},
	{"unknown type in member", in("<struct><member><name>a</name>¦<foo/></member></struct>"), "", "unknown element <foo/> as a value"},
	{"apache serializable", in("<value>¦<ex:serializable>x</ex:serializable></value>"), "", "unknown element <ex:serializable> as a value"},
	{"two values in a param", in("<value>a</value>¦<value>b</value>"), "", "unexpected <value> inside <param>"},
	{"two types in a value", in("<value><int>1</int>¦<int>2</int></value>"), "", "unexpected <int> inside <value>"},
	{"text before a type", in("<value>a¦<int>1</int></value>"), "", "unexpected text before <int>"},
	{"text after a type", in("<value><int>1</int>¦a</value>"), "", "unexpected text between elements"},
	{"element inside int", in("<value><int>1¦<b/></int></value>"), "", "unexpected <b/> inside <int>"},
	{"wrong end tag", in("<value><string>a¦</strong></value>"), "", "unexpected </strong> inside <string>"},
	{"value ends as param", "<methodCall><methodName>m</methodName><param><value>a¦</param></methodCall>", "", "unexpected </param> inside <value>"},
	{"params end as call", "<methodCall><methodName>m</methodName><params>¦</methodCall>", "", "unexpected </methodCall> inside <params>"},
	{"call ends as another", "<methodCall><methodName>m</methodName>¦</params></methodCall>", "", "unexpected </params> inside <methodCall>"},
	{"stray end tag in param", in("¦</value>"), "", "unexpected </value> inside <param>"},
	{"declaration cut off", "<?xml encoding='klingon", "", "unterminated processing instruction at line 1, column 1"},
	{"stray end tag in array", in("<array>¦</data></array>"), "", "unexpected </data> inside <array>"},
	{"stray element in struct", in("<struct>¦<value/></struct>"), "", "unexpected <value/> inside <struct>"},
	{"member without a name", in("<struct><member><value/></member>¦</struct>"), "", "struct member without a name"},
	{"member without a value", in("<struct><member><name>a</name></member>¦</struct>"), "", "struct member without a value: 'a'"},
	{"member without anything", in("<struct><member/>¦</struct>"), "", "struct member without a name"},
	{"member with two values", in("<struct><member><name>a</name><value/>¦<value/></member></struct>"), "", "unexpected <value/> inside <member>"},
	{"cut off in text", "<methodCall><methodName>¦m", "", "unexpected end of the document"},
	{"cut off at a bracket", "<methodCall><methodName>m¦<", "", "malformed tag"},
	{"cut off in a tag", "<methodCall>¦<methodName", "", "unterminated tag <methodName>"},
	{"cut off in an attribute", "¦<methodCall a='b", "", "unterminated tag <methodCall>"},
	{"cut off after a value", "<methodCall><methodName>m</methodName><params><param><value><int>1</int></value>¦", "", "unexpected end of the document"},
	{"tag without a name", "<methodCall>¦< /></methodCall>", "", "malformed tag"},
	{"tag inside a tag", "¦<methodCall <a></methodCall>", "", "malformed tag <methodCall>"},
	{"unterminated comment", "¦<!-- <methodCall/>", "", "unterminated comment"},
	{"unterminated cdata", in("<value>¦<![CDATA[a</value>"), "", "unterminated CDATA section"},
	{"unterminated instruction", "¦<?xml <methodCall/>", "", "unterminated processing instruction"},
	{"cdata between elements", "<methodCall>¦<![CDATA[a]]></methodCall>", "", "malformed tag"},

	{"doctype", "¦<!DOCTYPE a [<!ENTITY b 'c'>]><methodCall/>", "", "DOCTYPE is not accepted"},
	{"doctype inside", in("<value>¦<!DOCTYPE a></value>"), "", "DOCTYPE is not accepted"},
	{"other declaration", in("<value>¦<!ENTITY a></value>"), "", "malformed markup"},
	{"entity of html", in("<value>¦&nbsp;</value>"), "", "undefined reference '&nbsp;'"},
	{"bare ampersand", in("<value>a ¦& b</value>"), "", "unterminated reference '& b'"},
	{"reference to a control character", in("<value>¦&#1;</value>"), "", "undefined reference '&#1;'"},
	{"reference to half a character", in("<value>¦&#xD83D;</value>"), "", "undefined reference '&#xD83D;'"},
	{"reference out of unicode", in("<value>¦&#x110000;</value>"), "", "undefined reference '&#x110000;'"},
	{"reference with a sign", in("<value>¦&#+65;</value>"), "", "undefined reference '&#+65;'"},

	{"unknown encoding", "<?xml version='1.0' encoding='klingon'?>" + in(""), "", "unknown encoding 'klingon'"},
	{"unknown charset", in(""), "shift_jis", "unknown encoding 'shift_jis'"},
	{"utf-16", "\xFF\xFE<\x00", "", "unknown encoding 'UTF-16'"},
	{"latin-1 that is not declared", in("<value>\n\xE9</value>"), "", "byte 0xE9 is not valid UTF-8 at line 2, byte 61"},
	{"half a character", in("<value>\xC3</value>"), "utf-8", "byte 0xC3 is not valid UTF-8 at line 1, byte 60"},
	{"not us-ascii", "<?xml version='1.0' encoding='us-ascii'?>" + in("<value>é</value>"), "", "byte 0xC3 is not US-ASCII at line 1, byte 101"},
	{"control character", in("<value>a\x01</value>"), "", "control character 0x01 at line 1, byte 61"},
	{"null byte at the end", in("") + "\x00", "", "control character 0x00 at line 1, byte 83"},
	{"noncharacter", in("<value>\uFFFE</value>"), "", "character U+FFFE is not allowed at line 1, byte 60"},
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

// TestDecodeCutAnywhere cuts every form at every byte: nothing may panic or loop,
// and only a whole document may be accepted.
func TestDecodeCutAnywhere(t *testing.T) {
	for _, c := range accepted {
		whole := strings.TrimRight(c.body, " \r\n")
		for n := range len(whole) {
			call, err := DecodeCall([]byte(whole[:n]), c.charset, DefaultLimits())
			if err == nil && !strings.HasSuffix(c.body, "?>\n") && !strings.HasSuffix(c.body, "-->") {
				t.Errorf("%s cut at %d gives %s", c.name, n, showCall(call))
			}
		}
	}
}

// FuzzDecode holds that no input makes the decoder panic or exceed its limits,
// and that what it accepts survives being encoded and decoded again.
func FuzzDecode(f *testing.F) {
	for _, c := range accepted {
		f.Add([]byte(c.body), c.charset)
	}
	for _, c := range refused {
		f.Add([]byte(c.body), c.charset)
	}
	for _, d := range documents() {
		if body := d.encoded(f); len(body) < 1<<12 {
			f.Add(body, "")
		}
	}
	lim := Limits{MaxBytes: 1 << 16, MaxDepth: 8, MaxValues: 100}
	f.Fuzz(func(t *testing.T, body []byte, charset string) {
		_, _ = DecodeResponse(body, lim)
		call, err := DecodeCall(body, charset, lim)
		if err != nil {
			if e, ok := err.(*Error); !ok || len(e.Error()) > 2000 {
				t.Fatalf("refused with %T of %d bytes", err, len(err.Error()))
			}
			return
		}
		values, depth := measure(Array(call.Params...))
		if values > lim.MaxValues+1 || depth > lim.MaxDepth+1 {
			t.Fatalf("accepted %d values, %d deep", values, depth)
		}
		for _, v := range call.Params {
			checkRoundTrip(t, v)
		}
	})
}

// measure counts the values of a tree, and its levels.
func measure(v Value) (values, depth int) {
	if v.Kind() != KindArray && v.Kind() != KindStruct {
		return 1, 0
	}
	values = 1
	for i := range v.Len() {
		n, d := measure(v.Index(i))
		values, depth = values+n, max(depth, d)
	}
	return values, depth + 1
}

// checkRoundTrip encodes v and decodes it again. A carriage return is written as
// it is, like Python does, and so read back as a line feed; an int that cannot
// be sent is an error.
func checkRoundTrip(t *testing.T, v Value) {
	t.Helper()
	doc, err := AppendResponse(nil, v)
	if err != nil {
		return
	}
	if bytes.ContainsRune(doc, '\r') {
		return
	}
	back, err := DecodeResponse(doc, DefaultLimits())
	if err != nil {
		t.Fatalf("decode %s: %v", doc, err)
	}
	if !back.Equal(v) {
		t.Fatalf("%s became %s", show(v), show(back))
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
