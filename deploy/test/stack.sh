# What compose.yaml starts, without containers: a simulated v5, the gateway, and Prometheus with the shipped rules.
need prometheus prometheus
need promtool prometheus
need curl curl
need python3 python3
key=sandboxsandboxsandbox123
free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
v5=127.0.0.1:$(free) manage=127.0.0.1:$(free) v3=127.0.0.1:$(free) admin=127.0.0.1:$(free) prometheus=127.0.0.1:$(free)
"$gateway" sandbox --listen $v5 --manage $manage --token sandbox > "$work/sandbox.log" 2>&1 &
pids+=($!)
GATEWAY_V3_KEY=$key GATEWAY_V5_TOKEN=sandbox "$gateway" serve --listen $v3 --admin $admin \
  --store "$work/stack.db" --v5-url http://$v5/v5 > "$work/gateway.log" 2>&1 &
served=$!
pids+=("$served")
simulated() { grep -q 'simulated v5' "$work/sandbox.log" || { cat "$work/sandbox.log"; return 1; }; }
check "the simulation of v5 is up" wait_for 10 simulated
check "the gateway becomes ready, says gateway health" wait_for 20 "$gateway" health --admin $admin

sed -e "s/gateway:9090/$admin/" -e 's/_interval: 15s/_interval: 1s/' deploy/prometheus/prometheus.yml > "$work/prometheus.yml"
cp deploy/prometheus/alerts.yaml "$work/"
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" --web.listen-address=$prometheus > "$work/prometheus.log" 2>&1 &
pids+=($!)
ask() { curl -sfG "http://$prometheus/api/v1/$1" "${@:2}"; }
value() { ask query --data-urlencode "query=$1" | python3 -c 'import json,sys; r = json.load(sys.stdin)["data"]["result"]; print(r[0]["value"][1] if r else "none")'; }
is() { [ "$(value "$1")" = "$2" ] || { echo "$1 is $(value "$1"), want $2"; return 1; }; }
check "Prometheus scrapes the gateway" wait_for 30 is 'up{job="v3gate"}' 1

call() { "$gateway" call --url http://$v3/xmlrpc/ --key $key "$@"; }
session() {
  call contact.info > "$work/me" || return 1
  local h
  h=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["handle"])' "$work/me")
  call domain.create example-stack.com "{\"owner\":\"$h\",\"admin\":\"$h\",\"bill\":\"$h\",\"tech\":\"$h\",\"duration\":1}" &&
    ! call domain.info absent.com 2> "$work/fault" && has "$work/fault" 'Fault\(510042\)'
}
check "a domain is bought through it, and a fault is a fault" session
check "the calls arrive in Prometheus" wait_for 20 is 'sum(gateway_calls_total{outcome="ok"}) >= bool 2' 1
check "the purchase is DONE there" wait_for 30 is 'gateway_operations{type="domain_create",step="DONE"}' 1
lint() { curl -sf "http://$admin/metrics" | promtool check metrics; }
check "promtool finds nothing amiss with the metrics" lint
rules_are_healthy() {
  ask rules | python3 -c '
import json, sys
rules = [r for g in json.load(sys.stdin)["data"]["groups"] for r in g["rules"]]
bad = [(r["name"], r["health"], r.get("lastError")) for r in rules if r["health"] != "ok"]
print(len(rules), bad)
sys.exit(bool(bad) or len(rules) < 10)'
}
check "every rule evaluates against the live gateway" wait_for 20 rules_are_healthy
panels_answer() {
  python3 - deploy/grafana/v3gate.json "$prometheus" <<'PY'
import json, sys, urllib.parse, urllib.request
empty, panels = [], 0
for p in json.load(open(sys.argv[1]))["panels"]:
    for t in p.get("targets", []):
        panels += 1
        e = t["expr"].replace("$__rate_interval", "10s").replace("$job", "v3gate").replace("$instance", ".*")
        r = json.load(urllib.request.urlopen(f"http://{sys.argv[2]}/api/v1/query?" + urllib.parse.urlencode({"query": e})))
        if r["status"] != "success": sys.exit(f'{p["title"]}: {r}')
        if not r["data"]["result"]: empty.append(p["title"])
print(panels, "queries,", "without data:", sorted(set(empty)))
sys.exit(panels - len(empty) < 15)
PY
}
check "the dashboard's queries are answered" panels_answer
note "$(tail -1 "$work/said")"

# v5 answers nothing but errors: the metrics that page say so.
chaos() { curl -sSf -X POST "http://$manage/chaos" -d "$1"; }
check "v5 is broken" chaos '{"error_rate":1}'
callers=()
for _ in $(seq 12); do
  call domain.info example-stack.com > /dev/null 2>&1 &
  callers+=($!)
done
wait "${callers[@]}"
check "its failures reach the error metrics" wait_for 20 is 'sum(gateway_calls_total{outcome="error"}) >= bool 1' 1
note "v5 requests by status: $(ask query --data-urlencode 'query=sum by (status) (gateway_v5_requests_total)' | python3 -c 'import json,sys; print(", ".join(r["metric"]["status"] + ": " + r["value"][1] for r in json.load(sys.stdin)["data"]["result"]))'); breaker open: $(value gateway_v5_breaker_open)"

stops() { kill -TERM "$served"; wait "$served"; }
check "SIGTERM ends the gateway with status 0" stops
not_ready() { ! "$gateway" health --admin $admin --timeout 1s; }
check "gateway health says so" not_ready
check "the page for a gateway that is down is on its way" wait_for 30 is 'count(ALERTS{alertname="V3gateDown",alertstate="pending"})' 1
