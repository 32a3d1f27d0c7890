package query_test

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"v3gate/internal/query"
)

// thing is an item with a field of each kind.
type thing struct {
	ID      int64
	Name    string
	Tags    []string
	Public  bool
	TTL     int64
	Created time.Time // ascending, as ID is
	Started time.Time // zero where it has not
}

var paris = mustZone("Europe/Paris")

func mustZone(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return zone
}

var errName = errors.New("no name")

func lower(s string) (string, error) {
	if strings.Contains(s, " ") {
		return "", errName
	}
	return strings.ToLower(s), nil
}

const (
	eq, ne, lt, gt, like = query.Eq, query.Ne, query.Lt, query.Gt, query.Like
	many, sorts          = query.Many, query.Sort
)

var fields = []query.Field[thing]{
	query.Int("id", eq|many|sorts|query.Natural, func(t *thing) int64 { return t.ID }),
	query.Text("name", eq|ne|like|many|sorts, func(t *thing) string { return t.Name }).Form(lower),
	query.Texts("tag", eq|ne|like|many|sorts, func(t *thing) []string { return t.Tags }),
	query.Bool("public", eq|ne|sorts, func(t *thing) bool { return t.Public }),
	query.Int("ttl", eq|ne|lt|gt|sorts, func(t *thing) int64 { return t.TTL }),
	query.Time("date_created", query.EqSign|lt|gt|sorts|query.Natural, paris, func(t *thing) time.Time { return t.Created }),
	query.Time("date_start", eq|ne|lt|gt|many|sorts, time.UTC, func(t *thing) time.Time { return t.Started }),
	query.Text("value", like|query.Cased, func(t *thing) string { return t.Name }),
	query.Text[thing]("disk.name", eq|sorts, nil).Refuse("there is no hosting behind this gateway"),
}

var schema = query.New(query.DefaultPerPage, fields...)

// things are five items. 12:00 in Paris was 11:00 UTC on those days.
var things = []thing{
	{1, "alpha.com", []string{"a", "b"}, true, 300, day(1, 0), day(1, 0)},
	{2, "Beta.com", nil, false, 300, day(2, 0), time.Time{}},
	{3, "_dmarc", []string{"b"}, true, query.None, day(3, 700), day(3, 0)},
	{4, "admarc%", []string{"c", "B"}, false, 0, day(3, 900), day(2, 0)},
	{5, "", []string{""}, false, -7, day(5, 0), time.Time{}},
}

func day(d, millis int) time.Time {
	return time.Date(2011, 1, d, 11, 0, 0, millis*1e6, time.UTC)
}

func opt(key string, value any) query.Option { return query.Option{Key: key, Value: value} }

func list(values ...any) []any { return values }

func ids(items []*thing) []int64 {
	out := []int64{}
	for _, t := range items {
		out = append(out, t.ID)
	}
	return out
}

