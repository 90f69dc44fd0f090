package statistics

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// StateVersion names the layout of an encoded Aggregate: a hash of the names and
// kinds of all values and counters, in the order in which Encode writes them.
// Bytes that were written under another StateVersion must not be decoded, as a
// number in them may stand for another value.
var StateVersion = versionOf(declared[:], counterNames[:])

func versionOf(values []declaration, counters []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "bins of %v\n", binWidth)
	for _, v := range values {
		fmt.Fprintf(&b, "%s: %s\n", v.kind, v.name)
	}
	for _, name := range counters {
		fmt.Fprintf(&b, "counter: %s\n", name)
	}
	hash := sha256.Sum256([]byte(b.String()))
	return fmt.Sprintf("%x", hash[:8])
}
