package xmlrpc

import (
	"bytes"
	"strings"
	"testing"
)

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