func TestMatch(t *testing.T) {
	noon := time.Date(2011, 1, 3, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		options []query.Option
		want    string
	}{
		{nil, "[1 2 3 4 5]"},
		{[]query.Option{opt("id", nil), opt("~name", ""), opt("disk.name", "")}, "[1 2 3 4 5]"},

		{[]query.Option{opt("id", int64(2))}, "[2]"},
		{[]query.Option{opt("=id", " 2 ")}, "[2]"},
		{[]query.Option{opt("id", list("4", int64(2), int64(9), int64(2)))}, "[2 4]"},
		{[]query.Option{opt("id", list())}, "[]"},
		{[]query.Option{opt("id", int64(math.MinInt64))}, "[]"},
		{[]query.Option{opt("id", int64(1)), opt("id", int64(2))}, "[2]"},
		{[]query.Option{opt("id", int64(1)), opt("=id", int64(2))}, "[]"},

		{[]query.Option{opt("name", "ALPHA.com")}, "[1]"},
		{[]query.Option{opt("name", "beta.com")}, "[]"},
		{[]query.Option{opt("!name", list("_dmarc", "alpha.com"))}, "[2 4 5]"},
		{[]query.Option{opt("!name", list())}, "[1 2 3 4 5]"},
		{[]query.Option{opt("name", list("", "alpha.com"))}, "[1 5]"},
		{[]query.Option{opt("name", int64(75011))}, "[]"},

		{[]query.Option{opt("~name", "%.COM")}, "[1 2]"},
		{[]query.Option{opt("~name", "beta.com")}, "[2]"},
		{[]query.Option{opt("~name", "%")}, "[1 2 3 4 5]"},
		{[]query.Option{opt("~name", "_dmarc%")}, "[3]"},
		{[]query.Option{opt("~name", "a%a%")}, "[1 4]"},
		{[]query.Option{opt("~name", "a%%p%%a%")}, "[1]"},
		{[]query.Option{opt("~name", "alpha.com%.com")}, "[]"},
		{[]query.Option{opt("~name", `admarc\%`)}, "[]"},
		{[]query.Option{opt("~value", "%Beta%")}, "[2]"},
		{[]query.Option{opt("~value", "%beta%")}, "[]"},

		{[]query.Option{opt("tag", "b")}, "[1 3]"},
		{[]query.Option{opt("tag", list("a", "c"))}, "[1 4]"},
		{[]query.Option{opt("!tag", "b")}, "[2 4 5]"},
		{[]query.Option{opt("~tag", "b%")}, "[1 3 4]"},

		{[]query.Option{opt("public", true)}, "[1 3]"},
		{[]query.Option{opt("public", "0")}, "[2 4 5]"},
		{[]query.Option{opt("!public", int64(0))}, "[1 3]"},

		{[]query.Option{opt("ttl", int64(0))}, "[4]"},
		{[]query.Option{opt("!ttl", int64(300))}, "[3 4 5]"},
		{[]query.Option{opt(">ttl", int64(-7)), opt("<ttl", "300")}, "[4]"},

		// To the second, in the zone of the field, without the bound itself.
		{[]query.Option{opt("date_created", "2011-01-03 12:00:00")}, "[3 4]"},
		{[]query.Option{opt("=date_created", "20110103T12:00:00")}, "[3 4]"},
		{[]query.Option{opt("date_created", "2011-01-03T12:00:00")}, "[3 4]"},
		{[]query.Option{opt(">date_created", noon)}, "[5]"},
		{[]query.Option{opt("<date_created", noon)}, "[1 2]"},
		{[]query.Option{opt("date_created", noon.In(paris))}, "[]"},
		{[]query.Option{opt("date_created", day(2, 0).In(paris))}, "[2]"},
		{[]query.Option{opt("<date_created", "2011-01-03")}, "[1 2]"},
		{[]query.Option{opt("date_created", "2011-01-03")}, "[]"},
		{[]query.Option{opt("date_start", list("2011-01-03 11:00:00", day(1, 0)))}, "[1 3]"},
		{[]query.Option{opt("<date_start", "2100-01-01")}, "[1 3 4]"},
		{[]query.Option{opt("!date_start", day(1, 0))}, "[2 3 4 5]"},
	} {
		q, err := schema.Parse(c.options)
		if err != nil {
			t.Errorf("%v: %v", c.options, err)
			continue
		}
		if got := fmt.Sprint(ids(q.Page(query.Slice(things)))); got != c.want {
			t.Errorf("%v gives %s, want %s", c.options, got, c.want)
		}
		if got, want := q.Count(query.Slice(things)(false)), len(strings.Fields(strings.Trim(c.want, "[]"))); got != int64(want) {
			t.Errorf("%v counts %d, want %d", c.options, got, want)
		}
	}
}

func TestOrderAndPages(t *testing.T) {
	for _, c := range []struct {
		sortBy  string
		perPage any
		page    any
		want    string
	}{
		{"", nil, nil, "[1 2 3 4 5]"},
		{" ", nil, nil, "[1 2 3 4 5]"},
		{"id desc", nil, nil, "[5 4 3 2 1]"},
		{"date_created DESC", int64(2), nil, "[5 4]"},
		{"date_created asc", int64(2), int64(1), "[3 4]"},
		{"name", nil, nil, "[5 2 3 4 1]"},
		{"name  Desc", "2", "1", "[3 2]"},
		{"tag", nil, nil, "[2 5 1 3 4]"},
		{"public", nil, nil, "[2 4 5 1 3]"},
		{"public DESC", nil, nil, "[1 3 2 4 5]"},
		{"ttl", nil, nil, "[3 5 4 1 2]"},
		{"date_start", nil, nil, "[2 5 1 4 3]"},
		{"date_start desc", int64(3), int64(0), "[3 4 1]"},
		{"date_start desc", int64(3), int64(1), "[2 5]"},
		{"date_start desc", int64(3), int64(2), "[]"},
		{"", int64(3), int64(1), "[4 5]"},
		{"", int64(3), int64(2), "[]"},
		{"", int64(0), nil, "[]"},
		{"name", int64(0), int64(1), "[]"},
		{"", int64(math.MaxInt64), int64(math.MaxInt64), "[]"},
		{"", int64(4), int64(1 << 62), "[]"},
		{"name", int64(4), int64(1<<62 - 1), "[]"},
		{"name", int64(math.MaxInt64), int64(1), "[]"},
		{"name", int64(math.MaxInt64), int64(0), "[5 2 3 4 1]"},
		{"name", int64(1), int64(math.MaxInt64), "[]"},
	} {
		q, err := schema.Parse([]query.Option{opt("sort_by", c.sortBy), opt("items_per_page", c.perPage), opt("page", c.page)})
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		if got := fmt.Sprint(ids(q.Page(query.Slice(things)))); got != c.want {
			t.Errorf("%+v gives %s", c, got)
		}
		if n := q.Count(query.Slice(things)(false)); n != 5 {
			t.Errorf("%+v counts %d", c, n)
		}
	}
}

