package cmdline

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseFlags(t *testing.T) {
	parser := NewParser(Kinds{Lists: []string{"served-model-name"}})
	for text, want := range map[string]Flags{
		"":                                  {Complete: true},
		"a --b c --d=e --f":                 {map[string]string{"b": "c", "d": "e", "f": ""}, "a", true, true, false},
		"--b_c=1 --b-c 2":                   {map[string]string{"b-c": "2"}, "", false, true, false},
		"--seed -1 -tp 4 model":             {map[string]string{"seed": "-1", "tp": "4"}, "model", false, true, false},
		"--enable-x model":                  {map[string]string{"enable-x": ""}, "model", false, true, false},
		"--enable-x False model":            {map[string]string{"enable-x": ""}, "model", false, true, false},
		"-O3 model":                         {map[string]string{"O3": ""}, "model", false, true, false},
		"--served-model-name a b c --x y m": {map[string]string{"served-model-name": "a", "x": "y"}, "m", false, true, false},
		"-- m":                              {nil, "m", false, true, false},
		"--a=b=c":                           {map[string]string{"a": "b=c"}, "", false, true, false},
		"--new-switch org/name":             {map[string]string{"new-switch": "org/name"}, "", false, false, false},
		"--a $B":                            {map[string]string{"a": "$B"}, "", false, false, false},
	} {
		if want.Values == nil {
			want.Values = map[string]string{}
		}
		if got := parser.Parse(strings.Fields(text)); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, want %+v", text, got, want)
		}
	}
}
