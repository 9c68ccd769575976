package rules

import (
	"context"
	"strconv"
)

// Text lists the Go types that a header's value may have: those of grpcauth.v1.Type.
type Text interface {
	string | int64 | uint64 | bool | []byte
}

// Values are what a check passes on to the handler. They are not changed once they are in a context.
type Values struct {
	list []value
	room [2]value // for the list, where it is no longer than rules usually are
}

// value is one checked value.
type value struct {
	Credential

	header string
}

// keep returns the values with those of a list of headers that the handler reads, nil for none.
func keep(kept *Values, headers []header, readings []reading) *Values {
	for i := range headers {
		if headers[i].Kind != Value || !readings[i].there {
			continue
		}
		if kept == nil {
			kept = &Values{}
			kept.list = kept.room[:0]
		}
		kept.list = append(kept.list, value{Credential: readings[i].Credential, header: headers[i].Header})
	}
	return kept
}

// valuesKey finds the values of one service's check, so that services in one process do not mix.
type valuesKey struct{ service *Service }

// passOn puts the values where the handler finds them. Without values, it hides those of an outer call to
// the same service in this process, if there are any.
func (e *Evaluator) passOn(ctx context.Context, values *Values) (context.Context, bool) {
	if values == nil && !e.shadowed(ctx) {
		return ctx, false
	}
	return context.WithValue(ctx, valuesKey{e.rule.service}, values), true
}

// shadowed is true if ctx holds something under this service's key.
func (e *Evaluator) shadowed(ctx context.Context) bool {
	return e.shadows && ctx.Value(valuesKey{e.rule.service}) != nil
}

// FromContext returns the value of a header as the service's check on this call found it. It is false
// where no check of that service ran, or where the rule that passed did not contain the header.
func FromContext[T Text](ctx context.Context, service *Service, header string) (T, bool) {
	var typed T
	values, _ := ctx.Value(valuesKey{service}).(*Values)
	if values == nil {
		return typed, false
	}
	for i := range values.list {
		if values.list[i].header == header {
			values.list[i].Store(&typed)
			return typed, true
		}
	}
	return typed, false
}

// Store writes the value through a pointer to one of the Text types. Bytes are the caller's own copy.
func (c *Credential) Store(typed any) {
	switch typed := typed.(type) {
	case *string:
		*typed = c.Text
	case *int64:
		*typed = int64(c.number) //nolint:gosec // the bits of an int64, see Credential
	case *uint64:
		*typed = c.number
	case *bool:
		*typed = c.number == 1
	case *[]byte:
		*typed = []byte(c.Text)
	}
}

// parse accepts exactly the texts that Format writes, and any non-empty text for String and Bytes.
func parse(typ Type, text string) (number uint64, ok bool) {
	const decimal, bits = 10, 64
	var canonical [len("-9223372036854775808") + 1]byte // room for every 64-bit number
	switch typ {
	case String, Bytes:
		return 0, text != ""
	case Int64:
		n, err := strconv.ParseInt(text, decimal, bits)
		if err != nil || string(strconv.AppendInt(canonical[:0], n, decimal)) != text {
			return 0, false
		}
		return uint64(n), true //nolint:gosec // the bits of an int64, see Credential
	case Uint64:
		n, err := strconv.ParseUint(text, decimal, bits)
		if err != nil || string(strconv.AppendUint(canonical[:0], n, decimal)) != text {
			return 0, false
		}
		return n, true
	case Bool:
		switch text {
		case "true":
			return 1, true
		case "false":
			return 0, true
		}
	}
	return 0, false
}

// Format writes a value as it travels in metadata.
func Format[T Text](typed T) (text string) {
	switch typed := any(typed).(type) {
	case string:
		text = typed
	case []byte:
		text = string(typed)
	case int64:
		text = strconv.FormatInt(typed, 10)
	case uint64:
		text = strconv.FormatUint(typed, 10)
	case bool:
		text = strconv.FormatBool(typed)
	}
	return text
}
