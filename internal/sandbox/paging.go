package sandbox

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// defaultPage is the page size when per_page is left out; v5 does not document
// its own.
const defaultPage = 100

// paging are the query parameters of a paged list: page counts from 1, both are
// at least 1 (v5 documentation).
func paging() []member {
	const most = 1 << 30
	return []member{{name: "page", kind: whole, min: 1, max: most}, {name: "per_page", kind: whole, min: 1, max: most}}
}

// page cuts one page out of the matching items. total counts all items, matching
// or not. A page past the end is an empty list; Link is only sent when there is
// more than one page (v5 documentation).
func page(c *call, items []any, total int) answer {
	size, _ := strconv.Atoi(c.query.Get("per_page"))
	if size == 0 {
		size = defaultPage
	}
	number, _ := strconv.Atoi(c.query.Get("page"))
	number = max(number, 1)
	pages := (len(items) + size - 1) / size
	cut := []any{}
	if number <= pages {
		start := (number - 1) * size
		cut = items[start:min(start+size, len(items))]
	}
	a := reply(http.StatusOK, cut)
	a.header = map[string]string{
		"Total-Count":    strconv.Itoa(total),
		"Filtered-Count": strconv.Itoa(len(items)),
	}
	if number < pages {
		a.header["Link"] = fmt.Sprintf(`<%s>; rel="next", <%s>; rel="last"`, c.pageURL(number+1, size), c.pageURL(pages, size))
	}
	return a
}

func (c *call) pageURL(number, size int) string {
	path := c.route.pattern
	for name, value := range c.vars {
		path = strings.ReplaceAll(path, "{"+name+"}", value)
	}
	q := url.Values{}
	for name, values := range c.query {
		q[name] = values
	}
	q["page"], q["per_page"] = []string{strconv.Itoa(number)}, []string{strconv.Itoa(size)}
	return c.url(path) + "?" + q.Encode()
}

// wild compares with a pattern in which * stands for any text.
func wild(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	rest, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}
