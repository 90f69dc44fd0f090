package serving

import (
	"os"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

func BenchmarkParse(b *testing.B) {
	body, err := os.ReadFile("testdata/metrics/vllm-0.12.txt")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(body, usage.VLLM); err != nil {
			b.Fatal(err)
		}
	}
}
