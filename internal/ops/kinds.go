package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"v3gate/internal/store"
	"v3gate/internal/v5"
)

// The kinds of work: how a call is sent and how v5 shows what became of it.
const (
	KindCreate           = "create"
	KindChangeOwner      = "change_owner"
	KindContacts         = "contacts"
	KindRenew            = "renew"
	KindRestore          = "restore"
	KindDelete           = "delete"
	KindTransferIn       = "transfer_in"
	KindRelaunchTransfer = "relaunch_transfer"
	KindTransferLock     = "transfer_lock"
	KindNameservers      = "nameservers"
	KindNameserverHosts  = "nameserver_hosts"
	KindHostCreate       = "host_create"
	KindHostUpdate       = "host_update"
	KindHostDelete       = "host_delete"
	KindDNSKeyAdd        = "dnskey_add"
	KindDNSKeyDelete     = "dnskey_delete"
	KindWebredirMove     = "webredir_move"

	KindMailbox           = "mailbox"
	KindMailboxDelete     = "mailbox_delete"
	KindMailboxPurge      = "mailbox_purge"
	KindMailSlot          = "mail_slot" // and the mailbox in it
	KindResponder         = "responder"
	KindPackmailRenew     = "packmail_renew"
	KindPackmailAutorenew = "packmail_autorenew"
)

// Kind is one way of working on v5. Adding one is a file like create.go and a
// line in kinds.
type Kind struct {
	// Paid work costs money: it holds the name until its outcome is known, and
	// starts in BILL instead of WAIT.
	Paid bool
	// Holds: work that costs nothing and cannot be undone, so that it holds the
	// name as paid work does.
	Holds bool
	// Baseline reads what v5 shows before anything is sent. It is stored with
	// the intent; a later reading that equals it proves nothing about our call.
	// It refuses what v5 already shows to be impossible, and gives errNothing
	// where v5 already shows all that is asked for.
	Baseline func(ctx context.Context, s *v5.Session, in *Intent) (json.RawMessage, error)
	// DryRun asks v5 whether it would take the call; nil where v5 has no
	// Dry-Run.
	DryRun func(ctx context.Context, s *v5.Session, op *Operation) error
	// Ready reads, right before the call is sent, what must still be true; nil
	// where nothing is. A *StaleError ends the operation with nothing sent.
	Ready func(ctx context.Context, s *v5.Session, op *Operation) error
	// Send makes the call, once.
	Send func(ctx context.Context, s *v5.Session, op *Operation) error
	// Look reads what became of it.
	Look func(ctx context.Context, s *v5.Session, op *Operation) (Sighting, error)
	// MayResend: two looks that prove absence allow one more send. Never for
	// calls whose repetition could be charged without a trace.
	MayResend bool
	// Forget takes secrets out of a request once they have done their work; nil
	// where it holds none.
	Forget func(json.RawMessage) json.RawMessage

	// DoItem makes the call of one item of a work list, never a paid one (but see
	// packmailRenew); nil for a kind without lists. A kind with nothing else is
	// its list alone; else the list comes after the kind's own call. It is made
	// again when nobody knows what became of it, so that must do no harm, or
	// ShownItem prevent it. A *SkipError skips the item, a *StaleError fails it,
	// and a *LostError does with the operation in SUPPORT.
	DoItem func(ctx context.Context, s *v5.Session, op *Operation, item *Item) error
	// ShownItem reads whether v5 already shows what the item asks for. It is
	// asked before an item is sent again of which nobody knows what became.
	ShownItem func(ctx context.Context, s *v5.Session, op *Operation, item *Item) (bool, error)
	// WantItem decides, in the commit that precedes each send, whether the item
	// is still wanted; a *SkipError for no. It may set item.Loaded to what it
	// read, for the two above. It may be run twice and must not write.
	WantItem func(tx *store.Tx, op *Operation, item *Item) error
	// AwaitItem: an item that v5 took is done only when ShownItem says that v5
	// shows it; it fails when v5 does not in some ten minutes. ShownItem can tell
	// such an item by its state, ItemTaken.
	AwaitItem bool
	// Looks is in how many tries v5 is only read, by ShownItem, before an item is
	// sent again of which nobody knows what became: v5 shows late what it took.
	Looks int
	// DoneItem writes what became true with an item that is done, in the commit of
	// that; nil where nothing does. The item is the one that the functions above
	// had, with what they left in Loaded. It may be run twice.
	DoneItem func(tx *store.Tx, op *Operation, item *Item) error
	// Sequel: the list follows a purchase that stands without it. What that made true
	// is settled before the list begins, and the list alone can be relaunched.
	Sequel bool
	// ItemsAtOnce bounds the items of one list under way; 0 is 4.
	ItemsAtOnce int
	// Sequential: each item builds on the one before. It waits for that one's
	// end, and is not begun when that one failed.
	Sequential bool
}

