package xmlrpc

import (
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// decoder reads one document in a single pass. Values are put together on a
// stack; what a struct or an array holds is copied once, when it is complete,
// into a slab that the whole tree shares. Its methods that can fail return false
// with err set.
type decoder struct {
	doc    string // UTF-8, line ends as LF
	pos    int    // of the next byte of doc
	lim    Limits
	depth  int // of arrays and structs around pos
	values int // begun so far
	method string
	err    *Error

	stack []Member // members of the arrays and structs that are still open
	used  int      // the most stack entries in use at once, to be cleared afterwards
	slab  []Member // free space for finished arrays and structs
	buf   []byte   // text being put together from pieces
}

// decoders keeps stacks and buffers for reuse. A stack that one huge document
// has stretched is not kept.
var decoders = sync.Pool{New: func() any { return new(decoder) }}

const (
	keptStack = 4096    // entries of a stack worth keeping
	keptBytes = 1 << 18 // bytes of a buffer worth keeping
)

// acquire gives a decoder for a prepared document.
func acquire(doc string, lim Limits) *decoder {
	d := decoders.Get().(*decoder)
	d.doc, d.lim = doc, lim
	return d
}

// release drops every reference to the document and gives the decoder back.
func (d *decoder) release() {
	kept := decoder{}
	if cap(d.stack) <= keptStack {
		clear(d.stack[:d.used])
		kept.stack = d.stack[:0]
	}
	if cap(d.buf) <= keptBytes {
		kept.buf = d.buf[:0]
	}
	*d = kept
	decoders.Put(d)
}

// fail records what is wrong at the current position, unless something is
// recorded already, and returns false.
func (d *decoder) fail(reason Reason, what string) bool {
	if d.err == nil {
		before := d.doc[:min(d.pos, len(d.doc))]
		line := strings.Count(before, "\n") + 1
		column := len(before) - strings.LastIndexByte(before, '\n')
		d.err = invalidInput(reason, "%s at line %d, column %d", what, line, column)
	}
	return false
}

// malformed is fail for a document that breaks the grammar.
func (d *decoder) malformed(what string) bool { return d.fail(ReasonMalformed, what) }

// wrong is malformed for a tag that has been read already.
func (d *decoder) wrong(t tag, what string) bool {
	d.pos = t.at
	return d.malformed(what)
}

// misplaced is wrong for a tag that has no business inside outer.
func (d *decoder) misplaced(t, outer tag) bool {
	return d.wrong(t, "unexpected "+t.String()+" inside "+outer.String())
}

// tag is one element tag. Attributes have no meaning in XML-RPC and are skipped.
type tag struct {
	name  string // as written, prefix included
	close bool   // </name>
	empty bool   // <name/>
	at    int    // where it begins
}

// local gives the name without a namespace prefix: Apache's library writes
// ex:nil, and other libraries use other prefixes for the same namespace.
func (t tag) local() string { return t.name[strings.LastIndexByte(t.name, ':')+1:] }

// String gives the tag as a message shows it.
func (t tag) String() string {
	switch {
	case t.close:
		return "</" + bounded(t.name) + ">"
	case t.empty:
		return "<" + bounded(t.name) + "/>"
	}
	return "<" + bounded(t.name) + ">"
}

// blank tells the four characters that XML calls white space.
func blank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// blanks skips white space.
func (d *decoder) blanks() {
	for d.pos < len(d.doc) && blank(d.doc[d.pos]) {
		d.pos++
	}
}

// take skips white space and then exactly lit, when that is what follows. It is
// the fast path for tags in their usual spelling; next reads the others.
func (d *decoder) take(lit string) bool {
	d.blanks()
	if strings.HasPrefix(d.doc[d.pos:], lit) {
		d.pos += len(lit)
		return true
	}
	return false
}

// misc skips white space, comments and processing instructions, which may stand
// between any two tags.
func (d *decoder) misc() bool {
	for {
		d.blanks()
		before := d.pos
		if !d.markup() {
			return false
		}
		if d.pos == before {
			return true
		}
	}
}

// markup skips one comment or processing instruction, if one begins here, and
// refuses a DOCTYPE, which could define entities without end.
func (d *decoder) markup() bool {
	rest := d.doc[d.pos:]
	switch {
	case len(rest) < 2 || rest[0] != '<' || rest[1] != '!' && rest[1] != '?':
		return true
	case strings.HasPrefix(rest, "<!--"):
		return d.skip("<!--", "-->", "comment")
	case rest[1] == '?':
		return d.skip("<?", "?>", "processing instruction")
	case strings.HasPrefix(rest, "<!DOCTYPE"):
		return d.malformed("DOCTYPE is not accepted")
	case strings.HasPrefix(rest, "<![CDATA["):
		return true // text has its own way with it
	}
	return d.malformed("malformed markup")
}

// skip moves past a construct that starts here with open and ends with close.
func (d *decoder) skip(open, close, what string) bool {
	n := strings.Index(d.doc[d.pos+len(open):], close)
	if n < 0 {
		return d.malformed("unterminated " + what)
	}
	d.pos += len(open) + n + len(close)
	return true
}

// next reads the next tag. Text before it, other than white space, is an error.
func (d *decoder) next() (tag, bool) {
	if !d.misc() {
		return tag{}, false
	}
	if d.pos >= len(d.doc) {
		return tag{}, d.malformed("unexpected end of the document")
	}
	if d.doc[d.pos] != '<' {
		return tag{}, d.malformed("unexpected text between elements")
	}
	return d.tag()
}

// tag reads the tag that begins at pos.
func (d *decoder) tag() (tag, bool) {
	rest := d.doc[d.pos:]
	t, i := tag{at: d.pos}, 1
	if i < len(rest) && rest[i] == '/' {
		t.close, i = true, 2
	}
	start := i
	for i < len(rest) && !blank(rest[i]) && rest[i] != '/' && rest[i] != '>' && rest[i] != '<' {
		i++
	}
	t.name = rest[start:i]
	if t.name == "" || t.name[0] == '!' || t.name[0] == '?' {
		return t, d.malformed("malformed tag")
	}
	var quote byte // the mark that ends the attribute value at hand
	for ; i < len(rest); i++ {
		switch c := rest[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '<':
			return t, d.malformed("malformed tag " + t.String())
		case c == '>':
			t.empty = rest[i-1] == '/' && !t.close
			d.pos += i + 1
			return t, true
		}
	}
	return t, d.malformed("unterminated tag " + t.String())
}

// end reads the end tag of an element that began with t; there may be nothing
// but white space and comments before it.
func (d *decoder) end(t tag) bool {
	if t.empty {
		return true
	}
	e, ok := d.next()
	if !ok {
		return false
	}
	if !e.close || e.name != t.name {
		return d.misplaced(e, t)
	}
	return true
}

// plain reads a whole element in its usual form: open, text without markup or
// references, close. It moves only when all of that is there.
func (d *decoder) plain(open, close string) (text string, ok bool) {
	rest := d.doc[d.pos:]
	if !strings.HasPrefix(rest, open) {
		return "", false
	}
	rest = rest[len(open):]
	n := strings.IndexByte(rest, '<')
	if n < 0 || !strings.HasPrefix(rest[n:], close) || strings.IndexByte(rest[:n], '&') >= 0 {
		return "", false
	}
	d.pos += len(open) + n + len(close)
	return rest[:n], true
}

// text reads character data up to the next element tag, with its references
// replaced, CDATA sections joined, comments and processing instructions left
// out. npm xmlrpc splits a string over two sections to write "]]>".
func (d *decoder) text() (string, bool) {
	d.buf = d.buf[:0]
	for {
		rest := d.doc[d.pos:]
		n := strings.IndexByte(rest, '<')
		if n < 0 {
			return "", d.malformed("unexpected end of the document")
		}
		piece, rest := rest[:n], rest[n:]
		atTag := len(rest) < 2 || rest[1] != '!' && rest[1] != '?'
		if atTag && len(d.buf) == 0 && strings.IndexByte(piece, '&') < 0 {
			d.pos += n
			return piece, true
		}
		if !d.unescape(piece) {
			return "", false
		}
		if atTag {
			return string(d.buf), true
		}
		if strings.HasPrefix(rest, "<![CDATA[") {
			start := d.pos + len("<![CDATA[")
			if !d.skip("<![CDATA[", "]]>", "CDATA section") {
				return "", false
			}
			d.buf = append(d.buf, d.doc[start:d.pos-len("]]>")]...)
			continue
		}
		if !d.markup() {
			return "", false
		}
	}
}

// unescape appends the text that begins at pos to buf, references replaced, and
// moves past it.
func (d *decoder) unescape(s string) bool {
	for {
		n := strings.IndexByte(s, '&')
		if n < 0 {
			d.buf = append(d.buf, s...)
			d.pos += len(s)
			return true
		}
		d.buf = append(d.buf, s[:n]...)
		d.pos += n
		// The longest reference in use is "&#x0010FFFF;"; looking no further than
		// maxReference keeps a text of many ampersands linear.
		s = s[n:]
		end := strings.IndexByte(s[:min(len(s), maxReference)], ';')
		if end < 0 {
			return d.malformed("unterminated reference " + pythonRepr(s[:min(len(s), 10)]))
		}
		r, ok := reference(s[1:end])
		if !ok {
			return d.malformed("undefined reference " + pythonRepr(s[:end+1]))
		}
		d.buf = utf8.AppendRune(d.buf, r)
		s = s[end+1:]
		d.pos += end + 1
	}
}

// maxReference is the longest reference accepted, leading zeros included.
const maxReference = 32

// reference gives the character of a reference without its "&" and ";". Only the
// five entities of XML and characters that XML allows are known; without a
// DOCTYPE there are no others.
func reference(name string) (rune, bool) {
	switch name {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	digits, isNumber := strings.CutPrefix(name, "#")
	base := 10
	if hex, isHex := strings.CutPrefix(digits, "x"); isHex {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if !isNumber || err != nil || strings.ContainsAny(digits, "+-_") {
		return 0, false
	}
	return rune(n), n <= utf8.MaxRune && legalRune(rune(n))
}

// legalRune tells the characters that an XML 1.0 document may contain.
func legalRune(r rune) bool {
	switch {
	case r < ' ':
		return r == '\t' || r == '\n' || r == '\r'
	case r >= 0xD800 && r < 0xE000, r == 0xFFFE, r == 0xFFFF:
		return false
	}
	return r <= utf8.MaxRune
}
