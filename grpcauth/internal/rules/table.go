// Package rules holds what a call must carry and decides whether one carries it.
//
// Generated code states a table ([Service]), [Compile] refuses a table that could not be enforced, and
// [Evaluator.Check] decides about one call. The package knows metadata and nothing of servers, clients or
// transports. In reading order:
//
//	table.go       what generated code states
//	compile.go     the table, checked and arranged for both ends
//	evaluator.go   one call: headers, then their verifiers, then the alternatives
//	incoming.go    the metadata of a call, read where it is
//	read.go        one header of a call: count, length, check
//	credential.go  schemes, Basic
//	values.go      typed values, and where handlers find them
//	verifier.go    asks the application, and judges its answer
//	refusal.go     reasons, and what the caller is told
//	grants.go      scopes and expiry, which a verifier reports through the context
//	supply.go      the same headers, seen from a client
package rules

import (
	"context"

	"google.golang.org/grpc/codes"
)

// Service is the policy of one gRPC service, as generated code states it.
type Service struct {
	Name    string // full name: "greeter.v1.Greeter"
	Denial  Denial // of the methods that state none
	Methods []Method
}

// Method is the resolved rule of one RPC. Exactly one of Public, GuardedBy and a requirement (a header that
// is not optional, or AnyOf) is set, so that a method left empty by mistake is no open one.
type Method struct {
	FullMethod string // "/greeter.v1.Greeter/SayHello"
	Public     bool   // anyone may call; Headers may list optional ones
	GuardedBy  string // another mechanism that guards the RPC; nothing is checked here
	Headers    []Header
	AnyOf      [][]Header // alternatives, of which one must pass beside Headers
	Denial     Denial
}

// Header is one metadata key and the check of its value. Exactly one of Equals, In, Present, Bearer, Basic
// and Verify is set.
type Header struct {
	Name     string // lower case
	Optional bool   // absent passes; not in an alternative
	Equals   string
	In       []string
	Present  Type
	Bearer   bool
	Basic    bool
	Verify   Type
	Scheme   string   // stripped from the value first; with Verify only
	Scopes   []string // that the verifier must report as granted; with Bearer and Verify
}

// Denial is what a refused caller gets.
type Denial struct {
	Code    codes.Code
	Message string
}

// Type is the type of a value and its one spelling in metadata.
type Type uint8

// The types of grpcauth.v1.Type. The zero value is none of them.
const (
	String Type = iota + 1
	Int64
	Uint64
	Bool
	Bytes
)

// Kind says how a header's value comes about. With the header's name and scheme it tells which of an
// application's verifiers and sources is meant.
type Kind uint8

// The kinds. The zero value is none of them.
const (
	Literal Kind = iota + 1 // equals: known to both ends
	Value                   // in, present: a value that the handler reads
	Bearer                  // verified by the application, as all that follow
	Basic
	Verified
)

// Slot names a verifier or a source: "authorization" with Bearer, say.
type Slot struct {
	Header string
	Kind   Kind
	Scheme string // as the rule spells it; with Verified only
}

// Verifier asks the application about the credentials in one slot.
type Verifier struct {
	Slot

	Type   Type // of the credential's value; String also serves Bytes
	Verify func(ctx context.Context, call Call, credential Credential) (context.Context, error)
}

// Call describes the call that a verifier or a source is asked about: a grpcauth.Call.
type Call struct {
	FullMethod string
	Header     string
	Scopes     []string // the receiver's own copy
}

// Credential is a value without its scheme.
type Credential struct {
	Username string // of Basic
	Text     string // the token, the password, or the value as it stands in metadata
	number   uint64 // of a typed value, as its bits
}

// Supplier fetches the values of one slot for a client.
type Supplier struct {
	Slot

	Field string // where the user sets it: "GreeterCredentials.XTenantId"

	// Fetch is nil where the user set none.
	Fetch func(ctx context.Context, call Call) (Credential, error)
}
