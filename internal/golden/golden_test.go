package golden

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// recorder is a test that fails without failing this one.
type recorder struct {
	testing.TB
	said string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) { r.said += fmt.Sprintf(format, args...) }

func TestCompare(t *testing.T) {
	defer func(old bool) { *update = old }(*update)
	*update = false
	file := filepath.Join(t.TempDir(), "below", "a.golden")
	for _, test := range []struct{ name, stored, got, want string }{
		{"no file", "", "a\n", "make update writes it"},
		{"equal", "a\nb\n", "a\nb\n", ""},
		{"another line", "a\nb\nc\n", "a\nB\nc\n", "Line 2 is\nB\nand was\nb"},
		{"longer", "a", "a\nb", "Line 2 is\nb\nand was\n(the end)"},
		{"shorter", "a\nb", "a", "Line 2 is\n(the end)\nand was\nb"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.stored != "" {
				Write(t, file, []byte(test.stored))
			}
			r := &recorder{TB: t}
			Compare(r, file, []byte(test.got))
			if test.want == "" && r.said != "" || !strings.Contains(r.said, test.want) {
				t.Errorf("it says %q, want %q", r.said, test.want)
			}
		})
	}
}
