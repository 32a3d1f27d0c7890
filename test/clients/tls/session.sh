#!/bin/bash
# The part of run.sh that needs no network: starts a gateway and TLS in front of it,
# and lets the clients call. run.sh calls it, in a namespace where it can.
#
#   session.sh DIR WHERE NAME...
#
# DIR has the programs gateway and terminate. WHERE is "inside" a namespace of its
# own, where rpc.gandi.net is the loopback address and port 443 is free, or
# "outside", where clients have to be told the address.
set -u

here=$(cd "$(dirname "$0")" && pwd)
dir=$1 where=$2
shift 2

# Nothing but what a case says may be trusted.
unset SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE REQUESTS_CA_BUNDLE NODE_EXTRA_CA_CERTS PERL_LWP_SSL_CA_FILE HTTPS_CA_FILE
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
unset NODE_TLS_REJECT_UNAUTHORIZED PERL_LWP_SSL_VERIFY_HOSTNAME PYTHONHTTPSVERIFY

children=
cleanup() { for child in $children; do kill "$child" && wait "$child"; done 2>/dev/null; }
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

passed=0 failed=0 wrong=0
good() { echo "ok   $1"; }
bad() { echo "FAIL $1"; wrong=$((wrong + 1)); }

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# until_says FILE WORD: waits for a line of a program that was just started.
until_says() {
	for _ in $(seq 100); do
		grep -qs "$2" "$1" && return
		sleep 0.1
	done
	echo "$1 does not say $2:"
	tail -n 20 "$1"
	return 1
}

if [ "$where" = inside ]; then
	python3 - <<-'PY' || exit
		import fcntl, socket, struct
		up = struct.pack("16sh14x", b"lo", 0x1 | 0x8 | 0x40)  # IFF_UP, LOOPBACK, RUNNING
		fcntl.ioctl(socket.socket(), 0x8914, up)  # SIOCSIFFLAGS
	PY
	echo "127.0.0.1 localhost rpc.gandi.net rpc.ote.gandi.net api.gandi.net" >"$dir/hosts"
	mount --bind "$dir/hosts" /etc/hosts || exit
	port=443
else
	port=$(free_port)
fi

cd "$dir" || exit
for kind in ec rsa; do
	./gateway cert --host rpc.gandi.net --host rpc.ote.gandi.net --out "$dir/$kind" $([ $kind = rsa ] && echo --rsa) >"$dir/cert.log" ||
		exit
done
plain=127.0.0.1:$(free_port)
old=$(free_port)
./gateway serve --sandbox --listen "$plain" --admin "127.0.0.1:$(free_port)" >"$dir/gateway.log" 2>&1 &
children="$! $children"
until_says "$dir/gateway.log" "gateway is serving" || exit
# What the gateway's own listener for TLS will do, terminate does in front of it.
./terminate -listen "127.0.0.1:$port" -to "$plain" -tls-cert ec/server.pem -tls-key ec/server-key.pem >"$dir/tls.log" 2>&1 &
front=$!
children="$front $children"
./terminate -listen "127.0.0.1:$old" -to "$plain" -tls-cert rsa/server.pem -tls-key rsa/server-key.pem -tls-min 1.0 >"$dir/old.log" 2>&1 &
children="$! $children"
until_says "$dir/tls.log" ready && until_says "$dir/old.log" ready || exit

ca=$dir/ec/ca.pem

# call CLIENT TRUST URL [ADDRESS]: one call, trusting ec's CA the way the language
# has for it when TRUST is "trusting".
call() {
	local client=$1 trusting= php=
	[ "$2" != trusting ] || trusting=$ca
	shift 2
	case $client in
	python) set -- python3 "$here/python.py" "$@" ;;
	php)
		[ -z "$trusting" ] || php="-d openssl.cafile=$trusting"
		set -- /usr/bin/php $php "$here/php.php" "$@"
		;;
	node) set -- env NODE_PATH="$V3_NODE_PATH" node "$here/node.js" "$@" ;;
	perl) set -- /usr/bin/perl "$here/perl.pl" "$@" ;;
	ruby) set -- /usr/bin/ruby "$here/ruby.rb" "$@" ;;
	curl)
		local body='<?xml version="1.0"?><methodCall><methodName>version.info</methodName><params/></methodCall>'
		set -- curl -sS -H 'Content-Type: text/xml' -d "$body" "$1"
		;;
	esac
	if [ -n "$trusting" ]; then
		case $client in
		python | ruby) set -- env SSL_CERT_FILE="$trusting" "$@" ;;
		node) set -- env NODE_EXTRA_CA_CERTS="$trusting" "$@" ;;
		perl) set -- env PERL_LWP_SSL_CA_FILE="$trusting" "$@" ;;
		curl) set -- env CURL_CA_BUNDLE="$trusting" "$@" ;;
		esac
	fi
	timeout 60 "$@" 2>&1
}

