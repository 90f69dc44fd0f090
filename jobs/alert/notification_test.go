package alert

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/company/k8s-resource-monitor/internal/usage"
	"github.com/company/k8s-resource-monitor/jobs/alert/notify"
)

func firing(rule, severity, name, summary string) alert {
	return alert{Rule: rule, Severity: severity, subject: subject{Kind: onPod, Namespace: "chat", Name: name},
		PendingSince: start, FiringSince: usage.Some(minute(10)), Summary: summary}
}

func resolved(a alert) alert {
	a.ResolvedAt = usage.Some(minute(52))
	return a
}

func many(n int, of alert) []alert {
	var all []alert
	for i := range n {
		of.Name = fmt.Sprintf("vllm-%03d", i)
		all = append(all, of)
	}
	return all
}

// text is the notification as the terminal shows it.
func text(t *testing.T, n notify.Notification) string {
	t.Helper()
	var out strings.Builder
	if _, err := (notify.Printer{Out: &out}).Notify(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestNotificationByRule(t *testing.T) {
	got := text(t, newNotification("prod", "https://monitor.example.com/", minute(60), []alert{
		resolved(firing("memory", "WARNING", "vllm-3", "memory 95 % of request 2 GiB")),
		firing("cpu", "WARNING", "vllm-1", "CPU 91 % of limit 4 cores"),
		firing("gpu-busy", "CRITICAL", "vllm-0", "GPU use 97 %"),
		firing("cpu", "WARNING", "vllm-0", "CPU 85 % of limit 4 cores"),
		{Rule: "hot", Severity: "INFO", subject: subject{Kind: onGPU, Name: "GPU-1", Node: "node-a"}, PendingSince: start,
			FiringSince: usage.Some(start), Summary: "85 degrees"},
	}))
	want := `prod: 4 firing, 1 resolved
CRITICAL gpu-busy (1)
  chat/vllm-0  GPU use 97 %, since 10:00 UTC
WARNING cpu (2)
  chat/vllm-0  CPU 85 % of limit 4 cores, since 10:00 UTC
  chat/vllm-1  CPU 91 % of limit 4 cores, since 10:00 UTC
INFO hot (1)
  GPU-1 on node-a  85 degrees, since 10:00 UTC
RESOLVED memory (1)
  chat/vllm-3  after 52 min; was: memory 95 % of request 2 GiB
report: https://monitor.example.com/
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The order of what is told does not depend on the order of what is found.
func TestNotificationIsDeterministic(t *testing.T) {
	a := many(20, firing("cpu", "WARNING", "", "x"))
	b := many(20, resolved(firing("memory", "CRITICAL", "", "y")))
	all := append(a, b...)
	want := text(t, newNotification("c", "", start, slices.Clone(all)))
	for i := range all {
		rotated := append(slices.Clone(all[i:]), all[:i]...)
		if got := text(t, newNotification("c", "", start, rotated)); got != want {
			t.Fatalf("%s\n%s", got, want)
		}
	}
}
