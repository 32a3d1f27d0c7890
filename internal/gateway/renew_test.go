package gateway

import (
	"strings"
	"testing"
	"time"

	"v3gate/internal/config"
	"v3gate/internal/sandbox"
)

// midYear is a date in the middle of a year, this one being 0.
func midYear(n int) time.Time {
	return time.Date(time.Now().UTC().Year()+n, 7, 1, 12, 0, 0, 0, time.UTC)
}

// lastDay is the last day of this year.
func lastDay() time.Time { return time.Date(time.Now().UTC().Year(), 12, 31, 12, 0, 0, 0, time.UTC) }

func renewal(years, currentYear any) map[string]any {
	return map[string]any{"duration": years, "current_year": currentYear}
}

// Which current_year means the term that the domain is in.
func TestTheYearOfARenewal(t *testing.T) {
	this := time.Now().UTC().Year()
	for _, c := range []struct {
		name    string
		ends    time.Time
		current any
		taken   bool
	}{
		{"the end year", midYear(3), this + 3, true},
		{"as digits in a text", midYear(3), midYear(3).Format("2006"), true},
		{"the year after", midYear(3), this + 4, false},
		{"the year before", midYear(3), this + 2, false},
		{"this year, for a domain that ends in it", lastDay(), this, true},
		{"this year, for a domain that ends in the next", midYear(1), this, true},
		{"this year, for a domain that ends later", midYear(2), this, false},
		{"the last year, for a domain that ends in this", lastDay(), this - 1, false},
		{"a unix time of the end", midYear(3), midYear(3).Unix(), true},
		{"a unix time in the end year", midYear(3), midYear(3).AddDate(0, -5, 0).Unix(), true},
		{"a unix time in another year", midYear(3), midYear(2).Unix(), false},
		{"a unix time of today, for a domain that ends in the next year", midYear(1), time.Now().Unix(), true},
		{"nothing", midYear(3), 0, false},
		{"below nothing", midYear(3), -1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newPaidRig(t, sandbox.Options{}, nil)
			r.seed(t, sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "year.net", RegistryEndsAt: c.ends}}})
			op, err := r.call(t, "domain.renew", keyA, "year.net", renewal(1, c.current))
			if !c.taken {
				faults(t, "taken", err, 520137, c.ends.Format("2006"))
				if len(r.orders()) != 0 {
					t.Errorf("sent %v", r.orders())
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			r.becomes(t, op["id"], "DONE")
			// However the year is said, it is the same one.
			for _, again := range []any{c.current, midYearOf(c.current).Unix(), midYearOf(c.current).Format("2006")} {
				same, err := r.call(t, "domain.renew", keyA, "year.net", renewal(2, again))
				if err != nil || same["id"] != op["id"] {
					t.Errorf("again as %v: operation %v, %v", again, same["id"], err)
				}
			}
			if n := len(r.sim.Ledger()); n != 1 {
				t.Errorf("%d charges", n)
			}
		})
	}
}

// midYearOf is a date in the year that a caller named.
func midYearOf(current any) time.Time {
	switch n := current.(type) {
	case int:
		return time.Date(n, 7, 1, 0, 0, 0, 0, time.UTC)
	case int64:
		return time.Date(time.Unix(n, 0).UTC().Year(), 7, 1, 0, 0, 0, 0, time.UTC)
	}
	at, _ := time.Parse("2006", current.(string))
	return at.AddDate(0, 6, 0)
}

// The calendar year stands for the next one only where it is not spent itself:
// it is what a caller says who did not notice that it renewed already.
func TestASpentCalendarYear(t *testing.T) {
	r := newPaidRig(t, sandbox.Options{}, nil)
	this := time.Now().UTC().Year()
	r.seed(t, sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "year.net", RegistryEndsAt: lastDay()}}})
	first := r.must(t, "domain.renew", keyA, "year.net", renewal(1, this))
	r.becomes(t, first["id"], "DONE")
	again := r.must(t, "domain.renew", keyA, "year.net", renewal(1, this)) // it ends in the next year now
	if again["id"] != first["id"] || len(r.sim.Ledger()) != 1 {
		t.Errorf("operation %v, ledger %v", again["id"], r.sim.Ledger())
	}
	next := r.must(t, "domain.renew", keyA, "year.net", renewal(1, this+1)) // who says the next year means it
	r.becomes(t, next["id"], "DONE")
	if next["id"] == first["id"] || len(r.sim.Ledger()) != 2 {
		t.Errorf("operation %v, ledger %v", next["id"], r.sim.Ledger())
	}
}

