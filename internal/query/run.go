package query

import (
	"cmp"
	"iter"
	"math/bits"
	"slices"
	"strings"
)

// Match tells whether an item is asked for.
func (q *Query[T]) Match(item *T) bool {
	for i := range q.filters {
		if !q.filters[i].match(item) {
			return false
		}
	}
	return true
}

func (f *filter[T]) match(item *T) bool {
	switch {
	case f.field.num != nil:
		return f.matchNum(f.field.num(item))
	case f.field.text != nil:
		return f.has(f.field.text(item)) != (f.op == Ne)
	}
	return slices.ContainsFunc(f.field.texts(item), f.has) != (f.op == Ne)
}

func (f *filter[T]) matchNum(n int64) bool {
	switch {
	case n == None:
		return f.op == Ne
	case f.op == Lt:
		return n < f.nums[0]
	case f.op == Gt:
		return n > f.nums[0]
	}
	_, found := slices.BinarySearch(f.nums, n)
	return found != (f.op == Ne)
}

// has tells whether a text is one of the values.
func (f *filter[T]) has(text string) bool {
	if f.op == Like {
		return f.like.match(text)
	}
	_, found := slices.BinarySearch(f.texts, text)
	return found
}

// pattern is a LIKE pattern, cut at its %.
type pattern struct {
	first, last string
	inner       []string // none is empty
	plain       bool     // there is no %, only first
	cased       bool
}

func newPattern(text string, cased bool) pattern {
	if !cased {
		text = strings.ToLower(text)
	}
	parts := strings.Split(text, "%")
	p := pattern{first: parts[0], last: parts[len(parts)-1], plain: len(parts) == 1, cased: cased}
	for _, part := range parts[1:max(1, len(parts)-1)] {
		if part != "" {
			p.inner = append(p.inner, part)
		}
	}
	return p
}

func (p *pattern) match(text string) bool {
	if !p.cased {
		text = strings.ToLower(text)
	}
	if p.plain {
		return text == p.first
	}
	rest, ok := strings.CutPrefix(text, p.first)
	for i := 0; ok && i < len(p.inner); i++ {
		_, rest, ok = strings.Cut(rest, p.inner[i])
	}
	return ok && strings.HasSuffix(rest, p.last)
}

// Compare is negative when a comes before b in the order asked for, and 0 when
// they keep the order in which they come.
func (q *Query[T]) Compare(a, b *T) int {
	if q.down {
		a, b = b, a
	}
	switch f := q.sort; {
	case f == nil:
		return 0
	case f.num != nil:
		return cmp.Compare(f.num(a), f.num(b))
	case f.text != nil:
		return cmp.Compare(f.text(a), f.text(b))
	default:
		return slices.Compare(f.texts(a), f.texts(b))
	}
}

// Page gives the items of the page asked for: none when there are no more, or when
// items_per_page is 0. The items come from a function that gives them in their
// natural order or, when it is asked to, backward. Page keeps the pointers, so the
// function cannot use an item again for the next one.
//
// In natural order, either way, Page stops at the end of the page and holds no
// other items. In other orders it reads all of them and holds about twice as many
// as there are up to the end of the page. Equal ones keep the natural order.
func (q *Query[T]) Page(items func(backward bool) iter.Seq[*T]) []*T {
	over, skip := bits.Mul64(uint64(q.page), uint64(q.perPage))
	end, carry := bits.Add64(skip, uint64(q.perPage), 0)
	if over+carry > 0 || q.perPage == 0 {
		return nil
	}
	if q.sort != nil && q.sort.can&Natural == 0 {
		return q.sorted(items(false), skip, end)
	}
	var page []*T
	for item := range items(q.down) {
		switch {
		case !q.Match(item):
		case skip > 0:
			skip--
		default:
			page = append(page, item)
			if uint64(len(page)) == uint64(q.perPage) {
				return page
			}
		}
	}
	return page
}

// sorted gives the items from skip to end in the order asked for.
func (q *Query[T]) sorted(items iter.Seq[*T], skip, end uint64) []*T {
	var first []*T // the first ones of those seen, and some more
	trim := func() {
		slices.SortStableFunc(first, q.Compare)
		first = slices.Delete(first, int(min(end, uint64(len(first)))), len(first))
	}
	const spare = 1000
	for item := range items {
		if !q.Match(item) {
			continue
		}
		first = append(first, item)
		if n := uint64(len(first)); n > spare && n/2 > end {
			trim()
		}
	}
	trim()
	return first[min(skip, uint64(len(first))):]
}

// Count is how many items are asked for, on all pages together.
func (q *Query[T]) Count(items iter.Seq[*T]) int64 {
	var n int64
	for item := range items {
		if q.Match(item) {
			n++
		}
	}
	return n
}

// Exact gives the values, sorted, of which an item must have one in a field: ints
// for an int field, texts in the form of the items for a text field. An index can
// be asked for these; Match still has to be. The values stay the query's. ok is
// false when the options do not say, and for other fields.
func (q *Query[T]) Exact(name string) (ints []int64, texts []string, ok bool) {
	for _, f := range q.filters {
		if f.op == Eq && f.field.name == name && (f.field.kind == KindInt || f.field.kind == KindText) {
			return f.nums, f.texts, true
		}
	}
	return nil, nil, false
}

// Window gives the places of the page asked for among n items in natural order, where
// all items are asked for in that order, or backward with down: nothing of an item
// need be known then. ok is false for other queries.
func (q *Query[T]) Window(n int) (from, to int, down, ok bool) {
	if len(q.filters) > 0 || q.sort != nil && q.sort.can&Natural == 0 {
		return 0, 0, false, false
	}
	over, skip := bits.Mul64(uint64(q.page), uint64(q.perPage))
	if over > 0 || skip > uint64(n) {
		skip = uint64(n)
	}
	from = int(skip)
	to = from + int(min(uint64(n)-skip, uint64(q.perPage)))
	if q.down {
		from, to = n-to, n-from
	}
	return from, to, q.down, true
}

// Slice gives the items of a slice that is in natural order, for Page.
func Slice[T any](items []T) func(backward bool) iter.Seq[*T] {
	return func(backward bool) iter.Seq[*T] {
		return func(yield func(*T) bool) {
			for i := range items {
				if backward {
					i = len(items) - 1 - i
				}
				if !yield(&items[i]) {
					return
				}
			}
		}
	}
}
