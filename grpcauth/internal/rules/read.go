package rules

import (
	"crypto/subtle"
)

// reading is a header of one call that passed all of its check but the verifier.
type reading struct {
	Credential

	there bool // false for an optional header that did not arrive
}

// arrived reads the one value of a key. Nothing is trimmed, split or case-folded.
func (e *Evaluator) arrived(from incoming, name string) (string, Reason) {
	values := from.values(name)
	switch len(values) {
	case 0:
		return "", Missing
	case 1:
	default:
		return "", Repeated
	}
	if values[0] == "" || len(values[0]) > e.maxValueBytes {
		return "", Malformed
	}
	return values[0], Allowed
}

// parse is the part of a header's check that needs nothing but the value. A client asks it, too, before it
// sends one.
func (h *header) parse(text string) (Credential, Reason) {
	if len(h.literals) > 0 {
		if !isOneOf(text, h.literals) {
			return Credential{}, Refused
		}
		return Credential{Text: text}, Allowed
	}
	if scheme := h.scheme(); scheme != "" {
		var ok bool
		if text, ok = afterScheme(text, scheme); !ok {
			return Credential{}, Malformed
		}
	}
	credential := Credential{Text: text}
	var ok bool
	switch h.Kind {
	case Bearer:
		ok = isToken(text)
	case Basic:
		credential, ok = parseBasic(text)
	default:
		credential.number, ok = parse(h.typ, text)
	}
	if !ok {
		return Credential{}, Malformed
	}
	return credential, Allowed
}

// isOneOf compares the text with every literal, each in constant time and without an early exit, so
// that the time taken says nothing about how close a guess was or which literal it met.
func isOneOf(text string, literals []string) bool {
	matches := 0
	for _, literal := range literals {
		matches |= subtle.ConstantTimeCompare([]byte(text), []byte(literal))
	}
	return matches == 1
}