func (k *Kind) baseline(ctx context.Context, s *v5.Session, in *Intent) (json.RawMessage, error) {
	if k.Baseline == nil {
		return nil, nil
	}
	return k.Baseline(ctx, s, in)
}

// guards tells whether work of the kind holds the name.
func (k *Kind) guards() bool { return k.Paid || k.Holds }

func kinds() map[string]Kind {
	return map[string]Kind{
		KindCreate:      followed(create),
		KindChangeOwner: changeOwner,
		KindContacts:    contacts,
		KindRenew:       renew, KindRestore: restore, KindDelete: deletion,
		KindTransferIn: followed(transferIn), KindRelaunchTransfer: followed(relaunchTransfer),
		KindTransferLock: transferLock,
		KindNameservers:  nameservers, KindNameserverHosts: nameserverHosts,
		KindHostCreate: hostCreate, KindHostUpdate: hostUpdate, KindHostDelete: hostDelete,
		KindDNSKeyAdd: dnskeyAdd, KindDNSKeyDelete: dnskeyDelete,
		KindWebredirMove: webredirMove,

		KindMailbox: mailboxCreate, KindMailboxDelete: mailboxDelete, KindMailboxPurge: mailboxPurge,
		KindMailSlot: mailSlot, KindResponder: responder,
		KindPackmailRenew: packmailRenew, KindPackmailAutorenew: packmailAutorenew,
	}
}

// Builtin gives one of the kinds above, for Options.Kinds to add a work list to
// it.
func Builtin(name string) Kind { return kinds()[name] }

// errNothing ends a baseline that finds nothing to do.
var errNothing = errors.New("v5 already shows what is asked for")

// ErrExists is given by a baseline when the name is registered already, so that
// a registration would be refused or, worse, taken for ours later.
type ErrExists struct {
	FQDN  string
	Login string // of a mailbox below the name, where it is that which exists
}

func (e *ErrExists) Error() string {
	if e.Login != "" {
		return "mailbox " + e.Login + " of " + e.FQDN + " exists"
	}
	return "domain " + e.FQDN + " exists"
}

// request reads what a kind sends, as it is in an intent or an operation.
func request[T any](raw json.RawMessage) (T, error) {
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, fmt.Errorf("read request: %w", err)
	}
	return v, nil
}

// progressed turns a step of v5 into a sighting of a call that happened.
func progressed(p *v5.Progress) Sighting {
	seen := Sighting{Happened: true, Step: Step(p.Step)}
	switch seen.Step {
	case Bill, Wait, Run:
	case Error, Support:
		seen.ErrorType = p.ErrorType
		seen.Error = p.ErrorLabel
		if seen.Error == "" {
			seen.Error = p.ErrorType
		}
		if seen.Error == "" {
			seen.Error = "v5 ended the operation in " + p.Step
		}
	default:
		// A step that no document names is work going on.
		seen.Step = Run
	}
	return seen
}