// A year that another account spent is spent, and says nothing of that account;
// whose domain it is not learns not even that.
func TestASpentYearOfAnotherAccount(t *testing.T) {
	r := newPaidRig(t, sandbox.Options{}, nil)
	r.seed(t, sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "year.net", RegistryEndsAt: midYear(3)}}})
	year := midYear(3).Year()
	op := r.must(t, "domain.renew", keyA, "year.net", renewal(1, year))
	for range 2 {
		_, err := r.call(t, "domain.renew", keyOfC, "year.net", renewal(1, year))
		faults(t, "same organization", err, 520141, "was renewed")
		if err != nil && strings.Contains(err.Error(), "1000000000") {
			t.Errorf("it names the operation: %v", err)
		}
		_, err = r.call(t, "domain.renew", keyB, "year.net", renewal(1, year))
		faults(t, "another organization", err, 510042, "doesn't exist")
		r.becomes(t, op["id"], "DONE")
	}
	_, err := r.ask(t, "domain.renew", keyB, "year.net", map[string]any{"duration": 1, "current_year": year, "--dry-run": true})
	faults(t, "another organization's dry run", err, 510042, "doesn't exist")
	if n := len(r.sim.Ledger()); n != 1 {
		t.Errorf("%d charges", n)
	}
}

// While the first is at work, too, the same year is answered with it, and another
// purchase is told of it.
func TestARenewalThatIsAtWork(t *testing.T) {
	r := newPaidRig(t, sandbox.Options{StepTime: time.Hour}, nil)
	r.seed(t, sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "year.net", RegistryEndsAt: midYear(1)}}})
	year := midYear(1).Year()
	op := r.must(t, "domain.renew", keyA, "year.net", renewal(1, year))
	for _, years := range []int{1, 2, 9, 10, 0} {
		if same, err := r.call(t, "domain.renew", keyA, "year.net", renewal(years, year)); err != nil || same["id"] != op["id"] {
			t.Errorf("for %d years: operation %v, %v", years, same["id"], err)
		}
	}
	_, err := r.call(t, "domain.renew", keyA, "year.net", renewal(1, year-1)) // the calendar's
	faults(t, "another year", err, 510068, "operation 1000000000 (domain_renew)")
	if n := len(r.orders()); n != 1 {
		t.Errorf("sent %v", r.orders())
	}
}

// A dry run names what is wrong by the parameter and buys nothing, and the last
// renewal is not asked about again.
func TestADryRunOfARenewal(t *testing.T) {
	r := newPaidRig(t, sandbox.Options{}, nil)
	r.seed(t, sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "year.net", RegistryEndsAt: midYear(1)}}})
	year := midYear(1).Year()
	for _, c := range []struct {
		years, year int
		field       string
	}{{1, year, ""}, {1, year + 1, "current_year"}, {30, year, "duration"}} {
		params := renewal(c.years, c.year)
		params["--dry-run"] = true
		answer, err := r.ask(t, "domain.renew", keyA, "year.net", params)
		list, _ := answer.([]any)
		if err != nil || len(list) != map[bool]int{true: 0, false: 1}[c.field == ""] {
			t.Errorf("%d years from %d: %v, %v", c.years, c.year, answer, err)
			continue
		}
		if c.field != "" && list[0].(map[string]any)["field"] != c.field {
			t.Errorf("%d years from %d: %v, want field %s", c.years, c.year, answer, c.field)
		}
	}
	if len(r.sim.Ledger()) != 0 || len(r.orders()) != 0 {
		t.Errorf("sent %v", r.orders())
	}
}

// The switch does without v5's Dry-Run, for calls and for questions.
func TestWithoutV5DryRun(t *testing.T) {
	r := newPaidRig(t, sandbox.Options{IgnoreDryRun: true}, func(c *config.Config) { c.V5DryRun = false })
	r.seed(t, sandbox.Seed{Domains: []sandbox.SeedDomain{{FQDN: "year.net", RegistryEndsAt: midYear(1)}}})
	params := renewal(1, midYear(1).Year())
	params["--dry-run"] = true
	if answer, err := r.ask(t, "domain.renew", keyA, "year.net", params); err != nil || len(r.sim.Ledger()) != 0 {
		t.Errorf("asked: %v, %v, ledger %v", answer, err, r.sim.Ledger())
	}
	delete(params, "--dry-run")
	op := r.must(t, "domain.renew", keyA, "year.net", params)
	r.becomes(t, op["id"], "DONE")
	for _, q := range r.sim.Requests() {
		if q.DryRun {
			t.Errorf("dry run of %s", q.Path)
		}
	}
	if n := len(r.sim.Ledger()); n != 1 || len(r.orders()) != 1 {
		t.Errorf("%d charges, sent %v", n, r.orders())
	}
}
