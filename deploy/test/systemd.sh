# The unit, read by systemd itself.
need systemd-analyze systemd
verify_unit() {
  # verify looks for the program where the unit says.
  sed "s|^ExecStart=/usr/bin/gateway|ExecStart=$gateway|" deploy/systemd/v3gate.service > "$work/v3gate.service"
  systemd-analyze verify --man=no "$work/v3gate.service" > "$work/verify" 2>&1
  local status=$?
  cat "$work/verify"
  # Other units of the machine may be faulty; ours may not be named.
  [ $status = 0 ] && ! grep -q v3gate "$work/verify"
}
check "systemd-analyze verify" verify_unit
verify_backup() {
  sed "s|/usr/bin/gateway|$gateway|" deploy/systemd/v3gate-backup.service > "$work/v3gate-backup.service"
  cp deploy/systemd/v3gate-backup.timer "$work/"
  systemd-analyze verify --man=no "$work/v3gate-backup.timer" "$work/v3gate-backup.service" > "$work/verify" 2>&1
  local status=$?
  cat "$work/verify"
  [ $status = 0 ] && ! grep -q v3gate "$work/verify"
}
check "systemd-analyze verify of the backup's timer" verify_backup
security() {
  systemd-analyze security --offline=true --threshold=20 deploy/systemd/v3gate.service > "$work/security"
  local status=$?
  grep -E '✗|Overall' "$work/security"
  return $status
}
check "systemd-analyze security is below 2.0" security
note "$(grep Overall "$work/security" | sed 's/^[^O]*//')"
