package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Object is an API type, which JSON and protobuf can be made of.
type Object interface{ Marshal() ([]byte, error) }

// splitJSON reads a list in JSON, whatever the order of its keys.
func splitJSON(r io.Reader, empty func() Object, visit func(item []byte) error) (token string, err error) {
	body := &bounded{r, maxItemBytes}
	d := json.NewDecoder(body)
	first, err := d.Token()
	if err == nil && first != json.Delim('{') {
		err = errors.New("no object")
	}
	if err != nil {
		return "", fmt.Errorf("the answer is no list: %w", cut(err))
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return "", cut(err)
		}
		body.left = maxItemBytes
		switch name {
		case "items":
			err = splitItems(d, body, empty, visit)
		case "metadata":
			var meta struct{ Continue string }
			err = d.Decode(&meta)
			token = meta.Continue
		default:
			var skipped json.RawMessage
			err = d.Decode(&skipped)
		}
		if err != nil {
			return "", cut(err)
		}
	}
	_, err = d.Token() // the end of the object, or what is wrong with it
	return token, cut(err)
}

// splitItems reads the items of a list.
func splitItems(d *json.Decoder, body *bounded, empty func() Object, visit func(item []byte) error) error {
	first, err := d.Token()
	if err != nil || first == nil { // an empty list may be null
		return err
	}
	if first != json.Delim('[') {
		return fmt.Errorf("items is %v, want an array", first)
	}
	for d.More() {
		body.left = maxItemBytes
		object := empty()
		if err := d.Decode(object); err != nil {
			return fmt.Errorf("decoding a %T: %w", object, err)
		}
		item, err := object.Marshal()
		if err == nil {
			err = visit(item)
		}
		if err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// bounded is a body that gives no more than the bytes left.
type bounded struct {
	r    io.Reader
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, fmt.Errorf("an item is above the bound of %d bytes", maxItemBytes)
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
