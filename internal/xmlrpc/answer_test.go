package xmlrpc

import (
	"math"
	"strings"
	"testing"
)

// byItself is an answer that writes its value itself.
type byItself func([]byte) ([]byte, error)

func (w byItself) AppendTo(dst []byte) ([]byte, error) { return AppendAnswer(dst, w) }

func TestAnswersAreEqualHoweverTheyAreMade(t *testing.T) {
	tree := Struct(M("a<b", Array(Int(1), String("é"))), M("none", Nil()))
	byHand := byItself(func(dst []byte) ([]byte, error) {
		dst = AppendMember(append(dst, StructStart...), "a<b")
		dst = append(dst, ArrayStart...)
		for _, v := range []Value{Int(1), String("é")} {
			var err error
			if dst, err = AppendValue(dst, v); err != nil {
				return dst, err
			}
		}
		dst = AppendMember(append(dst, ArrayEnd+MemberEnd...), "none")
		dst, err := AppendValue(dst, Nil())
		return append(dst, MemberEnd+StructEnd...), err
	})
	want, err := AppendResponse([]byte("before"), tree)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []Answer{tree, byHand, Document(strings.TrimPrefix(string(want), "before"))} {
		got, err := a.AppendTo([]byte("before"))
		if err != nil || string(got) != string(want) {
			t.Errorf("%T: %v, %s", a, err, got)
		}
		if v, err := Tree(a); err != nil || !v.Equal(tree) {
			t.Errorf("tree of %T: %v, %v", a, err, v)
		}
	}
}

func TestAnswersThatCannotBeWritten(t *testing.T) {
	broken := byItself(func(dst []byte) ([]byte, error) { return AppendValue(append(dst, ArrayStart...), Int(math.MaxInt32+1)) })
	for _, a := range []Answer{Int(math.MaxInt32 + 1), broken} {
		got, err := a.AppendTo([]byte("before"))
		if err == nil || string(got) != "before" || !strings.Contains(err.Error(), "2147483648 does not fit 32 bits") {
			t.Errorf("%T: %v, %s", a, err, got)
		}
	}
	if _, err := Tree(broken); err == nil {
		t.Error("a tree of what cannot be byItself")
	}
	if _, err := Tree(Document("no XML")); err == nil {
		t.Error("a tree of what is no document")
	}
}

// What is too large to be taken from a caller can be an answer all the same.
func TestTreesOfLargeAnswers(t *testing.T) {
	want := ArrayOf(DefaultLimits().MaxValues+1, func(i int) Value { return String(strings.Repeat("x", 40)) })
	doc, err := want.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(doc)) <= DefaultLimits().MaxBytes {
		t.Fatalf("%d bytes are within the limit", len(doc))
	}
	if v, err := Tree(Document(doc)); err != nil || !v.Equal(want) {
		t.Errorf("%d values, %v", v.Len(), err)
	}
}