func TestErrorsNameTheKeyAndTheWayOut(t *testing.T) {
	long := strings.Repeat("é", 200)
	for _, c := range []struct {
		key   string
		value any
		why   query.Why
		kind  query.Kind
		want  string
	}{
		{"nme", "x", query.Unknown, query.KindText, "option nme is not an option of this method, which takes !date_start, !name, !public, !tag, !ttl, " +
			"<date_created, <date_start, <ttl, =date_created, >date_created, >date_start, >ttl, date_created, date_start, disk.name, id, " +
			"items_per_page, name, page, public, sort_by, tag, ttl, ~name, ~tag, ~value"},
		{"", "x", query.Unknown, query.KindText, "option  is not an option of this method, which takes "},
		{"nme", nil, query.Unknown, query.KindText, "option nme is not an option"},
		{long, "x", query.Unknown, query.KindText, "option " + strings.Repeat("é", 50) + "… is not"},
		{"!id", int64(1), query.Unknown, query.KindText, "option !id is not an option of this method, which takes id"},
		{"value", "x", query.Unknown, query.KindText, "option value is not an option of this method, which takes ~value"},
		{"=page", int64(1), query.Unknown, query.KindText, "option =page is not"},
		{"!~name", "x", query.Unknown, query.KindText, "option !~name is not"},
		{"disk.name", "x", query.Refused, query.KindText, "option disk.name is not supported: there is no hosting behind this gateway"},

		{"id", "7a", query.WrongType, query.KindInt, "option id must be of type int, not '7a'"},
		{"id", true, query.WrongType, query.KindInt, "option id must be of type int, not 'true'"},
		{"id", 1.5, query.WrongType, query.KindInt, "option id must be of type int, not a value of another type"},
		{"id", list(int64(1), "b"), query.WrongType, query.KindInt, "option id[1] must be of type int, not 'b'"},
		{"id", list(nil), query.WrongType, query.KindInt, "option id[0] must be of type int, not nil"},
		{"id", list(list()), query.WrongType, query.KindInt, "option id[0] must be of type int, not an array"},
		{"ttl", list(int64(1)), query.WrongType, query.KindInt, "option ttl must be of type int, not an array"},
		{"~name", list("a"), query.WrongType, query.KindText, "option ~name must be of type string, not an array"},
		{"name", true, query.WrongType, query.KindText, "option name must be of type string, not 'true'"},
		{"name", "a b", query.BadValue, query.KindText, "option name cannot be used: no name"},
		{"public", "maybe", query.WrongType, query.KindBool, "option public must be of type boolean, not 'maybe'"},
		{"public", int64(2), query.WrongType, query.KindBool, "option public must be of type boolean, not '2'"},
		{"date_start", "yesterday", query.WrongType, query.KindTime, "option date_start must be of type date such as 2011-01-31 12:00:00, not 'yesterday'"},
		{"date_start", "2011-02-30", query.WrongType, query.KindTime, "option date_start must be of type date"},
		{">date_start", int64(2011), query.WrongType, query.KindTime, "option >date_start must be of type date"},
		{">date_start", list(day(1, 0)), query.WrongType, query.KindTime, "option >date_start must be of type date such as 2011-01-31 12:00:00, not an array"},

		{"page", int64(-1), query.BadValue, query.KindInt, "option page cannot be below 0, but is -1"},
		{"items_per_page", "-5", query.BadValue, query.KindInt, "option items_per_page cannot be below 0, but is -5"},
		{"items_per_page", "all", query.WrongType, query.KindInt, "option items_per_page must be of type int, not 'all'"},
		{"sort_by", int64(1), query.WrongType, query.KindText, "option sort_by must be of type string, not '1'"},
		{"sort_by", "size", query.BadValue, query.KindText, "option sort_by cannot be 'size', it takes date_created, date_start, id, name, public, tag, ttl"},
		{"sort_by", "value", query.BadValue, query.KindText, "option sort_by cannot be 'value', it takes date_created"},
		{"sort_by", "name down", query.BadValue, query.KindText, "option sort_by must be one field, alone or with asc or desc, not 'name down'"},
		{"sort_by", "name desc id", query.BadValue, query.KindText, "option sort_by must be one field"},
		{"sort_by", "name, id", query.BadValue, query.KindText, "option sort_by must be one field"},
		{"sort_by", "disk.name", query.Refused, query.KindText, "option sort_by disk.name is not supported: there is no hosting behind this gateway"},
	} {
		_, err := schema.Parse([]query.Option{opt(c.key, c.value)})
		var wrong *query.OptionError
		if !errors.As(err, &wrong) {
			t.Errorf("%s: %v gives %v", c.key, c.value, err)
			continue
		}
		if !strings.HasPrefix(wrong.Error(), c.want) || wrong.Why != c.why || wrong.Kind != c.kind {
			t.Errorf("%s: %v gives %q, why %d, kind %s", c.key, c.value, wrong, wrong.Why, wrong.Kind)
		}
		if errors.Is(err, errName) != (c.value == "a b") {
			t.Errorf("%s: %v wraps %v", c.key, c.value, wrong.Err)
		}
	}
}

