package deploy

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"v3gate/internal/telemetry"
)

type alert struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

func alerts(t *testing.T) (all []alert) {
	t.Helper()
	for _, g := range document[struct {
		Groups []struct {
			Name  string
			Rules []alert
		}
	}](t, "prometheus/alerts.yaml").Groups {
		all = append(all, g.Rules...)
	}
	return all
}

func TestAlerts(t *testing.T) {
	names := map[string]bool{}
	tests := read(t, "prometheus/alerts_test.yaml")
	label := regexp.MustCompile(`\$labels\.(\w+)`)
	for _, a := range alerts(t) {
		if names[a.Alert] || !strings.HasPrefix(a.Alert, "V3gate") {
			t.Errorf("%q is not a name of its own", a.Alert)
		}
		names[a.Alert] = true
		for _, w := range wrongWithQuery(a.Expr) {
			t.Errorf("%s: %s", a.Alert, w)
		}
		if !slices.Contains([]string{"page", "ticket", "info"}, a.Labels["severity"]) {
			t.Errorf("%s: severity %q", a.Alert, a.Labels["severity"])
		}
		if len(a.Annotations["summary"]) < 20 || len(a.Annotations["summary"]) > 140 || len(a.Annotations["description"]) < 60 {
			t.Errorf("%s does not say what is wrong and what to do", a.Alert)
		}
		// A text may name only labels that are left when the expression is done.
		q := parse(a.Expr)
		left := q.grouped
		if len(left) == 0 {
			left, _ = labelsOf(q.metrics[0].name)
		}
		for _, m := range label.FindAllStringSubmatch(a.Annotations["summary"]+a.Annotations["description"], -1) {
			if !slices.Contains(left, m[1]) {
				t.Errorf("%s names the label %s, which is gone", a.Alert, m[1])
			}
		}
		if !strings.Contains(tests, `alertname="`+a.Alert+`",alertstate="firing"`) {
			t.Errorf("alerts_test.yaml has no case in which %s fires", a.Alert)
		}
	}
	for _, m := range regexp.MustCompile(`alertname=~?"([\w|]+)"`).FindAllStringSubmatch(tests, -1) {
		for _, name := range strings.Split(m[1], "|") {
			if !names[name] {
				t.Errorf("alerts_test.yaml asks for %s, which does not exist", name)
			}
		}
	}
}

// What nobody would notice otherwise has an alert.
func TestEveryMetricOfTroubleHasAnAlert(t *testing.T) {
	var asked []string
	for _, a := range alerts(t) {
		for _, m := range parse(a.Expr).metrics {
			asked = append(asked, m.name)
		}
	}
	for _, m := range telemetry.Describe() {
		trouble := regexp.MustCompile(`(failures|ignored|unmapped|oldest|overshoot|breaker|rate_wait|refused|reload_success|expir)`)
		if trouble.MatchString(m.Name) && !slices.ContainsFunc(asked, func(name string) bool { return strings.HasPrefix(name, m.Name) }) {
			t.Errorf("no alert asks for %s", m.Name)
		}
	}
}

type panel struct {
	ID                       int
	Type, Title, Description string
	Datasource               *struct{ Type, UID string }
	GridPos                  struct{ H, W, X, Y int }
	Targets                  []struct {
		RefID, Expr, LegendFormat string
		Datasource                *struct{ Type, UID string }
	}
	FieldConfig struct{ Defaults struct{ Unit string } }
	Panels      []panel
}

func dashboard(t *testing.T) (d struct {
	UID, Title    string
	SchemaVersion int
	Panels        []panel
	Templating    struct {
		List []struct {
			Name, Type, Definition string
		}
	}
	Annotations struct{ List []struct{ Name, Expr string } }
}) {
	t.Helper()
	if err := json.Unmarshal([]byte(read(t, "grafana/v3gate.json")), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// concrete is an expression with the dashboard's variables filled in.
func concrete(expr string) string {
	return strings.NewReplacer("$__rate_interval", "5m", "$job", "v3gate", "$instance", ".*").Replace(expr)
}

func TestDashboard(t *testing.T) {
	d := dashboard(t)
	if d.UID != "v3gate" || d.Title == "" || d.SchemaVersion < 36 || len(d.Panels) < 20 {
		t.Errorf("dashboard %q %q, schema %d, %d panels", d.UID, d.Title, d.SchemaVersion, len(d.Panels))
	}
	variables := map[string]bool{"$__rate_interval": true}
	for _, v := range d.Templating.List {
		variables["$"+v.Name] = true
		if m := regexp.MustCompile(`^label_values\((.+), (\w+)\)$`).FindStringSubmatch(v.Definition); m != nil {
			if wrong := wrongWithQuery(concrete(m[1])); len(wrong) > 0 {
				t.Errorf("variable %s: %v", v.Name, wrong)
			}
		} else if v.Type != "datasource" {
			t.Errorf("variable %s is of type %s, %q", v.Name, v.Type, v.Definition)
		}
	}
	ids, cells, shown := map[int]bool{}, map[[2]int]string{}, map[string]bool{}
	check := func(where, expr string) {
		for _, v := range regexp.MustCompile(`\$\w+`).FindAllString(expr, -1) {
			if !variables[v] {
				t.Errorf("%s: there is no variable %s", where, v)
			}
		}
		for _, w := range wrongWithQuery(concrete(expr)) {
			t.Errorf("%s: %s", where, w)
		}
		for _, m := range parse(concrete(expr)).metrics {
			shown[m.name] = true
			if m.values["instance"] == "" || m.values["job"] == "" {
				t.Errorf("%s: %s is not of the selected gateways", where, m.name)
			}
		}
	}
	for _, a := range d.Annotations.List {
		check("annotation "+a.Name, a.Expr)
	}
	for _, p := range d.Panels {
		if ids[p.ID] || p.ID == 0 || p.Title == "" {
			t.Errorf("panel %d %q has no id or title of its own", p.ID, p.Title)
		}
		ids[p.ID] = true
		g := p.GridPos
		if g.W < 1 || g.H < 1 || g.X < 0 || g.X+g.W > 24 {
			t.Errorf("%s: it is at %+v", p.Title, g)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other, taken := cells[[2]int{x, y}]; taken {
					t.Fatalf("%s lies over %s", p.Title, other)
				}
				cells[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if !slices.Contains([]string{"stat", "timeseries"}, p.Type) || p.Description == "" || p.FieldConfig.Defaults.Unit == "" || len(p.Targets) == 0 {
			t.Errorf("%s: type %q, description, unit or query is missing", p.Title, p.Type)
		}
		refs := map[string]bool{}
		for _, q := range p.Targets {
			if refs[q.RefID] || q.RefID == "" || q.Datasource == nil || q.Datasource.UID != "${datasource}" {
				t.Errorf("%s: query %q has no id of its own, or another data source", p.Title, q.RefID)
			}
			refs[q.RefID] = true
			check(p.Title, q.Expr)
			left := parse(q.Expr).grouped
			if len(left) == 0 {
				left, _ = labelsOf(parse(q.Expr).metrics[0].name)
			}
			for _, m := range regexp.MustCompile(`{{(\w+)}}`).FindAllStringSubmatch(q.LegendFormat, -1) {
				if !slices.Contains(left, m[1]) {
					t.Errorf("%s: the legend names %s, which is gone", p.Title, m[1])
				}
			}
		}
	}
	for _, m := range telemetry.Describe() {
		if !slices.ContainsFunc([]string{m.Name, m.Name + "_bucket"}, func(name string) bool { return shown[name] }) {
			t.Errorf("no panel shows %s", m.Name)
		}
	}
}
