package console

import (
	"testing"
	"time"

	"v3gate/internal/telemetry"
)

func TestTexts(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{number(7), "7"}, {number(1234567), "1\u202f234\u202f567"}, {number(-1000), "-1\u202f000"}, {number(uint64(999)), "999"},
		{percent(0, 0), "–"}, {percent(0, 5), "0 %"}, {percent(1, 1000), "< 1 %"}, {percent(1, 3), "33 %"}, {percent(3, 3), "100 %"},
		{size(5), "5 B"}, {size(2048), "2.0 KiB"}, {size(150 << 20), "150 MiB"}, {size(1 << 41), "2.0 TiB"},
		{span(-time.Second), "0 ms"}, {span(61 * time.Millisecond), "61 ms"}, {span(59 * time.Second), "59 s"}, {span(90 * time.Second), "1 min 30 s"},
		{span(20*time.Minute + 5*time.Second), "20 min"}, {span(2*time.Hour + time.Minute), "2 h 1 min"}, {span(26 * time.Hour), "1 d 2 h"}, {span(400 * 24 * time.Hour), "400 d"},
		{list([]string{"owner"}), "owner"}, {list([]string{"admin", "bill", "tech"}), "admin, bill and tech"}, {list(nil), ""},
		{count(1, "fault"), "1 fault"}, {count(0, "fault"), "0 faults"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestBars(t *testing.T) {
	c := bars([]uint64{0, 10, 1000, 1}, []uint64{0, 5, 0, 0}, 20, 0)
	if c.Bars != "M3 20v-1.0h2v1.0zM6 20v-20.0h2v20.0zM9 20v-1.0h2v1.0z" || c.Bad != "M3 20v-1.0h2v1.0z" || c.Width != 12 || c.Line != "" || c.Peak != 1000 {
		t.Errorf("%+v", c)
	}
	if c := bars(make([]uint64, 3), nil, 20, 100); c.Bars != "" || c.Line != "" {
		t.Errorf("of nothing: %+v", c)
	}
	// A limit is drawn when the bars come near it, and then nothing leaves the picture.
	if c := bars([]uint64{50}, nil, 20, 100); c.Line != "M0 0.5H3" || c.Bars != "M0 20v-10.0h2v10.0z" {
		t.Errorf("below the limit: %+v", c)
	}
	if c := bars([]uint64{200}, nil, 20, 100); c.Line != "M0 10.0H3" || c.Bars != "M0 20v-20.0h2v20.0z" {
		t.Errorf("above the limit: %+v", c)
	}
}

func TestChartsAreToldInWords(t *testing.T) {
	all, bad := make([]uint64, 60), make([]uint64, 60)
	c := bars(all, bad, 20, 0)
	tell(&c, "calls", "Faults", all, bad, telemetry.Hour, now)
	if c.Text != "No calls in the last hour." {
		t.Error(c.Text)
	}
	all[58], all[59], bad[58] = 1200, 7, 3
	c = bars(all, bad, 20, 0)
	tell(&c, "calls", "Faults", all, bad, telemetry.Hour, now)
	if want := "1\u202f207 calls in the last hour, at most 1\u202f200 in a minute, at 12:29 UTC. Faults: 3."; c.Text != want {
		t.Errorf("%q, want %q", c.Text, want)
	}
	if l := ticks(telemetry.Day, now); l[0].Text != "13:00" || l[3].Text != "07:00" || l[4].Text != "now" {
		t.Errorf("%v", l)
	}
}

func TestWhatIsLongerThanUsual(t *testing.T) {
	for _, c := range []struct {
		kind, step string
		in         time.Duration
		want       bool
	}{
		{"domain_create", "RUN", time.Hour, false}, {"domain_create", "BILL", time.Hour + 1, true},
		{"domain_transfer_in", "RUN", 6 * 24 * time.Hour, false}, {"domain_transfer_in", "RUN", 8 * 24 * time.Hour, true},
		{"domain_create", "SUPPORT", 1000 * time.Hour, false},
	} {
		if got := Stuck(c.kind, c.step, c.in); got != c.want {
			t.Errorf("%v: %t", c, got)
		}
	}
}
