#!/usr/bin/env bash
# Writes the manual page gateway(1): what help texts do not say by hand, then the help of every command of PROGRAM.
#   deploy/debian/manpage.sh PROGRAM VERSION DATE
set -euo pipefail
program=$1 version=$2 date=$3
run() { env -i PATH="$PATH" HOME=/nonexistent "$program" "$@"; }

# Text as troff wants it: no escapes, no requests, hyphens that can be copied.
plain() { sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^[.']/\\\\\&&/"; }
verbatim() { printf '.PP\n.nf\n'; plain; printf '.fi\n'; }

# commands LIST: the names in the help's list of commands.
commands() { run "$@" --help | awk '/^Available Commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }'; }

cat <<HEAD
.TH GATEWAY 1 "$date" "v3gate $(plain <<< "$version")" "User Commands"
.SH NAME
gateway \\- Gandi's v3 XML\\-RPC API on top of its v5 REST API
.SH SYNOPSIS
.B gateway
.I command
.RI [ options ]
.SH DESCRIPTION
HEAD
run --help | awk '/^Usage:/ { exit } { print }' | sed -e 's/^$/.PP/' | plain | sed 's/^\\&\.PP$/.PP/'
cat <<'BODY'
.PP
Exactly one gateway may run for a v5 organization. Its store holds contact handles, operations and integer ids that exist
nowhere else: keep it, and back it up.
.SH COMMANDS
BODY
describe() { # NAME...
  printf '.SS "gateway %s"\n' "$(plain <<< "$*")"
  run "$@" --help | sed '/^Use "gateway .*" for more information/d' | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' | verbatim
  local inner
  for inner in $(commands "$@"); do describe "$@" "$inner"; done
}
for command in $(commands); do
  case $command in help | completion) ;; *) describe "$command" ;; esac
done
cat <<'TAIL'
.SH SIGNALS
.TP
.BR SIGTERM ", " SIGINT
Take no more calls, answer those in flight, give purchases time to hear v5's word, end. What was cut off is found in the
journal at the next start.
.TP
.B SIGHUP
Read the configuration again.
.SH EXIT STATUS
0 when all went well, 1 otherwise; the reason is on standard error.
.SH FILES
.TP
.I /etc/v3gate/gateway.toml
The settings of the service.
.TP
.IR /etc/credstore/v3gate.v3\-key ", " v3gate.v5\-token ", " v3gate.v5\-apikey
The secrets of the service, one line each.
.TP
.I /var/lib/v3gate/store.db
The store.
.TP
.I /usr/share/doc/v3gate/examples
Every setting with its default, alert rules and a dashboard.
.SH SEE ALSO
.BR systemctl (1),
.BR systemd.exec (5)
.PP
The documentation in
.IR /usr/share/doc/v3gate .
TAIL
