package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"v3gate/internal/gateway"
)

// The report says the same of a running gateway and of its file.
func TestReportCommand(t *testing.T) {
	path, _, url, stop := startStored(t)
	t.Setenv("GATEWAY_STORE", path)
	says(t, 0, []string{"report"}, "Nobody has called since ")
	call := []string{"call", "--url", url, "--key", demoKey}
	says(t, 0, append(call, "domain.available", `["example.com"]`), "example.com")
	says(t, 1, append(call, "domain.info", "nobodys.net"), "510042")
	says(t, 1, append(call, "domain.claims.info", "x"), "")
	for _, running := range []bool{true, false} {
		if !running {
			stop()
		}
		out := says(t, 0, []string{"report"}, "METHOD", "IN V5", "domain.available", "GET /domain/check for each name", "1 (510042 ×1)", "127.0.0.1",
			"GET /domain/domains/{d}", "3 calls since ", "gateway explain METHOD")
		if strings.Contains(out, demoKey) {
			t.Errorf("the key is printed:\n%s", out)
		}
		var r gateway.Report
		raw := says(t, 0, []string{"report", "--json", "--since", time.Now().UTC().Format(time.DateOnly), "--tenant", "default"})
		if err := json.Unmarshal([]byte(raw), &r); err != nil || len(r.Lines) == 0 || r.Lines[0].Tenant != "default" || len(r.Days) != 1 || r.Lines[0].Last.IsZero() {
			t.Errorf("%v, %+v", err, r)
		}
	}
	says(t, 1, []string{"report", "--since", "yesterday"}, `since "yesterday" is no day, such as 2026-01-31`)
	says(t, 1, []string{"report", "--since", "-1h"}, "is no day")
	says(t, 1, []string{"report", "--since", "0001-01-01"}, "give a time of the last")
	says(t, 1, []string{"report", "--store", path + ".absent"}, "absent")
}
