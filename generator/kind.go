package generator

import (
	"fmt"
	"strconv"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// kind says what becomes of a header's value at run time. Within a service, each header has one slot per
// kind, and per scheme where the kind is verified.
type kind int

const (
	literal kind = iota // equals: known to both ends
	value               // present, in: the handler reads it
	bearer              // verified by the application, as all that follow
	basic
	verified
)

func kindOf(header *policy.Header) kind {
	switch header.Check {
	case policy.Present, policy.In:
		return value
	case policy.Bearer:
		return bearer
	case policy.Basic:
		return basic
	case policy.Verify:
		return verified
	case policy.Equals:
	}
	return literal
}

// String names a slot in diagnostics: header "x-api-key" (verify, in SayHello).
func (s *slot) String() string {
	check := s.header.Check.String()
	if s.header.Scheme != "" {
		check += " " + strconv.Quote(s.header.Scheme)
	}
	return fmt.Sprintf("header %q (%s, in %s)", s.header.Name, check, s.methods[0].Descriptor.Name())
}

// goType is a type in generated code: a name of package grpcauth, or one of the language's own.
type goType struct {
	Runtime string // "Secret"
	Plain   string // "int64"
}

// String is the type as a reader of comments knows it.
func (t goType) String() string {
	if t.Runtime != "" {
		return "grpcauth." + t.Runtime
	}
	return t.Plain
}

// typeOf is the type of the values of a slot. What the application verifies is a secret, unless it is a
// number or a bool.
func (s *slot) typeOf() goType {
	text := s.header.Type == grpcauthv1.Type_TYPE_STRING || s.header.Type == grpcauthv1.Type_TYPE_BYTES
	switch {
	case s.kind == basic:
		return goType{Runtime: "BasicAuth"}
	case s.kind == bearer, s.kind == verified && text:
		return goType{Runtime: "Secret"}
	default:
		return goType{Plain: plainTypes[s.header.Type]}
	}
}

// plainTypes are the Go types of values.
var plainTypes = map[grpcauthv1.Type]string{ //nolint:gochecknoglobals // a constant table
	grpcauthv1.Type_TYPE_STRING: "string",
	grpcauthv1.Type_TYPE_INT64:  "int64",
	grpcauthv1.Type_TYPE_UINT64: "uint64",
	grpcauthv1.Type_TYPE_BOOL:   "bool",
	grpcauthv1.Type_TYPE_BYTES:  "[]byte",
}

// runtimeTypes are the names of the types in package authimpl.
var runtimeTypes = map[grpcauthv1.Type]string{ //nolint:gochecknoglobals // a constant table
	grpcauthv1.Type_TYPE_STRING: "String",
	grpcauthv1.Type_TYPE_INT64:  "Int64",
	grpcauthv1.Type_TYPE_UINT64: "Uint64",
	grpcauthv1.Type_TYPE_BOOL:   "Bool",
	grpcauthv1.Type_TYPE_BYTES:  "Bytes",
}
