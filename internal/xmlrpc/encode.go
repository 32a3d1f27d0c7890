package xmlrpc

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// declaration opens every document, with the quotes Python writes and without
// an encoding, as recorded.
const declaration = "<?xml version='1.0'?>\n"

// AppendResponse appends an answer holding v. Its bytes are those of Python's
// xmlrpc.client.dumps((v,), methodresponse=True, allow_none=True), which all
// recorded answers of the original have. The error names an int outside 32 bits
// (Python refuses it as well, and clients with 32-bit ints would misread it) or
// a date outside the years 1 to 9999; dst is then given back as it was.
func AppendResponse(dst []byte, v Value) ([]byte, error) {
	return AppendAnswer(dst, func(dst []byte) ([]byte, error) { return AppendValue(dst, v) })
}

// AppendFault appends a fault answer, with the bytes of Python's
// dumps(Fault(code, text), methodresponse=True).
func AppendFault(dst []byte, code int, text string) []byte {
	dst = append(dst, declaration+"<methodResponse>\n<fault>\n<value><struct>\n"+
		"<member>\n<name>faultCode</name>\n<value><int>"...)
	dst = strconv.AppendInt(dst, int64(code), 10)
	dst = append(dst, "</int></value>\n</member>\n<member>\n<name>faultString</name>\n<value><string>"...)
	dst = appendText(dst, text)
	return append(dst, "</string></value>\n</member>\n</struct></value>\n</fault>\n</methodResponse>\n"...)
}

// AppendCall appends a request, with the bytes of Python's
// dumps(params, methodname, allow_none=True). Errors are those of
// [AppendResponse].
func AppendCall(dst []byte, method string, params ...Value) ([]byte, error) {
	start := len(dst)
	dst = append(dst, declaration+"<methodCall>\n<methodName>"...)
	dst = appendText(dst, method)
	dst = append(dst, "</methodName>\n<params>\n"...)
	for i, p := range params {
		dst = append(dst, "<param>\n"...)
		var err error
		if dst, err = AppendValue(dst, p); err != nil {
			return dst[:start], fmt.Errorf("encode parameter %d of %s: %w", i, method, err)
		}
		dst = append(dst, "</param>\n"...)
	}
	return append(dst, "</params>\n</methodCall>\n"...), nil
}

// What stands around the items of an array and the members of a struct, for who
// writes them one by one.
const (
	ArrayStart  = "<value><array><data>\n"
	ArrayEnd    = "</data></array></value>\n"
	StructStart = "<value><struct>\n"
	StructEnd   = "</struct></value>\n"
	MemberEnd   = "</member>\n"
)

// AppendMember appends what stands before the value of a member.
func AppendMember(dst []byte, name string) []byte {
	dst = append(dst, "<member>\n<name>"...)
	return append(appendText(dst, name), "</name>\n"...)
}

// AppendValue appends one <value>, as [AppendResponse] does. Only nil has no line
// end behind it.
func AppendValue(dst []byte, v Value) ([]byte, error) {
	switch v.kind {
	case KindNil:
		return append(dst, "<value><nil/></value>"...), nil
	case KindInt:
		if v.flags&flagBig != 0 || v.num < math.MinInt32 || v.num > math.MaxInt32 {
			return dst, fmt.Errorf("int %s does not fit 32 bits", bounded(v.Text()))
		}
		dst = append(dst, "<value><int>"...)
		dst = strconv.AppendInt(dst, v.num, 10)
		return append(dst, "</int></value>\n"...), nil
	case KindBool:
		if v.num != 0 {
			return append(dst, "<value><boolean>1</boolean></value>\n"...), nil
		}
		return append(dst, "<value><boolean>0</boolean></value>\n"...), nil
	case KindDouble:
		dst = append(dst, "<value><double>"...)
		dst = appendDouble(dst, math.Float64frombits(uint64(v.num)))
		return append(dst, "</double></value>\n"...), nil
	case KindString:
		dst = append(dst, "<value><string>"...)
		dst = appendText(dst, v.text)
		return append(dst, "</string></value>\n"...), nil
	case KindDateTime:
		return appendDate(dst, v)
	case KindBase64:
		return appendBase64(dst, v.text), nil
	case KindArray:
		return appendArray(dst, v.items)
	}
	return appendStruct(dst, v.items)
}

