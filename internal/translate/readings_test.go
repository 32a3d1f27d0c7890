package translate

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"v3gate/internal/handles"
	"v3gate/internal/store"
	"v3gate/internal/tenant"
	"v3gate/internal/v5"
	"v3gate/internal/xmlrpc"
	"v3gate/internal/zones"
)

// held is a v5 that answers every request once it is told to.
type held struct {
	asked atomic.Int64
	say   chan struct{} // one for each answer; closed for all
}

func (h *held) RoundTrip(r *http.Request) (*http.Response, error) {
	h.asked.Add(1)
	select {
	case <-h.say:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	body := `{"fqdn":"` + name + `","tld":"net","contacts":{"owner":{"given":"A","family":"B"}}}`
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// desk is a gateway without its wire: the row of domain.info over a real store.
type desk struct {
	*held
	services *Services
	client   *v5.Client
	row      *Row
}

// atDesk runs a test in a bubble, where synctest.Wait returns when all callers
// wait for v5.
func atDesk(t *testing.T, test func(*testing.T, *desk)) {
	synctest.Test(t, func(t *testing.T) {
		db, err := store.Open(filepath.Join(t.TempDir(), "store.db"), time.Second)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		d := &desk{held: &held{say: make(chan struct{})}}
		if d.client, err = v5.New(v5.Options{BaseURL: "https://v5.test/v5", Transport: d.held}); err != nil {
			t.Fatal(err)
		}
		defer d.client.Close()
		table := NewTable()
		d.row, _ = table.Find("domain.info")
		d.services = &Services{Table: table, Book: handles.New(db, handles.DefaultFloors(), time.Now), Zones: zones.New(db, 1_000_000_000, time.Now), Now: time.Now,
			Ignored: func(string, string) {}, UnmappedV5: func(string) {}, AuthFailed: func(int) {}}
		test(t, d)
	})
}

// ask makes a call of a tenant's; what comes of it is sent to the channel.
func (d *desk) ask(ctx context.Context, name, fqdn string) <-chan error {
	c := &Call{Services: d.services, Method: "domain.info", Tenant: &tenant.Tenant{Name: name, Mode: tenant.Normal},
		V5: d.client.SessionFor(name, v5.Credential{Scheme: "Bearer", Secret: "secret-of-" + name}, "")}
	end := make(chan error, 1)
	go func() {
		answer, err := d.row.Call(ctx, c, []xmlrpc.Value{xmlrpc.String(fqdn)})
		if err == nil {
			var tree xmlrpc.Value
			tree, err = xmlrpc.Tree(answer)
			if said, _ := tree.Get("fqdn"); err == nil && said.Text() != fqdn {
				err = errors.New("answer about " + said.Text())
			}
		}
		end <- err
	}()
	return end
}

func (d *desk) want(t *testing.T, requests int64) {
	t.Helper()
	if n := d.asked.Load(); n != requests {
		t.Errorf("%d requests to v5, want %d", n, requests)
	}
}

func TestEqualReadingsAreOneRequest(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		var ends []<-chan error
		for range 50 {
			ends = append(ends, d.ask(t.Context(), "a", "x.net"))
		}
		synctest.Wait()
		d.want(t, 1)
		close(d.say)
		for _, end := range ends {
			if err := <-end; err != nil {
				t.Error(err)
			}
		}
		d.want(t, 1)
		if err := <-d.ask(t.Context(), "a", "x.net"); err != nil { // nothing is kept
			t.Error(err)
		}
		d.want(t, 2)
	})
}

func TestOtherTenantsAndNamesAreOtherRequests(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		var ends []<-chan error
		for range 10 {
			ends = append(ends, d.ask(t.Context(), "a", "x.net"), d.ask(t.Context(), "b", "x.net"), d.ask(t.Context(), "a", "y.net"))
		}
		synctest.Wait()
		d.want(t, 3)
		close(d.say)
		for _, end := range ends {
			if err := <-end; err != nil {
				t.Error(err)
			}
		}
	})
}

// Whoever leaves is let go at once and takes nobody along, the one who makes the
// request included.
func TestOneCallerLeavingDoesNotEndTheOthers(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		firstCtx, firstLeaves := context.WithCancel(t.Context())
		first := d.ask(firstCtx, "a", "x.net")
		synctest.Wait()
		secondCtx, secondLeaves := context.WithCancel(t.Context())
		second, third, fourth := d.ask(secondCtx, "a", "x.net"), d.ask(t.Context(), "a", "x.net"), d.ask(t.Context(), "a", "x.net")
		synctest.Wait()
		d.want(t, 1)

		secondLeaves()
		if err := <-second; !errors.Is(err, context.Canceled) {
			t.Errorf("who left was told %v", err)
		}
		synctest.Wait()
		d.want(t, 1)

		firstLeaves()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Errorf("who left was told %v", err)
		}
		synctest.Wait()
		d.want(t, 2) // made anew, for both that are left
		close(d.say)
		for _, end := range []<-chan error{third, fourth} {
			if err := <-end; err != nil {
				t.Error(err)
			}
		}
		d.want(t, 2)
	})
}

// A caller has its own time, not that of who began.
func TestEachCallerHasItsOwnTime(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		short, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		first := d.ask(short, "a", "x.net")
		synctest.Wait()
		long, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		second := d.ask(long, "a", "x.net")
		if err := <-first; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("whose time was up was told %v", err)
		}
		synctest.Wait()
		d.want(t, 2)
		close(d.say)
		if err := <-second; err != nil {
			t.Error(err)
		}
	})
}

// Who asks after a change was seen through is not given what v5 said before.
func TestAReadingFromBeforeAChangeIsNotJoined(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		before := d.ask(t.Context(), "a", "x.net")
		synctest.Wait()
		d.services.Book.Changed()
		after, another := d.ask(t.Context(), "a", "x.net"), d.ask(t.Context(), "a", "x.net")
		synctest.Wait()
		d.want(t, 2)
		close(d.say)
		for _, end := range []<-chan error{before, after, another} {
			if err := <-end; err != nil {
				t.Error(err)
			}
		}
	})
}

// Before what costs money the domain is read by each call for itself.
func TestFreshReadingsAreNotShared(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		shown := d.ask(t.Context(), "a", "x.net")
		c := &Call{Services: d.services, Tenant: &tenant.Tenant{Name: "a"},
			V5: d.client.SessionFor("a", v5.Credential{Scheme: "Bearer", Secret: "secret"}, "")}
		end := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := c.domain(t.Context(), "x.net")
				end <- err
			}()
		}
		synctest.Wait()
		d.want(t, 3)
		close(d.say)
		for _, err := range []error{<-shown, <-end, <-end} {
			if err != nil {
				t.Error(err)
			}
		}
	})
}

func TestAPanicLeavesNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rs readings
		key := readingKey{tenant: "a", fqdn: "x.net"}
		begin := make(chan struct{})
		go func() {
			defer func() { recover() }()
			rs.do(t.Context(), key, func(context.Context) (*v5.Domain, error) { <-begin; panic("in v5") })
		}()
		synctest.Wait()
		end := make(chan *v5.Domain, 1)
		go func() {
			d, _ := rs.do(t.Context(), key, func(context.Context) (*v5.Domain, error) { return &v5.Domain{FQDN: "x.net"}, nil })
			end <- d
		}()
		synctest.Wait()
		close(begin)
		if d := <-end; d == nil || d.FQDN != "x.net" {
			t.Errorf("%+v", d)
		}
		if len(rs.open) != 0 {
			t.Errorf("%d readings are open", len(rs.open))
		}
	})
}
