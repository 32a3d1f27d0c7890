package v5

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"strconv"
)

// paged is the query of routes that answer in pages.
var paged = []string{"page", "per_page"}

const (
	// perPage is how many items are asked for at once.
	perPage = 100
	// leastPage is the smallest page that v5 is known to cut a list to by itself
	// (seen in a client), so a shorter one is the last.
	leastPage = 50
	// mostPages ends a list that does not end.
	mostPages = 1000
)

// all reads the pages of a list. Where v5 tells how many items there are that
// many are read, otherwise up to a page that is too short to have been cut.
func all[T any](ctx context.Context, s *Session, r request) ([]T, error) {
	var list []T
	query := url.Values{}
	maps.Copy(query, r.query)
	r.query = query
	for page := 1; page <= mostPages; page++ {
		query.Set("page", strconv.Itoa(page))
		query.Set("per_page", strconv.Itoa(perPage))
		ans, err := s.do(ctx, r)
		if err != nil {
			return nil, err
		}
		items, err := decode[[]T](ans)
		if err != nil {
			return nil, err
		}
		list = append(list, *items...)
		total, err := strconv.Atoi(ans.header.Get("Total-Count"))
		known := err == nil
		if len(*items) == 0 || known && len(list) >= total || !known && len(*items) < leastPage {
			return list, nil
		}
	}
	return nil, r.refused(errors.New("read list: it does not end"))
}
