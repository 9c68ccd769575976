package policy

import (
	"google.golang.org/protobuf/reflect/protoreflect"

	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// DefaultMessage is the denial's text where no level sets one.
const DefaultMessage = "access denied"

// Service is a service with a rule for every method.
type Service struct {
	Descriptor protoreflect.ServiceDescriptor
	Methods    []*Method // in declaration order
}

// Method is an RPC with its resolved rule.
type Method struct {
	Descriptor protoreflect.MethodDescriptor
	Access     Access
	GuardedBy  string    // set where Access is Guarded
	Headers    []*Header // outer levels first; set where Access is Restricted
	Denial     Denial
}

// Access says who may call a method. The zero value, Undeclared, never leaves this package.
type Access int

// The kinds of access.
const (
	Undeclared Access = iota
	Restricted        // callers that carry what Headers require
	Public            // anyone
	Guarded           // whoever passes the mechanism that GuardedBy names
)

// Header is one required metadata key.
type Header struct {
	Name     string
	Check    Check
	Type     grpcauthv1.Type // never TYPE_UNSPECIFIED
	Literals []string        // one for Equals, one or more for In
}

// Check is how a value is checked.
type Check int

// The checks of this version.
const (
	Equals Check = iota + 1
	In
	Present
)

// String is the name of the check in the option language.
func (c Check) String() string {
	switch c {
	case Equals:
		return "equals"
	case In:
		return "in"
	case Present:
		return "present"
	}
	return "no check"
}

// Denial is what a refused caller gets. Code is never CODE_UNSPECIFIED.
type Denial struct {
	Code    grpcauthv1.Code
	Message string
}
