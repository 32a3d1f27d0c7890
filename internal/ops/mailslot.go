package ops

import (
	"context"
	"encoding/json"
	"slices"

	"v3gate/internal/v5"
)

// mailSlot buys a slot, POST slots, and then makes a mailbox in it: one item,
// whose request is that of mailboxCreate. v5 has no Dry-Run here. It happened
// when a slot is there that was not there before, whoever bought it; it is never
// sent twice.
var mailSlot = Kind{
	Paid: true,
	Baseline: func(ctx context.Context, s *v5.Session, in *Intent) (json.RawMessage, error) {
		ids, err := slotIDs(ctx, s, in.FQDN)
		if err != nil {
			return nil, err
		}
		return json.Marshal(ids)
	},
	Send: func(ctx context.Context, s *v5.Session, op *Operation) error {
		r, err := request[v5.SlotOrder](op.Request)
		if err != nil {
			return err
		}
		return s.BuySlot(ctx, op.FQDN, r)
	},
	Look: func(ctx context.Context, s *v5.Session, op *Operation) (Sighting, error) {
		before, err := request[[]int](op.Baseline)
		if err != nil {
			return Sighting{}, err
		}
		now, err := slotIDs(ctx, s, op.FQDN)
		if err != nil {
			return Sighting{}, err
		}
		return shows(slices.ContainsFunc(now, func(id int) bool { return !slices.Contains(before, id) })), nil
	},
	Sequential: true,
	AwaitItem:  true,
	DoItem: func(ctx context.Context, s *v5.Session, op *Operation, item *Item) error {
		r, err := request[v5.MailboxCreate](item.Request)
		if err != nil {
			return err
		}
		return s.CreateMailbox(ctx, op.FQDN, r)
	},
	ShownItem: func(ctx context.Context, s *v5.Session, op *Operation, item *Item) (bool, error) {
		r, err := request[v5.MailboxCreate](item.Request)
		if err != nil {
			return false, err
		}
		there, err := listed(ctx, s, op.FQDN, r.Login)
		return there != nil, err
	},
}

// slotIDs lists what tells slots apart. One without an id could be new or old.
func slotIDs(ctx context.Context, s *v5.Session, fqdn string) ([]int, error) {
	slots, err := s.Slots(ctx, fqdn)
	if err != nil {
		return nil, err
	}
	ids := []int{}
	for _, slot := range slots {
		if slot.ID == 0 {
			return nil, &StaleError{"v5 shows a mailbox slot without an id; nothing was bought"}
		}
		ids = append(ids, slot.ID)
	}
	return ids, nil
}
