package cmdline

import (
	"strings"
	"testing"
)

func TestExpand(t *testing.T) {
	env := func() *Environment {
		return NewEnvironment(map[string]string{"MODEL": "org/$(NAME)", "NAME": "model", "LOOP": "$(LOOP)", "DOLLAR": "$$(NAME)",
			"WIDE": strings.Repeat("x", envBytes/2)}, func(name string) string {
			return map[string]string{"HOSTNAME": "pod-0"}[name]
		})
	}
	for text, want := range map[string]string{
		"":                     "",
		"plain":                "plain",
		"$(MODEL)":             "org/model",
		"a-$(HOSTNAME)-b":      "a-pod-0-b",
		"$(UNKNOWN) $(NAME":    "$(UNKNOWN) $(NAME",
		"$$(NAME)":             "$(NAME)",
		"$(DOLLAR)":            "$(NAME)",
		"$NAME ${NAME} $":      "$NAME ${NAME} $",
		"$(NAME)$(NAME) $(N) ": "modelmodel $(N) ",
	} {
		if got := env().Expand(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := env().Expand("$(LOOP)"); len(got) > 100 {
		t.Errorf("a variable that refers to itself becomes %d bytes", len(got))
	}
	if got := env().Expand(strings.Repeat("$(WIDE)", 20)); len(got) > 2*envBytes {
		t.Errorf("references become %d bytes, more than the bound", len(got))
	}
}
