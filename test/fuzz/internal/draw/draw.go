// Package draw makes rules, verifiers and calls of the bytes that a fuzzer invents: equal bytes give equal
// ones, every string of bytes gives some, and a changed byte changes little.
package draw

// Source is what is left of the fuzzer's bytes.
type Source struct{ bytes []byte }

// From begins with the first byte.
func From(bytes []byte) *Source { return &Source{bytes: bytes} }

// Empty is true once all bytes are used; every choice is the first one then.
func (s *Source) Empty() bool { return len(s.bytes) == 0 }

// Pick chooses one of n, by one byte.
func (s *Source) Pick(n int) int {
	if s.Empty() {
		return 0
	}
	first := s.bytes[0]
	s.bytes = s.bytes[1:]
	return int(first) % n
}

// Chance is true in one of so many cases, and false once all bytes are used.
func (s *Source) Chance(of int) bool { return s.Pick(of) == of-1 }

// Text takes a few bytes as they are.
func (s *Source) Text() string { return string(s.Bytes(maxText)) }

const maxText = 20

// Bytes takes fewer than most bytes as they are.
func (s *Source) Bytes(most int) []byte {
	length := min(s.Pick(most), len(s.bytes))
	taken := s.bytes[:length]
	s.bytes = s.bytes[length:]
	return taken
}

// Of chooses one of a list.
func Of[T any](s *Source, list ...T) T { return list[s.Pick(len(list))] }
