package v5

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sorts has every sort of field that the reader knows by itself. The names are
// digits because encoding/json takes letters of either case.
type sorts struct {
	Text   string   `json:"1"`
	Texts  []string `json:"2"`
	Truth  bool     `json:"3"`
	Whole  int      `json:"4"`
	Inner  *sorts   `json:"5"`
	Inners []sorts  `json:"6"`
	Maybe  *bool    `json:"7"`
	Hidden string   `json:"-"`
}

func (v *sorts) read(r *reader) {
	r.object(func(name string) {
		switch name {
		case "1":
			v.Text = r.text()
		case "2":
			v.Texts = r.texts()
		case "3":
			v.Truth = r.truth()
		case "4":
			v.Whole = r.whole()
		case "5":
			v.Inner = maybe(r, (*sorts).read)
		case "6":
			v.Inners = several(r, (*sorts).read)
		case "7":
			v.Maybe = r.maybeTruth()
		default:
			r.skip()
		}
	})
}

var texts = []string{
	`{}`, ` { } `, `null`, ``, ` `, `[]`, `"x"`, `1`, `{`, `}`, `{"1"}`, `{"1":}`, `{"1":"a",}`, `{,}`, `{"1":"a"}x`, `{"1":"a"}{}`,
	`{"1":"a","2":["b","c"],"3":true,"4":-12,"5":{"1":"d","5":{"3":false}},"6":[{"4":1},{"4":2}],"7":false}`,
	"\t{\n\"1\" :\r\"a\" , \"4\": 0 }\n", `{"1":null,"2":null,"3":null,"4":null,"5":null,"6":null,"7":null}`,
	`{"1":"é\u00e9\n\"\\\ud83d\ude00"}`, "{\"1\":\"\xff\"}", "{\"1\":\"\x01\"}", `{"1":"a`, `{"1":"a\`, `{"1":"\x"}`, `{"1":"\ud800"}`,
	`{"1":1}`, `{"2":"a"}`, `{"2":[1]}`, `{"2":["a" "b"]}`, `{"2":["a",]}`, `{"2":[null,"a"]}`, `{"2":[]}`, `{"3":"true"}`, `{"3":tru}`,
	`{"3":truefalse}`, `{"4":"1"}`, `{"4":1.0}`, `{"4":1e2}`, `{"4":01}`, `{"4":-}`, `{"4":9999999999999999999999}`, `{"4":-0}`, `{"4":+1}`,
	`{"5":[]}`, `{"6":{}}`, `{"6":[null]}`, `{"-":"a"}`, `{"":"a"}`, `{"8":{"a":[1,2.5e-3,"x",true,false,null,{}]},"1":"after"}`,
	`{"8":nul}`, `{"8":nulll}`, `{"8":1.}`, `{"8":.5}`, `{"8":0x1}`, `{"8":[}`, `{"8":{]}`, `{"8":"\u12"}`, `{"8":'a'}`,
	`{1:"a"}`, `{null:"a"}`, `{"\u0031":"a"}`,
}

// FuzzReader holds the reader against encoding/json.
func FuzzReader(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var got, want sorts
		err, wantErr := readJSON(text, &got), json.Unmarshal([]byte(text), &want)
		if (err == nil) != (wantErr == nil) {
			if err != nil && strings.Contains(err.Error(), "less depth") {
				return
			}
			t.Fatalf("%q: %v, encoding/json: %v", text, err, wantErr)
		}
		if err == nil && !repeats(text) {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%q (-encoding/json +got):\n%s", text, diff)
			}
		}
	})
}

// repeats tells whether a name stands twice in one object: encoding/json then puts
// the two together, each sort of value in its own way.
func repeats(text string) bool {
	dec := json.NewDecoder(strings.NewReader(text))
	var names []map[string]bool // of the objects that are open; nil for arrays
	expectsName := false
	for {
		token, err := dec.Token()
		if err != nil {
			return false
		}
		switch token {
		case json.Delim('{'):
			names, expectsName = append(names, map[string]bool{}), true
			continue
		case json.Delim('['):
			names, expectsName = append(names, nil), false
			continue
		case json.Delim('}'), json.Delim(']'):
			names = names[:len(names)-1]
		default:
			if name, ok := token.(string); ok && expectsName {
				if last := names[len(names)-1]; last[name] {
					return true
				} else {
					last[name] = true
				}
				expectsName = false
				continue
			}
		}
		expectsName = len(names) > 0 && names[len(names)-1] != nil
	}
}

func TestReaderBoundsDepth(t *testing.T) {
	for _, c := range []struct{ open, shut string }{{"[", "]"}, {`{"a":`, "}"}, {`{"5":`, "}"}} {
		nested := func(n int) string { return strings.Repeat(c.open, n) + "null" + strings.Repeat(c.shut, n) }
		if err := readJSON(`{"8":`+nested(mostDepth-1)+`}`, &sorts{}); err != nil {
			t.Errorf("%s at the bound: %v", c.open, err)
		}
		if err := readJSON(`{"8":`+nested(100_000)+`}`, &sorts{}); err == nil {
			t.Errorf("%s is read at any depth", c.open)
		}
	}
}

func TestReaderNamesWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		`{"dates":{"created_at":"yesterday"}}`:       `dates: created_at: read date: "yesterday" is none`,
		`{"contacts":{"owner":{"type":7}}}`:          "contacts: owner: type: read contact type: 7 is none of 0 to 4",
		`{"contacts":{"owner":{"validation":[]}}}`:   "contacts: owner: validation: byte 35: a string was expected",
		`{"contacts":{"owner":{"given":{"a":"b"}}}}`: "contacts: owner: given: byte 30: a string was expected",
		`{"status":[1]}`:                             "status: byte 11: a string was expected",
		`{"autorenew":true}`:                         "autorenew: byte 13: '{' was expected",
		`{"trustee_roles":[7]}`:                      "trustee_roles: byte 18: '{' was expected",
	} {
		if err := readJSON(text, &Domain{}); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// Every member that the types of a domain have is read: none can be forgotten.
func TestReaderFillsWholeDomains(t *testing.T) {
	var d Domain
	fill(reflect.ValueOf(&d).Elem(), 0)
	d.Contacts.Owner.Type = "company"
	raw, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var got Domain
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, got); diff != "" {
		t.Errorf("(-sent +read):\n%s", diff)
	}
}

// fill puts something into every field.
func fill(v reflect.Value, depth int) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)))
		return
	case ContactState: // never sent
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(7)
	case reflect.Pointer:
		if depth < 5 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), depth+1)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), depth+1)
		fill(v.Index(1), depth+1)
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{"x-key": "value"}))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), depth+1)
		}
	default:
		panic(v.Type())
	}
}

func TestDatesOfADomainDoNotShareOne(t *testing.T) {
	var d Dates
	if err := d.UnmarshalJSON([]byte(`{"created_at":"2020-01-01T00:00:00Z","updated_at":"2021-01-01T00:00:00Z"}`)); err != nil {
		t.Fatal(err)
	}
	if d.CreatedAt.Year() != 2020 || d.UpdatedAt.Year() != 2021 {
		t.Errorf("%v, %v", d.CreatedAt, d.UpdatedAt)
	}
}

func BenchmarkDomain(b *testing.B) {
	b.SetBytes(int64(len(detail)))
	b.ReportAllocs()
	for b.Loop() {
		if err := readJSON(detail, new(Domain)); err != nil {
			b.Fatal(err)
		}
	}
}
