#!/bin/bash
# Runs inside the booted container of boot.sh, as root. Each test is a line "ok ..." or "FAIL ...", and what it said.
key=sandboxsandboxsandbox123
t() {
  local name=$1
  shift
  if "$@" > /root/said 2>&1; then echo "ok $name"; else
    echo "FAIL $name"
    sed 's/^/  /' /root/said | tail -20
    journalctl -q -n 15 -o cat -u v3gate | sed 's/^/  journal: /'
  fi
}
show() { systemctl show -P "$1" v3gate; }
is() { [ "$(show "$1")" = "$2" ] || { echo "$1 is $(show "$1"), want $2"; return 1; }; }
until_true() { # SECONDS COMMAND...
  local end=$((SECONDS + $1))
  shift
  until "$@"; do [ $SECONDS -lt $end ] || return 1; sleep 0.2; done
}
status() { # FIELD of /proc/PID/status
  awk -v f="$1:" '$1 == f { print $2 }' "/proc/$(show MainPID)/status"
}
call() { gateway call --key "$key" "$@"; }

ip link set lo up 2> /dev/null
refuses() { ! systemctl start v3gate && journalctl -q -o cat -u v3gate | grep GATEWAY_V3_KEY; }
t "without secrets it does not start and says what is missing" refuses
systemctl stop v3gate # it would try again
systemctl reset-failed v3gate

systemd-run -q --unit=simulation gateway sandbox --token boot-token
echo 'v5_url = "http://127.0.0.1:8085/v5"' > /tmp/head
cat /tmp/head /etc/v3gate/gateway.toml > /tmp/new && cat /tmp/new > /etc/v3gate/gateway.toml
install -d -m 700 /etc/credstore
(umask 077; echo $key > /etc/credstore/v3gate.v3-key; echo boot-token > /etc/credstore/v3gate.v5-token)
mkdir -p /etc/systemd/system/v3gate.service.d
printf '[Service]\nWatchdogSec=4s\nRestartSec=1s\n' > /etc/systemd/system/v3gate.service.d/test.conf # not to wait half a minute
systemctl daemon-reload

t "it starts once it is ready (Type=notify), with secrets from the credential store" systemctl start v3gate
t "it is active when start returns" is ActiveState active
t "gateway health says so" gateway health
t "its status line is its own" eval 'show StatusText | grep -q 127.0.0.1:8080'
echo "note systemctl status: $(show StatusText)"
t "a call goes through to v5" call contact.info
t "an operator reaches it through its socket" gateway ops list --store /var/lib/v3gate/store.db

user() { [ "$(stat -c %U "/proc/$(show MainPID)")" = v3gate ] && [ "$(stat -c '%U %a' /var/lib/v3gate)" = "v3gate 700" ] && [ "$(stat -c '%U %a' /var/lib/v3gate/store.db)" = "v3gate 600" ]; }
t "it runs as its own user, who alone reads the store" user
t "no capability is left" [ "$(status CapEff)$(status CapBnd)$(status CapPrm)" = 000000000000000000000000000000000000000000000000 ]
t "no new privileges, system calls are filtered" [ "$(status NoNewPrivs)$(status Seccomp)" = 12 ]
no_secret() { ! tr '\0' '\n' < "/proc/$(show MainPID)/environ" | grep -E 'boot-token|sandboxsandbox' && ! tr '\0' ' ' < "/proc/$(show MainPID)/cmdline" | grep boot-token; }
t "no secret is in its environment" no_secret
t "nor in its log" eval '! journalctl -q -u v3gate | grep -E "boot-token|$key"'
in_its_namespace() { nsenter -t "$(show MainPID)" -m "$@"; }
t "it cannot write outside its directory" eval '! in_its_namespace touch /etc/x && ! in_its_namespace touch /usr/x && in_its_namespace test -w /var/lib/v3gate'
metrics() { exec 3<> /dev/tcp/127.0.0.1/9090; printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3; cat <&3 > /root/metrics; exec 3>&-; }
metrics
t "process metrics survive the hardening" eval 'grep -q ^process_start_time_seconds /root/metrics && grep -q ^process_open_fds /root/metrics'
t "it may open files enough for its connections" awk '$1 == "process_max_fds" { n = $2 } END { print n; exit n < 4096 }' /root/metrics # a container may have less than the unit asks for

