package handles

import (
	"errors"
	"fmt"
	"testing"
)

func TestSignedMarksAreOneTenants(t *testing.T) {
	b := newBook(t)
	kept, err := b.KeepSMD("a", SMD{UID: "u1", MarkName: "One"})
	if err != nil || kept.ID == 0 || kept.Created.IsZero() {
		t.Fatalf("%+v, %v", kept, err)
	}
	var exists *SMDExistsError
	if _, err := b.KeepSMD("a", SMD{UID: "u1"}); !errors.As(err, &exists) || exists.ID != kept.ID {
		t.Errorf("again: %v", err)
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
