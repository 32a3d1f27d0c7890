#!/bin/bash
# Lets stock clients that verify certificates call a gateway behind TLS, with a
# certificate of "gateway cert" for rpc.gandi.net, and asks which protocol versions
# are taken.
#
#   test/clients/tls/run.sh [--only NAME]
#
# Each client gets an answer with the CA, and none without it or for another name:
# told the loopback address (python, php, node), and unmodified, calling
# https://rpc.gandi.net/xmlrpc/, in a mount and network namespace with a hosts file
# of its own (all). /etc/hosts itself is not touched. Where namespaces cannot be
# made the second part is left out, and failed when CI is set.
#
# Installs what is missing with apt-get and npm, so on a bare Debian 12 it wants
# root. A client that cannot be installed is skipped with the reason, or failed
# when CI is set. The last line is "N passed, N failed".
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
names="python php node perl ruby curl versions reload"
export V3_NODE_PATH=${TMPDIR:-/tmp}/v3-clients-npm/node_modules
session_seconds=600

usage() {
	echo "usage: $0 [--only NAME]; NAME is one of: $names" >&2
	exit 2
}

while [ $# -gt 0 ]; do
	case $1 in
	--only)
		[ $# -ge 2 ] || usage
		case " $names " in
		*" $2 "*) names=$2 ;;
		*) usage ;;
		esac
		shift 2
		;;
	*) usage ;;
	esac
done

exec </dev/null
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive PATH=$PATH:/usr/local/go/bin

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# What a client needs, and whether it is there. Debian's own interpreters are
# called by their full path: another one, found first, lacks Debian's modules.
packages_of() {
	case $1 in
	python) echo python3 ;;
	php) echo php-cli php-xmlrpc ;;
	node) echo nodejs npm ;;
	perl) echo perl libxmlrpc-lite-perl liblwp-protocol-https-perl ;;
	ruby) echo ruby ruby-xmlrpc ;;
	curl) echo curl ;;
	versions | reload) echo openssl ;;
	esac
}

installed() {
	case $1 in
	python) python3 -c 'import xmlrpc.client, ssl' ;;
	php) /usr/bin/php -r 'exit(function_exists("xmlrpc_encode_request") && extension_loaded("openssl") ? 0 : 1);' ;;
	node) node -e 0 && npm --version ;;
	perl) /usr/bin/perl -MXMLRPC::Lite -MLWP::Protocol::https -e 0 ;;
	ruby) /usr/bin/ruby -rxmlrpc/client -ropenssl -e 0 ;;
	curl) curl --version ;;
	versions | reload) openssl version ;;
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
	[ "$(NODE_PATH=$V3_NODE_PATH node -p 'require("xmlrpc/package.json").version' 2>/dev/null)" = 1.3.2 ]
}

passed=0 failed=0
finish() {
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
	exit
}

# None can run: each of them has failed.
give_up() {
	echo "$1"
	failed=$(wc -w <<<"$names")
	passed=0
	finish
}

# Why a client cannot run, in one line; nothing when it can.
lacks() {
	if ! installed "$1"; then
		install $(packages_of "$1")
		installed "$1" || echo "not installed: $(packages_of "$1"): $(grep '^E:' "$tmp/apt.log" 2>/dev/null | tail -n 1)"
	fi
	if [ "$1" = node ] && installed node && ! npm_installed; then
		mkdir -p "${V3_NODE_PATH%/*}"
		npm install --no-audit --no-fund --prefix "${V3_NODE_PATH%/*}" xmlrpc@1.3.2 >"$tmp/npm.log" 2>&1
		npm_installed || echo "npm package xmlrpc 1.3.2 not installed: $(grep -i 'reason\|^npm err' "$tmp/npm.log" | tail -n 1)"
	fi
}

reason=$(lacks python)
[ -z "$reason" ] || give_up "$reason"
command -v go >/dev/null || give_up "go is missing"
echo "building the gateway"
(cd "$root" && go build -buildvcs=false -o "$tmp/gateway" ./cmd/gateway) || give_up "the gateway does not build"
(cd "$root" && go build -buildvcs=false -o "$tmp/terminate" test/clients/tls/terminate.go) || give_up "what terminates TLS does not build"

# How to get a namespace: as root, or as anyone where that is allowed.
where=outside enter=
for try in "unshare -mn" "unshare -Urmn"; do
	if $try sh -c 'mount --bind /etc/hostname /etc/hosts' >"$tmp/unshare.log" 2>&1; then
		where=inside enter=$try
		break
	fi
done

run=
leave_out() {
	if [ -n "${CI:-}" ]; then
		echo "failed $1: $2"
		failed=$((failed + 1))
	else
		echo "skipped $1: $2"
	fi
}
[ "$where" = inside ] || echo "no namespaces, so no hosts file for the clients: $(tail -n 1 "$tmp/unshare.log")"
for name in $names; do
	reason=$(lacks "$name")
	case $name$where in
	perloutside | rubyoutside | curloutside) reason=${reason:-it can only be led here by a hosts file} ;;
	pythonoutside | phpoutside | nodeoutside)
		# The other half still runs.
		[ -z "${CI:-}" ] || reason=${reason:-the half with a hosts file cannot run}
		;;
	esac
	if [ -n "$reason" ]; then
		leave_out "$name" "$reason"
	else
		run="$run $name"
	fi
done

if [ -n "$run" ]; then
	timeout "$session_seconds" $enter bash "$here/session.sh" "$tmp" "$where" $run
	if read -r ran_well ran_badly 2>/dev/null <"$tmp/result"; then
		passed=$((passed + ran_well)) failed=$((failed + ran_badly))
	else
		give_up "the session broke off"
	fi
fi
finish