untrusted='self.signed|verify failed|local issuer'
misnamed='[Mm]ismatch|did not match|does not match|hostname verification failed|no alternative certificate'

# expect TITLE PATTERN STATUS CLIENT...: the call's output and whether it succeeds.
expect() {
	local title=$1 pattern=$2 status=$3 out got
	shift 3
	out=$(call "$@")
	got=$?
	[ "$got" -eq 0 ] || got=1
	if [ "$got" -eq "$status" ] && printf '%s' "$out" | grep -qE "$pattern"; then
		good "$title"
	else
		bad "$title: expected status $status and /$pattern/, got $got and: $(printf '%s' "$out" | tail -n 3 | cut -c1-400)"
	fi
}

three() {
	local how=$1 client=$2 suffix=$3
	shift 3
	expect "$how: version.info with the CA" '3\.3\.42' 0 "$client" trusting "https://rpc.gandi.net$suffix" "$@"
	expect "$how: refused without the CA" "$untrusted" 1 "$client" nothing "https://rpc.gandi.net$suffix" "$@"
	expect "$how: refused with a wrong name" "$misnamed" 1 "$client" trusting "https://api.gandi.net$suffix" "$@"
}

client() {
	case $1 in
	python | php | node) three "address given" "$1" ":$port/xmlrpc/" 127.0.0.1 ;;
	esac
	if [ "$where" = inside ]; then
		three "unmodified, by the hosts file" "$1" /xmlrpc/
	fi
}

# shake PORT CA OPTION...: an openssl handshake that verifies.
shake() {
	local to=$1 trusted=$2 named="-servername rpc.gandi.net"
	shift 2
	[ "${1:-}" != -noservername ] || named=
	timeout 20 openssl s_client -connect "127.0.0.1:$to" $named -CAfile "$trusted" -verify_return_error \
		-verify_hostname rpc.gandi.net "$@" </dev/null 2>&1
}

# version TITLE accepted|PATTERN PORT CA OPTION...
version() {
	local title=$1 want=$2 out
	shift 2
	if out=$(shake "$@"); then
		[ "$want" = accepted ] && good "$title accepted" || bad "$title: accepted, expected $want"
	elif [ "$want" != accepted ] && printf '%s' "$out" | grep -qE "$want"; then
		good "$title refused"
	else
		bad "$title: expected $want, got: $(printf '%s' "$out" | grep -iE 'alert|error' | head -n 2)"
	fi
}

versions() {
	local weak=DEFAULT@SECLEVEL=0 rsa=$dir/rsa/ca.pem
	version "by default: TLS 1.0" "alert protocol version" "$port" "$ca" -tls1 -cipher $weak
	version "by default: TLS 1.1" "alert protocol version" "$port" "$ca" -tls1_1 -cipher $weak
	version "by default: TLS 1.2" accepted "$port" "$ca" -tls1_2
	version "by default: TLS 1.3" accepted "$port" "$ca" -tls1_3
	version "by default: TLS 1.2 with key exchange by RSA" "alert handshake failure" "$port" "$ca" -tls1_2 -cipher AES128-SHA
	version "with 1.0: TLS 1.0" accepted "$old" "$rsa" -tls1 -cipher $weak
	version "with 1.0: TLS 1.0 with key exchange by RSA" accepted "$old" "$rsa" -tls1 -cipher AES128-SHA@SECLEVEL=0
	version "with 1.0: TLS 1.1" accepted "$old" "$rsa" -tls1_1 -cipher $weak
	version "with 1.0: TLS 1.2 with key exchange by RSA and CBC" accepted "$old" "$rsa" -tls1_2 -cipher AES128-SHA256
	version "with 1.0: TLS 1.3" accepted "$old" "$rsa" -tls1_3
	version "without a server name" accepted "$old" "$rsa" -noservername
}

serial() { shake "$port" "$ca" | openssl x509 -noout -serial 2>&1; }

reload() {
	local before after
	before=$(serial)
	./gateway cert --renew --out "$dir/ec" >"$dir/cert.log" && kill -HUP "$front"
	for _ in $(seq 50); do
		after=$(serial)
		[ "$after" = "$before" ] || break
		sleep 0.1
	done
	case $before$after in
	serial=*serial=*) [ "$after" != "$before" ] && good "renewed and reloaded" || bad "reload: still $after" ;;
	*) bad "reload: $before, then $after" ;;
	esac
	version "the new certificate, by the same CA" accepted "$port" "$ca"
}

for name in "$@"; do
	echo "== $name"
	wrong=0
	case $name in
	versions | reload) "$name" ;;
	*) client "$name" ;;
	esac
	if [ "$wrong" -eq 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "failed $name; the last lines of TLS and gateway:"
		tail -qn 5 "$dir/tls.log" "$dir/old.log" "$dir/gateway.log"
	fi
done
echo "$passed $failed" >"$dir/result"
