package telemetry

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// timeLayout is RFC 3339 with milliseconds, always three of them so that lines
// sort as text. Times are turned to UTC first, hence the literal Z.
const timeLayout = "2006-01-02T15:04:05.000Z"

// levels are the names that the configuration may use, and the only ones that
// appear in the log.
var levels = []struct {
	name  string
	level zapcore.Level
}{
	{"debug", zapcore.DebugLevel},
	{"info", zapcore.InfoLevel},
	{"warn", zapcore.WarnLevel},
	{"error", zapcore.ErrorLevel},
}

// NewLogger writes one JSON object a line to w: "time" (UTC, RFC 3339 with
// milliseconds), "level", "msg", then the fields; times among the fields look
// the same, durations are seconds. Level is the least level written: debug,
// info, warn or error.
//
// Every field passes the redactor: a value whose name says that it is a secret
// or personal data is replaced, whatever its type and however deep it lies (see
// secret). Names are all that it sees. The message, the text of an error, a
// body logged as one string and the parameters of a v3 call, whose first is the
// key and has no name, are written as they are given: do not log them.
func NewLogger(w io.Writer, level string) (*zap.Logger, error) {
	for _, l := range levels {
		if l.name == level {
			out := zapcore.Lock(zapcore.AddSync(w))
			core := zapcore.NewCore(newRedactingEncoder(encoderConfig()), out, l.level)
			return zap.New(core, zap.ErrorOutput(out)), nil
		}
	}
	return nil, fmt.Errorf("unknown log level %q: choose debug, info, warn or error", level)
}

// flushAfter bounds how long NewBufferedLogger holds a line back.
const flushAfter = 100 * time.Millisecond

// NewBufferedLogger is NewLogger for a busy daemon: lines below warn are written
// together, at most 100 ms late. A warning or an error is written at once, with
// all that came before it. A process that is killed loses what it held back; one
// that ends calls flush, after which lines may get lost.
func NewBufferedLogger(w io.Writer, level string) (l *zap.Logger, flush func() error, err error) {
	buffer := &zapcore.BufferedWriteSyncer{WS: zapcore.AddSync(writerOnly{w}), Size: 64 << 10, FlushInterval: flushAfter}
	l, err = NewLogger(buffer, level)
	if err != nil {
		return nil, nil, err
	}
	return l.WithOptions(zap.Hooks(func(e zapcore.Entry) error {
		if e.Level >= zapcore.WarnLevel {
			return buffer.Sync()
		}
		return nil
	})), buffer.Stop, nil
}

// writerOnly hides that a file can be synced to its disk: a log need not be, and
// a terminal cannot.
type writerOnly struct{ io.Writer }

func encoderConfig() zapcore.EncoderConfig {
	encodeTime := zapcore.TimeEncoderOfLayout(timeLayout)
	return zapcore.EncoderConfig{
		TimeKey:       "time",
		LevelKey:      "level",
		NameKey:       "logger",
		MessageKey:    "msg",
		StacktraceKey: "stack",
		EncodeTime: func(t time.Time, enc zapcore.PrimitiveArrayEncoder) {
			encodeTime(t.UTC(), enc)
		},
		// A panic or fatal entry is an error to whoever filters by level.
		EncodeLevel: func(l zapcore.Level, enc zapcore.PrimitiveArrayEncoder) {
			zapcore.LowercaseLevelEncoder(min(l, zapcore.ErrorLevel), enc)
		},
		EncodeDuration:      zapcore.SecondsDurationEncoder,
		NewReflectedEncoder: newRedactingJSON,
	}
}

// StdLog is for http.Server.ErrorLog, which wants a logger of the standard
// library. Each of its lines, broken TLS handshakes and the like, becomes a
// warning of one fixed message with the server's text in the field "detail".
func StdLog(l *zap.Logger) *log.Logger {
	return log.New(stdWriter{l}, "", 0)
}

// stdWriter turns the lines of a standard logger into entries of zap's.
type stdWriter struct{ l *zap.Logger }

func (w stdWriter) Write(p []byte) (int, error) {
	w.l.Warn("the HTTP server reported a problem", zap.ByteString("detail", bytes.TrimSpace(p)))
	return len(p), nil
}
