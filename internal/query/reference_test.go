package query_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"v3gate/internal/query"
)

// optionStructs are the options of v3's methods, as they can be built with this
// package. TestReference compares them with what is documented.
var optionStructs = map[string]*query.Schema[thing]{
	"DomainListOptions": of(100,
		dates(eq|lt|gt|sorts, "date_created", "date_registry_end", "date_updated"),
		texts(eq|like|sorts, "admin", "bill", "owner", "reseller", "tech", "zone_name"),
		texts(eq|like|many|sorts, "fqdn"), texts(eq|sorts, "handle", "service", "status", "tag", "tld"),
		ints(eq|sorts, "id", "zone_id"), bools(eq|sorts, "autorenew")),
	"WebredirListOptions": of(100, texts(like, "host")),
	"HostListOptions":     of(100, texts(eq|like|sorts, "name"), texts(eq|sorts, "ip")),
	"MailboxListOptions":  of(100, texts(eq|like|sorts, "login")),
	"ForwardListOptions":  of(100, texts(eq|like|sorts, "source")),
	"TldListOptions": of(800, []query.Field[thing]{
		texts(eq|sorts, "phase")[0].Default("golive"), texts(eq|sorts, "visibility")[0].Default("mine")}),
	"ZoneListOptions": of(100,
		texts(eq|ne|sorts, "owner"), dates(eq|lt|gt|sorts, "date_updated"), ints(eq|many|sorts, "id"),
		texts(eq|like|sorts, "name"), bools(eq|sorts, "public")),
	"RecordListOptions":   of(100, recordFields...),
	"RecordDeleteOptions": of(0, recordFields...),
	"EOIListOptions": of(100,
		dates(eq|lt|gt|sorts, "date_created"), ints(eq|lt|gt|sorts, "position"),
		texts(eq|like|many|sorts, "fqdn"), texts(eq|many|sorts, "tag", "tld")),
	"SMDListOptions": of(100,
		dates(eq|lt|gt|sorts, "date_created", "date_expire"), ints(eq|many|sorts, "id"),
		texts(eq|many|sorts, "labels", "uid"), texts(eq|like|many|sorts, "mark_name")),
	"ContactListOptions": of(100,
		texts(eq, "handle", "orgname", "given", "family", "zip", "city", "streetaddr", "country"),
		texts(eq|like, "email"), ints(eq, "type")),
	"OperationListOptions": of(100,
		dates(query.EqSign|lt|gt, "date_created", "date_start", "date_updated"),
		ints(eq, "contact_id", "disk_id", "vm_id"), ints(eq|many, "cert_id"),
		texts(eq, "domain", "cert.hostname", "disk.name"), texts(eq|many, "type", "step")),
}

var recordFields = [][]query.Field[thing]{
	ints(eq|lt|gt|sorts, "ttl"), ints(eq|sorts, "id"), texts(eq|like|many|sorts, "name", "value"), texts(eq|sorts, "type")}

func of(perPage int64, groups ...[]query.Field[thing]) *query.Schema[thing] {
	return query.New(perPage, slices.Concat(groups...)...)
}

func each(names []string, field func(name string) query.Field[thing]) []query.Field[thing] {
	var out []query.Field[thing]
	for _, name := range names {
		out = append(out, field(name))
	}
	return out
}

func texts(can query.Can, names ...string) []query.Field[thing] {
	return each(names, func(name string) query.Field[thing] {
		return query.Text(name, can, func(*thing) string { return "" })
	})
}

func ints(can query.Can, names ...string) []query.Field[thing] {
	return each(names, func(name string) query.Field[thing] {
		return query.Int(name, can, func(*thing) int64 { return 0 })
	})
}

func bools(can query.Can, names ...string) []query.Field[thing] {
	return each(names, func(name string) query.Field[thing] {
		return query.Bool(name, can, func(*thing) bool { return false })
	})
}

func dates(can query.Can, names ...string) []query.Field[thing] {
	return each(names, func(name string) query.Field[thing] {
		return query.Time(name, can, paris, func(*thing) time.Time { return time.Time{} })
	})
}

// Every documented struct of list options can be described: each key with its
// type, its default and what sort_by may name.
func TestReference(t *testing.T) {
	raw, err := os.ReadFile("../../testdata/v3/reference.txt")
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range optionStructs {
		_, block, ok := strings.Cut(string(raw), "\nstruct "+name+" kind=")
		if !ok {
			t.Errorf("%s is not in the reference", name)
			continue
		}
		block, _, _ = strings.Cut(block, "\n\n")
		var want []query.Documented
		for _, line := range strings.Split(block, "\n")[1:] {
			if fact, _, _ := strings.Cut(line, " #"); strings.HasPrefix(fact, "  ") {
				want = append(want, documented(fact))
			}
		}
		slices.SortFunc(want, func(a, b query.Documented) int { return strings.Compare(a.Key, b.Key) })
		got := s.Describe()
		if len(got) != len(want) {
			t.Errorf("%s has %d options, documented are %d", name, len(got), len(want))
			continue
		}
		for i := range want {
			if got[i].Key != want[i].Key || got[i].Type != want[i].Type || !slices.Equal(got[i].Sort, want[i].Sort) ||
				got[i].Default != want[i].Default && got[i].Key != "sort_by" { // documented as name, which is no value of it
				t.Errorf("%s: %+v, documented %+v", name, got[i], want[i])
			}
		}
	}
}

// documented reads "KEY TYPE optional default=VALUE sort=A,B documented=TYPE".
func documented(fact string) query.Documented {
	words := strings.Fields(fact)
	d := query.Documented{Key: words[0], Type: words[1]}
	for _, word := range words[2:] {
		switch name, value, _ := strings.Cut(word, "="); name {
		case "default":
			d.Default = value
		case "sort":
			d.Sort = strings.Split(value, ",")
			slices.Sort(d.Sort)
		case "documented":
			d.Type = value
		}
	}
	switch d.Type {
	case "array<string>|string", "string|array<string>":
		d.Type = "array of string or string"
	case "int|array<int>":
		d.Type = "int or array of int"
	}
	return d
}
