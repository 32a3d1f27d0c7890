package ops

import (
	"cmp"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"v3gate/internal/sandbox"
)

func TestStandingsFollowTheSteps(t *testing.T) {
	bubble(t, sandbox.Options{StepTime: 10 * time.Second}, func(r *rig) {
		standings := func() []Standing {
			list := r.e.Standings()
			slices.SortFunc(list, func(a, b Standing) int { return cmp.Compare(a.ID, b.ID) })
			return list
		}
		first := r.submitted(createIntent("a.com"))
		time.Sleep(3 * time.Second)
		second := r.submitted(createIntent("b.com"))
		want := []Standing{
			{first.ID, "domain_create", Bill, first.Created, first.Created},
			{second.ID, "domain_create", Bill, second.Created, second.Created},
		}
		if diff := gocmp.Diff(want, standings()); diff != "" {
			t.Error(diff)
		}
		time.Sleep(7 * time.Second)
		now := r.refresh(first.ID)
		want[0].Step, want[0].Since = now.Step, now.Updated
		if diff := gocmp.Diff(want, standings()); diff != "" || now.Step == Bill {
			t.Errorf("%s %s", now.Step, diff)
		}
		time.Sleep(time.Minute)
		r.refresh(first.ID)
		if list := standings(); len(list) != 1 || list[0].ID != second.ID {
			t.Errorf("after the end of the first: %v", list)
		}
		r.restart()
		if list := standings(); len(list) != 1 || list[0].ID != second.ID || list[0].Created != second.Created {
			t.Errorf("after a restart: %v", list)
		}
	})
}
