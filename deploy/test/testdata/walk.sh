#!/bin/bash
# Runs inside the booted container of walk.sh, as root: the blocks of docs/operations.md in their order, in one shell. Each
# is a line "ok ..." or "FAIL ...", and what it said; the first that ends badly is the last, for the others build on it.
cd /root || exit
. outside/said.sh

# What is made up: api.gandi.net, by the hosts file, and what an operator types.
key=integrationkey0123456789 old=the-first-one-of-the-walk new=the-next-one-of-the-walk
organization=e58f2734-5f7b-11e9-a5c3-00163ec4cb00
ip link set lo up 2> /dev/null
printf '%s\n' $old $new > outside/tokens
systemd-run -q --unit=simulation /root/outside/gateway sandbox --token simulated
systemd-run -q --unit=front /root/outside/front 127.0.0.2:443 /root/outside/tls/server.pem /root/outside/tls/server-key.pem \
  /root/outside/tokens http://127.0.0.1:8085 simulated
seed() { curl -sSf --retry 20 --retry-connrefused --retry-delay 1 http://127.0.0.1:8086/seed -d "$1"; }
until seed '{"organizations": [{"id": "'$organization'", "name": "acme", "type": "company", "reseller": true}],
  "domains": ["example.com"], "fail_create": {"waiting.net": {"step": "SUPPORT", "errortype": "registry:manual_review"}}}'; do sleep 0.2; done > /dev/null
printf '%s\n' $key $old $organization $new > outside/typed
exec 7< outside/typed

# before_NAME is what has happened where the document has <!-- walk: NAME -->.
before_revoke() { echo $new > outside/tokens; }
before_wait() {
  gateway call domain.create waiting.net '{"owner": "D5000000-GANDI", "admin": "D5000000-GANDI", "bill": "D5000000-GANDI", "tech": "D5000000-GANDI", "duration": 1}'
  until gateway ops list --store /var/lib/v3gate/store.db --step SUPPORT | grep waiting.net; do sleep 0.2; done
}

name=
report() { # FILE
  echo "FAIL $name"
  sed 's/^/  /' "$1" | tail -40
  journalctl -q -n 10 -o cat -u v3gate | sed 's/^/  journal: /'
}
failed() { [ -z "$name" ] || report outside/said; }
trap failed EXIT
set -eo pipefail
for block in outside/blocks/*; do
  line=$(basename "$block" | cut -d - -f 1)
  case $block in
    *-sh) name="line $line: $(head -n 1 "$block" | cut -c 1-80 | tr -d '\\\\')" ;;
    *-before) name="line $line: what has happened before: $(cat "$block")" ;;
    *-text) name="line $line: what it says" ;;
    *) ran=elsewhere && continue ;;
  esac
  case $block in
    *-sh) . "$block" > outside/said 2>&1 <&7 ;;
    *-before) "before_$(cat "$block")" > outside/said 2>&1 ;;
    *-text)
      [ "$ran" = here ] || continue # what ran elsewhere was compared there
      if ! said outside/said "$block" > outside/compared; then
        report outside/compared
        continue
      fi ;;
  esac
  case $block in *-sh) ran=here ;; esac
  echo "ok $name"
done
name=
echo end
