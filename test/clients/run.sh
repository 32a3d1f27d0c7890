#!/bin/bash
# Plays one v3 session through stock XML-RPC client libraries against a gateway
# in front of its own sandbox.
#
#   test/clients/run.sh [--only NAME] [--url URL]
#
#   --only NAME   one client instead of all
#   --url URL     a gateway that is running already, instead of a built one
#
# V3_KEY is the key to call with; a gateway started here is given the same one.
#
# Installs what is missing with apt-get and npm, so on a bare Debian 12 it wants
# root. A client that cannot be installed is skipped with the reason, or failed
# when CI is set. The last line is "N passed, N failed".
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
key=${V3_KEY:-v3gatesandboxkey00000001}
names="python node php perl-rpc-xml perl-xmlrpc-lite ruby xmlrpc-c raw"
npm_dir=${TMPDIR:-/tmp}/v3-clients-npm
session_seconds=300
only= url= fresh=

usage() {
	echo "usage: $0 [--only NAME] [--url URL]; NAME is one of: $names" >&2
	exit 2
}

while [ $# -gt 0 ]; do
	case $1 in
	--only) [ $# -ge 2 ] || usage; only=$2; shift 2 ;;
	--url) [ $# -ge 2 ] || usage; url=$2; shift 2 ;;
	*) usage ;;
	esac
done
if [ -n "$only" ]; then
	case " $names " in
	*" $only "*) names=$only ;;
	*) usage ;;
	esac
fi

exec </dev/null
# Ruby reads its source and Perl its arguments by the locale; curl, under
# xmlrpc-c, would take a proxy for 127.0.0.1 from the environment.
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
export PATH=$PATH:/usr/local/go/bin

tmp=$(mktemp -d)
daemon=
cleanup() {
	if [ -n "$daemon" ]; then
		kill "$daemon" 2>/dev/null
		for _ in $(seq 50); do
			kill -0 "$daemon" 2>/dev/null || break
			sleep 0.2
		done
		kill -9 "$daemon" 2>/dev/null
		wait "$daemon" 2>/dev/null
	fi
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# What a client needs, and whether it is there. Debian's own interpreters are
# called by their full path: another one, found first, lacks Debian's modules.
packages_of() {
	case $1 in
	python | raw) echo python3 ;;
	node) echo nodejs npm ;;
	php) echo php-cli php-xmlrpc ;;
	perl-rpc-xml) echo perl librpc-xml-perl ;;
	perl-xmlrpc-lite) echo perl libxmlrpc-lite-perl ;;
	ruby) echo ruby ruby-xmlrpc ;;
	xmlrpc-c) echo gcc libc6-dev libxmlrpc-core-c3-dev ;;
	esac
}

installed() {
	case $1 in
	python | raw) python3 -c 'import xmlrpc.client, http.client' ;;
	node) node -e 0 && npm --version ;;
	php) /usr/bin/php -r 'exit(function_exists("xmlrpc_encode_request") ? 0 : 1);' ;;
	perl-rpc-xml) /usr/bin/perl -MRPC::XML::Client -e 0 ;;
	perl-xmlrpc-lite) /usr/bin/perl -MXMLRPC::Lite -e 0 ;;
	ruby) /usr/bin/ruby -rxmlrpc/client -e 0 ;;
	xmlrpc-c) printf '#include <stdio.h>\n#include <xmlrpc-c/client.h>\n' | cc -E - ;;
	esac >/dev/null 2>&1
}

