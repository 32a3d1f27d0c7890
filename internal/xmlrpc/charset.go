package xmlrpc

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// charsets maps the names in use, in lower case, to how bytes above 127 are to
// be read; nil stands for UTF-8. PHP's xmlrpc extension declares iso-8859-1
// unless told otherwise, RPC::XML declares us-ascii.
var charsets = map[string]*charmap.Charmap{
	"utf-8": nil, "utf8": nil,
	"us-ascii": ascii, "ascii": ascii,
	"iso-8859-1": charmap.ISO8859_1, "iso8859-1": charmap.ISO8859_1, "iso_8859-1": charmap.ISO8859_1,
	"latin1": charmap.ISO8859_1, "latin-1": charmap.ISO8859_1,
	"iso-8859-15": charmap.ISO8859_15, "iso8859-15": charmap.ISO8859_15, "iso_8859-15": charmap.ISO8859_15,
	"latin9": charmap.ISO8859_15, "latin-9": charmap.ISO8859_15,
	"windows-1252": charmap.Windows1252, "cp1252": charmap.Windows1252,
}

// ascii marks a charset without any byte above 127. It is compared by address
// and never decodes.
var ascii = new(charmap.Charmap)

// utf8BOM is the byte order mark that .NET and editors put before UTF-8.
const utf8BOM = "\xEF\xBB\xBF"

// prepare turns a body into the text of the document: UTF-8 with LF line ends
// and nothing that XML forbids. A byte order mark says UTF-8; without one the
// XML declaration names the encoding, then the charset of the Content-Type, and
// UTF-8 is the last resort. RFC 7303 would let the Content-Type win over the
// declaration, but the original read bodies with Python's parser, which never
// sees the header, so clients have grown up with the declaration deciding.
func prepare(body []byte, charset string, lim Limits) (string, *Error) {
	if int64(len(body)) > lim.MaxBytes {
		return "", tooLarge(lim)
	}
	if bytes.HasPrefix(body, []byte("\xFF\xFE")) || bytes.HasPrefix(body, []byte("\xFE\xFF")) {
		return "", unsupportedCharset("UTF-16")
	}
	if rest, ok := bytes.CutPrefix(body, []byte(utf8BOM)); ok {
		body, charset = rest, "utf-8"
	} else if declared := declaredEncoding(body); declared != "" {
		charset = declared
	}
	table, known := (*charmap.Charmap)(nil), true
	if charset != "" && charset != "utf-8" {
		table, known = charsets[strings.ToLower(charset)]
	}
	if !known {
		return "", unsupportedCharset(charset)
	}
	found := inspect(body)
	if found.control >= 0 {
		return "", badByte(body, found.control, "control character 0x%02X", body[found.control])
	}
	if found.above {
		var e *Error
		if body, e = transcode(body, table); e != nil {
			return "", e
		}
	}
	if found.cr {
		body = unixLineEnds(body)
	}
	return string(body), nil
}

// tooLarge is the refusal of a document over the limit.
func tooLarge(lim Limits) *Error {
	return invalidInput(ReasonLimit, "larger than %d bytes", lim.MaxBytes)
}

// unsupportedCharset is the refusal of an encoding by its name.
func unsupportedCharset(name string) *Error {
	return invalidInput(ReasonEncoding, "unknown encoding %s", pythonRepr(name))
}

// badByte is the refusal of one byte of the body.
func badByte(body []byte, at int, format string, args ...any) *Error {
	line := bytes.Count(body[:at], []byte("\n")) + 1
	args = append(args, line, at)
	return invalidInput(ReasonEncoding, format+" at line %d, byte %d", args...)
}

