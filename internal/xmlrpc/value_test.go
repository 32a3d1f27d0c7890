package xmlrpc

import (
	"math"
	"testing"
	"time"
)

// decodeOne reads one value element.
func decodeOne(t *testing.T, element string) Value {
	t.Helper()
	call, err := DecodeCall([]byte(in(element)), "", DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return call.Params[0]
}

func TestKindString(t *testing.T) {
	want := map[Kind]string{KindNil: "nil", KindInt: "int", KindBool: "boolean", KindDouble: "double", KindString: "string",
		KindDateTime: "dateTime.iso8601", KindBase64: "base64", KindArray: "array", KindStruct: "struct", 99: "kind(99)"}
	for kind, name := range want {
		if kind.String() != name {
			t.Errorf("kind %d is %q, want %q", uint8(kind), kind, name)
		}
	}
}

func TestZeroValueIsNil(t *testing.T) {
	var v Value
	if v.Kind() != KindNil || !v.IsNil() || v.Text() != "" || v.Len() != 0 || !v.Equal(Nil()) {
		t.Errorf("zero value is %s", show(v))
	}
}

func TestIsNil(t *testing.T) {
	for element, want := range map[string]bool{
		"<value><nil/></value>":                 true,
		"<value/>":                              true,
		"<value></value>":                       true,
		"":                                      true,
		"<value> </value>":                      false,
		"<value><string/></value>":              false,
		"<value><array><data/></array></value>": false,
		"<value><int>0</int></value>":           false,
	} {
		if got := decodeOne(t, element).IsNil(); got != want {
			t.Errorf("IsNil of %q is %v", element, got)
		}
	}
}

func TestAccessorsOfOtherKinds(t *testing.T) {
	for _, v := range []Value{Nil(), String("1"), Array(Int(1)), Struct(M("a", Int(1)))} {
		_, isInt := v.Int()
		_, isBool := v.Bool()
		_, isDouble := v.Double()
		_, isTime := v.Time()
		if isInt || isBool || isDouble || isTime {
			t.Errorf("%s passes for a number or a date", show(v))
		}
	}
	if _, ok := Int(1).Double(); ok {
		t.Error("an int passes for a double")
	}
	if _, ok := Array(Int(1)).Get("a"); ok {
		t.Error("an array has members")
	}
}

func TestIntRange(t *testing.T) {
	for _, c := range []struct {
		text string
		want int64
		ok   bool
	}{
		{"0", 0, true}, {"-0", 0, true}, {"007", 7, true}, {"+33", 33, true},
		{"999999999999999999", 999999999999999999, true}, {"-999999999999999999", -999999999999999999, true},
		{"9223372036854775807", math.MaxInt64, true}, {"-9223372036854775808", math.MinInt64, true},
		{"+00000000000000000000000012", 12, true},
		{"9223372036854775808", 0, false}, {"-9223372036854775809", 0, false},
	} {
		v := decodeOne(t, "<value><int>"+c.text+"</int></value>")
		if n, ok := v.Int(); n != c.want || ok != c.ok || v.Text() != c.text || v.Kind() != KindInt {
			t.Errorf("%s gives %d, %v and the text %q", c.text, n, ok, v.Text())
		}
	}
}

func TestTextOfBuiltValues(t *testing.T) {
	for _, c := range []struct {
		v    Value
		want string
	}{
		{Int(-7), "-7"}, {Bool(true), "1"}, {Bool(false), "0"}, {Double(1e16), "1e+16"}, {Double(2), "2.0"},
		{String("a"), "a"}, {Base64([]byte{0, 255}), "\x00\xff"},
		{DateTime(time.Date(2013, 4, 4, 3, 21, 39, 0, time.UTC)), "20130404T03:21:39"},
		{Nil(), ""}, {Array(Int(1)), ""}, {Struct(M("a", Int(1))), ""},
	} {
		if got := c.v.Text(); got != c.want {
			t.Errorf("%s has text %q, want %q", c.v.Kind(), got, c.want)
		}
	}
}

func TestTime(t *testing.T) {
	utc := func(nanos int) time.Time { return time.Date(2013, 4, 4, 3, 21, 39, nanos, time.UTC) }
	for text, want := range map[string]time.Time{
		"20130404T03:21:39":              utc(0),
		" 20130404T03:21:39\n":           utc(0),
		"20130404T032139":                utc(0),
		"2013-04-04T03:21:39":            utc(0),
		"2013-04-04 03:21:39":            utc(0),
		"2013-04-04T03:21:39Z":           utc(0),
		"2013-04-04t03:21:39z":           utc(0),
		"20130404T03:21:39+00:00":        utc(0),
		"2013-04-04T05:21:39+02:00":      utc(0),
		"2013-04-04T05:21:39+0200":       utc(0),
		"2013-04-04T05:21:39+02":         utc(0),
		"2013-04-03T21:51:39-05:30":      utc(0),
		"20130404T03:21:39.5":            utc(500_000_000),
		"20130404T03:21:39,123456789123": utc(123_456_789),
		"2013-04-04T05:21:39.25+02:00":   utc(250_000_000),
		"20120229T00:00:00":              time.Date(2012, 2, 29, 0, 0, 0, 0, time.UTC),
	} {
		v := decodeOne(t, "<value><dateTime.iso8601>"+text+"</dateTime.iso8601></value>")
		if got, ok := v.Time(); !ok || !got.Equal(want) {
			t.Errorf("%q gives %v, %v; want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "soon", "20130404", "2013-04-04", "20130404T", "20130404T03:21", "20130404X03:21:39", "20130229T00:00:00",
		"20131301T00:00:00", "20130400T00:00:00", "20130404T24:00:00", "20130404T00:60:00", "20130404T00:00:60", "00000101T00:00:00",
		"20130404T03:21:39.", "20130404T03:21:39x", "20130404T03:21:39+", "20130404T03:21:39+2", "20130404T03:21:39+24:00",
		"20130404T03:21:39+02:60", "20130404T03:21:39+02:00x", "2013-4-4T03:21:39", "+0130404T03:21:39", "２０１３0404T03:21:39"} {
		v := decodeOne(t, "<value><dateTime.iso8601>"+text+"</dateTime.iso8601></value>")
		if got, ok := v.Time(); ok || v.Text() != text {
			t.Errorf("%q passes for the date %v, with text %q", text, got, v.Text())
		}
	}
}

func TestTimeKeepsItsZone(t *testing.T) {
	v := decodeOne(t, "<value><dateTime.iso8601>2013-04-04T05:21:39+02:00</dateTime.iso8601></value>")
	got, _ := v.Time()
	if got.Format(time.RFC3339) != "2013-04-04T05:21:39+02:00" {
		t.Errorf("got %v", got)
	}
	if !v.Equal(DateTime(got)) {
		t.Errorf("a date built of it differs: %s", show(DateTime(got)))
	}
}

func TestDateTimeIsTheWallClock(t *testing.T) {
	summer := time.Date(2013, 7, 1, 12, 0, 0, 0, time.FixedZone("CEST", 2*3600))
	if got := DateTime(summer).Text(); got != "20130701T12:00:00" {
		t.Errorf("got %s", got)
	}
	if got := DateTime(summer.UTC()).Text(); got != "20130701T10:00:00" {
		t.Errorf("got %s", got)
	}
}

func TestGetTakesTheLast(t *testing.T) {
	v := Struct(M("a", Int(1)), M("b", Int(2)), M("a", Int(3)))
	if got, ok := v.Get("a"); !ok || !got.Equal(Int(3)) {
		t.Errorf("got %s", show(got))
	}
	if _, ok := v.Get("A"); ok {
		t.Error("names are compared without regard to case")
	}
	if v.Len() != 3 || v.Member(1).Name != "b" || !v.Index(1).Equal(Int(2)) {
		t.Errorf("order is lost: %s", show(v))
	}
}

func TestEqual(t *testing.T) {
	equal := [][2]Value{
		{decodeOne(t, "<value><int>007</int></value>"), Int(7)},
		{decodeOne(t, "<value>a</value>"), String("a")},
		{decodeOne(t, "<value/>"), String("")},
		{decodeOne(t, "<value><boolean>true</boolean></value>"), Bool(true)},
		{decodeOne(t, "<value><double>1.50</double></value>"), Double(1.5)},
		{Double(math.NaN()), Double(-math.NaN())},
		{decodeOne(t, "<value><dateTime.iso8601>2013-04-04T03:21:39Z</dateTime.iso8601></value>"), DateTime(time.Date(2013, 4, 4, 3, 21, 39, 0, time.UTC))},
		{Array(Struct(M("a", Nil()))), Array(Struct(M("a", Nil())))},
	}
	for _, c := range equal {
		if !c[0].Equal(c[1]) || !c[1].Equal(c[0]) {
			t.Errorf("%s and %s differ", show(c[0]), show(c[1]))
		}
	}
	different := [][2]Value{
		{Int(1), Int(2)}, {Int(1), Bool(true)}, {Int(1), String("1")}, {Nil(), String("")}, {Bool(true), Bool(false)},
		{Double(0), Double(math.Copysign(0, -1))}, {String("a"), String("b")}, {String("a"), Base64([]byte("a"))},
		{Array(), Struct()}, {Array(Int(1)), Array(Int(1), Int(1))}, {Array(Int(1)), Array(Int(2))},
		{Struct(M("a", Int(1)), M("b", Int(2))), Struct(M("b", Int(2)), M("a", Int(1)))},
		{decodeOne(t, "<value><int>99999999999999999999</int></value>"), Int(0)},
		{decodeOne(t, "<value><dateTime.iso8601>soon</dateTime.iso8601></value>"), decodeOne(t, "<value><dateTime.iso8601>late</dateTime.iso8601></value>")},
	}
	for _, c := range different {
		if c[0].Equal(c[1]) || c[1].Equal(c[0]) {
			t.Errorf("%s and %s are equal", show(c[0]), show(c[1]))
		}
	}
}

func TestBase64CopiesItsBytes(t *testing.T) {
	b := []byte("abc")
	v := Base64(b)
	b[0] = 'x'
	if v.Text() != "abc" {
		t.Errorf("value changed to %q", v.Text())
	}
}
