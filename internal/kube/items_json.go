package kube

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext" // encoding/json/jsontext from Go 1.27 on
)

// lenient makes jsontext take what encoding/json takes.
var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// splitJSON reads a list in JSON, whatever the order of its keys. What it hands
// to visit is valid JSON.
func splitJSON(r io.Reader, visit func(item) error) (token string, err error) {
	body := &bounded{r, maxItemBytes}
	d := jsontext.NewDecoder(body, lenient...)
	first, err := d.ReadToken()
	if err == nil && first.Kind() != '{' {
		err = errors.New("no object")
	}
	if err != nil {
		return "", fmt.Errorf("the answer is no list: %w", cut(err))
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return "", cut(err)
		}
		body.left = maxItemBytes
		switch name.String() {
		case "items":
			err = splitItems(d, body, visit)
		case "metadata":
			token, err = readContinue(d)
		default:
			err = d.SkipValue()
		}
		if err != nil {
			return "", cut(err)
		}
	}
	_, err = d.ReadToken() // the end of the object, or what is wrong with it
	return token, cut(err)
}

// splitItems reads the items of a list.
func splitItems(d *jsontext.Decoder, body *bounded, visit func(item) error) error {
	if kind := d.PeekKind(); kind != '[' {
		if err := d.SkipValue(); err != nil || kind == 'n' { // an empty list may be null
			return err
		}
		return fmt.Errorf("items is of kind %v, want an array", kind)
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != ']' {
		body.left = maxItemBytes
		raw, err := d.ReadValue()
		if err != nil {
			return err
		}
		if err := visit(item{bytes: raw, json: true}); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// readContinue reads the continue field of a ListMeta.
func readContinue(d *jsontext.Decoder) (token string, err error) {
	raw, err := d.ReadValue()
	if err != nil {
		return "", err
	}
	var meta struct{ Continue string }
	err = json.Unmarshal(raw, &meta)
	return meta.Continue, err
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