// declaredEncoding gives the encoding in the XML declaration, or "" when there is
// none. Blanks before the declaration are forgiven: PHP scripts produce them.
func declaredEncoding(body []byte) string {
	body = bytes.TrimLeft(body, " \t\r\n")
	if !bytes.HasPrefix(body, []byte("<?xml")) || len(body) == len("<?xml") || !blank(body[len("<?xml")]) {
		return ""
	}
	end := bytes.Index(body[:min(len(body), 256)], []byte("?>"))
	if end < 0 {
		return ""
	}
	_, after, ok := bytes.Cut(body[:end], []byte("encoding"))
	if !ok {
		return ""
	}
	after = bytes.TrimLeft(after, " \t\r\n=")
	if len(after) == 0 || after[0] != '"' && after[0] != '\'' {
		return ""
	}
	name, _, ok := bytes.Cut(after[1:], after[:1])
	if !ok {
		return ""
	}
	return string(name)
}

// inspection says which kinds of bytes a body has.
type inspection struct {
	control int  // where the first forbidden control character stands, or -1
	cr      bool // a carriage return is there
	above   bool // a byte above 127 is there
}

// inspect looks at every byte of a body once, eight at a time. The sums cannot
// carry from one byte to the next, as bytes above 127 are masked first.
func inspect(body []byte) inspection {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
		lows  = 0x7F * ones
	)
	found := inspection{control: -1}
	i := 0
	var above uint64
	for ; i+8 <= len(body); i += 8 {
		x := binary.LittleEndian.Uint64(body[i:])
		above |= x
		masked := x & lows
		below := ^(masked + 0x60*ones)              // high bit where the byte is under 0x20
		isLF := ^((masked ^ '\n'*ones) + 0x7F*ones) // high bit where it is a line feed
		if below&^isLF&^x&highs == 0 {
			continue
		}
		if at := found.slow(body[i : i+8]); at >= 0 {
			found.control = i + at
			return found
		}
	}
	if at := found.slow(body[i:]); at >= 0 {
		found.control = i + at
	}
	found.above = found.above || above&highs != 0
	return found
}

// slow is inspect for a few bytes, one by one. It gives the place of a forbidden
// control character, or -1.
func (f *inspection) slow(b []byte) int {
	for i, c := range b {
		switch {
		case c == '\r':
			f.cr = true
		case c < ' ' && c != '\n' && c != '\t':
			return i
		case c >= utf8.RuneSelf:
			f.above = true
		}
	}
	return -1
}

// transcode gives a body that has bytes above 127 in UTF-8.
func transcode(body []byte, table *charmap.Charmap) ([]byte, *Error) {
	switch table {
	case nil:
		return body, checkUTF8(body)
	case ascii:
		at := bytes.IndexFunc(body, func(r rune) bool { return r >= utf8.RuneSelf })
		return nil, badByte(body, at, "byte 0x%02X is not US-ASCII", body[at])
	}
	out := make([]byte, 0, len(body)+len(body)/8)
	for _, c := range body {
		if c < utf8.RuneSelf {
			out = append(out, c)
			continue
		}
		out = utf8.AppendRune(out, table.DecodeByte(c))
	}
	return out, nil
}

// checkUTF8 refuses what is not UTF-8, and the two code points that are no
// characters for XML.
func checkUTF8(body []byte) *Error {
	if !utf8.Valid(body) {
		at := 0
		for at < len(body) {
			r, n := utf8.DecodeRune(body[at:])
			if r == utf8.RuneError && n < 2 {
				break
			}
			at += n
		}
		return badByte(body, at, "byte 0x%02X is not valid UTF-8", body[at])
	}
	for _, illegal := range []string{"\uFFFE", "\uFFFF"} {
		if at := bytes.Index(body, []byte(illegal)); at >= 0 {
			return badByte(body, at, "character %U is not allowed", []rune(illegal)[0])
		}
	}
	return nil
}

// unixLineEnds gives a copy of a body with CRLF and lone CR as LF, as XML asks of
// a parser before anything else. A CR written as a reference stays.
func unixLineEnds(body []byte) []byte {
	out := make([]byte, 0, len(body))
	for i, c := range body {
		switch {
		case c != '\r':
			out = append(out, c)
		case i+1 == len(body) || body[i+1] != '\n':
			out = append(out, '\n')
		}
	}
	return out
}
