package usage

import (
	"cmp"
	"encoding/json"
	"math"
	"strconv"
)

// Opt is a value that may be absent. The zero Opt is absent, so a field that
// nobody fills reads as "not measured" and never as zero. There is no accessor
// with a default: a reader has to decide what absence means.
type Opt[T any] struct {
	value   T
	present bool
}

// Some returns a present v.
func Some[T any](v T) Opt[T] { return Opt[T]{v, true} }

// SomeUnless returns v, or absent where v equals the value that stands for
// "nothing" at its source.
func SomeUnless[T comparable](v, nothing T) Opt[T] {
	if v == nothing {
		return Opt[T]{}
	}
	return Some(v)
}

// Get returns the value and whether it is present.
func (o Opt[T]) Get() (v T, ok bool) { return o.value, o.present }

// Present reports whether there is a value.
func (o Opt[T]) Present() bool { return o.present }

// IsZero reports whether the value is absent, for the omitzero JSON option.
func (o Opt[T]) IsZero() bool { return !o.present }

// MarshalJSON writes the value, or null.
func (o Opt[T]) MarshalJSON() ([]byte, error) { return o.AppendJSON(nil) }

// AppendJSON appends the value as encoding/json writes it, or null. Numbers,
// which are most of what is written, take a fraction of the time there.
func (o Opt[T]) AppendJSON(b []byte) ([]byte, error) {
	if !o.present {
		return append(b, "null"...), nil
	}
	switch v := any(o.value).(type) {
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case float64:
		if size := math.Abs(v); size == 0 || size >= 1e-6 && size < 1e21 { // else with an exponent, or no number
			return strconv.AppendFloat(b, v, 'f', -1, 64), nil
		}
	}
	text, err := json.Marshal(o.value)
	return append(b, text...), err
}

// UnmarshalJSON reads a value, or null as absent.
func (o *Opt[T]) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*o = Opt[T]{}
		return nil
	}
	o.present = true
	return json.Unmarshal(b, &o.value)
}

// Number is what can be added up.
type Number interface{ ~int32 | ~int64 | ~float64 }

// Add returns the sum of what is present: absent only if both are.
func Add[T Number](a, b Opt[T]) Opt[T] {
	if !a.present {
		return b
	}
	if !b.present {
		return a
	}
	return Some(a.value + b.value)
}

// Percent returns 100 × part ÷ whole, absent where either is absent or the
// whole is not positive.
func Percent[A, B Number](part Opt[A], whole Opt[B]) Opt[float64] {
	p, ok := part.Get()
	w, ok2 := whole.Get()
	if !ok || !ok2 || w <= 0 {
		return Opt[float64]{}
	}
	return Some(100 * float64(p) / float64(w))
}

// compareOpt orders absent before present.
func compareOpt[T cmp.Ordered](a, b Opt[T]) int {
	if a.present != b.present {
		if b.present {
			return -1
		}
		return 1
	}
	return cmp.Compare(a.value, b.value)
}
