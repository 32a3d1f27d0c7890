package query

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Option is one option of a call. Value is a string, int64, bool, time.Time, or
// an []any of these; nil and "" mean that the option is not given. A number whose
// digits count, such as the zip code 01000, is given as its text: where an int is
// wanted, digits in a string are taken.
//
// A time.Time in UTC stands for a wall clock without a zone, which is how dates
// come from the wire; in any other zone it is the instant that it is.
type Option struct {
	Key   string
	Value any
}

// Why is the class of an OptionError, for the caller to choose a fault by.
type Why int

const (
	Unknown   Why = iota // no option of this name, or not with this prefix
	WrongType            // the value cannot be read as the Kind
	BadValue             // the value is of the Kind and cannot be used
	Refused              // the option is known and cannot be honoured here
)

// OptionError says which option cannot be used, why, and what can be instead.
// Reason goes on after the key: "cannot be below 0".
type OptionError struct {
	Key    string
	Why    Why
	Kind   Kind // of the value that is wanted
	Reason string
	Err    error // what a Form function said, else nil
}

func (e *OptionError) Error() string { return fmt.Sprintf("option %s %s", e.Key, e.Reason) }

func (e *OptionError) Unwrap() error { return e.Err }

func wrong(key string, why Why, kind Kind, format string, args ...any) error {
	return &OptionError{Key: clip(key), Why: why, Kind: kind, Reason: fmt.Sprintf(format, args...)}
}

// Query is what a caller asked for. It does not change and may be shared.
type Query[T any] struct {
	filters []filter[T]
	perPage int64
	page    int64
	sort    *Field[T] // nil: the natural order
	down    bool
}

// filter is one option that leaves items out. Its values are sorted: nums for
// ints, booleans and times, texts for the rest, like for a pattern.
type filter[T any] struct {
	field *Field[T]
	op    Can // Eq, Ne, Lt, Gt or Like
	nums  []int64
	texts []string
	like  pattern
}

// Parse reads the options of a call. Of a repeated key the last one counts, as in
// Python's dict. The error is an *OptionError.
func (s *Schema[T]) Parse(options []Option) (*Query[T], error) {
	q := &Query[T]{perPage: s.perPage}
	if s.perPage == 0 {
		q.perPage = math.MaxInt64
	}
	last := make(map[string]int, len(options))
	for i, o := range options {
		last[o.Key] = i
	}
	for i, o := range options {
		if last[o.Key] != i {
			continue
		}
		if err := s.take(q, o); err != nil {
			return nil, err
		}
	}
	for _, usual := range s.defaults {
		if !slices.ContainsFunc(q.filters, func(f filter[T]) bool { return f.field == usual.field }) {
			q.filters = append(q.filters, usual)
		}
	}
	return q, nil
}

// take adds one option to a query.
func (s *Schema[T]) take(q *Query[T], o Option) error {
	op, name := split(o.Key)
	f := s.fields[name]
	special := s.perPage > 0 && (o.Key == "items_per_page" || o.Key == "page" || o.Key == "sort_by")
	switch {
	case !special && (f == nil || f.can&op == 0):
		return wrong(o.Key, Unknown, KindText, "is not an option of this method, which takes %s", list(s.keys(f)))
	case o.Value == nil || o.Value == "":
		return nil
	case special && o.Key == "sort_by":
		return s.takeSort(q, o)
	case special && o.Key == "page":
		return takeCount(o, &q.page)
	case special:
		return takeCount(o, &q.perPage)
	case f.refused != "":
		return wrong(o.Key, Refused, f.kind, "is not supported: %s", f.refused)
	}
	added, err := newFilter(f, op, o)
	q.filters = append(q.filters, added)
	return err
}

// split parts a key into an operator and the name of a field.
func split(key string) (op Can, name string) {
	for _, o := range operators[1:] {
		if name, ok := strings.CutPrefix(key, o.prefix); ok {
			if o.op == EqSign {
				return Eq, name
			}
			return o.op, name
		}
	}
	return Eq, key
}

// takeCount reads items_per_page or page.
func takeCount(o Option, to *int64) (err error) {
	*to, err = number(KindInt, time.UTC, o)
	if err == nil && *to < 0 {
		return wrong(o.Key, BadValue, KindInt, "cannot be below 0, but is %d", *to)
	}
	return err
}

