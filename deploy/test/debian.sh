# The package: built twice, linted, its contents, and installed and removed in a fresh Debian.
need dpkg-deb dpkg
need lintian lintian
need man man-db
export MAINTAINER="A Reseller <hostmaster@reseller.net>" SOURCE_DATE_EPOCH=1790000000
twice() {
  deploy/debian/build.sh 1.2.3 "$work/deb" && deploy/debian/build.sh 1.2.3 "$work/deb2" && cmp "$work"/deb/*.deb "$work"/deb2/*.deb
}
check "the package builds, twice the same" twice
deb=$work/deb/v3gate_1.2.3_$(dpkg --print-architecture).deb
note "$(du -h "$deb" | cut -f1) $(basename "$deb")"
clean() {
  lintian --tag-display-limit 0 -E --pedantic "$deb" > "$work/lintian" 2>&1
  cat "$work/lintian"
  ! grep -qE '^[EWIP]:' "$work/lintian"
}
check "lintian has nothing to say, not even pedantically" clean

rm -rf "$work/x" && dpkg-deb -x "$deb" "$work/x"
contents() {
  local f
  for f in usr/bin/gateway lib/systemd/system/{v3gate.service,v3gate-backup.service,v3gate-backup.timer} etc/v3gate/gateway.toml usr/share/man/man1/gateway.1.gz \
    usr/share/bash-completion/completions/gateway usr/share/zsh/vendor-completions/_gateway \
    usr/share/fish/vendor_completions.d/gateway.fish usr/share/doc/v3gate/copyright usr/share/doc/v3gate/changelog.gz \
    usr/share/doc/v3gate/examples/{gateway.example.toml,alerts.yaml,prometheus.yml,v3gate.json,privileged-port.conf}; do
    [ -s "$work/x/$f" ] || { echo "$f is missing"; return 1; }
  done
  cmp deploy/systemd/v3gate.service "$work/x/lib/systemd/system/v3gate.service"
}
check "everything is in it" contents
check "the program in it runs and knows its version" eval '"$work/x/usr/bin/gateway" version | grep "gateway 1.2.3,"'
check "every linked module's licence is in the copyright file" eval 'go version -m "$work/x/usr/bin/gateway" | awk "\$1 == \"dep\" { print \$2 }" | while read -r m; do grep -qF "$m" "$work/x/usr/share/doc/v3gate/copyright" || { echo "$m"; exit 1; }; done'
manual() {
  MANWIDTH=100 man -l --warnings "$work/x/usr/share/man/man1/gateway.1.gz" > "$work/man" 2> "$work/manwarn"
  cat "$work/manwarn"
  [ ! -s "$work/manwarn" ] && has "$work/man" 'gateway serve' && has "$work/man" 'gateway ops resolve' && has "$work/man" '--v5-rate'
}
check "the manual page renders without a warning and has every command" manual
complete() {
  bash -n "$work/x/usr/share/bash-completion/completions/gateway" && "$work/x/usr/bin/gateway" __complete ops '' 2> /dev/null | grep '^resolve'
}
check "completions complete" complete
shipped_settings() {
  # Only what has to be given is missing.
  env -i "$work/x/usr/bin/gateway" check-config --config "$work/x/etc/v3gate/gateway.toml" > "$work/settings" 2>&1 && return 1
  cat "$work/settings"
  grep -q 'tenant' "$work/settings" && ! grep -qE 'unknown|store:' "$work/settings"
}
check "the shipped settings lack a tenant and nothing else" shipped_settings

# In a fresh Debian.
. "$top/deploy/test/fresh.sh"
fresh_debian "$deb"
installed() {
  check "dpkg -i" inside dpkg -i /root/v3gate.deb
  user() { inside getent passwd v3gate | grep -q ':/var/lib/v3gate:/usr/sbin/nologin$' && [ "$(inside stat -c '%U:%G %a' /etc/v3gate)" = "root:v3gate 750" ]; }
  check "it has made its user, and the settings are the user's to read" user
  check "it has enabled nothing" eval '[ "$(inside systemctl is-enabled v3gate)" = disabled ]'
  check "the program runs there" inside gateway version
  again() { echo '# mine' >> "$fresh/etc/v3gate/gateway.toml" && inside dpkg -i /root/v3gate.deb && has "$fresh/etc/v3gate/gateway.toml" '^# mine' && user; }
  check "an upgrade keeps changed settings and who may read them" again
  purge() {
    mkdir -p "$fresh/var/lib/v3gate" && echo store > "$fresh/var/lib/v3gate/store.db"
    inside dpkg -r v3gate && [ -e "$fresh/etc/v3gate/gateway.toml" ] && inside dpkg -P v3gate &&
      [ ! -e "$fresh/etc/v3gate/gateway.toml" ] && [ ! -e "$fresh/usr/bin/gateway" ] && [ -e "$fresh/var/lib/v3gate/store.db" ]
  }
  check "removing keeps the settings, purging keeps the store" purge
  rm -rf "$fresh/var/lib/v3gate"
  check "and it installs again" inside dpkg -i /root/v3gate.deb
}
if [ -z "$no_fresh" ]; then installed; else leave "installing it in a fresh Debian" "$no_fresh"; fi
