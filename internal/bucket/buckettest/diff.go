package buckettest

import "testing"

// Diff fails the test for each object that differs between two results of Contents, or that is in only one of them.
func Diff(t testing.TB, what string, want, got map[string]string) {
	t.Helper()
	for name := range got {
		if want[name] != got[name] {
			t.Errorf("%s: %s differs", what, name)
		}
	}
	for name := range want {
		if _, ok := got[name]; !ok {
			t.Errorf("%s: %s is missing", what, name)
		}
	}
}
