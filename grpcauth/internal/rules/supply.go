package rules

import (
	"slices"
	"strings"
)

// Required is one header that a client sends with a call of the method.
type Required struct {
	Slot

	Optional bool
	Literal  string // the value of an `equals` header; "" for others, whose value a Supplier fetches

	header *header
}

// Required lists the headers of the rule and of its alternatives, in declaration order.
func (r *Rule) Required() (headers []Required, anyOf [][]Required) {
	headers = required(r.headers)
	for _, alternative := range r.anyOf {
		anyOf = append(anyOf, required(alternative))
	}
	return headers, anyOf
}

func required(headers []header) []Required {
	list := make([]Required, 0, len(headers))
	for i := range headers {
		h := &headers[i]
		one := Required{Slot: h.Slot, Optional: h.optional, header: h}
		if h.Kind == Literal {
			one.Literal = h.literals[0]
		}
		list = append(list, one)
	}
	return list
}

// Secret is true for a credential: it must not travel where others can read it.
func (r Required) Secret() bool { return r.header.verified() }

// Scopes are the scopes that the credential has to grant, as a copy.
func (r Required) Scopes() []string { return slices.Clone(r.header.scopes) }

// Compose returns the value as it travels. why says, without repeating it, why the server would refuse it or
// the transport could not carry it; it is "" for a value that passes.
func (r Required) Compose(credential Credential) (text, why string) {
	text = credential.Text
	if text == "" {
		return "", "the value is empty"
	}
	if r.Kind == Basic {
		text = formatBasic(credential)
	}
	if scheme := r.header.scheme(); scheme != "" {
		text = scheme + " " + text
	}
	if !strings.HasSuffix(r.Header, "-bin") && !isPrintableASCII(text) {
		return "", "the value has characters other than printable ASCII, which only a name in -bin can carry"
	}
	passed, reason := r.header.parse(text)
	switch {
	case reason == Refused:
		return "", "the value is not one that the rule allows"
	case reason != Allowed:
		return "", "the value is not formed as the rule demands"
	case passed.Username != credential.Username:
		return "", "the user name holds a colon"
	}
	return text, ""
}
