# The unit at work: the fresh Debian of debian.sh boots in a container of its own, without a network, and testdata/boot.sh
# runs in it as its last unit.
if [ ! -d "${fresh:-}" ]; then
  . "$top/deploy/test/debian.sh"
fi
need systemd-nspawn systemd-container
install -m 755 deploy/test/testdata/boot.sh "$fresh/root/boot.sh"
cat > "$fresh/etc/systemd/system/boot-test.service" <<'UNIT'
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
inside systemctl enable -q boot-test.service
timeout 240 systemd-nspawn -q -D "$fresh" --boot --register=no --keep-unit --private-network --console=pipe \
  --machine="v3gate-$$" --link-journal=no < /dev/null > "$work/nspawn" 2>&1
if [ -s "$fresh/root/boot.out" ]; then
  while read -r verdict text; do
    case $verdict in
      ok) check "booted: $text" true ;;
      FAIL) check "booted: $text" awk -v name="FAIL $text" '$0 == name { on = 1; next } /^(ok|FAIL|note|end)/ { on = 0 } on; END { exit 1 }' "$fresh/root/boot.out" ;;
    esac
  done < <(grep -E '^(ok|FAIL) ' "$fresh/root/boot.out")
  grep '^note ' "$fresh/root/boot.out" | sed 's/^note /      /'
  check "booted: the tests came to their end" has "$fresh/root/boot.out" '^end$'
else
  check "systemd boots in a container" eval "tail -20 '$work/nspawn'; false"
fi