func TestMethodsThatDelete(t *testing.T) {
	deleting := query.New(0, fields...)
	for _, key := range []string{"items_per_page", "page", "sort_by"} {
		if _, err := deleting.Parse([]query.Option{opt(key, "1")}); err == nil || !strings.HasPrefix(err.Error(), "option "+key+" is not an option") {
			t.Errorf("%s gives %v", key, err)
		}
	}
	unsorted := query.New(100, query.Text("host", like, func(t *thing) string { return t.Name }))
	if _, err := unsorted.Parse([]query.Option{opt("sort_by", "host")}); err == nil || err.Error() != "option sort_by cannot be 'host', it takes none" {
		t.Error(err)
	}
	lots := make([]thing, 150)
	q, err := deleting.Parse(nil)
	if err != nil || len(q.Page(query.Slice(lots))) != 150 {
		t.Error("a method without pages does not give all", err)
	}
}

func TestDefaults(t *testing.T) {
	tlds := query.New(2,
		query.Text("phase", eq|many, func(t *thing) string { return t.Name }).Default("golive"),
		query.Bool("open", eq|ne, func(t *thing) bool { return t.Public }).Default(true))
	items := []thing{{ID: 1, Name: "golive", Public: true}, {ID: 2, Name: "eoi", Public: true}, {ID: 3, Name: "golive"}, {ID: 4, Name: "golive", Public: true}, {ID: 5, Name: "golive", Public: true}}
	for want, options := range map[string][]query.Option{
		"[1 4]": nil,
		"[2]":   {opt("phase", "eoi")},
		"[3]":   {opt("!open", true)},
		"[1 2]": {opt("phase", list("golive", "eoi")), opt("open", "")},
	} {
		q, err := tlds.Parse(options)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(ids(q.Page(query.Slice(items)))); got != want {
			t.Errorf("%v gives %s, want %s", options, got, want)
		}
	}
	if got := fmt.Sprint(tlds.Describe()); got != "[{!open boolean  [] } {items_per_page int 2 [] } {open boolean true [] } {page int 0 [] } "+
		"{phase array of string or string golive [] } {sort_by string  [] }]" {
		t.Error(got)
	}
}

func TestExact(t *testing.T) {
	q, err := schema.Parse([]query.Option{
		opt("=id", list("9", int64(3), int64(3))), opt("name", "B.com"), opt("!tag", "x"), opt("public", true), opt("date_start", day(1, 0))})
	if err != nil {
		t.Fatal(err)
	}
	if ints, _, ok := q.Exact("id"); !ok || !slices.Equal(ints, []int64{3, 9}) {
		t.Error("id", ints, ok)
	}
	if _, texts, ok := q.Exact("name"); !ok || !slices.Equal(texts, []string{"b.com"}) {
		t.Error("name", texts, ok)
	}
	for _, name := range []string{"tag", "public", "date_start", "ttl", "nothing"} {
		if _, _, ok := q.Exact(name); ok {
			t.Errorf("%s has exact values", name)
		}
	}
}

