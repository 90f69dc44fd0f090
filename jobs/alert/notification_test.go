package alert

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/company/k8s-resource-monitor/internal/usage"
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

func render(m *slack.WebhookMessage) []byte {
	body, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return []byte(err.Error())
	}
	return append(body, '\n')
}

func TestMessageGolden(t *testing.T) {
	for name, alerts := range map[string][]alert{
		"one": {firing("cpu", "WARNING", "vllm-0", "CPU 91 % of limit 4 cores, threshold 80 %")},
		"mixed": {
			resolved(firing("memory", "WARNING", "vllm-3", "memory 95 % of request 2 GiB")),
			firing("cpu", "WARNING", "vllm-1", "CPU 91 % of limit 4 cores"),
			firing("gpu-busy", "CRITICAL", "vllm-0", "GPU use 97 %"),
			firing("cpu", "WARNING", "vllm-0", "CPU 85 % of limit 4 cores"),
			{Rule: "hot", Severity: "INFO", subject: subject{Kind: onGPU, Name: "GPU-1", Node: "node-a"}, PendingSince: start, FiringSince: usage.Some(start), Summary: "85 degrees"},
		},
		"many":    many(47, firing("pod-phase", "WARNING", "", "the pod is Pending")),
		"hostile": {firing("cpu", "WARNING", "<!channel>`*x*`_y_~z~ &amp; <http://evil|click>\n*bold*\u202e", "model <@U1> `rm` *now*\x00\r\n# _done_")},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNotification("prod", "https://monitor.example.com/k8s?a=1&b=2", minute(60), alerts)
			golden(t, "testdata/message-"+name+".json", render(slackMessage(n)))
			golden(t, "testdata/message-"+name+".text", []byte(n.text()))
		})
	}
}

// However much there is to tell, and whoever wrote the names, a message keeps
// Slack's limits and holds no markup but ours.
func TestMessageLimits(t *testing.T) {
	hostile := strings.Repeat("<!channel>&*_~`", 200)
	for _, rules := range []int{1, 2, 10, 44, 45, 46, 200} {
		for _, subjects := range []int{1, 11, 300} {
			var all []alert
			for r := range rules {
				of := firing(fmt.Sprintf("rule-%03d-%s", r, strings.Repeat("x", 54)), "WARNING", "", hostile)
				of.Namespace = hostile
				all = append(all, many(subjects, of)...)
			}
			m := slackMessage(newNotification(strings.Repeat("c", 63), "https://example.com/"+strings.Repeat("p", 300), start, all))
			if n := len(m.Blocks.BlockSet); n > 50 || n < 3 {
				t.Errorf("%d rules: %d blocks", rules, n)
			}
			total := utf8.RuneCountInString(m.Text)
			for _, b := range m.Blocks.BlockSet {
				var text string
				switch b := b.(type) {
				case *slack.HeaderBlock:
					text = b.Text.Text
					if utf8.RuneCountInString(text) > headerLimit {
						t.Errorf("header of %d", len(text))
					}
				case *slack.SectionBlock:
					text = b.Text.Text
					if n := utf8.RuneCountInString(text); n > sectionLimit || !b.Text.Verbatim {
						t.Errorf("section of %d", n)
					}
					if strings.ContainsAny(text, "<>_~") || strings.Count(text, "*") > 2 {
						t.Errorf("markup in %q", text)
					}
				case *slack.ContextBlock:
					text = b.ContextElements.Elements[0].(*slack.TextBlockObject).Text
				}
				total += utf8.RuneCountInString(text)
			}
			if total >= 10_000 {
				t.Errorf("%d rules of %d subjects: %d characters", rules, subjects, total)
			}
			if m.Text == "" || strings.ContainsAny(m.Text, "<>*") {
				t.Errorf("fallback %q", m.Text)
			}
		}
	}
}

func TestLinkTo(t *testing.T) {
	for raw, want := range map[string]string{
		"https://a.example/b?c=1&d=2": "https://a.example/b?c=1&amp;d=2",
		"https://a.example/|x>y<":     "https://a.example/%7Cx%3Ey%3C",
		"https://a.example/#/|>":      "https://a.example/#/%7C%3E",
		"javascript:alert(1)":         "", "": "", "monitor": "",
	} {
		if got := linkTo(raw); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

// The order of what is told does not depend on the order of what is found.
func TestNotificationIsDeterministic(t *testing.T) {
	a := many(20, firing("cpu", "WARNING", "", "x"))
	b := many(20, resolved(firing("memory", "CRITICAL", "", "y")))
	want := newNotification("c", "", start, append(a, b...)).text()
	for range 20 {
		if got := newNotification("c", "", start, append(b, a...)).text(); got != want {
			t.Fatalf("%s\n%s", got, want)
		}
	}
	if !strings.Contains(want, "after 52 min; was: y") {
		t.Error(want)
	}
}
