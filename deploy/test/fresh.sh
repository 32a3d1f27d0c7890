# A fresh Debian in $fresh, made once for the steps that need one, and systemd booted in copies of it. What this machine
# cannot do is found out by trying; $no_fresh and $no_boot then say why.

# cannot_debian says why there can be no fresh Debian, or nothing.
cannot_debian() {
  [ "$(id -u)" = 0 ] || { echo "this is not root"; return; }
  need debootstrap debootstrap > /dev/null 2>&1 || { echo "debootstrap could not be installed"; return; }
  unshare --mount chroot / true 2> /dev/null || { echo "this machine lets nobody mount and chroot"; return; }
  wget -q -T 20 -t 2 --spider "$mirror/dists/bookworm/Release" || echo "no Debian mirror answers at $mirror"
}

debootstrap_twice() { # the second time with what the first one fetched
  local try
  mkdir -p "$work/debs"
  for try in 1 2; do
    debootstrap --cache-dir="$work/debs" --variant=minbase --include=adduser,ca-certificates,procps,systemd,systemd-sysv,dbus \
      bookworm "$fresh" "$mirror" && return
    rm -rf --one-file-system "$fresh"
  done
  return 1
}

# fresh_debian makes it, with the package's file in /root.
fresh_debian() {
  mirror=$(awk '/^URIs:/ { print $2; exit } /^deb / { print $2; exit }' /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2> /dev/null | head -1)
  mirror=${mirror:-http://deb.debian.org/debian}
  no_fresh=$(cannot_debian)
  [ -z "$no_fresh" ] || return
  fresh=$work/fresh
  check "a fresh Debian is made" debootstrap_twice
  [ -x "$fresh/bin/systemctl" ] || { no_fresh="making it failed"; return 1; }
  cp "$1" "$fresh/root/v3gate.deb"
}

in_root() { chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "${@:2}"; }
inside() { in_root "$fresh" "$@"; }

# nspawn ROOT SECONDS [ARGUMENT OF INIT...]: its systemd, without a network.
nspawn() {
  timeout "$2" systemd-nspawn -q -D "$1" --boot --register=no --keep-unit --private-network --console=pipe \
    --machine="v3gate-$$" --link-journal=no -- "${@:3}" < /dev/null > "$work/nspawn" 2>&1
}

# cannot_boot says why systemd cannot be booted in the fresh Debian, or nothing.
cannot_boot() {
  [ -z "$no_fresh" ] || { echo "there is no fresh Debian: $no_fresh"; return; }
  need systemd-nspawn systemd-container > /dev/null 2>&1 || { echo "systemd-nspawn could not be installed"; return; }
  printf '[Unit]\nDefaultDependencies=no\nSuccessAction=exit-force\nFailureAction=exit-force\n[Service]\nType=oneshot\nExecStart=/bin/touch /root/booted\n' \
    > "$fresh/etc/systemd/system/probe.service"
  nspawn "$fresh" 60 --unit=probe.service
  [ -e "$fresh/root/booted" ] || echo "systemd-nspawn boots nothing here: $(tail -1 "$work/nspawn")"
  rm -f "$fresh/etc/systemd/system/probe.service" "$fresh/root/booted"
}

# can_boot NAME: whether systemd boots here; else the step is left out.
can_boot() {
  [ -n "${boots+tried}" ] || boots=$(cannot_boot)
  [ -z "$boots" ] || { leave "$1" "$boots"; return 1; }
}

# boot ROOT SCRIPT SECONDS NAME: SCRIPT is the last unit of ROOT's boot; each of its lines "ok ..." and "FAIL ..." is a test.
boot() {
  local out=$1/root/boot.out verdict text
  install -m 755 "$2" "$1/root/boot.sh"
  cat > "$1/etc/systemd/system/boot-test.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/root/boot.sh
ExecStopPost=/bin/systemctl --no-block poweroff
StandardOutput=file:/root/boot.out
StandardError=file:/root/boot.out
[Install]
WantedBy=multi-user.target
UNIT
  in_root "$1" systemctl enable -q boot-test.service
  nspawn "$1" "$3"
  if [ ! -s "$out" ]; then
    check "$4: systemd boots in a container" eval "tail -20 '$work/nspawn'; false"
    return
  fi
  while read -r verdict text; do
    case $verdict in
      ok) check "$4: $text" true ;;
      FAIL) check "$4: $text" awk -v name="FAIL $text" '$0 == name { on = 1; next } /^(ok|FAIL|note|end)/ { on = 0 } on; END { exit 1 }' "$out" ;;
    esac
  done < <(grep -E '^(ok|FAIL) ' "$out")
  grep '^note ' "$out" | sed 's/^note /      /'
  check "$4: the tests came to their end" has "$out" '^end$'
}
