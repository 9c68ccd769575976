// Package rules holds what a call must carry and decides whether one carries it.
//
// Generated code states a table ([Service]), [Compile] refuses a table that could not be enforced, and
// [Rule.Check] decides about one call. The package knows metadata and nothing of servers, clients or
// transports.
package rules

import "google.golang.org/grpc/codes"

// Service is the policy of one gRPC service, as generated code states it.
type Service struct {
	Name    string // full name: "greeter.v1.Greeter"
	Methods []Method
}

// Method is the resolved rule of one RPC. Exactly one of Public, GuardedBy and Headers is set, so that a
// method left empty by mistake is no open one.
type Method struct {
	FullMethod string // "/greeter.v1.Greeter/SayHello"
	Public     bool   // anyone may call
	GuardedBy  string // another mechanism that guards the RPC; nothing is checked here
	Headers    []Header
	Denial     Denial
}

// Header is one required metadata key. Exactly one of Equals, In and Present is set.
type Header struct {
	Name    string // lower case
	Equals  string
	In      []string
	Present Type
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
