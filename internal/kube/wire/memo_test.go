package wire

import (
	"errors"
	"testing"
)

// What was in the latest complete list, or in one that began anew, is not
// reduced again; what left the list is forgotten.
func TestMemo(t *testing.T) {
	m := NewMemo[string]()
	reduced := 0
	reduce := func(item []byte) (string, error) { reduced++; return "of " + string(item), nil }
	for _, step := range []struct {
		items   string
		reduced int
	}{{"ab", 2}, {"ab", 0}, {"bab", 0}, {"bc", 1}, {"a", 1}, {"", 0}, {"a", 1}} {
		reduced = 0
		m.Begin()
		for _, b := range []byte(step.items) {
			v, err := m.Reduce([]byte{b}, reduce)
			if err != nil || *v != "of "+string(b) {
				t.Errorf("%c gives %q, %v", b, *v, err)
			}
		}
		m.End()
		if reduced != step.reduced {
			t.Errorf("of %q %d are reduced, want %d", step.items, reduced, step.reduced)
		}
	}
	m.Begin()
	if _, err := m.Reduce([]byte("x"), func([]byte) (string, error) { return "", errors.New("no") }); err == nil {
		t.Error("an error is lost")
	}
}
