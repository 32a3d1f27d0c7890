#!/usr/bin/env bash
# Builds the Debian package by hand, with dpkg-deb and Go alone:
#   deploy/debian/build.sh [VERSION] [DIRECTORY]     (default: 0.0.0 and dist/)
# Prints the name of the package. MAINTAINER="Name <address>" and SOURCE_DATE_EPOCH are taken from the environment; with
# the same of both, two builds are equal byte for byte.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=${1:-0.0.0} out=${2:-dist}
maintainer=${MAINTAINER:-v3gate packagers <root@localhost>}
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
arch=${DEB_ARCH:-$(dpkg --print-architecture)}
case $arch in
  amd64 | arm64) goarch=$arch ;;
  armhf) goarch=arm ;;
  i386) goarch=386 ;;
  *) goarch=$arch ;;
esac
[[ $version =~ ^[0-9][A-Za-z0-9.+~-]*$ ]] || { echo "VERSION $version does not begin with a digit; Debian wants that" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
doc=$root/usr/share/doc/v3gate
date=$(date -u -R -d "@$SOURCE_DATE_EPOCH")

CGO_ENABLED=0 GOOS=linux GOARCH=$goarch go build -trimpath \
  -ldflags "-s -w -X v3gate/internal/gateway.version=$version" -o "$work/gateway" ./cmd/gateway
# Help and completions come from a program that runs here, whatever the package is for.
host=$work/gateway
if [ "$goarch" != "$(go env GOHOSTARCH)" ]; then
  host=$work/gateway-host
  CGO_ENABLED=0 go build -o "$host" ./cmd/gateway
fi
run() { env -i PATH="$PATH" HOME="$work" "$host" "$@"; }

install -D -m 755 "$work/gateway" "$root/usr/bin/gateway"
install -D -m 644 deploy/systemd/v3gate.service "$root/lib/systemd/system/v3gate.service"
install -m 644 deploy/systemd/v3gate-backup.{service,timer} "$root/lib/systemd/system/"
install -D -m 644 deploy/debian/gateway.toml "$root/etc/v3gate/gateway.toml"

# Completions are cobra's own.
install -d "$root/usr/share/bash-completion/completions" "$root/usr/share/zsh/vendor-completions" "$root/usr/share/fish/vendor_completions.d"
run completion bash > "$root/usr/share/bash-completion/completions/gateway"
run completion zsh > "$root/usr/share/zsh/vendor-completions/_gateway"
run completion fish > "$root/usr/share/fish/vendor_completions.d/gateway.fish"

# The manual page: the hand-written part, then the help of each command.
install -d "$root/usr/share/man/man1"
deploy/debian/manpage.sh "$host" "$version" "$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%d)" | gzip -9n > "$root/usr/share/man/man1/gateway.1.gz"

# Documentation, rules and dashboard.
install -d "$doc/examples"
for f in README.md docs/*.md; do
  [ "$f" = docs/adding-a-method.md ] || install -m 644 "$f" "$doc/"
done
find "$doc" -maxdepth 1 -name '*.md' -size +3k -exec gzip -9n {} +
install -m 644 deploy/prometheus/alerts.yaml deploy/prometheus/prometheus.yml deploy/grafana/v3gate.json \
  deploy/systemd/privileged-port.conf "$doc/examples/"
install -m 644 gateway.example.toml "$doc/examples/"

printf 'v3gate (%s) unstable; urgency=medium\n\n  * Packaged by deploy/debian/build.sh; the source has the history.\n\n -- %s  %s\n' \
  "$version" "$maintainer" "$date" | gzip -9n > "$doc/changelog.gz"

# A static binary carries its modules, whose licences want their text to come along.
{
  cat deploy/debian/copyright.in
  go version -m "$work/gateway" | awk '$1 == "dep" { print $2, $3 }' | while read -r module v; do
    dir=$(go list -m -f '{{.Dir}}' "$module")
    printf '\n%s\n%s %s\n\n' "$(printf '=%.0s' {1..80})" "$module" "$v"
    found=
    for l in "$dir"/LICENSE* "$dir"/LICENCE* "$dir"/COPYING* "$dir"/NOTICE*; do
      [ -f "$l" ] || continue
      found=1
      if grep -q 'Apache License' "$l" && grep -q 'Version 2.0, January 2004' "$l"; then
        echo 'Apache License, version 2.0: /usr/share/common-licenses/Apache-2.0'
      else
        cat "$l"
      fi
    done
    [ -n "$found" ] || { echo "$module has no licence file" >&2; exit 1; }
  done
  printf '\n%s\nThe Go standard library and runtime, %s\n\n' "$(printf '=%.0s' {1..80})" "$(go env GOVERSION)"
  cat "$(go env GOROOT)/LICENSE"
} > "$doc/copyright"

install -D -m 644 deploy/debian/lintian-overrides "$root/usr/share/lintian/overrides/v3gate"

# Control files.
install -d "$root/DEBIAN"
for script in postinst prerm postrm; do install -m 755 "deploy/debian/$script" "$root/DEBIAN/$script"; done
echo /etc/v3gate/gateway.toml > "$root/DEBIAN/conffiles"
size=$(find "$root" -path "$root/DEBIAN" -prune -o -type f -print0 | xargs -0 du -k --apparent-size -c | tail -1 | cut -f1)
cat > "$root/DEBIAN/control" <<CONTROL
Package: v3gate
Version: $version
Section: net
Priority: optional
Architecture: $arch
Maintainer: $maintainer
Installed-Size: $size
Depends: adduser, ca-certificates, procps
Recommends: systemd
Description: Gandi's v3 XML-RPC API on top of its v5 REST API
 A daemon that answers Gandi's legacy v3 XML-RPC API and carries each call out
 on the v5 REST API, so that integrations written for v3 go on working without
 a change.
 .
 It keeps contact handles, operations and integer ids, which v5 does not have,
 in a store of its own, and takes care that a purchase happens once. Exactly one
 gateway may run for a v5 organization.
CONTROL
(cd "$root" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 md5sum > DEBIAN/md5sums)
chmod 644 "$root"/DEBIAN/{control,conffiles,md5sums}
find "$root" -type d -exec chmod 755 {} +
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

mkdir -p "$out"
deb=$out/v3gate_${version}_$arch.deb
dpkg-deb --root-owner-group -Zxz --build "$root" "$deb" > /dev/null
echo "$deb"
