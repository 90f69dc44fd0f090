package wire

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// encodeUnknown is an answer in protobuf: an envelope around a list.
func encodeUnknown(token string, items ...string) []byte {
	meta := protowire.AppendString(protowire.AppendTag(nil, listMetaContinue, protowire.BytesType), token)
	list := protowire.AppendBytes(protowire.AppendTag(nil, listMetadata, protowire.BytesType), meta)
	for _, item := range items {
		list = protowire.AppendString(protowire.AppendTag(list, listItems, protowire.BytesType), item)
	}
	return protowire.AppendBytes(protowire.AppendTag([]byte(protobufMagic), unknownRaw, protowire.BytesType), list)
}

// text is an object whose protobuf is its name.
type text struct{ Name string }

func (o *text) Marshal() ([]byte, error) { return []byte(o.Name), nil }

func newText() Object { return &text{} }

func TestSplit(t *testing.T) {
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
		{"protobuf", string(encodeUnknown("next", "a", long, "")), "next", []string{"a", long, ""}, false},
		{"protobuf across the buffer", string(encodeUnknown("", around...)), "", around, false},
		{"protobuf without items", string(encodeUnknown("")), "", nil, false},
		{"protobuf cut off in an item", string(encodeUnknown("", long)[:5000]), "", nil, true},
		{"protobuf cut off between items", string(encodeUnknown("", "a", "b")[:13]), "", nil, true},
		{"protobuf that promises more than the envelope holds", protobufMagic + "\x12\x02\x12\x7f", "", nil, true},
		{"protobuf of another field", protobufMagic + "\x12\x06\x18\x07\x12\x01ab\x20", "", []string{"a"}, true},
		{"protobuf with a scalar", protobufMagic + "\x12\x05\x18\x07\x12\x01a", "", []string{"a"}, false},
		{"protobuf with no list", protobufMagic, "", nil, true},
		{"json", `{"kind":"PodList","metadata":{"continue":"n"},"items":[{"name":"a"},{"name":"b","c":2}]}`, "n", []string{"a", "b"}, false},
		{"json with metadata last", `{"items":[{"name":"a"}], "x":[{}], "metadata":{"continue":"n"}}`, "n", []string{"a"}, false},
		{"json null items", `{"items":null}`, "", nil, false},
		{"json cut off", `{"items":[{"name":"a"},`, "", nil, true},
		{"json items that are none", `{"items":{"name":"a"}}`, "", nil, true},
		{"json of another type", `{"items":[{"name":7}]}`, "", nil, true},
		{"json array", `[]`, "", nil, true},
		{"html", `<html>`, "", nil, true},
		{"nothing", ``, "", nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var items []string
			token, err := Split(strings.NewReader(test.body), newText, func(item []byte) error {
				items = append(items, string(item))
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
func FuzzSplit(f *testing.F) {
	f.Add(encodeUnknown("n", "a", "bc"))
	f.Add([]byte(`{"items":[{"name":"a"}],"metadata":{"continue":"n"}}`))
	f.Add([]byte(protobufMagic + "\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x12"))
	f.Fuzz(func(t *testing.T, body []byte) {
		total := 0
		_, err := Split(bytes.NewReader(body), newText, func(item []byte) error {
			total += len(item)
			return nil
		})
		if err == nil && total > len(body) {
			t.Errorf("%d bytes of items in a body of %d", total, len(body))
		}
	})
}
