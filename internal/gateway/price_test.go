package gateway

import (
	"fmt"
	"testing"

	"v3gate/internal/sandbox"
)

// One entry for one extension or domain, in the order asked for, whatever v5's
// answers come first.
func TestTheCatalogHasOneEntryForOneExtension(t *testing.T) {
	t.Parallel()
	r := newPaidRig(t, sandbox.Options{}, nil)
	r.seed(t, sandbox.Seed{Premium: map[string]string{"gold.com": "900.00"}})
	create := map[string]any{"name": "create", "duration": 1, "param": map[string]any{"tld_phase": "golive"}}
	catalog := func(description any) []any {
		t.Helper()
		list, err := r.ask(t, "catalog.list", keyA, map[string]any{
			"product": map[string]any{"type": "domain", "description": description}, "action": create,
		})
		if err != nil {
			t.Fatal(err)
		}
		return list.([]any)
	}
	show := func(entry any) string {
		m := entry.(map[string]any)
		price := m["unit_price"].([]any)[0].(map[string]any)
		return fmt.Sprint(m["product"].(map[string]any)["description"], " ", price["price"], " ", price["currency"], " ", price["special_op"])
	}
	for description, want := range map[string]string{
		".com": ".com 12 EUR false", "new.com": ".com 12 EUR false", "gold.com": ".com 900 EUR false", ".fr": ".fr 10 EUR false",
	} {
		if list := catalog(description); len(list) != 1 || show(list[0]) != want {
			t.Errorf("%s: %v, want %s", description, list, want)
		}
	}
	var names []any
	for i := range 50 {
		names = append(names, []any{".com", ".net", ".org", ".fr", ".nowhere"}[i%5])
	}
	if list := catalog(names); len(list) != 4 || show(list[0])[:4] != ".com" || show(list[3])[:3] != ".fr" {
		t.Errorf("many extensions: %v", list)
	}
	prices, err := r.ask(t, "domain.price.list", keyA, map[string]any{"tlds": []any{"a.com", "gold.com", "b.fr"}, "action": "create"})
	if err != nil || len(prices.([]any)) != 3 {
		t.Fatalf("prices %v, %v", prices, err)
	}
	for i, want := range []string{"a.com com available 12 <nil>", "gold.com com available 900 premium", "b.fr fr available 10 <nil>"} {
		m := prices.([]any)[i].(map[string]any)
		entry := m["prices"].([]any)[0].(map[string]any)
		unit := entry["unit_price"].([]any)[0].(map[string]any)
		if got := fmt.Sprint(m["extension"], " ", m["name"], " ", m["available"], " ", unit["price"], " ", unit["price_type"]); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
