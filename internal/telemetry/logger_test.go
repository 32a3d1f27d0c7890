package telemetry

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
)

func TestLoggerLine(t *testing.T) {
	somewhere := time.FixedZone("", 2*3600)
	out := logged(t, func(l *zap.Logger) {
		l.Named("ops").Info("the operation ended",
			zap.String("type", "domain_create"), zap.Duration("took", 1500*time.Millisecond),
			zap.Time("since", time.Date(2024, 1, 2, 3, 4, 5, 6_000_000, somewhere)))
	})
	stamp := regexp.MustCompile(`"time":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"`)
	m := stamp.FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("no UTC time with milliseconds in %s", out)
	}
	if written, err := time.Parse(time.RFC3339, m[1]); err != nil || time.Since(written) > time.Minute {
		t.Errorf("time %s: %v", m[1], err)
	}
	want := `{"level":"info","time":"T","logger":"ops","msg":"the operation ended","type":"domain_create","took":1.5,"since":"2024-01-02T01:04:05.006Z"}` + "\n"
	if diff := cmp.Diff(want, stamp.ReplaceAllString(out, `"time":"T"`)); diff != "" {
		t.Error(diff)
	}
}

func TestLoggerLevels(t *testing.T) {
	names := []string{"debug", "info", "warn", "error"}
	for i, least := range names {
		var out bytes.Buffer
		l, err := NewLogger(&out, least)
		if err != nil {
			t.Fatal(err)
		}
		l.Debug("m")
		l.Info("m")
		l.Warn("m")
		l.Error("m")
		if diff := cmp.Diff(names[i:], levelsOf(t, out.String())); diff != "" {
			t.Errorf("level %s:\n%s", least, diff)
		}
	}
}

func TestPanicEntryHasLevelError(t *testing.T) {
	out := logged(t, func(l *zap.Logger) {
		defer func() { _ = recover() }()
		l.Panic("m")
	})
	if diff := cmp.Diff([]string{"error"}, levelsOf(t, out)); diff != "" {
		t.Error(diff)
	}
}

func TestUnknownLevelNamesTheChoices(t *testing.T) {
	for _, level := range []string{"", "INFO", "trace", "fatal", "warning"} {
		l, err := NewLogger(&bytes.Buffer{}, level)
		if l != nil || err == nil {
			t.Fatalf("level %q is accepted", level)
		}
		for _, known := range levels {
			if !strings.Contains(err.Error(), known.name) {
				t.Errorf("level %q: no %s in %v", level, known.name, err)
			}
		}
	}
}

func TestLoggerIsSafeForManyGoroutines(t *testing.T) {
	out := logged(t, func(l *zap.Logger) {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 50 {
					l.With(zap.String("email", "x")).Info("m", zap.Any("v", map[string]string{"key": "x"}))
				}
			})
		}
		wg.Wait()
	})
	if n := strings.Count(out, "\n"); n != 400 {
		t.Errorf("%d lines", n)
	}
}

func TestStdLog(t *testing.T) {
	out := logged(t, func(l *zap.Logger) {
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom\nat night") }))
		srv.Config.ErrorLog = StdLog(l)
		srv.Start()
		defer srv.Close()
		if _, err := http.Get(srv.URL); err == nil {
			t.Error("the panic was answered")
		}
	})
	var entry struct{ Level, Msg, Detail string }
	if err := json.Unmarshal([]byte(out), &entry); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if entry.Level != "warn" || entry.Msg != "the HTTP server reported a problem" {
		t.Errorf("%+v", entry)
	}
	if !strings.HasPrefix(entry.Detail, "http: panic serving") || strings.HasSuffix(entry.Detail, "\n") {
		t.Errorf("detail %q", entry.Detail)
	}
}

func levelsOf(t *testing.T, out string) []string {
	t.Helper()
	var found []string
	for line := range strings.Lines(out) {
		var entry struct{ Level string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		found = append(found, entry.Level)
	}
	return found
}

// lockedBuffer can be read while the logger's own goroutine writes.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// A line below warn may be late; a warning never is, nor what came before it.
func TestBufferedLogger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lockedBuffer
		l, flush, err := NewBufferedLogger(&out, "info")
		if err != nil {
			t.Fatal(err)
		}
		says := func(when string, want ...string) {
			t.Helper()
			synctest.Wait()
			if diff := cmp.Diff(want, levelsOf(t, out.String())); diff != "" {
				t.Errorf("%s:\n%s", when, diff)
			}
		}
		l.Info("m")
		says("at once")
		time.Sleep(flushAfter)
		says("after a while", "info")
		l.Info("m")
		l.With(zap.Int("n", 1)).Warn("m")
		says("with a warning", "info", "info", "warn")
		l.Info("m")
		if err := flush(); err != nil {
			t.Error(err)
		}
		says("at the end", "info", "info", "warn", "info")
	})
	if _, _, err := NewBufferedLogger(io.Discard, "loud"); err == nil {
		t.Error("no error for an unknown level")
	}
}