func TestMistakesInASchemaPanic(t *testing.T) {
	id := func(t *thing) int64 { return t.ID }
	yes := func(t *thing) bool { return true }
	for name, build := range map[string]func(){
		"twice":       func() { query.New(1, query.Int("id", eq, id), query.Int("id", eq, id)) },
		"no name":     func() { query.New(1, query.Int("", eq, id)) },
		"no accessor": func() { query.New(1, query.Int[thing]("id", eq, nil)) },
		"like int":    func() { query.New(1, query.Int("id", like, id)) },
		"less bool":   func() { query.New(1, query.Bool("ok", lt, yes)) },
		"default":     func() { query.New(1, query.Int("id", eq, id).Default("x")) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", name)
				}
			}()
			build()
		}()
	}
}

// In natural order nothing is read after the page, in either direction.
func TestNaturalOrderStopsEarly(t *testing.T) {
	lots := make([]thing, 10_000)
	for i := range lots {
		lots[i].ID = int64(i)
	}
	for sortBy, want := range map[string]string{"": "[20 21 22 23 24 25 26 27 28 29]", "id DESC": "[9979 9978 9977 9976 9975 9974 9973 9972 9971 9970]"} {
		q, err := schema.Parse([]query.Option{opt("sort_by", sortBy), opt("items_per_page", "10"), opt("page", "2")})
		if err != nil {
			t.Fatal(err)
		}
		read := 0
		got := q.Page(counting(query.Slice(lots), &read))
		if fmt.Sprint(ids(got)) != want || read != 30 {
			t.Errorf("sort_by %q gives %v and reads %d", sortBy, ids(got), read)
		}
	}
	q, _ := schema.Parse([]query.Option{opt("items_per_page", "0"), opt("sort_by", "name")})
	read := 0
	if q.Page(counting(query.Slice(lots), &read)); read != 0 {
		t.Errorf("a page of none reads %d", read)
	}
}

func counting(items func(bool) iter.Seq[*thing], read *int) func(bool) iter.Seq[*thing] {
	return func(backward bool) iter.Seq[*thing] {
		return func(yield func(*thing) bool) {
			items(backward)(func(t *thing) bool { *read++; return yield(t) })
		}
	}
}

// In another order only the first items are held, not all that match.
func TestOtherOrdersHoldLittle(t *testing.T) {
	lots := make([]thing, 200_000)
	for i := range lots {
		lots[i] = thing{ID: int64(i), TTL: int64(i * 7919 % len(lots))}
	}
	q, err := schema.Parse([]query.Option{opt("sort_by", "ttl desc"), opt("items_per_page", "3")})
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := q.Page(query.Slice(lots))
	runtime.ReadMemStats(&after)
	if len(got) != 3 || got[0].TTL != 199_999 || got[2].TTL != 199_997 {
		t.Errorf("gives %v", ids(got))
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 200_000 {
		t.Errorf("allocates %d bytes for 3 of %d items", n, len(lots))
	}
}

func TestWindow(t *testing.T) {
	type item struct{ name string }
	schema := query.New(10, query.Text("name", query.Eq|query.Sort|query.Natural, func(i *item) string { return i.name }), query.Text("other", query.Eq|query.Sort, func(i *item) string { return i.name }))
	for _, c := range []struct {
		options  []query.Option
		n        int
		from, to int
		down, ok bool
	}{
		{nil, 25, 0, 10, false, true},
		{[]query.Option{{"page", int64(2)}}, 25, 20, 25, false, true},
		{[]query.Option{{"page", int64(3)}}, 25, 25, 25, false, true},
		{[]query.Option{{"page", int64(math.MaxInt64)}}, 25, 25, 25, false, true},
		{[]query.Option{{"sort_by", "name DESC"}}, 25, 15, 25, true, true},
		{[]query.Option{{"sort_by", "name DESC"}, {"page", int64(2)}}, 25, 0, 5, true, true},
		{[]query.Option{{"items_per_page", int64(0)}}, 25, 0, 0, false, true},
		{[]query.Option{{"sort_by", "other"}}, 25, 0, 0, false, false},
		{[]query.Option{{"name", "x"}}, 25, 0, 0, false, false},
		{nil, 0, 0, 0, false, true},
	} {
		q, err := schema.Parse(c.options)
		if err != nil {
			t.Fatal(err)
		}
		if from, to, down, ok := q.Window(c.n); from != c.from || to != c.to || down != c.down || ok != c.ok {
			t.Errorf("%v of %d: %d to %d, %v, %v", c.options, c.n, from, to, down, ok)
		}
	}
}
