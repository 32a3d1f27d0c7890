#!/bin/bash
# Measures the gateway beside its peers; docs/performance.md says what and why.
#
#   test/bench/run.sh [flags of the Go program in this directory]
#   test/bench/run.sh -rounds 7 -connections 64 -peers gateway
#   test/bench/run.sh -profiles /tmp/profiles -peers gateway -rounds 1
#
# Installs wrk and nginx with apt-get where they are missing, so on a bare Debian
# 12 it wants root. Without nginx it goes on, without wrk it cannot.
set -eu

cd "$(dirname "$0")/../.."
export PATH=$PATH:/usr/local/go/bin DEBIAN_FRONTEND=noninteractive

for program in wrk nginx; do
	if ! command -v "$program" >/dev/null && [ ! -x "/usr/sbin/$program" ]; then
		echo "installing $program"
		apt-get -o DPkg::Lock::Timeout=300 update >/dev/null 2>&1 || true
		apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$program" >/dev/null 2>&1 ||
			echo "$program could not be installed"
	fi
done

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
overlay=
case " $* " in
*" -profiles "* | *" -profiles="*)
	# The gateway itself has no profiler; one is put in for this build alone.
	printf '{"Replace": {"%s": "%s"}}' "$PWD/cmd/gateway/pprof.go" "$PWD/test/bench/testdata/pprof.go" >"$out/overlay.json"
	overlay=-overlay=$out/overlay.json
	;;
esac
CGO_ENABLED=0 go build -buildvcs=false -trimpath $overlay -o "$out/gateway" ./cmd/gateway
go build -buildvcs=false -o "$out/bench" ./test/bench
"$out/bench" -gateway "$out/gateway" "$@"
