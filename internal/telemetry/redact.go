package telemetry

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"

	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// masked stands in the log for every hidden value, an empty one too: whether a
// password was given is nobody's business either.
const masked = "[redacted]"

// hiddenAnywhere are names that hide a field wherever they occur in its name,
// as in new_password_hash.
var hiddenAnywhere = []string{
	"apikey", "password", "passwd", "passphrase", "secret", "authinfo", "authcode",
	"authorization", "token", "credential", "cookie", "securityquestion", "birth",
}

// hiddenAtEnd hide a field only as the last word or two of its name: owner_email
// is an address, email_slots is a number of things.
var hiddenAtEnd = map[string]bool{
	"auth": true, "bearer": true, "pass": true, "pat": true, "pwd": true,
	"given": true, "family": true, "firstname": true, "lastname": true,
	"surname": true, "fullname": true, "orgname": true,
	"email": true, "phone": true, "mobile": true, "fax": true,
	"streetaddr": true, "city": true, "zip": true, "zipcode": true, "postcode": true,
	"siren": true, "vatnumber": true, "tvanumber": true,
}

// verdicts keeps what secret said of the first few hundred names: a log line has
// the same ones each time.
var verdicts lookup[string, bool]

const mostVerdicts = 500

// secret reports whether a field of this name holds a credential or personal
// data of a contact, see judge.
func secret(name string) bool {
	known := verdicts.all()
	verdict, ok := known[name]
	switch {
	case ok:
		return verdict
	case len(known) >= mostVerdicts:
		return judge(name)
	}
	return verdicts.get(strings.Clone(name), func() bool { return judge(name) })
}

// Hides reports whether the log hides a field of this name.
func Hides(name string) bool { return secret(name) }

// judge reports whether a field of this name holds a credential or personal
// data of a contact. Case, separators, a plural s and trailing digits make no
// difference (APIKey, x-api-key, emails, streetaddr2). Everything that ends in
// "key" counts, fused or not, a mere count of keys as well: hiding too much is
// the cheaper mistake. A key_id or key_fingerprint does not count, and neither
// does a contact's handle, which the operator needs.
func judge(name string) bool {
	// zap makes these of an error field, or of a value that cannot be encoded.
	for _, suffix := range [...]string{"Verbose", "Causes", "Error"} {
		name = strings.TrimSuffix(name, suffix)
	}
	name = strings.TrimRight(name, "0123456789_-.")

	var space [64]byte
	flat := space[:0] // the letters and digits, in lower case
	prev, last := 0, 0
	separated := false
	for i := range len(name) {
		c := name[i]
		if !isLower(c) && !isUpper(c) && !isDigit(c) {
			separated = true
			continue
		}
		if (separated || startsWord(name, i)) && len(flat) > last {
			prev, last = last, len(flat) // a new word begins here
		}
		separated = false
		if isUpper(c) {
			c += 'a' - 'A'
		}
		flat = append(flat, c)
	}
	one := bytes.TrimSuffix(flat, []byte("s")) // keys, emails; but pass
	if bytes.HasSuffix(one, []byte("key")) {
		return true
	}
	for _, from := range [...]int{last, prev} {
		if hiddenAtEnd[string(flat[from:])] || from < len(one) && hiddenAtEnd[string(one[from:])] {
			return true
		}
	}
	for _, word := range hiddenAnywhere {
		if bytes.Contains(flat, []byte(word)) {
			return true
		}
	}
	return false
}

// startsWord reports whether the letter at i begins a word of camelCase, the K
// of apiKey and of APIKey.
func startsWord(name string, i int) bool {
	if i == 0 || !isUpper(name[i]) {
		return false
	}
	before := name[i-1]
	return isLower(before) || isDigit(before) || isUpper(before) && i+1 < len(name) && isLower(name[i+1])
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// redactingEncoder is zap's JSON encoder with every field sent through a
// redactor: those of Logger.With, which zap adds to the encoder itself, and
// those of one entry, which it hands to EncodeEntry.
type redactingEncoder struct {
	redactor
	inner zapcore.Encoder
}

func newRedactingEncoder(cfg zapcore.EncoderConfig) zapcore.Encoder {
	inner := zapcore.NewJSONEncoder(cfg)
	return &redactingEncoder{redactor{ObjectEncoder: inner}, inner}
}

// Clone implements zapcore.Encoder. A hidden namespace stays hidden in the copy.
func (e *redactingEncoder) Clone() zapcore.Encoder {
	inner := e.inner.Clone()
	return &redactingEncoder{redactor{ObjectEncoder: inner, all: e.all}, inner}
}

// EncodeEntry implements zapcore.Encoder. The inner encoder would add the fields
// to itself; as one inlined object they come back through MarshalLogObject.
func (e *redactingEncoder) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	if len(fields) == 0 {
		return e.inner.EncodeEntry(entry, nil)
	}
	all := zapcore.Field{Type: zapcore.InlineMarshalerType, Interface: entryFields{fields, e.all}}
	return e.inner.EncodeEntry(entry, []zapcore.Field{all})
}

