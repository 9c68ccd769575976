package rules

import (
	"context"
	"strconv"
)

// Text lists the Go types that a header's value may have: those of grpcauth.v1.Type.
type Text interface {
	string | int64 | uint64 | bool | []byte
}

// Values are what a check passes on to the handler.
type Values struct {
	list []value
}

// value is one checked value. number holds an int64, a uint64 or a bool (0 or 1) as its bits.
type value struct {
	header string
	text   string
	number uint64
}

// valuesKey finds the values of one service's check, so that services in one process do not mix.
type valuesKey struct{ service *Service }

// passOn puts the values where the handler finds them. Without values, it hides those of an outer call
// to the same service in this process, if there are any.
func (r *Rule) passOn(ctx context.Context, values *Values) (context.Context, bool) {
	key := valuesKey{r.service}
	if values == nil && (!r.shadows || ctx.Value(key) == nil) {
		return ctx, false
	}
	return context.WithValue(ctx, key, values), true
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
			values.list[i].store(&typed)
			return typed, true
		}
	}
	return typed, false
}

// store writes the value through a pointer to one of the Text types. Bytes are the caller's own copy.
func (v *value) store(typed any) {
	switch typed := typed.(type) {
	case *string:
		*typed = v.text
	case *int64:
		*typed = int64(v.number) //nolint:gosec // the bits of an int64, see value
	case *uint64:
		*typed = v.number
	case *bool:
		*typed = v.number == 1
	case *[]byte:
		*typed = []byte(v.text)
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
		return uint64(n), true //nolint:gosec // the bits of an int64, see value
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
func Format[T Text](typed T) string {
	switch typed := any(typed).(type) {
	case string:
		return typed
	case []byte:
		return string(typed)
	case int64:
		return strconv.FormatInt(typed, 10)
	case uint64:
		return strconv.FormatUint(typed, 10)
	case bool:
		return strconv.FormatBool(typed)
	}
	return ""
}
