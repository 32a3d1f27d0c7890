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

func TestAnOperationKeepsWhereItCameThrough(t *testing.T) {
	bubble(t, sandbox.Options{StepTime: 10 * time.Second}, func(r *rig) {
		op := r.submitted(createIntent("a.com"))
		for range 5 {
			time.Sleep(10 * time.Second)
			r.refresh(op.ID)
		}
		op = r.get(op.ID)
		var got []Passage
		for _, p := range op.Passed {
			got = append(got, Passage{Step: p.Step, State: p.State})
		}
		want := []Passage{{Step: Bill, State: Intended}, {Step: Bill, State: Sending}, {Step: Bill, State: Accepted},
			{Step: Wait, State: Accepted}, {Step: Run, State: Accepted}, {Step: Done, State: Accepted}}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if first, last := op.Passed[0].At, op.Passed[len(got)-1].At; !first.Equal(op.Created) || !last.Equal(op.Updated) {
			t.Errorf("from %s to %s", first, last)
		}
	})
}

func TestWhatAnOperationKeepsOfItsWayIsBounded(t *testing.T) {
	var op Operation
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 100 {
		op.Step, op.Updated = []Step{Wait, Error}[i%2], begin.Add(time.Duration(i)*time.Hour)
		op.pass()
		op.pass()
	}
	if n := len(op.Passed); n != mostPassed || !op.Passed[n-1].At.Equal(begin.Add(99*time.Hour)) {
		t.Errorf("%d, the last %v", n, op.Passed[n-1])
	}
}
