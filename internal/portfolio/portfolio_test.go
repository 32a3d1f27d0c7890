package portfolio

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"v3gate/internal/store"
)

func TestARefreshReadsWhatIsNewOrChanged(t *testing.T) {
	a := newAccount("a.net", "b.net", "c.net", "d.net")
	a.foreign["c.net"] = true
	rigs(t, a, func(r *rig) {
		r.ready()
		r.wants("a.net b.net d.net", "a.net:1 b.net:1 c.net:1 d.net:1")
		if r.progress != "a: 3 domains, 0 unread, walked 0s ago" {
			t.Errorf("told: %s", r.progress)
		}

		time.Sleep(16 * time.Minute) // due, and answered from what there is
		a.change("b.net", time.Unix(2_000_000, 0))
		a.change("e.net", time.Unix(2_000_000, 0))
		r.ready()
		r.wants("a.net b.net d.net e.net", "b.net:1 e.net:1")

		r.ready() // not due
		if a.pages != 4 {
			t.Errorf("%d pages were read", a.pages)
		}
		r.wants("a.net b.net d.net e.net", "")

		time.Sleep(25 * time.Hour) // everything is read anew
		r.ready()
		r.wants("a.net b.net d.net e.net", "a.net:1 b.net:1 c.net:1 d.net:1 e.net:1")
		if len(r.failed) > 0 {
			t.Error(r.failed)
		}
	})
}

// That a list leaves a name out proves nothing: the detail does.
func TestWhatIsNoLongerListed(t *testing.T) {
	a := newAccount("a.net", "b.net", "c.net")
	rigs(t, a, func(r *rig) {
		r.ready()
		a.readOf()
		a.hidden["b.net"] = true
		delete(a.updated, "c.net")
		time.Sleep(2 * time.Hour)
		r.ready()
		r.wants("a.net b.net", "b.net:1 c.net:1")
		time.Sleep(2 * time.Hour)
		r.ready() // c.net is forgotten, b.net looked for again
		r.wants("a.net b.net", "b.net:1")
		if row := r.row("c.net"); row != nil {
			t.Errorf("still there: %+v", row)
		}
	})
}

func TestWhatTheGatewayDoesShowsAtOnce(t *testing.T) {
	a := newAccount("a.net", "b.net")
	rigs(t, a, func(r *rig) {
		r.touch("a.net") // nobody has asked for a list yet
		if r.row("a.net") != nil {
			t.Error("a mirror began by itself")
		}
		r.ready()
		a.readOf()

		r.touch("b.net")
		a.change("new.net", time.Unix(3_000_000, 0))
		r.touch("new.net")
		r.wants("a.net b.net? new.net?", "")
		r.fresh("b.net", "new.net")
		r.wants("a.net b.net new.net", "b.net:1 new.net:1")

		delete(a.updated, "a.net")
		r.touch("a.net")
		r.fresh("a.net")
		r.wants("b.net new.net", "a.net:1")
		a.change("a.net", time.Unix(4_000_000, 0)) // it comes back
		r.touch("a.net")
		r.fresh("a.net")
		r.wants("a.net b.net new.net", "a.net:1")

		r.fresh("nobodys.net") // leaves nothing behind
		if row := r.row("nobodys.net"); row != nil {
			t.Errorf("%+v", row)
		}
	})
}

// A change that comes while a detail is read is not covered by what was read.
func TestAChangeDuringAReading(t *testing.T) {
	a := newAccount("a.net")
	rigs(t, a, func(r *rig) {
		r.ready()
		a.took = time.Second
		r.touch("a.net")
		done := make(chan error)
		go func() { done <- r.Fresh(r.t.Context(), "a", []string{"a.net"}) }()
		synctest.Wait()
		r.touch("a.net")
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got := r.names(); got != "a.net?" {
			t.Errorf("mirrored %s", got)
		}
	})
}

