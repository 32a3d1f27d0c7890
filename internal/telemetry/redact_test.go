package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func TestSecretNames(t *testing.T) {
	hidden := strings.Fields(`apikey api_key apiKey APIKey X-Api-Key v3key key keys private_key password
		new_password password_hash passwordVerbose passwordCauses passwordError passwd secret client_secret
		authinfo auth_info authcode token tokens access_token V5Token authorization Authorization
		proxy-authorization set-cookie credential credentials pass pwd bearer auth
		email emails email2 emailVerbose owner_email contact.email ownerEmail phone phones contact_phone mobile fax
		streetaddr streetaddr2 street_addr streetAddr given family first_name lastName orgname org_name
		city owner_city OwnerZIP zip vat_number siren birth_date birth_city
		security_question_answer security_question_num`)
	for _, name := range hidden {
		if !secret(name) {
			t.Errorf("%q is written to the log", name)
		}
	}
	shown := strings.Fields(`method outcome fault_code duration request_id tenant handle operation_id type step domain
		fqdn route status key_id key_fingerprint email_slots phone_verified capacity velocity gzip path pattern
		remote_address state country error msg sharing_id parameter monkeys_paw s _ -`)
	for _, name := range append(shown, "", "é", "12") {
		if secret(name) {
			t.Errorf("%q is hidden", name)
		}
	}
}

func TestSecretDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { secret("owner_email"); secret("fault_code") }); n != 0 {
		t.Errorf("secret allocates %v times", n)
	}
}

