// Package chance makes numbers, names and UUIDs that look random and follow from
// a seed: equal keys, equal results.
package chance

// Hash mixes numbers into one that looks random; it is SplitMix64's finaliser
// applied between additions.
func Hash(seed uint64, keys ...uint64) uint64 {
	x := seed
	for _, k := range keys {
		x += k + 0x9e3779b97f4a7c15
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		x ^= x >> 31
	}
	return x
}

// Key turns a name into a number for Hash (FNV-1a).
func Key(name string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return h
}

// Unit maps a hash to [0, 1).
func Unit(h uint64) float64 { return float64(h>>11) / (1 << 53) }

// Suffix writes n letters of the alphabet that Kubernetes' controllers use.
func Suffix(h uint64, n int) string {
	const letters = "bcdfghjklmnpqrstvwxz2456789"
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[h%uint64(len(letters))]
		h /= uint64(len(letters))
	}
	return string(b)
}

// UUID writes h as a version 4 UUID.
func UUID(h uint64) string {
	const hex = "0123456789abcdef"
	a, b := Hash(h, 1), Hash(h, 2)
	a = a&^0xf000 | 0x4000
	b = b&^(3<<62) | 2<<62
	out := make([]byte, 0, 36)
	for i := range 32 {
		if i == 8 || i == 12 || i == 16 || i == 20 {
			out = append(out, '-')
		}
		half := a
		if i >= 16 {
			half = b
		}
		out = append(out, hex[half>>(60-4*(i%16))&15])
	}
	return string(out)
}