pid=$(show MainPID)
t "systemctl reload keeps it running" eval 'systemctl reload v3gate && is ActiveState active && [ "$(show MainPID)" = "$pid" ] && gateway health'
cp /etc/v3gate/gateway.toml /tmp/good
echo 'nonsense = 1' > /etc/v3gate/gateway.toml
bad_reload() { systemctl reload v3gate; until_true 5 eval 'show StatusText | grep -q "is wrong"' && is ActiveState active && call contact.info; }
t "a wrong file is refused at a reload, and the status line says so" bad_reload
echo "note systemctl status: $(show StatusText)"
cat /tmp/good > /etc/v3gate/gateway.toml
t "a mended one is taken" eval 'systemctl reload v3gate && until_true 5 eval "! show StatusText | grep -q wrong"'

t "it lives through twice its watchdog time" eval 'sleep 9; [ "$(show MainPID)" = "$pid" ] && is NRestarts 0'
kill -STOP "$pid"
t "one that hangs is killed by the watchdog and started again" until_true 40 eval '[ "$(show NRestarts)" -ge 1 ] && is ActiveState active'
t "with a new process, which is ready" eval '[ "$(show MainPID)" != "$pid" ] && gateway health'
t "systemd says that it was the watchdog" eval 'journalctl -q -u v3gate | grep -i watchdog'
pid=$(show MainPID)
kill -KILL "$pid"
t "one that is killed is started again, on the same store" until_true 20 eval '[ "$(show MainPID)" != "$pid" ] && is ActiveState active && gateway health'
t "handles are still there" eval 'call contact.info | grep 5000000-GANDI'

echo "note exposure: $(systemd-analyze security --no-pager v3gate 2> /dev/null | grep Overall | sed 's/^[^O]*//')"
begun=$SECONDS
t "it stops in time" systemctl stop v3gate
t "as one that ended well" eval 'is Result success && [ $((SECONDS - begun)) -lt 30 ]'
t "and does not come back" eval 'sleep 2; is ActiveState inactive'
systemctl start v3gate
pid=$(show MainPID)
upgrade() { dpkg -i /root/v3gate.deb && is ActiveState active && [ "$(show MainPID)" != "$pid" ] && gateway health; }
t "an upgrade restarts one that runs" upgrade
systemctl stop v3gate
t "and starts none that does not" eval 'dpkg -i /root/v3gate.deb && is ActiveState inactive'

seal() { # as docs/operations-store.md has it
  (umask 077; openssl rand -hex 32 > /etc/v3gate/seal.key) && chgrp v3gate /etc/v3gate/seal.key && chmod 640 /etc/v3gate/seal.key &&
    gateway store rekey --store /var/lib/v3gate/store.db --key-file /etc/v3gate/seal.key &&
    sed -i '1i seal_key_file = "/etc/v3gate/seal.key"' /etc/v3gate/gateway.toml && systemctl start v3gate && user && call contact.info
}
t "it starts on a store that was sealed, with a key that its group may read" seal
install -d -m 700 /var/backups/v3gate
t "and the backup's unit copies that" eval 'systemctl start v3gate-backup && gateway store check --store /var/backups/v3gate/daily-*.db --seal-key-file /etc/v3gate/seal.key'
systemctl stop v3gate

cp /usr/share/doc/v3gate/examples/privileged-port.conf /etc/systemd/system/v3gate.service.d/
sed -i '1i listen = "127.0.0.1:443"' /etc/v3gate/gateway.toml
systemctl daemon-reload
t "with the drop-in it listens on port 443, and has that capability alone" eval 'systemctl start v3gate && gateway call --url http://127.0.0.1:443/ --key $key version.info && [ "$(status CapEff)" = 0000000000000400 ]'
t "removing the package stops it" eval 'pgrep -x gateway -u v3gate && dpkg -r v3gate && ! pgrep -x gateway -u v3gate'
echo end
