package notify

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/company/k8s-resource-monitor/internal/golden"
)

var at = time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)

// many are alerts on n subjects.
func many(n int, prefix, words string) []Alert {
	var all []Alert
	for i := range n {
		all = append(all, Alert{fmt.Sprintf("%svllm-%03d", prefix, i), words})
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
	group := func(severity, rule string, alerts ...Alert) Group {
		return Group{Rule: rule, Severity: severity, Alerts: alerts}
	}
	for name, groups := range map[string][]Group{
		"one": {group("WARNING", "cpu", Alert{"chat/vllm-0", "CPU 91 % of limit 4 cores, threshold 80 %, since 10:00 UTC"})},
		"mixed": {
			group("CRITICAL", "gpu-busy", Alert{"chat/vllm-0", "GPU use 97 %, since 10:00 UTC"}),
			group("WARNING", "cpu", Alert{"chat/vllm-0", "CPU 85 % of limit 4 cores, since 10:00 UTC"},
				Alert{"chat/vllm-1", "CPU 91 % of limit 4 cores, since 10:00 UTC"}),
			group("INFO", "hot", Alert{"GPU-1 on node-a", "85 degrees, since 10:00 UTC"}),
			{Rule: "memory", Severity: "WARNING", Resolved: true,
				Alerts: []Alert{{"chat/vllm-3", "after 52 min; was: memory 95 % of request 2 GiB"}}},
		},
		"many": {group("WARNING", "pod-phase", many(47, "chat/", "the pod is Pending, since 10:00 UTC")...)},
		"hostile": {group("WARNING", "cpu", Alert{"chat/<!channel>`*x*`_y_~z~ &amp; <http://evil|click>\n*bold*\u202e",
			"model <@U1> `rm` *now*\x00\r\n# _done_, since 10:00 UTC"})},
	} {
		t.Run(name, func(t *testing.T) {
			n := Notification{Cluster: "prod", SiteURL: "https://monitor.example.com/k8s?a=1&b=2", At: at, Groups: groups}
			golden.Compare(t, "testdata/message-"+name+".json", render(slackMessage(n)))
			golden.Compare(t, "testdata/message-"+name+".text", []byte(n.text()))
		})
	}
}

// However much there is to tell, and whoever wrote the names, a message keeps
// Slack's limits and holds no markup but ours.
func TestMessageLimits(t *testing.T) {
	hostile := strings.Repeat("<!channel>&*_~`", 200)
	for _, rules := range []int{1, 2, 10, 44, 45, 46, 200} {
		for _, subjects := range []int{1, 11, 300} {
			n := Notification{Cluster: strings.Repeat("c", 63), SiteURL: "https://example.com/" + strings.Repeat("p", 300), At: at}
			for r := range rules {
				rule := fmt.Sprintf("rule-%03d-%s", r, strings.Repeat("x", 54))
				n.Groups = append(n.Groups, Group{Rule: rule, Severity: "WARNING", Alerts: many(subjects, hostile+"/", hostile)})
			}
			m := slackMessage(n)
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
