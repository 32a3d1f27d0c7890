#!/usr/bin/env bash
# Tests what is shipped beside the program with the tools that will read it. Run as root on Debian: what is missing is
# installed. go test ./deploy holds the same files against the program and needs no tool.
#   deploy/test.sh [STEP...]      steps: prometheus stack systemd kubernetes debian image boot walk
# What this machine cannot do (chroot, boot a container, reach a Debian mirror) is left out, and says why in one line.
# The last line is "N passed, N failed, N left out".
set -uo pipefail
cd "$(dirname "$0")/.." || exit
top=$PWD
work=$(mktemp -d)
passed=0 failed=0 left=0
pids=()

cleanup() {
  for p in "${pids[@]}"; do kill "$p" 2> /dev/null; done
  for m in $(awk -v w="$work/" 'index($2, w) == 1 { print $2 }' /proc/mounts | sort -r); do umount -l "$m"; done
  rm -rf --one-file-system "$work"
}
trap cleanup EXIT

# check NAME COMMAND...: one test; what it says is shown when it fails.
check() {
  local name=$1
  shift
  if "$@" > "$work/said" 2>&1; then
    passed=$((passed + 1))
    echo "ok    $name"
  else
    failed=$((failed + 1))
    echo "FAIL  $name"
    sed 's/^/        /' "$work/said" | tail -40
  fi
}
# leave NAME WHY: tests that cannot be done here.
leave() {
  left=$((left + 1))
  echo "left  $1: $2"
}
note() { echo "      $*"; }
has() { grep -qE -- "$2" "$1" || { echo "$1 has no $2"; tail -20 "$1"; return 1; }; }

updated=
need() { # COMMAND PACKAGE
  command -v "$1" > /dev/null && return
  [ -n "$updated" ] || { apt-get update -q > "$work/apt" 2>&1 && updated=1; }
  DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$2" >> "$work/apt" 2>&1
  command -v "$1" > /dev/null || { tail -5 "$work/apt"; echo "$2 could not be installed" >&2; return 1; }
}

# wait_for SECONDS COMMAND...
wait_for() {
  local until=$((SECONDS + $1))
  shift
  until "$@" > /dev/null 2>&1; do
    [ $SECONDS -lt $until ] || return 1
    sleep 0.3
  done
}

gateway=$work/gateway
build() { CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$gateway" ./cmd/gateway; }
check "the program builds" build

steps=${*:-prometheus stack systemd kubernetes debian image boot walk}
for step in $steps; do
  echo
  echo "== $step"
  # shellcheck source=/dev/null
  . "$top/deploy/test/$step.sh"
done

echo
echo "$passed passed, $failed failed, $left left out"
[ "$failed" = 0 ]
