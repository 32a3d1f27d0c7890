// Package exchange is the form in which one whole v3 exchange stands in a file:
// what the client sent, the conversation with v5, what the client got. The
// fixtures of the tests have it, and what serve --record writes.
package exchange

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/tools/txtar"
)

// The files of an archive, in their order. What a recording knows of the store
// stands between the conversation and the answer.
const (
	requestFile = "request.xml"
	v5File      = "v5"
	storeFile   = "store.jsonl"
	answerFile  = "response.xml"
)

// File is one exchange. In the archive its lines are the comment, "word: text":
//
//	source: where the fact comes from; needed
//	call:   METHOD JSON...   a v3 call made before, with the test's key; it must succeed
//	wait:   DURATION         time that passes before the next call
//	after:  DURATION         time that passes after the request, for what it begins in the background
//	config: own_handle=… or another setting that the exchange depends on
//	now:    RFC 3339         when the request came; without it the clock stands at the beginning of 2026
type File struct {
	Lines []Line
	// Request is what the client sends, byte for byte.
	Request []byte
	// V5 is the whole conversation with v5.
	V5 []Turn
	// Store is what the store has before the request, in lines of JSON as gateway
	// export json writes them; most files have none.
	Store []byte
	// Answer is what the client gets, byte for byte.
	Answer []byte
}

// Line is a line of the comment.
type Line struct{ Word, Text string }

// Turn is one request to v5 and its answer:
//
//	> METHOD PATH            "Dry-Run" behind the path marks that header
//	> BODY                   where there is one
//	< STATUS BODY            or "cut" where no answer came; "Location: …" in place of
//	                         the body is that header
type Turn struct {
	Method string // "" where only the answer is known yet
	Target string // path and query
	DryRun bool
	Body   string // one line; "" for none
	Status string // three digits, or Cut
	Answer string // one line
}

// Cut is the status of an answer that never came.
const Cut = "cut"

// Source is where the exchange comes from; "" is not said.
func (f *File) Source() string { return f.text("source") }

// After is how long what the request begins goes on behind its answer.
func (f *File) After() (time.Duration, error) {
	text := f.text("after")
	if text == "" {
		return 0, nil
	}
	return time.ParseDuration(text)
}

// Now is when the request came, or zero where the file does not say.
func (f *File) Now() (time.Time, error) {
	text := f.text("now")
	if text == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339Nano, text)
}

func (f *File) text(word string) (text string) {
	for _, l := range f.Lines {
		if l.Word == word {
			text = l.Text
		}
	}
	return text
}

// Parse reads a file. The error names the line or the part that is wrong.
func Parse(raw []byte) (*File, error) {
	archive := txtar.Parse(raw)
	f := &File{}
	if comment := strings.TrimSpace(string(archive.Comment)); comment != "" {
		for line := range strings.SplitSeq(comment, "\n") {
			word, text, ok := strings.Cut(line, ":")
			if !ok || !known(word) {
				return nil, fmt.Errorf("read exchange: comment line %q", line)
			}
			f.Lines = append(f.Lines, Line{word, strings.TrimSpace(text)})
		}
	}
	seen := map[string]bool{}
	for _, a := range archive.Files {
		if seen[a.Name] {
			return nil, fmt.Errorf("read exchange: %s is there twice", a.Name)
		}
		seen[a.Name] = true
		switch a.Name {
		case requestFile:
			f.Request = a.Data
		case v5File:
			var err error
			if f.V5, err = parseTurns(string(a.Data)); err != nil {
				return nil, fmt.Errorf("read exchange: %w", err)
			}
		case storeFile:
			f.Store = a.Data
		case answerFile:
			f.Answer = a.Data
		default:
			return nil, fmt.Errorf("read exchange: file %q", a.Name)
		}
	}
	if len(f.Request) == 0 {
		return nil, errors.New("read exchange: there is no " + requestFile)
	}
	return f, nil
}

func known(word string) bool {
	switch word {
	case "source", "call", "wait", "after", "config", "now":
		return true
	}
	return false
}

func parseTurns(text string) (turns []Turn, err error) {
	var t Turn
	for line := range strings.SplitSeq(text, "\n") {
		asked, isRequest := strings.CutPrefix(line, "> ")
		answer, isAnswer := strings.CutPrefix(line, "< ")
		switch {
		case isAnswer:
			t.Status, t.Answer, _ = strings.Cut(answer, " ")
			turns = append(turns, t)
			t = Turn{}
		case isRequest && t.Method == "":
			var found bool
			if t.Method, t.Target, found = strings.Cut(asked, " "); !found {
				return nil, fmt.Errorf("line of v5: %q", line)
			}
			t.Target, t.DryRun = strings.CutSuffix(t.Target, " Dry-Run")
		case isRequest && t.Body == "":
			t.Body = asked
		case line != "":
			return nil, fmt.Errorf("line of v5: %q", line)
		}
	}
	if t != (Turn{}) {
		return nil, fmt.Errorf("request of v5 without an answer: %s %s", t.Method, t.Target)
	}
	return turns, nil
}

// String is the turn in its lines, each with its end.
func (t Turn) String() string {
	var b strings.Builder
	if t.Method != "" {
		b.WriteString(t.Asked())
	}
	b.WriteString("< " + t.Status)
	if t.Answer != "" {
		b.WriteString(" " + t.Answer)
	}
	return b.String() + "\n"
}

// Asked are the lines of the request.
func (t Turn) Asked() string {
	asked := "> " + t.Method + " " + t.Target
	if t.DryRun {
		asked += " Dry-Run"
	}
	if t.Body != "" {
		asked += "\n> " + t.Body
	}
	return asked + "\n"
}

// Conversation is what a file has in its part v5.
func Conversation(turns []Turn) string {
	var b strings.Builder
	for _, t := range turns {
		b.WriteString(t.String())
	}
	return b.String()
}

// Format is the file as Parse reads it. The error says what cannot be written in
// this form: text that would be read as the beginning of a part, or that does not
// stay on its line.
func (f *File) Format() ([]byte, error) {
	var comment strings.Builder
	for _, l := range f.Lines {
		if !known(l.Word) || strings.ContainsAny(l.Text, "\r\n") || strings.TrimSpace(l.Text) != l.Text {
			return nil, fmt.Errorf("write exchange: line %q", l.Word)
		}
		comment.WriteString(l.Word + ": " + l.Text + "\n")
	}
	for _, t := range f.V5 {
		if strings.ContainsAny(t.Method+t.Target+t.Body+t.Status+t.Answer, "\r\n") {
			return nil, fmt.Errorf("write exchange: %s of v5 does not stay on its line", t.Method)
		}
	}
	archive := &txtar.Archive{Comment: []byte(comment.String())}
	add := func(name string, data []byte) {
		archive.Files = append(archive.Files, txtar.File{Name: name, Data: data})
	}
	add(requestFile, f.Request)
	add(v5File, []byte(Conversation(f.V5)))
	if len(f.Store) > 0 {
		add(storeFile, f.Store)
	}
	add(answerFile, f.Answer)
	raw := txtar.Format(archive)
	again := txtar.Parse(raw)
	if len(again.Files) != len(archive.Files) || !bytes.Equal(again.Comment, archive.Comment) {
		return nil, errors.New("write exchange: a line of it would begin a part")
	}
	return raw, nil
}
