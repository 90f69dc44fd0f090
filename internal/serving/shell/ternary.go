package shell

// ternary is an exit status as far as the text decides it.
type ternary int8

// In order: && yields the lower of two, || the higher.
const (
	no      ternary = iota // it fails
	unknown                // it depends on the running container
	likely                 // a program that normally succeeds
	yes                    // it succeeds
)

func ternaryOf(b bool) ternary {
	if b {
		return yes
	}
	return no
}

func (t ternary) not() ternary {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return unknown
}

// decided is the status of a condition: a program run as one may well fail.
func (t ternary) decided() ternary {
	if t == likely {
		return unknown
	}
	return t
}