// entryFields are the fields of one entry, to be inlined.
type entryFields struct {
	fields []zapcore.Field
	all    bool
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (f entryFields) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	r := &redactor{ObjectEncoder: enc, all: f.all}
	for _, field := range f.fields {
		field.AddTo(r)
	}
	return nil
}

// redactor stands before the encoder of one object, replaces the hidden members
// and puts itself before the encoders of the objects inside. It has every method
// of the interface: one that was left to the embedded encoder would be a hole.
type redactor struct {
	zapcore.ObjectEncoder
	all bool // below a namespace that is hidden itself
}

// hide writes the mask in place of a hidden member's value.
func (r *redactor) hide(key string) bool {
	if !r.all && !secret(key) {
		return false
	}
	r.ObjectEncoder.AddString(key, masked)
	return true
}

// OpenNamespace implements zapcore.ObjectEncoder. A namespace cannot be replaced
// by a mask, so all members that follow are.
func (r *redactor) OpenNamespace(key string) {
	r.ObjectEncoder.OpenNamespace(key)
	r.all = r.all || secret(key)
}

// AddArray implements zapcore.ObjectEncoder and follows objects in the array.
func (r *redactor) AddArray(key string, v zapcore.ArrayMarshaler) error {
	if r.hide(key) {
		return nil
	}
	return r.ObjectEncoder.AddArray(key, redactedArray{v})
}

// AddObject implements zapcore.ObjectEncoder and follows the object.
func (r *redactor) AddObject(key string, v zapcore.ObjectMarshaler) error {
	if r.hide(key) {
		return nil
	}
	return r.ObjectEncoder.AddObject(key, redactedObject{v})
}

// AddReflected implements zapcore.ObjectEncoder. What lies inside the value is
// the business of redactingJSON.
func (r *redactor) AddReflected(key string, v any) error {
	if r.hide(key) {
		return nil
	}
	return r.ObjectEncoder.AddReflected(key, v)
}

// redactedObject is an object whose members are redacted as they are written.
type redactedObject struct{ zapcore.ObjectMarshaler }

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (o redactedObject) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	return o.ObjectMarshaler.MarshalLogObject(&redactor{ObjectEncoder: enc})
}

// redactedArray is an array whose objects are redacted as they are written.
type redactedArray struct{ zapcore.ArrayMarshaler }

// MarshalLogArray implements zapcore.ArrayMarshaler.
func (a redactedArray) MarshalLogArray(enc zapcore.ArrayEncoder) error {
	return a.ArrayMarshaler.MarshalLogArray(redactingArray{enc})
}

// redactingArray stands before the encoder of one array. Its elements have no
// names; only arrays and objects among them need a look.
type redactingArray struct{ zapcore.ArrayEncoder }

// AppendArray implements zapcore.ArrayEncoder.
func (a redactingArray) AppendArray(v zapcore.ArrayMarshaler) error {
	return a.ArrayEncoder.AppendArray(redactedArray{v})
}

// AppendObject implements zapcore.ArrayEncoder.
func (a redactingArray) AppendObject(v zapcore.ObjectMarshaler) error {
	return a.ArrayEncoder.AppendObject(redactedObject{v})
}

// redactingJSON encodes values that zap knows only by reflection: structs, maps,
// http.Header. It encodes twice, since only the first encoding knows the names
// that tags and MarshalJSON give; members come out in the order of their names.
type redactingJSON struct{ w io.Writer }

func newRedactingJSON(w io.Writer) zapcore.ReflectedEncoder { return redactingJSON{w} }

// Encode implements zapcore.ReflectedEncoder.
func (e redactingJSON) Encode(v any) error {
	var first bytes.Buffer
	if err := newJSONEncoder(&first).Encode(v); err != nil {
		return err
	}
	var tree any
	dec := json.NewDecoder(&first)
	dec.UseNumber() // a float64 would round ids
	if err := dec.Decode(&tree); err != nil {
		return err
	}
	redactTree(tree)
	return newJSONEncoder(e.w).Encode(tree)
}

func newJSONEncoder(w io.Writer) *json.Encoder {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // this is a log, not a page
	return enc
}

// redactTree masks the hidden members of all objects in a decoded value.
func redactTree(v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if secret(name) {
				v[name] = masked
				continue
			}
			redactTree(member)
		}
	case []any:
		for _, element := range v {
			redactTree(element)
		}
	}
}