// appendArray appends an array, which is on two lines when empty.
func appendArray(dst []byte, items []Member) ([]byte, error) {
	dst = append(dst, ArrayStart...)
	for i := range items {
		var err error
		if dst, err = AppendValue(dst, items[i].Value); err != nil {
			return dst, fmt.Errorf("item %d: %w", i, err)
		}
	}
	return append(dst, ArrayEnd...), nil
}

// appendStruct appends a struct with its members in order.
func appendStruct(dst []byte, members []Member) ([]byte, error) {
	dst = append(dst, StructStart...)
	for i := range members {
		dst = AppendMember(dst, members[i].Name)
		var err error
		if dst, err = AppendValue(dst, members[i].Value); err != nil {
			return dst, fmt.Errorf("member %s: %w", bounded(members[i].Name), err)
		}
		dst = append(dst, MemberEnd...)
	}
	return append(dst, StructEnd...), nil
}

// The seconds of the first and the last wall clock that four digits can write.
const (
	firstWallClock = -62135596800 // 0001-01-01T00:00:00
	lastWallClock  = 253402300799 // 9999-12-31T23:59:59
)

// appendDate appends a date. A text that was received and is no date goes out as
// it came.
func appendDate(dst []byte, v Value) ([]byte, error) {
	if v.flags&flagNoTime == 0 && (v.num < firstWallClock || v.num > lastWallClock) {
		return dst, fmt.Errorf("date %d s from 1970 is outside the years 1 to 9999", v.num)
	}
	dst = append(dst, "<value><dateTime.iso8601>"...)
	if v.flags&flagNoTime != 0 {
		dst = appendText(dst, v.text)
	} else {
		dst = appendWallClock(dst, v.num)
	}
	return append(dst, "</dateTime.iso8601></value>\n"...), nil
}

// base64Line is how many bytes Python's encodebytes puts on one line of 76
// characters.
const base64Line = 57

// appendBase64 appends binary data in lines of 76 characters.
func appendBase64(dst []byte, data string) []byte {
	dst = append(dst, "<value><base64>\n"...)
	for data != "" {
		n := min(len(data), base64Line)
		dst = base64.StdEncoding.AppendEncode(dst, []byte(data[:n]))
		dst = append(dst, '\n')
		data = data[n:]
	}
	return append(dst, "</base64></value>\n"...)
}

// special marks the bytes that appendText cannot copy blindly: the three that are
// escaped, control characters, and everything above 127, which is checked.
var special = [256]bool{
	'&': true, '<': true, '>': true,
	0x00: true, 0x01: true, 0x02: true, 0x03: true, 0x04: true, 0x05: true, 0x06: true, 0x07: true, 0x08: true,
	0x0B: true, 0x0C: true, 0x0E: true, 0x0F: true, 0x10: true, 0x11: true, 0x12: true, 0x13: true, 0x14: true,
	0x15: true, 0x16: true, 0x17: true, 0x18: true, 0x19: true, 0x1A: true, 0x1B: true, 0x1C: true, 0x1D: true,
	0x1E: true, 0x1F: true,
}

// appendText appends character data. Like Python it escapes only &, < and >, and
// writes the rest as UTF-8, a carriage return included, which readers take for a
// line feed. What no XML reader accepts (other control characters, invalid UTF-8)
// becomes U+FFFD, so that one bad byte from a peer cannot spoil a whole answer;
// Python would write it.
func appendText(dst []byte, s string) []byte {
	copied := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf && !special[c] {
			i++
			continue
		}
		n, replacement := 1, "\uFFFD"
		switch {
		case c == '&':
			replacement = "&amp;"
		case c == '<':
			replacement = "&lt;"
		case c == '>':
			replacement = "&gt;"
		case c >= utf8.RuneSelf:
			var r rune
			r, n = utf8.DecodeRuneInString(s[i:])
			if n > 1 && legalRune(r) {
				i += n
				continue
			}
		}
		dst = append(dst, s[copied:i]...)
		dst = append(dst, replacement...)
		i += n
		copied = i
	}
	return append(dst, s[copied:]...)
}