// TestRedactorCoversEveryMethod calls each method of the interface with a hidden
// name, so that a method added by a later zap cannot slip past the redactor.
func TestRedactorCoversEveryMethod(t *testing.T) {
	iface := reflect.TypeFor[zapcore.ObjectEncoder]()
	for i := range iface.NumMethod() {
		method := iface.Method(i)
		if method.Name == "OpenNamespace" {
			continue
		}
		t.Run(method.Name, func(t *testing.T) {
			inner := zapcore.NewMapObjectEncoder()
			r := &redactor{ObjectEncoder: inner}
			zero := reflect.Zero(method.Type.In(1))
			reflect.ValueOf(r).MethodByName(method.Name).Call([]reflect.Value{reflect.ValueOf("password"), zero})
			if diff := cmp.Diff(map[string]any{"password": masked}, inner.Fields); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRedactorPassesEveryMethod is the other half: a name that is not hidden
// arrives under the type that was given.
func TestRedactorPassesEveryMethod(t *testing.T) {
	now := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	fields := []zapcore.Field{
		zap.Binary("binary", []byte{1}), zap.ByteString("bytes", []byte("b")), zap.Bool("bool", true),
		zap.Complex128("c128", 1), zap.Complex64("c64", 1), zap.Duration("duration", time.Second),
		zap.Float64("f64", 1.5), zap.Float32("f32", 1.5), zap.Int64("i64", 1), zap.Int32("i32", 1), zap.Int16("i16", 1),
		zap.Int8("i8", 1), zap.String("string", "s"), zap.Time("t", now), zap.Uint64("u64", 1), zap.Uint32("u32", 1),
		zap.Uint16("u16", 1), zap.Uint8("u8", 1), zap.Uintptr("uptr", 1), zap.Reflect("reflect", map[string]any{"a": 1}),
		zap.Error(errors.New("e")), zap.Stringer("stringer", time.Second), zap.Strings("strings", []string{"a"}),
		zap.Dict("dict", zap.Int("n", 1)), zap.Inline(zap.DictObject(zap.Int("inlined", 1))),
		zap.Namespace("ns"), zap.Int("below", 1),
	}
	plain, viaRedactor := zapcore.NewMapObjectEncoder(), zapcore.NewMapObjectEncoder()
	r := &redactor{ObjectEncoder: viaRedactor}
	for _, f := range fields {
		f.AddTo(plain)
		f.AddTo(r)
	}
	plain.AddInt("int", 1)
	r.AddInt("int", 1)
	plain.AddUint("uint", 1)
	r.AddUint("uint", 1)
	if diff := cmp.Diff(plain.Fields, viaRedactor.Fields); diff != "" {
		t.Error(diff)
	}
}

// leak is the value that no line may contain, in any type that can carry it.
const leak = "s3cr3t"

type contact struct {
	Handle string            `json:"handle"`
	Email  string            `json:"email"`
	APIKey string            // no tag
	Extra  map[string]any    `json:"extra"`
	Labels map[string]string `json:"labels"`
}

type namedError struct{}

func (namedError) Error() string { return leak }

// Format makes zap add a second field, <key>Verbose.
func (namedError) Format(s fmt.State, _ rune) { fmt.Fprint(s, leak, " at length") }

func TestNothingSecretIsWritten(t *testing.T) {
	header := http.Header{"Authorization": {"Bearer " + leak}, "X-Api-Key": {leak}, "Accept": {"shown"}}
	owner := contact{
		Handle: "shown", Email: leak, APIKey: leak,
		Extra: map[string]any{"birth_date": leak, "list": []any{map[string]any{"phone": leak, "type": "shown"}}},
	}
	object := zap.DictObject(zap.String("authinfo", leak), zap.String("handle", "shown"))
	for name, field := range map[string]zapcore.Field{
		"string":            zap.String("apikey", leak),
		"byte string":       zap.ByteString("password", []byte(leak)),
		"strings":           zap.Strings("emails", []string{leak}),
		"stringer":          zap.Stringer("token", bytes.NewBufferString(leak)),
		"error":             zap.NamedError("secret", namedError{}),
		"multierror":        zap.NamedError("secret", errors.Join(namedError{}, namedError{})),
		"dict":              zap.Dict("password", zap.String("value", leak)),
		"any":               zap.Any("owner_email", map[string]string{"value": leak}),
		"in dict":           zap.Dict("params", zap.String("authinfo", leak), zap.String("handle", "shown")),
		"in objects":        zap.Objects("contacts", []zapcore.ObjectMarshaler{object, object}),
		"in object in dict": zap.Dict("outer", zap.Object("inner", object)),
		"inlined":           zap.Inline(object),
		"in nested arrays":  zap.Array("rows", nested{object}),
		"in struct":         zap.Any("owner", owner),
		"in pointers":       zap.Any("owners", []*contact{&owner}),
		"in map":            zap.Any("params", map[string]any{"given": leak, "handle": "shown"}),
		"in header":         zap.Any("header", header),
		"in raw json":       zap.Any("raw", json.RawMessage(`{"password":"`+leak+`","x":"shown"}`)),
		"array of any":      zap.Array("list", reflected{owner}),
	} {
		t.Run(name, func(t *testing.T) {
			for how, write := range map[string]func(*zap.Logger){
				"entry": func(l *zap.Logger) { l.Info("m", field) },
				"with":  func(l *zap.Logger) { l.With(field).Info("m") },
				"lazy":  func(l *zap.Logger) { l.WithLazy(field).Info("m") },
				"sugar": func(l *zap.Logger) { l.Sugar().Infow("m", field) },
			} {
				out := logged(t, write)
				if strings.Contains(out, leak) || !strings.Contains(out, masked) {
					t.Errorf("%s: %s", how, out)
				}
				if strings.Contains(name, "in ") && !strings.Contains(out, "shown") {
					t.Errorf("%s hides too much: %s", how, out)
				}
			}
		})
	}
}

func TestSecretNamespaceHidesAllBelow(t *testing.T) {
	for how, write := range map[string]func(*zap.Logger){
		"entry": func(l *zap.Logger) { l.Info("m", zap.Namespace("password"), zap.String("value", leak)) },
		"with":  func(l *zap.Logger) { l.With(zap.Namespace("password")).Info("m", zap.String("value", leak)) },
		"twice": func(l *zap.Logger) {
			l.With(zap.Namespace("password")).With(zap.Namespace("x"), zap.String("value", leak)).Info("m")
		},
	} {
		if out := logged(t, write); strings.Contains(out, leak) || !strings.Contains(out, masked) {
			t.Errorf("%s: %s", how, out)
		}
	}
	// The parent of such a logger is not affected, and neither is a plain namespace.
	out := logged(t, func(l *zap.Logger) {
		l.With(zap.Namespace("password"))
		l.With(zap.Namespace("contact")).Info("m", zap.String("handle", "shown"), zap.String("email", leak))
	})
	if strings.Contains(out, leak) || !strings.Contains(out, `"contact":{"handle":"shown"`) {
		t.Error(out)
	}
}

func TestReflectedValuesKeepTheirNumbers(t *testing.T) {
	out := logged(t, func(l *zap.Logger) {
		l.Info("m", zap.Any("v", map[string]any{"id": int64(9007199254740993), "html": "<&>", "none": nil}), zap.Any("nil", nil))
	})
	for _, want := range []string{`{"html":"<&>","id":9007199254740993,"none":null}`, `"nil":null`} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in %s", want, out)
		}
	}
}

func TestUnencodableValueIsReported(t *testing.T) {
	out := logged(t, func(l *zap.Logger) { l.Info("m", zap.Any("v", func() {}), zap.Int("after", 1)) })
	if !strings.Contains(out, `"vError":`) || !strings.Contains(out, `"after":1`) {
		t.Error(out)
	}
}

// logged is what write leaves in the log; it must be lines of JSON.
func logged(t *testing.T, write func(*zap.Logger)) string {
	t.Helper()
	var out bytes.Buffer
	l, err := NewLogger(&out, "debug")
	if err != nil {
		t.Fatal(err)
	}
	write(l)
	for line := range strings.Lines(out.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
	return out.String()
}

// nested is an array in an array with one object.
type nested struct{ object zapcore.ObjectMarshaler }

func (n nested) MarshalLogArray(enc zapcore.ArrayEncoder) error {
	return enc.AppendArray(zapcore.ArrayMarshalerFunc(func(enc zapcore.ArrayEncoder) error {
		enc.AppendString("x")
		return enc.AppendObject(n.object)
	}))
}

// reflected is an array with one element that zap knows only by reflection.
type reflected struct{ v any }

func (r reflected) MarshalLogArray(enc zapcore.ArrayEncoder) error { return enc.AppendReflected(r.v) }
