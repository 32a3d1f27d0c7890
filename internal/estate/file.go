// Package estate moves contacts and domains in and out of a store: it reads and
// writes the files for it, and leads what was read into the store in order.
package estate

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"v3gate/internal/handles"
)

type (
	// Entry is a contact, a domain or a counter.
	Entry = handles.Entry
	// Batch is what is imported in one commit.
	Batch = handles.Batch
	// Shown is the contacts of a domain as v5 shows them.
	Shown = handles.Shown
)

// Equal is the state of an entry that was there.
const Equal = handles.Equal

// Read goes through a file of the format json (one object a line) or csv (with a
// line of names first). each gets the number of a line, from 1, and what it says
// or what is wrong with it. The error is each's, or says that the file can be read
// no further.
func Read(format string, r io.Reader, each func(line int, e *Entry, wrong error) error) error {
	if format == "csv" {
		return readCSV(r, each)
	}
	return readJSON(r, each)
}

// mostLine bounds a line of JSON, in bytes.
const mostLine = 1 << 20

func readJSON(r io.Reader, each func(int, *Entry, error) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), mostLine)
	line := 0
	for lines.Scan() {
		line++
		text := bytes.TrimSpace(bytes.TrimPrefix(lines.Bytes(), []byte("\ufeff")))
		if len(text) == 0 {
			continue
		}
		e, err := decode(text)
		if err := each(line, &e, err); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", line+1, err)
	}
	return nil
}

func decode(text []byte) (e Entry, err error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return e, errors.New("the line ends within its object")
		}
		return e, named(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return e, errors.New("there is something behind its object")
	}
	return e, nil
}

// named puts the decoder's words into those of this file.
func named(err error) error {
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return unknown(strings.Trim(name, `"`))
	}
	var t *json.UnmarshalTypeError
	if errors.As(err, &t) {
		return fmt.Errorf("%s is a %s", t.Field, t.Value) // not its text, which may be a person's
	}
	var date *time.ParseError
	if errors.As(err, &date) {
		return errors.New("created is no time such as 2026-01-31T12:00:00Z")
	}
	return errors.New("it is no JSON object: " + strings.TrimPrefix(err.Error(), "json: "))
}

func unknown(name string) error {
	if name == "password" {
		return errors.New("password is never kept; take it out of the file")
	}
	return fmt.Errorf("there is no %s", name)
}

// column is a member of Entry as a column of a CSV file.
type column struct {
	name  string
	index []int
}

// columns are all of Entry, in the order of an export.
func columns() []column {
	var out []column
	t := reflect.TypeFor[Entry]()
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && !f.Anonymous {
			out = append(out, column{name, f.Index})
		}
	}
	return out
}

func readCSV(r io.Reader, each func(int, *Entry, error) error) error {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	in.FieldsPerRecord = -1
	header, err := in.Read()
	if err != nil {
		return fmt.Errorf("line 1: no line of names: %w", err)
	}
	all := columns()
	var used []column
	for i, name := range header {
		name = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))
		at := slices.IndexFunc(all, func(c column) bool { return c.name == name })
		switch {
		case at < 0:
			return fmt.Errorf("line 1, column %d: %w", i+1, unknown(name))
		case slices.ContainsFunc(used, func(c column) bool { return c.name == name }):
			return fmt.Errorf("line 1: %s is there twice", name)
		}
		used = append(used, all[at])
	}
	for {
		row, err := in.Read()
		line, _ := in.FieldPos(0)
		var broken *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &broken): // quotes that do not close: nobody knows where the next line begins
			return err
		case err != nil:
			return fmt.Errorf("line %d: %w", line, err)
		}
		var e Entry
		if len(row) != len(used) {
			err = fmt.Errorf("it has %d columns where the first line has %d", len(row), len(used))
		} else {
			for i, c := range used {
				if wrong := setCell(reflect.ValueOf(&e).Elem().FieldByIndex(c.index), row[i]); wrong != nil && err == nil {
					err = fmt.Errorf("%s: %w", c.name, wrong)
				}
			}
		}
		if err := each(line, &e, err); err != nil {
			return err
		}
	}
}

// setCell reads a cell; an empty one is a value that was not given.
func setCell(to reflect.Value, text string) error {
	if text == "" {
		return nil
	}
	switch p := to.Addr().Interface().(type) {
	case *string:
		*p = strings.Clone(text)
	case *int, *int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return errors.New("it is no whole number")
		}
		to.SetInt(n)
	case *bool, **bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return errors.New("it is not 0, 1, true or false")
		}
		if to.Kind() == reflect.Bool {
			to.SetBool(b)
		} else {
			to.Set(reflect.ValueOf(&b))
		}
	case **time.Time:
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return errors.New("it is no time such as 2026-01-31T12:00:00Z")
		}
		*p = &t
	case *map[string]string:
		if err := json.Unmarshal([]byte(text), p); err != nil {
			return errors.New(`it is no JSON such as {"birth_city":"Paris"}`)
		}
	default:
		panic(fmt.Sprintf("no cell for a %s", to.Type()))
	}
	return nil
}

func cell(v reflect.Value) string {
	if v.IsZero() {
		return ""
	}
	switch v := v.Interface().(type) {
	case string:
		return v
	case *bool:
		return strconv.FormatBool(*v)
	case *time.Time:
		return v.Format(time.RFC3339Nano)
	case map[string]string:
		raw, err := json.Marshal(v)
		if err != nil {
			panic(err) // a map of texts is JSON
		}
		return string(raw)
	default:
		return fmt.Sprint(v)
	}
}

// Writer writes entries as a file that Read reads.
type Writer struct {
	buf  *bufio.Writer
	csv  *csv.Writer // nil for JSON
	cols []column
	row  []string
}

// NewWriter begins a file of the format json or csv.
func NewWriter(format string, w io.Writer) *Writer {
	out := &Writer{buf: bufio.NewWriterSize(w, 64<<10)}
	if format == "csv" {
		out.csv, out.cols = csv.NewWriter(out.buf), columns()
		for _, c := range out.cols {
			out.row = append(out.row, c.name)
		}
		out.csv.Write(out.row) // its error stays and is Close's
	}
	return out
}

// Write adds an entry.
func (w *Writer) Write(e *Entry) error {
	if w.csv != nil {
		v := reflect.ValueOf(e).Elem()
		for i, c := range w.cols {
			w.row[i] = cell(v.FieldByIndex(c.index))
		}
		if e.Handle != "" { // type 0 is a person
			w.row[slices.IndexFunc(w.cols, func(c column) bool { return c.name == "type" })] = strconv.Itoa(e.Type)
		}
		return w.csv.Write(w.row)
	}
	var v any = e
	if e.Handle == "" { // without the members of a contact
		v = struct {
			Tenant  string `json:"tenant,omitempty"`
			FQDN    string `json:"fqdn,omitempty"`
			Counter string `json:"counter,omitempty"`
			ID      int64  `json:"id,omitempty"`
			handles.Roles
		}{e.Tenant, e.FQDN, e.Counter, e.ID, e.Roles}
	}
	enc := json.NewEncoder(w.buf)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// Close writes what is left. The writer beneath stays open.
func (w *Writer) Close() error {
	if w.csv != nil {
		w.csv.Flush()
		if err := w.csv.Error(); err != nil {
			return err
		}
	}
	return w.buf.Flush()
}
