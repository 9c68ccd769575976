package rules

import (
	"context"
	"strings"
)

// Supplier fetches the value of one header for a client.
type Supplier struct {
	Header string
	Field  string // where the user sets it: "GreeterCredentials.XTenantId"

	// Fetch is nil where the user set none.
	Fetch func(ctx context.Context, fullMethod string) (string, error)
}

// Required is one header that a client has to send with a call of the method.
type Required struct {
	Name    string
	Literal string // the value of an `equals` header; "" for others, whose value a Supplier fetches

	header *header
}

// Required lists the headers of the rule in declaration order.
func (r *Rule) Required() []Required {
	list := make([]Required, 0, len(r.headers))
	for i := range r.headers {
		h := &r.headers[i]
		required := Required{Name: h.name, header: h}
		if h.typ == 0 && !h.kept {
			required.Literal = string(h.literals[0])
		}
		list = append(list, required)
	}
	return list
}

// Refuses says why the server would refuse the value, or the transport could not carry it, without
// repeating the value. It is "" for a value that passes.
func (r Required) Refuses(text string) string {
	switch {
	case text == "":
		return "the value is empty"
	case !strings.HasSuffix(r.Name, "-bin") && !isPrintableASCII(text):
		return "the value has characters other than printable ASCII, which only a name in -bin can carry"
	case len(r.header.literals) > 0 && !isOneOf(text, r.header.literals):
		return "the value is not one that the rule allows"
	}
	return ""
}

// isPrintableASCII is what gRPC's wire format allows in the value of a key without -bin.
func isPrintableASCII(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}
