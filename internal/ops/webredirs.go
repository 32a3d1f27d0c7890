package ops

import (
	"context"
	"encoding/json"
	"errors"

	"v3gate/internal/v5"
)

// webredirMove gives a redirection another host, which v5 can do only by a new
// one: POST webredirs, and when v5 shows that, DELETE of the old one, as the work
// list of one operation. In this order nothing is lost when v5 refuses the new one.
var webredirMove = Kind{
	MayResend: true,
	Send: func(ctx context.Context, s *v5.Session, op *Operation) error {
		w, err := request[v5.NewWebredir](op.Request)
		if err != nil {
			return err
		}
		return s.CreateWebredir(ctx, op.FQDN, w)
	},
	Look: func(ctx context.Context, s *v5.Session, op *Operation) (Sighting, error) {
		want, err := request[v5.NewWebredir](op.Request)
		if err != nil {
			return Sighting{}, err
		}
		w, err := s.Webredir(ctx, op.FQDN, want.Host)
		if e := (*v5.Error)(nil); errors.As(err, &e) && e.Missing() {
			return Sighting{Absent: true}, nil
		}
		if err != nil {
			return Sighting{}, err
		}
		return shown(w.Type == want.Type && w.URL == want.URL), nil
	},
	DoItem: func(ctx context.Context, s *v5.Session, op *Operation, item *Item) error {
		err := s.DeleteWebredir(ctx, op.FQDN, item.Name)
		if e := (*v5.Error)(nil); errors.As(err, &e) && e.Missing() {
			return nil
		}
		return err
	},
	ShownItem: func(ctx context.Context, s *v5.Session, op *Operation, item *Item) (bool, error) {
		_, err := s.Webredir(ctx, op.FQDN, item.Name)
		if e := (*v5.Error)(nil); errors.As(err, &e) && e.Missing() {
			return true, nil
		}
		return false, err
	},
}

// WebredirItems is the work list of KindWebredirMove: the old host.
func WebredirItems(host string) []Item { return []Item{{Name: host, Request: json.RawMessage("null")}} }
