package estate

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"v3gate/internal/handles"
)

// full is an entry with something in every member that a contact can have, so that
// one that is added to Entry and not to the files shows.
func full(t *testing.T) Entry {
	t.Helper()
	var e Entry
	v := reflect.ValueOf(&e).Elem()
	for _, c := range columns() {
		f := v.FieldByIndex(c.index)
		switch p := f.Addr().Interface().(type) {
		case *string:
			*p = "  " + c.name + ", \"é\"\n<&> 1 "
		case *int:
			*p = 3
		case *int64:
			*p = 1 << 40
		case *bool:
			*p = true
		case **bool:
			no := false
			*p = &no
		case **time.Time:
			at := time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.UTC)
			*p = &at
		case *map[string]string:
			*p = map[string]string{"a,b": "\"ü\"\n"}
		default:
			t.Fatalf("%s is a %s", c.name, f.Type())
		}
	}
	e.FQDN, e.Counter, e.Roles = "", "", handles.Roles{}
	return e
}

func TestFilesKeepEveryMember(t *testing.T) {
	want := []Entry{full(t),
		{Tenant: "a", Handle: "AA1-GANDI", ID: 1},
		{Tenant: "a", FQDN: "x.net", ID: 2, Roles: handles.Roles{Owner: "o", Admin: "a", Bill: "b", Tech: "t"}},
		{Counter: "contact", ID: 7}}
	for _, format := range []string{"json", "csv"} {
		var file bytes.Buffer
		w := NewWriter(format, &file)
		for i := range want {
			if err := w.Write(&want[i]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		var got []Entry
		err := Read(format, &file, func(_ int, e *Entry, wrong error) error {
			got = append(got, *e)
			return wrong
		})
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", format, err, diff)
		}
	}
}

// A value that is wrong may be a person's: it is not repeated.
func TestWrongLinesAreToldWithoutTheirValues(t *testing.T) {
	for line, want := range map[string]string{
		`{"handle":["Quackenbush"]}`:                "handle is a array",
		`{"type":"Quackenbush"}`:                    "type is a string",
		`{"handle":"A1-GANDI"} Quackenbush`:         "something behind",
		`{"created":"Quackenbush"}`:                 "created is no time",
		`{"password":"Quackenbush"}`:                "password is never kept",
		`{"security_question_num":"Quackenbush"}`:   "security_question_num is a string",
		`["Quackenbush"]`:                           "array",
		`{"extra_parameters":{"a":{"Quackenbush":1`: "ends within",
	} {
		err := Read("json", strings.NewReader(line), func(_ int, _ *Entry, wrong error) error { return wrong })
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "Quackenbush") {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// A line that is too long, or a reader that fails, ends it before anything is sent.
func TestAFileThatCannotBeReadSendsNothing(t *testing.T) {
	long := `{"handle":"AA1-GANDI","given":"A"}` + "\n" + `{"handle":"` + strings.Repeat("A", mostLine)
	r := &Run{Tenant: "a", Say: func(string) {}, Send: func(context.Context, handles.Batch) ([]handles.Outcome, error) {
		t.Error("it sends something")
		return nil, errors.New("no")
	}}
	err := r.File(t.Context(), "json", strings.NewReader(long), true, func(int) {})
	if err == nil || !strings.Contains(err.Error(), "line 2") || !strings.Contains(err.Error(), "nothing was imported") {
		t.Error(err)
	}
}

// A store that fails in the middle ends the import, and what it took is told.
func TestAnImportEndsWhereTheStoreFails(t *testing.T) {
	var file strings.Builder
	for i := range 2*batchSize + 10 {
		file.WriteString(`{"handle":"AA` + strconv.Itoa(i) + `-GANDI","given":"A"}` + "\n")
	}
	full := errors.New("the disk is full")
	sends := 0
	r := &Run{Tenant: "a", Say: func(string) {}}
	r.Send = func(_ context.Context, b handles.Batch) ([]handles.Outcome, error) {
		if sends++; sends == 2 {
			return nil, full
		}
		out := make([]handles.Outcome, len(b.Entries))
		for i := range out {
			out[i].State = handles.Added
		}
		return out, nil
	}
	if err := r.File(t.Context(), "json", strings.NewReader(file.String()), false, func(int) {}); !errors.Is(err, full) || sends != 2 || r.Contacts.New != batchSize {
		t.Errorf("%v after %d batches, %+v", err, sends, r.Contacts)
	}
}
