# Rules, configuration and the dashboard's expressions, read by promtool.
need promtool prometheus
check "alert rules are rules" promtool check rules deploy/prometheus/alerts.yaml
check "alerts fire when they must, and only then" promtool test rules deploy/prometheus/alerts_test.yaml
check "the configuration is one" promtool check config deploy/prometheus/prometheus.yml

# The dashboard's expressions as rules, with its variables filled in.
dashboard_rules() {
  python3 - deploy/grafana/v3gate.json > "$work/dashboard.yaml" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
exprs = [t["expr"] for p in d["panels"] for t in p.get("targets", [])] + [a["expr"] for a in d["annotations"]["list"]]
for name, value in (("$__rate_interval", "5m"), ("$job", "v3gate"), ("$instance", ".*")):
    exprs = [e.replace(name, value) for e in exprs]
print(json.dumps({"groups": [{"name": "dashboard", "rules": [{"record": f"panel:{i}", "expr": e} for i, e in enumerate(exprs)]}]}))
PY
  promtool check rules "$work/dashboard.yaml"
}
need python3 python3
check "the dashboard's expressions are PromQL" dashboard_rules
