package xmlrpc

// kindDocument is a whole answer in place of its value. It is no kind of the
// protocol: nothing that is decoded has it, and it stands inside of no value.
const kindDocument = KindStruct + 1

// Document gives what stands for an answer that was received as a whole and is to
// be sent on to the last byte. Only a [Codec] can use it, and [AppendResponse]. An
// error of a service that has a method Document() []byte with such a document is
// answered with it, too, where it is not empty.
func Document(doc []byte) Value { return Value{kind: kindDocument, text: string(doc)} }

// IsDocument tells whether v is a [Document].
func (v Value) IsDocument() bool { return v.kind == kindDocument }
