package xmlrpc

import "strconv"

// Call is a decoded request.
type Call struct {
	Method string // as received, without blanks around it
	Params []Value
	// Size is how many bytes the document had, after decompression, of a call that
	// a [Codec] has read. Params share that many, however little of it they are.
	Size int
}

// DecodeCall reads a <methodCall>. The body may be reused afterwards. charset is
// the one of the Content-Type, or "" when there is none; see prepare for which
// declaration wins. The error is an [*Error].
func DecodeCall(body []byte, charset string, lim Limits) (Call, error) {
	lim = lim.orDefault()
	doc, e := prepare(body, charset, lim)
	if e != nil {
		return Call{}, e
	}
	d := acquire(doc, lim)
	defer d.release()
	if !d.call() {
		d.err.Method = bounded(d.method)
		return Call{}, d.err
	}
	call := Call{Method: d.method}
	if len(d.stack) > 0 {
		call.Params = make([]Value, len(d.stack))
		for i := range d.stack {
			call.Params[i] = d.stack[i].Value
		}
	}
	return call, nil
}

// DecodeResponse reads a <methodResponse> and gives its one value. The error is
// a [*Fault] when the answer is a fault, else an [*Error].
func DecodeResponse(body []byte, lim Limits) (Value, error) {
	lim = lim.orDefault()
	doc, e := prepare(body, "", lim)
	if e != nil {
		return Value{}, e
	}
	d := acquire(doc, lim)
	defer d.release()
	isFault, ok := d.response()
	if !ok {
		return Value{}, d.err
	}
	v := d.stack[0].Value
	if !isFault {
		return v, nil
	}
	f, ok := asFault(v)
	if !ok {
		return Value{}, invalidInput(ReasonMalformed, "a <fault> needs a struct with faultCode and faultString")
	}
	return Value{}, f
}

// asFault reads the struct inside a <fault>. Some servers send the code as a
// string; it is then left to be zero, with the text as it came.
func asFault(v Value) (*Fault, bool) {
	code, hasCode := v.Get("faultCode")
	text, hasText := v.Get("faultString")
	n, _ := code.Int()
	return &Fault{Code: int(n), Text: text.Text()}, hasCode && hasText
}

// root reads the start tag of the document's one element, which must have name.
func (d *decoder) root(name string) (tag, bool) {
	t, ok := d.next()
	if !ok {
		return t, false
	}
	if t.close || t.local() != name {
		return t, d.wrong(t, "expected <"+name+">, found "+t.String())
	}
	return t, true
}

// rest makes sure that nothing follows the document's one element.
func (d *decoder) rest() bool {
	if !d.misc() {
		return false
	}
	if d.pos < len(d.doc) {
		return d.malformed("trailing data after the document")
	}
	return true
}

// call reads a whole <methodCall> and leaves the parameters on the stack. The
// <params> around them may be missing, as lego leaves them out.
func (d *decoder) call() bool {
	root, ok := d.root("methodCall")
	if !ok {
		return false
	}
	for !root.empty {
		t, ok := d.next()
		if !ok {
			return false
		}
		if t.close {
			if t.name != root.name {
				return d.misplaced(t, root)
			}
			break
		}
		switch t.local() {
		case "methodName":
			ok = d.methodName(t)
		case "params":
			ok = d.params(t)
		case "param":
			ok = d.param(t)
		default:
			ok = d.misplaced(t, root)
		}
		if !ok {
			return false
		}
	}
	if d.method == "" {
		return d.malformed("missing method name")
	}
	return d.rest()
}

// methodName reads the text of a <methodName>, which must be the only one.
func (d *decoder) methodName(t tag) bool {
	if d.method != "" {
		return d.wrong(t, "more than one method name")
	}
	text, ok := d.scalarText(t)
	d.method = trimBlanks(text)
	return ok
}

// params reads what stands inside <params>.
func (d *decoder) params(t tag) bool {
	for !t.empty {
		p, ok := d.next()
		if !ok {
			return false
		}
		if p.close {
			if p.name != t.name {
				return d.misplaced(p, t)
			}
			break
		}
		if p.local() != "param" {
			return d.misplaced(p, t)
		}
		if !d.param(p) {
			return false
		}
	}
	return true
}

// param reads what follows a <param> tag, its end tag included. It is nil when it
// holds nothing: kolo/xmlrpc sends a nil parameter so.
func (d *decoder) param(t tag) bool {
	at := d.push(Member{})
	if t.empty {
		return d.countValue()
	}
	if d.take("<value>") {
		return d.value(at) && (d.take("</param>") || d.end(t))
	}
	inner, ok := d.next()
	if !ok {
		return false
	}
	if inner.close && inner.name == t.name {
		return d.countValue()
	}
	return d.anyValue(inner, at, t) && d.end(t)
}

// response reads a whole <methodResponse>, and leaves its value on the stack.
func (d *decoder) response() (isFault, ok bool) {
	root, ok := d.root("methodResponse")
	if !ok {
		return false, false
	}
	if root.empty {
		return false, d.malformed("an answer needs one value, found 0")
	}
	t, ok := d.next()
	if !ok {
		return false, false
	}
	switch local := t.local(); {
	case t.close:
		return false, d.malformed("an answer needs one value, found 0")
	case local == "params":
		ok = d.params(t)
	case local == "fault":
		isFault, ok = true, d.param(t)
	default:
		ok = d.misplaced(t, root)
	}
	if !ok || !d.end(root) {
		return false, false
	}
	if len(d.stack) != 1 {
		return false, d.malformed("an answer needs one value, found " + strconv.Itoa(len(d.stack)))
	}
	return isFault, d.rest()
}
