package query_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"v3gate/internal/query"
)

// FuzzQuery compares a query with a naive reading of the same options that
// keeps everything: one option of the fuzzer's own and some random ones over
// random items.
func FuzzQuery(f *testing.F) {
	for i, seed := range []struct{ key, text string }{
		{"~name", "%a%b%"}, {"name", "AB"}, {"!tag", "a"}, {"sort_by", "name desc"}, {"sort_by", "date_start"}, {"page", "1"},
		{"items_per_page", "3"}, {">date_created", "2011-01-01 01:00:00"}, {"<ttl", "-1"}, {"=id", "4"}, {"public", "t"}, {"~value", "a%"}, {"nothing", "x"},
	} {
		for n := range 100 { // without the fuzzer too there are many random options
			f.Add(uint64(100*i+n), seed.key, seed.text)
		}
	}
	f.Fuzz(func(t *testing.T, seed uint64, key, text string) {
		rng := rand.New(rand.NewPCG(seed, 1))
		items := randomItems(rng)
		options := []query.Option{opt(key, text)}
		for range rng.IntN(4) {
			options = append(options, randomOption(rng))
		}
		q, err := schema.Parse(options)
		want, count, ok := naive(options, items)
		if ok != (err == nil) {
			t.Fatalf("%v: error %v, but the model takes it: %v", options, err, ok)
		}
		if err != nil {
			if len(err.Error()) > 1000 {
				t.Fatalf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		if got := fmt.Sprint(ids(q.Page(query.Slice(items)))); got != fmt.Sprint(want) {
			t.Errorf("%v of %v gives %s, want %v", options, items, got, want)
		}
		if got := q.Count(query.Slice(items)(false)); got != count {
			t.Errorf("%v counts %d, want %d", options, got, count)
		}
	})
}

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }

func randomItems(rng *rand.Rand) []thing {
	items := make([]thing, rng.IntN(12))
	if rng.IntN(50) == 0 {
		items = make([]thing, 1500) // more than are held when sorting
	}
	at := time.Date(2011, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range items {
		at = at.Add(time.Duration(rng.IntN(3)) * 500 * time.Millisecond)
		items[i] = thing{
			ID: int64(i), Name: randomText(rng), Public: rng.IntN(2) == 0, Created: at,
			TTL: pick(rng, query.None, -1, 0, 300, math.MaxInt64),
		}
		for range rng.IntN(3) {
			items[i].Tags = append(items[i].Tags, randomText(rng))
		}
		if rng.IntN(3) > 0 {
			items[i].Started = at.Add(time.Duration(rng.IntN(3)) * time.Second)
		}
	}
	return items
}

func randomText(rng *rand.Rand) string {
	text := ""
	for range rng.IntN(4) {
		text += pick(rng, "a", "b", "A", "_", "%", "É")
	}
	return text
}

// randomOption is one that can be used, most of the time.
func randomOption(rng *rand.Rand) query.Option {
	name := pick(rng, "id", "name", "tag", "public", "ttl", "date_created", "date_start", "value", "sort_by", "page", "items_per_page")
	switch name {
	case "sort_by":
		by := pick(rng, "id", "name", "tag", "public", "ttl", "date_created", "date_start", "value")
		return opt(name, by+pick(rng, "", " desc", " ASC"))
	case "page", "items_per_page":
		return opt(name, pick[any](rng, nil, "1", int64(rng.IntN(3)), int64(rng.IntN(9)), int64(math.MaxInt64), int64(-rng.IntN(2))))
	}
	prefix := pick(rng, naiveKeys[name]...)
	if rng.IntN(30) == 0 {
		prefix = pick(rng, "", "=", "!", "<", ">", "~")
	}
	if rng.IntN(3) > 0 || prefix == "<" || prefix == ">" || prefix == "~" {
		return opt(prefix+name, randomValue(rng, name))
	}
	many := []any{}
	for range rng.IntN(4) {
		many = append(many, randomValue(rng, name))
	}
	return opt(prefix+name, many)
}

func randomValue(rng *rand.Rand, name string) any {
	if rng.IntN(30) == 0 {
		name = pick(rng, "name", "id", "public", "date_start", "nothing")
	}
	switch name {
	case "name", "tag", "value":
		return pick[any](rng, randomText(rng), randomText(rng), randomText(rng), int64(1))
	case "id", "ttl":
		return pick[any](rng, int64(rng.IntN(12)), " 300 ", int64(0), int64(math.MinInt64), int64(math.MaxInt64))
	case "public":
		return pick[any](rng, true, false, "1", int64(0))
	case "date_created", "date_start":
		second := rng.IntN(9)
		return pick[any](rng, fmt.Sprintf("2011-01-01 0%d:00:0%d", rng.IntN(2), second), "2011-01-01",
			time.Date(2011, 1, 1, rng.IntN(2), 0, second, 0, time.UTC), time.Date(2011, 1, 1, 1, 0, second, 0, paris))
	}
	return nil
}

// naive reads the options of schema one by one, from the description of what
// they mean, and keeps whole lists.
func naive(options []query.Option, items []thing) (page []int64, count int64, ok bool) {
	given := map[string]any{}
	for _, o := range options {
		given[o.Key] = o.Value
	}
	left := slices.Clone(items)
	for key, value := range given {
		if key == "sort_by" || key == "page" || key == "items_per_page" {
			continue
		}
		name := strings.TrimLeft(key, "=!<>~")
		prefix := strings.TrimSuffix(key, name)
		if !slices.Contains(naiveKeys[name], prefix) {
			return nil, 0, false
		}
		if value == nil || value == "" {
			continue
		}
		if name == "disk.name" {
			return nil, 0, false
		}
		values, isList := value.([]any)
		if isList && !(strings.Contains("id name tag date_start", name) && (prefix == "" || prefix == "=" || prefix == "!")) {
			return nil, 0, false
		}
		if !isList {
			values = []any{value}
		}
		var kept []thing
		for _, item := range left {
			if hit := naiveHit(&item, name, prefix, values); hit != (prefix == "!") {
				kept = append(kept, item)
			}
		}
		if naiveBad(name, prefix, values) {
			return nil, 0, false
		}
		left = kept
	}
	page, ok = naivePage(given, left)
	return page, int64(len(left)), ok
}

var naiveKeys = map[string][]string{
	"id": {"", "="}, "name": {"", "=", "!", "~"}, "tag": {"", "=", "!", "~"}, "public": {"", "=", "!"}, "ttl": {"", "=", "!", "<", ">"},
	"date_created": {"", "=", "<", ">"}, "date_start": {"", "=", "!", "<", ">"}, "value": {"~"}, "disk.name": {"", "="},
}

// naiveBad tells whether one of the values is not for the field.
func naiveBad(name, prefix string, values []any) bool {
	for _, v := range values {
		bad := false
		text, isText := v.(string)
		n, isInt := v.(int64)
		_, isBool := v.(bool)
		_, isTime := v.(time.Time)
		switch name {
		case "id", "ttl":
			_, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
			bad = !isInt && (!isText || err != nil)
		case "public":
			_, err := strconv.ParseBool(strings.TrimSpace(text))
			bad = !isBool && !(isInt && (n == 0 || n == 1)) && (!isText || err != nil)
		case "date_created", "date_start":
			_, can := naiveTime(text, name)
			bad = !isTime && (!isText || !can)
		case "name":
			bad = !isText && !isInt || isText && prefix != "~" && strings.Contains(text, " ")
		default:
			bad = !isText && !isInt
		}
		if bad {
			return true
		}
	}
	return false
}

func naiveTime(text, name string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02", "20060102T15:04:05", "2006-01-02T15:04:05"} {
		zone := paris
		if name == "date_start" {
			zone = time.UTC
		}
		if t, err := time.ParseInLocation(layout, strings.TrimSpace(text), zone); err == nil {
			return t.Truncate(time.Second), true
		}
	}
	return time.Time{}, false
}

// naiveHit tells whether an item is equal to, less or greater than, or like one
// of the values.
func naiveHit(item *thing, name, prefix string, values []any) bool {
	return slices.ContainsFunc(values, func(v any) bool {
		word := fmt.Sprint(v)
		switch name {
		case "id":
			n, _ := strconv.ParseInt(strings.TrimSpace(word), 10, 64)
			return item.ID == n
		case "ttl":
			n, _ := strconv.ParseInt(strings.TrimSpace(word), 10, 64)
			return item.TTL != query.None && holds(prefix, item.TTL < n, item.TTL > n)
		case "public":
			b, _ := strconv.ParseBool(strings.TrimSpace(word))
			return item.Public == b
		case "date_created", "date_start":
			at, shown := item.Created.Truncate(time.Second), time.Time{}
			if name == "date_start" {
				at = item.Started.Truncate(time.Second)
			}
			if t, isTime := v.(time.Time); isTime && t.Location() != time.UTC {
				shown = t
			} else if isTime {
				shown, _ = naiveTime(t.Format(time.DateTime), name)
			} else {
				shown, _ = naiveTime(word, name)
			}
			return !at.IsZero() && holds(prefix, at.Before(shown), at.After(shown))
		case "name":
			if prefix == "~" {
				return naiveLike(strings.ToLower(word), strings.ToLower(item.Name))
			}
			return item.Name == strings.ToLower(word)
		case "value":
			return naiveLike(word, item.Name)
		}
		return slices.ContainsFunc(item.Tags, func(tag string) bool {
			if prefix == "~" {
				return naiveLike(strings.ToLower(word), strings.ToLower(tag))
			}
			return tag == word
		})
	})
}

func holds(prefix string, less, more bool) bool {
	switch prefix {
	case "<":
		return less
	case ">":
		return more
	}
	return !less && !more
}

// naiveLike fills a table: can the first i bytes of the pattern stand for the
// first j of the text?
func naiveLike(pattern, text string) bool {
	can := make([]bool, len(text)+1)
	can[0] = true
	for i := range len(pattern) {
		next := make([]bool, len(text)+1)
		for j := range next {
			if pattern[i] == '%' {
				next[j] = can[j] || j > 0 && next[j-1]
			} else {
				next[j] = j > 0 && can[j-1] && text[j-1] == pattern[i]
			}
		}
		can = next
	}
	return can[len(text)]
}

func naivePage(given map[string]any, left []thing) (page []int64, ok bool) {
	perPage, at := int64(100), int64(0)
	for key, to := range map[string]*int64{"items_per_page": &perPage, "page": &at} {
		v := given[key]
		if v == nil || v == "" {
			continue
		}
		if _, isList := v.([]any); isList || naiveBad("id", "", []any{v}) {
			return nil, false
		}
		if *to, _ = strconv.ParseInt(strings.TrimSpace(fmt.Sprint(v)), 10, 64); *to < 0 {
			return nil, false
		}
	}
	if given["sort_by"] != nil {
		text, isText := given["sort_by"].(string)
		if !isText || !naiveSort(text, left) {
			return nil, false
		}
	}
	page = []int64{}
	for i := range left {
		if perPage > 0 && int64(i)/perPage == at {
			page = append(page, left[i].ID)
		}
	}
	return page, true
}

func naiveSort(text string, left []thing) bool {
	words := strings.Fields(text)
	if len(words) == 0 {
		return true
	}
	down := len(words) == 2 && strings.EqualFold(words[1], "desc")
	if len(words) > 2 || len(words) == 2 && !down && !strings.EqualFold(words[1], "asc") {
		return false
	}
	less, ok := map[string]func(a, b *thing) bool{
		"name":   func(a, b *thing) bool { return a.Name < b.Name },
		"tag":    func(a, b *thing) bool { return slices.Compare(a.Tags, b.Tags) < 0 },
		"public": func(a, b *thing) bool { return !a.Public && b.Public },
		"ttl":    func(a, b *thing) bool { return a.TTL < b.TTL },
		"date_start": func(a, b *thing) bool {
			return a.Started.Truncate(time.Second).Before(b.Started.Truncate(time.Second))
		},
	}[words[0]]
	switch {
	case words[0] == "id" || words[0] == "date_created":
		if down {
			slices.Reverse(left)
		}
		return true
	case !ok:
		return false
	}
	for i := range left { // by insertion
		for j := i; j > 0 && (!down && less(&left[j], &left[j-1]) || down && less(&left[j-1], &left[j])); j-- {
			left[j], left[j-1] = left[j-1], left[j]
		}
	}
	return true
}
