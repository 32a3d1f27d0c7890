package handles

import (
	"testing"
	"time"
)

func TestNotices(t *testing.T) {
	b := newBook(t)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	b.now = func() time.Time { return now }
	if _, err := b.Notice("a", "x.net"); err != ErrUnknown {
		t.Errorf("before there is one: %v", err)
	}
	n, err := b.GiveNotice("a", "x.net", "claims")
	if err != nil || n.Accepted || n.Expire.Sub(n.Created) != noticeLasts {
		t.Fatalf("%+v, %v", n, err)
	}
	if again, err := b.GiveNotice("a", "x.net", "claims"); err != nil || again.ID != n.ID {
		t.Errorf("the same notice: %+v, %v", again, err)
	}
	if err := b.AcceptNotice("b", n.ID); err != ErrUnknown {
		t.Errorf("another tenant accepts it: %v", err)
	}
	for range 2 {
		if err := b.AcceptNotice("a", n.ID); err != nil {
			t.Error(err)
		}
	}
	if err := b.NoticeSent("a", "x.net"); err != nil {
		t.Error(err)
	}
	if n, err := b.Notice("a", "x.net"); err != nil || !n.Accepted || !n.Sent {
		t.Errorf("%+v, %v", n, err)
	}
	more, err := b.GiveNotice("a", "x.net", "more claims")
	if err != nil || more.ID == n.ID || more.Accepted {
		t.Errorf("when more is claimed: %+v, %v", more, err)
	}
	if err := b.AcceptNotice("a", n.ID); err != ErrUnknown {
		t.Errorf("the notice of less is accepted: %v", err)
	}
	n = more
	now = now.Add(noticeLasts)
	if err := b.AcceptNotice("a", n.ID); err != ErrExpired {
		t.Errorf("after its time: %v", err)
	}
	if err := b.NoticeSent("a", "x.net"); err != nil {
		t.Errorf("told too late: %v", err)
	}
	if other, err := b.GiveNotice("a", "y.net", "claims"); err != nil || other.ID == n.ID {
		t.Errorf("%+v, %v", other, err)
	}
	if _, err := b.Notice("a", "x.net"); err != ErrUnknown {
		t.Errorf("what has expired is forgotten with the next: %v", err)
	}
}
