package handles

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestSignedMarksAreOneTenants(t *testing.T) {
	b := newBook(t)
	kept, err := b.KeepSMD("a", SMD{UID: "u1", MarkName: "One", Original: "the file"})
	if err != nil || kept.ID == 0 || kept.Created.IsZero() {
		t.Fatalf("%+v, %v", kept, err)
	}
	var exists *SMDExistsError
	if _, err := b.KeepSMD("a", SMD{UID: "u1"}); !errors.As(err, &exists) || exists.ID != kept.ID {
		t.Errorf("again: %v", err)
	}
	if again, err := b.SMD("a", kept.ID); err != nil || again.Original != "the file" || again.Size != 8 || again.MarkName != "One" {
		t.Errorf("read again: %+v, %v", again, err)
	}
	if _, err := b.SMD("b", kept.ID); err != ErrUnknown {
		t.Errorf("another tenant reads it: %v", err)
	}
	if err := b.DeleteSMD("b", kept.ID); err != ErrUnknown {
		t.Errorf("another tenant deletes it: %v", err)
	}
	if other, err := b.KeepSMD("b", SMD{UID: "u1"}); err != nil || other.ID == kept.ID {
		t.Errorf("another tenant's own: %+v, %v", other, err)
	}
	if err := b.DeleteSMD("a", kept.ID); err != nil {
		t.Error(err)
	}
	if again, err := b.KeepSMD("a", SMD{UID: "u1"}); err != nil || again.ID <= kept.ID {
		t.Errorf("an id is given out twice: %+v, %v", again, err)
	}
}

func TestSignedMarksAreBounded(t *testing.T) {
	b := newBook(t)
	for i := range MostSMDs {
		if _, err := b.KeepSMD("a", SMD{UID: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.KeepSMD("a", SMD{UID: "one more"}); !errors.Is(err, ErrManySMDs) {
		t.Errorf("%v", err)
	}
}

func TestFilesOfSignedMarksAreBounded(t *testing.T) {
	b := newBook(t)
	half := strings.Repeat("x", MostSMDBytes/2)
	for i := range 2 {
		if _, err := b.KeepSMD("a", SMD{UID: fmt.Sprint(i), Original: half}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.KeepSMD("a", SMD{UID: "one byte more", Original: "x"}); !errors.Is(err, ErrManySMDs) {
		t.Errorf("%v", err)
	}
	if _, err := b.KeepSMD("b", SMD{UID: "another tenant's", Original: "x"}); err != nil {
		t.Error(err)
	}
}
