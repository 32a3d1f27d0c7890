package v5

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestMaxInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now, most := 0, 0
		slow := func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			now--
			mu.Unlock()
			return says(200, `{"id":"u"}`)(r)
		}
		rt := &script{steps: []step{slow, slow, slow, slow, slow, slow, slow}}
		s := open(t, Options{BaseURL: "https://h", Transport: rt, MaxInFlight: 3})
		var running sync.WaitGroup
		for range 7 {
			running.Go(func() { s.UserInfo(t.Context()) })
		}
		running.Wait()
		if most != 3 || rt.count() != 7 {
			t.Errorf("%d at a time, %d in all", most, rt.count())
		}
	})
}

// Requests that hang hold up neither another tenant nor the foreground.
func TestSharesOfWhatIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(Options{MaxInFlight: 8})
		hold := func(name string, p priority, n int) (turns []*turn) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			for range n {
				turn, err := q.enter(ctx, name, p)
				if err != nil {
					return turns
				}
				turns = append(turns, turn)
			}
			return turns
		}
		quiet := hold("A", background, 9)
		loud := hold("A", foreground, 9)
		other := hold("B", foreground, 9)
		if len(quiet) != 4 || len(loud) != 2 || len(other) != 2 {
			t.Errorf("A holds %d in the background and %d in the foreground, B %d", len(quiet), len(loud), len(other))
		}
		// What ends makes room for those that wait, in the same moment.
		start := time.Now()
		c := crowd{q: q}
		c.join(t.Context(), "A", background)
		c.join(t.Context(), "A", foreground)
		quiet[0].end(true)
		synctest.Wait()
		quiet[1].end(true)
		c.running.Wait()
		if got := strings.Join(c.who, " "); got != "A bA" || time.Now() != start {
			t.Errorf("order %s after %s", got, time.Since(start))
		}
		for _, turns := range [][]*turn{quiet[2:], loud, other} {
			for _, turn := range turns {
				turn.end(true)
			}
		}
		empty(t, q)
	})
}

// A transport that panics leaves nothing held.
func TestPanicHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := &script{steps: []step{func(*http.Request) (*http.Response, error) { panic("broken") }, says(202, "")}}
		s := open(t, Options{BaseURL: "https://h", Transport: rt, MaxInFlight: 1})
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			s.CreateDomain(t.Context(), creation)
		}()
		empty(t, s.c.queue)
		if err := s.CreateDomain(t.Context(), creation); err != nil {
			t.Error(err)
		}
	})
}

// An answer that stops in its middle ends with the attempt, and so does its hold
// on the place among the requests in flight.
func TestHungAnswerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial := func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			go func() {
				defer there.Close()
				if _, err := http.ReadRequest(bufio.NewReader(there)); err == nil {
					io.WriteString(there, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
					io.Copy(io.Discard, there)
				}
			}()
			return here, nil
		}
		s := open(t, Options{BaseURL: "http://h", Transport: &http.Transport{DialContext: dial}, MaxInFlight: 1})
		start := time.Now()
		e := asError(t, s.DryRunCreateDomain(t.Context(), creation))
		if !e.MaybeSent || !errors.Is(e, context.DeadlineExceeded) || time.Since(start) != attemptTimeout {
			t.Errorf("%+v after %s", e, time.Since(start))
		}
		empty(t, s.c.queue)
	})
}

func TestObserverHoldsUpItsOwnCallOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := open(t, Options{BaseURL: "https://h", Transport: &always{step: says(202, "")}, MaxInFlight: 1,
			Observe: func(x Exchange) {
				if x.Route == "POST /domain/changeowner/{d}" {
					<-release
				}
			}})
		var slow error
		go func() { slow = s.ChangeOwner(t.Context(), "d", ChangeOwner{Owner: owner}) }()
		synctest.Wait()
		if err := s.CreateDomain(t.Context(), creation); err != nil {
			t.Error(err)
		}
		close(release)
		synctest.Wait()
		if slow != nil {
			t.Error(slow)
		}
	})
}