install() {
	[ $# -gt 0 ] || return 0
	if [ ! -e "$tmp/apt-updated" ]; then
		: >"$tmp/apt-updated"
		apt-get -o DPkg::Lock::Timeout=300 update >>"$tmp/apt.log" 2>&1
	fi
	apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@" >>"$tmp/apt.log" 2>&1
}

npm_installed() {
	[ "$(NODE_PATH=$npm_dir/node_modules node -p 'require("xmlrpc/package.json").version' 2>/dev/null)" = 1.3.2 ]
}

missing=
installed python || missing="python3"
for name in $names; do
	installed "$name" || missing="$missing $(packages_of "$name")"
done
if [ -n "$missing" ]; then
	missing=$(printf '%s\n' $missing | sort -u)
	echo "installing$(printf ' %s' $missing)"
	if ! install $missing; then
		# One that cannot be had must not keep the others away.
		for name in $names; do
			installed "$name" || install $(packages_of "$name")
		done
	fi
fi

passed=0 failed=0
finish() {
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
	exit
}

# None can run: each of them has failed.
give_up() {
	echo "$1"
	for name in $names; do
		failed=$((failed + 1))
	done
	finish
}

if ! installed python; then
	tail -n 20 "$tmp/apt.log" 2>/dev/null
	give_up "python3 is missing and could not be installed"
fi

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

ready() {
	python3 - "$1" <<-'PY' 2>/dev/null
		import sys, urllib.request
		opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
		sys.exit(0 if opener.open(sys.argv[1], timeout=2).status == 200 else 1)
	PY
}

start() {
	command -v go >/dev/null || give_up "go is missing"
	echo "building the gateway"
	(cd "$root" && go build -buildvcs=false -o "$tmp/gateway" ./cmd/gateway) || give_up "the gateway does not build"
	local listen admin
	listen=127.0.0.1:$(free_port)
	admin=127.0.0.1:$(free_port)
	mkdir "$tmp/run"
	cd "$tmp/run" || exit 1
	"$tmp/gateway" serve --sandbox --sandbox-key "$key" --listen "$listen" --admin "$admin" >"$tmp/gateway.log" 2>&1 &
	daemon=$!
	for _ in $(seq 60); do
		if ready "http://$admin/readyz"; then
			url=http://$listen/xmlrpc/
			return
		fi
		kill -0 "$daemon" 2>/dev/null || break
		sleep 0.5
	done
	tail -n 40 "$tmp/gateway.log"
	give_up "the gateway is not ready"
}

# Why a client cannot run, in one line; nothing when it can.
lacks() {
	if ! installed "$1"; then
		echo "not installed: $(packages_of "$1"): $(grep '^E:' "$tmp/apt.log" 2>/dev/null | tail -n 1)"
	elif [ "$1" = node ] && ! npm_installed; then
		mkdir -p "$npm_dir"
		(cd "$npm_dir" && npm install --no-audit --no-fund --prefix "$npm_dir" xmlrpc@1.3.2) >"$tmp/npm.log" 2>&1
		npm_installed || echo "npm package xmlrpc 1.3.2 not installed: $(grep -i 'reason\|^npm err' "$tmp/npm.log" | tail -n 1)"
	elif [ "$1" = xmlrpc-c ]; then
		cc -Wall -o "$tmp/xmlrpc-c" "$here/xmlrpc-c.c" -lxmlrpc_client -lxmlrpc -lxmlrpc_util >"$tmp/cc.log" 2>&1 ||
			echo "does not compile: $(grep -m 1 error "$tmp/cc.log")"
	fi
}

play() {
	case $1 in
	python) set -- py1 python3 "$here/python.py" ;;
	node) set -- node1 env NODE_PATH="$npm_dir/node_modules" node "$here/node.js" ;;
	php) set -- php1 /usr/bin/php "$here/php.php" ;;
	perl-rpc-xml) set -- prx1 /usr/bin/perl "$here/perl-rpc-xml.pl" ;;
	perl-xmlrpc-lite) set -- pxl1 /usr/bin/perl "$here/perl-xmlrpc-lite.pl" ;;
	ruby) set -- rb1 /usr/bin/ruby "$here/ruby.rb" ;;
	xmlrpc-c) set -- xc1 "$tmp/xmlrpc-c" ;;
	raw) set -- raw1 python3 "$here/raw.py" ;;
	esac
	local prefix=$1$fresh
	shift
	timeout "$session_seconds" "$@" "$url" "$key" "$prefix" 2>&1
}

# A gateway of another may have registered the names of an earlier run.
if [ -n "$url" ]; then
	fresh=-$(date +%s)
else
	start
fi

for name in $names; do
	echo "== $name"
	reason=$(lacks "$name")
	if [ -n "$reason" ] && [ -z "${CI:-}" ]; then
		echo "skipped $name: $reason"
		continue
	elif [ -n "$reason" ]; then
		echo "FAIL $reason"
		status=1
	else
		play "$name"
		status=$?
	fi
	if [ "$status" -eq 0 ]; then
		passed=$((passed + 1))
	else
		[ "$status" -ne 124 ] || echo "FAIL $name: expected an end within $session_seconds s"
		failed=$((failed + 1))
		echo "failed $name"
		if [ -s "$tmp/gateway.log" ]; then
			echo "the gateway's last lines:"
			tail -n 20 "$tmp/gateway.log"
		fi
	fi
done
finish
