package rules

import (
	"context"
	"crypto/subtle"

	"google.golang.org/grpc/metadata"
)

// Reason says why a check ended as it did. The zero value is none of them, and so never Allowed.
type Reason uint8

// The ends of a check.
const (
	Allowed   Reason = iota + 1
	Missing          // a required header did not arrive
	Repeated         // a header arrived more than once
	Malformed        // a value is empty or not of the header's type
	Refused          // a value is not the one, or none of those, that the rule names
	Unlisted         // no rule covers the method
)

// Verdict is the outcome of a check. Header is the metadata key that decided, "" for an allowed call.
type Verdict struct {
	Reason Reason
	Header string
}

// Check decides whether the call whose incoming metadata is in ctx carries what the rule requires.
//
// The handler must run with the context that is returned. It differs from ctx, and changed is true,
// only where values are passed on, or where values of an outer call in the same process must not be
// seen by this one.
func (r *Rule) Check(ctx context.Context) (admitted context.Context, changed bool, verdict Verdict) {
	var values *Values
	if r.keeps > 0 {
		values = &Values{list: make([]value, 0, r.keeps)}
	}
	for i := range r.headers {
		h := &r.headers[i]
		kept, reason := h.check(ctx)
		if reason != Allowed {
			return ctx, false, Verdict{Reason: reason, Header: h.name}
		}
		if h.kept {
			values.list = append(values.list, kept)
		}
	}
	admitted, changed = r.passOn(ctx, values)
	return admitted, changed, Verdict{Reason: Allowed}
}

// check reads the header and decides about it alone. Nothing is trimmed, split or case-folded.
func (h *header) check(ctx context.Context) (value, Reason) {
	arrived := metadata.ValueFromIncomingContext(ctx, h.name)
	switch len(arrived) {
	case 0:
		return value{}, Missing
	case 1:
	default:
		return value{}, Repeated
	}
	text := arrived[0]
	if text == "" {
		return value{}, Malformed
	}
	if h.typ != 0 {
		number, ok := parse(h.typ, text)
		if !ok {
			return value{}, Malformed
		}
		return value{header: h.name, text: text, number: number}, Allowed
	}
	if !isOneOf(text, h.literals) {
		return value{}, Refused
	}
	return value{header: h.name, text: text}, Allowed
}

// isOneOf compares the text with every literal, each in constant time and without an early exit, so
// that the time taken says nothing about how close a guess was or which literal it met.
func isOneOf(text string, literals [][]byte) bool {
	matches := 0
	for _, literal := range literals {
		matches |= subtle.ConstantTimeCompare([]byte(text), literal)
	}
	return matches == 1
}
