package statistics

import (
	"slices"
	"testing"
)

// Any change of what an encoded fold's numbers stand for changes the version.
func TestStateVersion(t *testing.T) {
	versions := map[string]string{StateVersion: "as declared"}
	for _, c := range []struct {
		change           string
		values, counters []string
	}{
		{"a value inserted", slices.Insert(slices.Clone(valueNames[:]), int(GPUPower)+1, "sm_clock_mhz"), counterNames[:]},
		{"a value added at the end", append(slices.Clone(valueNames[:]), "queue_seconds"), counterNames[:]},
		{"a value removed", slices.Delete(slices.Clone(valueNames[:]), 0, 1), counterNames[:]},
		{"two values swapped", swapped(valueNames[:], int(CPU), int(Memory)), counterNames[:]},
		{"a counter inserted", valueNames[:], slices.Insert(slices.Clone(counterNames[:]), 1, "cached_tokens")},
		{"two counters swapped", valueNames[:], swapped(counterNames[:], 0, 1)},
		{"a value that became a counter", valueNames[:values-1], append([]string{valueNames[values-1]}, counterNames[:]...)},
	} {
		version := versionOf(c.values, c.counters)
		if other, known := versions[version]; known {
			t.Errorf("%s: the version is that of %q", c.change, other)
		}
		versions[version] = c.change
	}
}

func swapped(names []string, i, j int) []string {
	names = slices.Clone(names)
	names[i], names[j] = names[j], names[i]
	return names
}

// Every value and every counter has a name of its own.
func TestNames(t *testing.T) {
	if n := len((&Counters{}).each()); n != len(counterNames) {
		t.Errorf("%d counters have %d names", n, len(counterNames))
	}
	names := append(slices.Clone(valueNames[:]), counterNames[:]...)
	slices.Sort(names)
	if names[0] == "" || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("a name is missing or used twice: %q", names)
	}
}