// takeSort reads "field", "field desc" and "field asc", the words in any case.
func (s *Schema[T]) takeSort(q *Query[T], o Option) error {
	text, ok := o.Value.(string)
	words := strings.Fields(text)
	switch {
	case !ok:
		return wrongType(KindText, o)
	case len(words) == 0:
		return nil
	case len(words) == 2:
		q.down = strings.EqualFold(words[1], "desc")
	}
	q.sort = s.fields[words[0]]
	switch {
	case len(words) > 2, len(words) == 2 && !q.down && !strings.EqualFold(words[1], "asc"):
		return wrong(o.Key, BadValue, KindText, "must be one field, alone or with asc or desc, not '%s'", clip(text))
	case q.sort == nil || q.sort.can&Sort == 0:
		return wrong(o.Key, BadValue, KindText, "cannot be '%s', it takes %s", clip(words[0]), list(s.sortable()))
	case q.sort.refused != "":
		return wrong(o.Key, Refused, KindText, "%s is not supported: %s", q.sort.name, q.sort.refused)
	}
	return nil
}

// newFilter reads the value, or the values, of a filter.
func newFilter[T any](f *Field[T], op Can, o Option) (filter[T], error) {
	made := filter[T]{field: f, op: op}
	values, many := o.Value.([]any)
	if !many || f.can&Many == 0 || op&(Eq|Ne) == 0 {
		return made, made.add(o)
	}
	for i, v := range values {
		if err := made.add(Option{fmt.Sprintf("%s[%d]", o.Key, i), v}); err != nil {
			return made, err
		}
	}
	slices.Sort(made.nums)
	slices.Sort(made.texts)
	made.nums, made.texts = slices.Compact(made.nums), slices.Compact(made.texts)
	return made, nil
}

// add reads one value of a filter.
func (f *filter[T]) add(o Option) error {
	if f.field.kind != KindText {
		n, err := number(f.field.kind, f.field.zone, o)
		f.nums = append(f.nums, n)
		return err
	}
	text, ok := o.Value.(string)
	if n, isInt := o.Value.(int64); isInt {
		text, ok = strconv.FormatInt(n, 10), true
	}
	switch {
	case !ok:
		return wrongType(KindText, o)
	case f.op == Like:
		f.like = newPattern(text, f.field.can&Cased != 0)
	case f.field.form == nil:
		f.texts = append(f.texts, text)
	default:
		formed, err := f.field.form(text)
		if err != nil {
			return &OptionError{clip(o.Key), BadValue, KindText, "cannot be used: " + err.Error(), err}
		}
		f.texts = append(f.texts, formed)
	}
	return nil
}

// layouts are the documented text of a date, the date alone, which is its
// midnight, and the forms in which dates go over the wire.
var layouts = []string{time.DateTime, time.DateOnly, "20060102T15:04:05", "2006-01-02T15:04:05"}

// number reads an int, a boolean or a date as the number that it is compared by.
func number(kind Kind, zone *time.Location, o Option) (int64, error) {
	if t, ok := o.Value.(time.Time); ok && kind == KindTime {
		if t.Location() == time.UTC {
			t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, zone)
		}
		return t.Unix(), nil
	}
	switch o.Value.(type) {
	case string, int64, bool:
	default:
		return 0, wrongType(kind, o)
	}
	text := strings.TrimSpace(fmt.Sprint(o.Value))
	switch kind {
	case KindInt:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, nil
		}
	case KindBool:
		if b, err := strconv.ParseBool(text); err == nil {
			return truth(b), nil
		}
	case KindTime:
		for _, layout := range layouts {
			if t, err := time.ParseInLocation(layout, text, zone); err == nil {
				return t.Unix(), nil
			}
		}
	}
	return 0, wrongType(kind, o)
}

func wrongType(kind Kind, o Option) error {
	want, got := kind.String(), "a value of another type"
	if kind == KindTime {
		want = "date such as 2011-01-31 12:00:00"
	}
	switch v := o.Value.(type) {
	case nil:
		got = "nil"
	case []any:
		got = "an array"
	case string, int64, bool, time.Time:
		got = "'" + clip(fmt.Sprint(v)) + "'"
	}
	return wrong(o.Key, WrongType, kind, "must be of type %s, not %s", want, got)
}

// list names what can be used.
func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// clip bounds a caller's text that is shown back to them.
func clip(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
