#!/bin/bash
# Looks at the console with a browser: a gateway in front of its own sandbox is
# called, and every page is walked with the keyboard, in three widths, light and
# dark.
#
#   test/console/run.sh [--screenshots DIR]
#
#   --screenshots DIR   where the pictures of the pages go; else they are thrown away
#
# Installs what is missing with apt-get (chromium, node) and npm (playwright-core),
# so on a bare Debian 12 it wants root. What cannot be installed skips the test with
# the reason, or fails it when CI is set. The last line is "N passed, N failed".
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
playwright=1.65.1
npm_dir=${TMPDIR:-/tmp}/v3gate-console-npm
shots=

while [ $# -gt 0 ]; do
	case $1 in
	--screenshots)
		[ $# -ge 2 ] || { echo "usage: $0 [--screenshots DIR]" >&2; exit 2; }
		mkdir -p "$2" && shots=$(cd "$2" && pwd) || exit 2
		shift 2
		;;
	*) echo "usage: $0 [--screenshots DIR]" >&2; exit 2 ;;
	esac
done

exec </dev/null
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive no_proxy=127.0.0.1 NO_PROXY=127.0.0.1 PATH=$PATH:/usr/local/go/bin

tmp=$(mktemp -d)
daemon=
cleanup() {
	if [ -n "$daemon" ]; then
		kill "$daemon" 2>/dev/null
		wait "$daemon" 2>/dev/null
	fi
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

give_up() {
	echo "$1"
	if [ -z "${CI:-}" ] && [ "${2:-}" = skip ]; then
		echo "0 passed, 0 failed"
		exit 0
	fi
	echo "0 passed, 1 failed"
	exit 1
}

missing=
command -v chromium >/dev/null || missing="$missing chromium fonts-dejavu-core"
{ command -v node && command -v npm; } >/dev/null || missing="$missing nodejs npm"
if [ -n "$missing" ]; then
	echo "installing$missing"
	apt-get -o DPkg::Lock::Timeout=300 update >"$tmp/apt.log" 2>&1
	apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $missing >>"$tmp/apt.log" 2>&1
	for program in chromium node npm; do
		command -v $program >/dev/null || give_up "$program could not be installed: $(grep '^E:' "$tmp/apt.log" | tail -n 1)" skip
	done
fi
installed() {
	[ "$(NODE_PATH=$npm_dir/node_modules node -p 'require("playwright-core/package.json").version' 2>/dev/null)" = $playwright ]
}
if ! installed; then
	mkdir -p "$npm_dir"
	npm install --no-audit --no-fund --prefix "$npm_dir" playwright-core@$playwright >"$tmp/npm.log" 2>&1
	installed || give_up "npm package playwright-core $playwright could not be installed: $(tail -n 1 "$tmp/npm.log")" skip
fi
command -v go >/dev/null || give_up "go is missing"

echo "building the gateway"
(cd "$root" && go build -buildvcs=false -o "$tmp/gateway" ./cmd/gateway) || give_up "the gateway does not build"
key=v3gatesandboxkey00000001
mkdir "$tmp/run" && cd "$tmp/run" || exit 1
"$tmp/gateway" serve --sandbox --sandbox-key $key --listen 127.0.0.1:0 --admin 127.0.0.1:0 --store "$tmp/run/store.db" >"$tmp/gateway.log" 2>&1 &
daemon=$!
serving=
for _ in $(seq 120); do
	serving=$(grep '"msg":"gateway is serving"' "$tmp/gateway.log")
	[ -z "$serving" ] || break
	kill -0 "$daemon" 2>/dev/null || break
	sleep 0.5
done
if [ -z "$serving" ]; then
	tail -n 20 "$tmp/gateway.log"
	give_up "the gateway does not serve"
fi
address() { printf '%s' "$serving" | sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }

[ -n "$shots" ] || { shots=$tmp/shots; mkdir "$shots"; }
NODE_PATH=$npm_dir/node_modules timeout 600 node "$here/walk.js" "http://$(address listen)/xmlrpc/" "http://$(address admin)" $key "$shots"
