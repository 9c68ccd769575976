package policy

import (
	"iter"

	"google.golang.org/protobuf/reflect/protoreflect"

	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// DefaultMessage is the denial's text where no level sets one.
const DefaultMessage = "access denied"

// File is what the rules of a file say.
type File struct {
	Services []*Service // all, in declaration order
	Findings Findings   // with some, what is resolved is not to be enforced

	rule *level
}

// Service is a service; the generator sees those that have a rule for every method.
type Service struct {
	Descriptor protoreflect.ServiceDescriptor
	Declared   bool      // something is declared for at least one of its methods
	Methods    []*Method // in declaration order

	rule *level
}

// Method is an RPC with its resolved rule.
type Method struct {
	Descriptor protoreflect.MethodDescriptor
	Access     Access
	GuardedBy  string         // set where Access is Guarded
	Headers    []*Header      // outer levels first; where Access is Public, optional ones only
	AnyOf      []*Alternative // of one level; where Access is Restricted
	Denial     Denial
	Broken     bool // the rules for it have findings: what is resolved is not what is meant

	levels [levelCount]*level // what it is resolved from, outermost first
}

// Refuses is true if some call can be refused: a public method refuses an optional header that is wrong.
func (m *Method) Refuses() bool {
	return m.Access == Restricted || m.Access == Public && len(m.Headers) > 0
}

// All goes through the headers of the rule and of its alternatives, in declaration order.
func (m *Method) All() iter.Seq[*Header] {
	return func(yield func(*Header) bool) {
		for _, header := range m.Headers {
			if !yield(header) {
				return
			}
		}
		for _, alternative := range m.AnyOf {
			for _, header := range alternative.Headers {
				if !yield(header) {
					return
				}
			}
		}
	}
}

// Access says who may call a method. The zero value, Undeclared, never reaches the generator.
type Access int

// The kinds of access.
const (
	Undeclared Access = iota
	Restricted        // callers that carry what Headers and AnyOf require
	Public            // anyone
	Guarded           // whoever passes the mechanism that GuardedBy names
)

// Alternative is one way to satisfy a rule's any_of. None of its headers is optional.
type Alternative struct {
	Headers []*Header
}

// Header is one metadata key and the check of its value.
type Header struct {
	Name     string
	Optional bool // absent passes
	Check    Check
	Type     grpcauthv1.Type // never TYPE_UNSPECIFIED; of what follows the scheme, where there is one
	Literals []string        // one for Equals, one or more for In
	Scheme   string          // for Verify, "" for the whole value
	Scopes   []string        // for Bearer and Verify

	at place
}

// Check is how a value is checked.
type Check int

// The checks. The last three are verified by the application.
const (
	Equals Check = iota + 1
	In
	Present
	Bearer
	Basic
	Verify
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
	case Bearer:
		return "bearer"
	case Basic:
		return "basic"
	case Verify:
		return "verify"
	}
	return "no check"
}

// Denial is what a refused caller gets. Code is never CODE_UNSPECIFIED.
type Denial struct {
	Code    grpcauthv1.Code
	Message string
}
