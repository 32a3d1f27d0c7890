package ops

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"v3gate/internal/sandbox"
	"v3gate/internal/store"
)

// listRig has an operation that is DONE, two in BILL, one of another type, and
// one of another tenant.
func listRig(t *testing.T, fn func(*rig)) {
	t.Helper()
	bubble(t, sandbox.Options{StepTime: 10 * time.Second}, func(r *rig) {
		for i, name := range []string{"a.com", "b.com", "c.com"} {
			op := r.submitted(createIntent(name))
			if i == 0 {
				time.Sleep(40 * time.Second)
				r.refresh(op.ID)
			}
		}
		in := contactsIntent("Carol")
		in.FQDN = "a.com"
		r.submitted(in)
		foreign := createIntent("d.com")
		foreign.Tenant = tenantB
		r.submitted(foreign)
		fn(r)
	})
}

func TestList(t *testing.T) {
	listRig(t, func(r *rig) {
		for _, c := range []struct {
			list   func(string, bool, func(Operation) error) error
			tenant string
			newest bool
			most   int
			want   string
		}{
			{r.e.List, tenantA, false, 9, "0:DONE 1:BILL 2:BILL 3:RUN"},
			{r.e.List, tenantA, true, 9, "3:RUN 2:BILL 1:BILL 0:DONE"},
			{r.e.List, tenantA, true, 2, "3:RUN 2:BILL"},
			{r.e.List, tenantB, false, 9, "4:BILL"},
			{r.e.List, "nobody", true, 9, ""},
			{r.e.ListOpen, tenantA, false, 9, "1:BILL 2:BILL 3:RUN"},
			{r.e.ListOpen, tenantA, true, 9, "3:RUN 2:BILL 1:BILL"},
			{r.e.ListOpen, tenantA, true, 1, "3:RUN"},
			{r.e.ListOpen, tenantB, true, 9, "4:BILL"},
			{r.e.ListOpen, "nobody", true, 9, ""},
		} {
			var found []Operation
			r.must(c.list(c.tenant, c.newest, func(op Operation) error {
				if len(found) == c.most {
					return store.Stop
				}
				found = append(found, op)
				return nil
			}))
			if got := steps(found...); got != c.want {
				t.Errorf("%s: %s, want %s", c.tenant, got, c.want)
			}
		}
	})
}

func TestTheTallyIsTheSameAfterARestart(t *testing.T) {
	listRig(t, func(r *rig) {
		time.Sleep(5 * time.Second)
		want := map[[2]string]int{{"domain_create", "BILL"}: 3, {"domain_create", "DONE"}: 1, {"domain_contact_change", "RUN"}: 1}
		for range 2 {
			counts, oldest := r.e.Tally()
			maps.DeleteFunc(counts, func(_ [2]string, n int) bool { return n == 0 })
			if diff := cmp.Diff(want, counts); diff != "" || oldest != 5*time.Second {
				t.Errorf("tally %s, oldest %v", diff, oldest)
			}
			r.restart()
		}
	})
}
