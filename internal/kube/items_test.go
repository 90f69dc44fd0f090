package kube

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

func encodeUnknown(t testing.TB, token string, items ...string) []byte {
	t.Helper()
	var raw [][]byte
	for _, i := range items {
		raw = append(raw, []byte(i))
	}
	body, err := (&runtime.Unknown{Raw: encodeList(metav1.ListMeta{Continue: token}, raw)}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte(protobufMagic), body...)
}

func TestSplitList(t *testing.T) {
	long := strings.Repeat("x", 100_000) // more than the reader's buffer
	around := []string{long[:bufferBytes-1], "a", long[:bufferBytes], "b", long[:bufferBytes+1], "c"}
	for n := range 200 {
		around = append(around, strings.Repeat(string(rune('a'+n%26)), 1000+n))
	}
	for _, test := range []struct {
		name, body, token string
		items             []string
		fails             bool
	}{
		{"protobuf", string(encodeUnknown(t, "next", "a", long, "")), "next", []string{"a", long, ""}, false},
		{"protobuf across the buffer", string(encodeUnknown(t, "", around...)), "", around, false},
		{"protobuf without items", string(encodeUnknown(t, "")), "", nil, false},
		{"protobuf cut off in an item", string(encodeUnknown(t, "", long)[:5000]), "", nil, true},
		{"protobuf cut off between items", string(encodeUnknown(t, "", "a", "b")[:20]), "", nil, true},
		{"protobuf that promises more than the envelope holds", protobufMagic + "\x12\x02\x12\x7f", "", nil, true},
		{"protobuf of another field", protobufMagic + "\x12\x06\x18\x07\x12\x01ab\x20", "", []string{"a"}, true},
		{"protobuf with a scalar", protobufMagic + "\x12\x05\x18\x07\x12\x01a", "", []string{"a"}, false},
		{"protobuf with no list", protobufMagic, "", nil, true},
		{"json", `{"kind":"PodList","metadata":{"continue":"n"},"items":[{"a":1},{"b":2}]}`, "n", []string{`{"a":1}`, `{"b":2}`}, false},
		{"json with metadata last", `{"items":[1], "metadata":{"continue":"n"}}`, "n", []string{"1"}, false},
		{"json null items", `{"items":null}`, "", nil, false},
		{"json cut off", `{"items":[{"a":1},`, "", nil, true},
		{"json array", `[]`, "", nil, true},
		{"html", `<html>`, "", nil, true},
		{"nothing", ``, "", nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var items []string
			token, err := splitList(strings.NewReader(test.body), func(i item) error {
				items = append(items, string(i.bytes))
				return nil
			})
			if (err != nil) != test.fails {
				t.Fatalf("error %v, want one: %v", err, test.fails)
			}
			if err == nil && (token != test.token || !slices.Equal(items, test.items)) {
				t.Errorf("token %q, %d items, want %q and %d", token, len(items), test.token, len(test.items))
			}
		})
	}
}

// Whatever the bytes, splitting ends, and what it hands out lies within them.
func FuzzSplitList(f *testing.F) {
	f.Add(encodeUnknown(f, "n", "a", "bc"))
	f.Add([]byte(`{"items":[{"a":1}],"metadata":{"continue":"n"}}`))
	f.Add([]byte(protobufMagic + "\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x12"))
	f.Fuzz(func(t *testing.T, body []byte) {
		total := 0
		_, err := splitList(bytes.NewReader(body), func(i item) error {
			total += len(i.bytes)
			return nil
		})
		if err == nil && total > len(body) {
			t.Errorf("%d bytes of items in a body of %d", total, len(body))
		}
	})
}
