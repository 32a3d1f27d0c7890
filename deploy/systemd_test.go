package deploy

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// directives are a unit's settings in their order, by [Section]Name.
func directives(text string) map[string][]string {
	out := map[string][]string{}
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case line[0] == '[':
			section = line
		default:
			name, value, _ := strings.Cut(line, "=")
			out[section+name] = append(out[section+name], value)
		}
	}
	return out
}

func TestUnit(t *testing.T) {
	unit := directives(read(t, "systemd/v3gate.service"))
	for name, want := range map[string]string{
		"Type": "notify", "ExecStart": "/usr/bin/gateway serve", "ExecReload": "/bin/kill -HUP $MAINPID",
		"User": "v3gate", "StateDirectory": "v3gate", "StateDirectoryMode": "0700", "UMask": "0077",
		"NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "AmbientCapabilities": "", "ProtectSystem": "strict",
		"ProtectHome": "yes", "PrivateTmp": "yes", "PrivateDevices": "yes", "PrivateUsers": "yes", "ProtectProc": "invisible",
		"ProtectHostname": "yes", "ProtectClock": "yes", "ProtectKernelTunables": "yes", "ProtectKernelModules": "yes",
		"ProtectKernelLogs": "yes", "ProtectControlGroups": "yes", "RestrictNamespaces": "yes", "RestrictRealtime": "yes",
		"RestrictSUIDSGID": "yes", "LockPersonality": "yes", "MemoryDenyWriteExecute": "yes", "RemoveIPC": "yes",
		"RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6", "SystemCallArchitectures": "native", "LimitCORE": "0",
		"SystemCallErrorNumber": "EPERM", "Restart": "on-failure",
	} {
		if got := unit["[Service]"+name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := unit["[Service]SystemCallFilter"]; !slices.Equal(got, []string{"@system-service", "~@privileged @resources"}) {
		t.Errorf("SystemCallFilter is %q", got)
	}
	// The daemon looks for credentials of these names; a relative source may be
	// missing, an absolute one would have to be there.
	if got := unit["[Service]LoadCredential"]; !slices.Equal(got, []string{"v3-key:v3gate.v3-key", "v5-token:v3gate.v5-token", "v5-apikey:v3gate.v5-apikey"}) {
		t.Errorf("LoadCredential is %q", got)
	}
	for _, assignment := range unit["[Service]Environment"] {
		if strings.Contains(assignment, "KEY") || strings.Contains(assignment, "TOKEN") {
			t.Errorf("Environment=%s: everybody may read a unit", assignment)
		}
	}
	stop, err := time.ParseDuration(unit["[Service]TimeoutStopSec"][0])
	if err != nil || stop < grace()+10*time.Second {
		t.Errorf("TimeoutStopSec is %s, too near to the gateway's own grace of %s (%v)", stop, grace(), err)
	}
	if watchdog, err := time.ParseDuration(unit["[Service]WatchdogSec"][0]); err != nil || watchdog < 10*time.Second {
		t.Errorf("WatchdogSec is %s, %v: a slow disk is no reason to kill", watchdog, err)
	}
	if len(unit["[Service]DynamicUser"])+len(unit["[Service]ReadWritePaths"]) > 0 {
		t.Error("the unit has a user of its own and writes to its state directory only")
	}
	if got := unit["[Install]WantedBy"]; len(got) != 1 || got[0] != "multi-user.target" {
		t.Errorf("WantedBy is %q", got)
	}
}
