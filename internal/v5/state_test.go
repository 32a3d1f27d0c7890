package v5

import (
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestStateShowsWhatWaitsAndWhatIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := func(r *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			return says(200, `{"id":"u"}`)(r)
		}
		broken := says(500, `{}`)
		rt := &script{steps: []step{hang, hang, hang, broken, broken}}
		s := open(t, Options{BaseURL: "https://h", Transport: rt, MaxInFlight: 2, BreakAfter: 2, BreakFor: time.Minute})
		check := func(want State) {
			t.Helper()
			synctest.Wait()
			if got := s.c.State(); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		}
		check(State{})
		var running sync.WaitGroup
		for i := range 3 {
			other := s.c.SessionFor(string(rune('a'+i)), s.credential(), "")
			running.Go(func() { other.UserInfo(t.Context()) })
		}
		check(State{Waiting: 1, InFlight: 2})
		running.Wait()
		check(State{})
		for range 2 {
			s.UserInfo(t.Context())
		}
		if _, err := s.UserInfo(t.Context()); !errors.Is(err, ErrOpen) {
			t.Errorf("error %v", err)
		}
		check(State{Refusing: true})
		time.Sleep(2 * time.Minute) // it would let one through, and has not yet
		check(State{Refusing: true})
	})
}
