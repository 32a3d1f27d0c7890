package xmlrpc

import "fmt"

// Answer is what a call is answered with: a [Value], a [Document], or what writes
// its value itself, with [AppendAnswer].
type Answer interface {
	// AppendTo appends the <methodResponse>. After an error, which is that of
	// [AppendResponse], dst is given back as it was.
	AppendTo(dst []byte) ([]byte, error)
}

// AppendTo is [AppendResponse].
func (v Value) AppendTo(dst []byte) ([]byte, error) { return AppendResponse(dst, v) }

// Document is an answer that was received as a whole and is to be sent on to the
// last byte. An error of a service that has a method Document() []byte is
// answered with such a document, too, where it is not empty.
type Document []byte

// AppendTo appends the document as it is.
func (d Document) AppendTo(dst []byte) ([]byte, error) { return append(dst, d...), nil }

// AppendAnswer appends a <methodResponse> around the <value> that write appends,
// such as with [AppendValue]. After an error dst is given back as it was.
func AppendAnswer(dst []byte, write func([]byte) ([]byte, error)) ([]byte, error) {
	start := len(dst)
	dst, err := write(append(dst, declaration+"<methodResponse>\n<params>\n<param>\n"...))
	if err != nil {
		return dst[:start], fmt.Errorf("encode answer: %w", err)
	}
	return append(dst, "</param>\n</params>\n</methodResponse>\n"...), nil
}

// Tree gives the value that an answer has, however large it is. The error is that
// of AppendTo or of [DecodeResponse].
func Tree(a Answer) (Value, error) {
	if v, ok := a.(Value); ok {
		return v, nil
	}
	doc, err := a.AppendTo(nil)
	if err != nil {
		return Value{}, err
	}
	return DecodeResponse(doc, Limits{MaxBytes: int64(len(doc)), MaxValues: len(doc)})
}