func TestCallersShareAReading(t *testing.T) {
	a := newAccount("a.net")
	rigs(t, a, func(r *rig) {
		r.ready()
		a.readOf()
		a.took = time.Second
		r.touch("a.net")
		impatient, cancel := context.WithTimeout(r.t.Context(), time.Millisecond)
		defer cancel()
		var callers sync.WaitGroup
		callers.Go(func() {
			var unread *UnreadError
			if err := r.Fresh(impatient, "a", []string{"a.net"}); !errors.As(err, &unread) || unread.Domains != 1 || unread.Read != 0 {
				t.Errorf("who has no time gets %v", err)
			}
		})
		synctest.Wait()
		for range 10 {
			callers.Go(func() {
				if err := r.Fresh(r.t.Context(), "a", []string{"a.net"}); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		r.wants("a.net", "a.net:2") // that of the impatient one, and one for all others
	})
}

// A process that ends in the middle goes on with what it has.
func TestARestartGoesOn(t *testing.T) {
	var names []string
	for i := range 40 {
		names = append(names, fmt.Sprintf("d%02d.net", i))
	}
	a := newAccount(names...)
	a.took = time.Second
	rigs(t, a, func(r *rig) {
		if err := r.Ready(r.t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5500 * time.Millisecond)
		r.Close()
		if got := strings.Count(r.names(), "?"); got != 20 {
			t.Fatalf("%d are not read", got)
		}
		a.readOf()
		r.start()
		r.keepAMinute()
		if got := strings.Count(r.names(), "?"); got != 0 {
			t.Errorf("%d are not read", got)
		}
		if got := len(strings.Fields(a.readOf())); got != 20 {
			t.Errorf("%d were read", got)
		}
	})
}

func TestAMirrorThatNobodyAsksForEnds(t *testing.T) {
	a := newAccount("a.net")
	rigs(t, a, func(r *rig) {
		r.keepAMinute()
		if a.pages != 0 {
			t.Error("v5 was asked for a tenant who asks for no list")
		}
		r.ready()
		time.Sleep(6 * 24 * time.Hour)
		r.keepAMinute()
		if a.pages != 2 {
			t.Errorf("%d pages", a.pages)
		}
		time.Sleep(2 * 24 * time.Hour)
		r.keepAMinute()
		if a.pages != 2 {
			t.Errorf("%d pages, and nobody asked for a week", a.pages)
		}
	})
}

func TestWhenV5Fails(t *testing.T) {
	a := newAccount("a.net", "b.net")
	a.fails = errors.New("out of order")
	rigs(t, a, func(r *rig) {
		if err := r.Ready(r.t.Context(), "a"); !errors.Is(err, a.fails) {
			t.Errorf("Ready: %v", err)
		}
		if len(r.failed) != 1 {
			t.Errorf("failed: %v", r.failed)
		}
		wrong := a.fails
		a.fails = nil
		r.ready()
		r.wants("a.net b.net", "a.net:1 b.net:1")
		a.fails = wrong
		time.Sleep(30 * time.Minute)
		r.ready() // what there is is young enough
		time.Sleep(time.Hour)
		if err := r.Ready(r.t.Context(), "a"); !errors.Is(err, wrong) {
			t.Errorf("Ready with an old mirror: %v", err)
		}
		if err := r.Fresh(r.t.Context(), "a", []string{"a.net"}); !errors.Is(err, wrong) {
			t.Errorf("Fresh: %v", err)
		}
	})
}

// Too many for a call are left to a refresh, and the caller is told how far it is.
func TestTooManyForACall(t *testing.T) {
	var names []string
	for i := range 2 * mostInCall {
		names = append(names, fmt.Sprintf("d%03d.net", i))
	}
	a := newAccount(names...)
	a.took = time.Second
	rigs(t, a, func(r *rig) {
		if err := r.Ready(r.t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(r.t.Context(), 10500*time.Millisecond)
		defer cancel()
		err := r.Fresh(ctx, "a", names)
		var unread *UnreadError
		if !errors.As(err, &unread) || err.Error() != "domain list is being read: 40 of 200" {
			t.Errorf("%v", err)
		}
		r.fresh(names...)
		if got := strings.Count(r.names(), "?"); got != 0 {
			t.Errorf("%d are not read", got)
		}
		for name, n := range a.reads {
			if n != 1 {
				t.Errorf("%s was read %d times", name, n)
			}
		}
	})
}

// A tenant that gets another account at v5 is not shown the domains of the old one.
func TestAnotherAccount(t *testing.T) {
	a := newAccount("a.net", "b.net")
	rigs(t, a, func(r *rig) {
		r.ready()
		r.account = newAccount("c.net")
		r.account.name = "other"
		r.Close()
		r.start()
		if err := r.Open("a"); err != nil {
			t.Fatal(err)
		}
		if got := r.names(); got != "" {
			t.Errorf("still mirrored: %s", got)
		}
		r.ready()
		r.wants("c.net", "c.net:1")
	})
}

func TestNamesArePagedThroughWithoutTheirRows(t *testing.T) {
	a := newAccount("a.net", "b.net", "c.net")
	a.foreign["b.net"] = true
	rigs(t, a, func(r *rig) {
		r.ready()
		r.touch("c.net")
		r.touch("new.net")
		names, err := r.Names("a")
		if got := fmt.Sprint(names, err); got != "[{a.net true} {c.net true} {new.net false}] <nil>" {
			t.Error(got)
		}
	})
	for _, wrong := range []string{"", "{}", `{"f":`, `{"f":-1}`, `{"f":12}`, `{"g":1}`} {
		if got := peek([]byte(wrong)); got >= 0 {
			t.Errorf("%s: %d", wrong, got)
		}
	}
}

func TestTenantsAreApart(t *testing.T) {
	a := newAccount("a.net")
	rigs(t, a, func(r *rig) {
		r.ready()
		if err := r.View(func(tx *store.Tx) error {
			row, err := Get(tx, "b", "a.net")
			if row != nil {
				t.Error("another tenant has it")
			}
			return errors.Join(err, Each(tx, "b", false, func(*Row) error { t.Error("another tenant has one"); return nil }))
		}); err != nil {
			t.Fatal(err)
		}
	})
}
