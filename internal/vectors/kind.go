package vectors

import (
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

// Kind is one of the four kinds of methods. Each service has a method of each kind, of that name.
type Kind string

// The kinds.
const (
	Unary        Kind = "Unary"
	ServerStream Kind = "ServerStream"
	ClientStream Kind = "ClientStream"
	Bidi         Kind = "Bidi"
)

// Kinds are all of them.
var Kinds = []Kind{Unary, ServerStream, ClientStream, Bidi}

// Table is a table with the same rule for a method of each kind.
func Table(service string, rule authimpl.Method) *authimpl.Service {
	table := &authimpl.Service{Name: service}
	for _, kind := range Kinds {
		method := rule
		method.FullMethod = "/" + service + "/" + string(kind)
		table.Methods = append(table.Methods, method)
	}
	return table
}
