// Package oracle says what must become of a call, from the option language's description alone. It is slow and
// plain, and shares nothing with the evaluator that it is compared with, least of all code: it imports no
// package of this repository and none of gRPC. In reading order:
//
//	rule.go    what is demanded, what is sent, what is expected
//	answer.go  what the application's verifiers say
//	judge.go   the decision
//	value.go   one value: scheme, Basic, number
package oracle

// Check is how a value is checked, as the option language names it.
type Check string

// The checks.
const (
	Equals  Check = "equals"
	In      Check = "in"
	Present Check = "present"
	Bearer  Check = "bearer"
	Basic   Check = "basic"
	Verify  Check = "verify"
)

// Type is the type of a value.
type Type string

// The types.
const (
	String Type = "string"
	Int64  Type = "int64"
	Uint64 Type = "uint64"
	Bool   Type = "bool"
	Bytes  Type = "bytes"
)

// Header is one metadata key and its check.
type Header struct {
	Name     string
	Optional bool
	Check    Check
	Type     Type     // of Present and Verify
	Literals []string // of Equals and In
	Scheme   string   // of Verify
	Scopes   []string // of Bearer and Verify
}

// Slot names what the application has for a header: one verifier, or one value to read.
func (h *Header) Slot() string { return string(h.Check) + " " + h.Scheme + " " + h.Name }

// Verified is true if the application decides.
func (h *Header) Verified() bool {
	return h.Check == Bearer || h.Check == Basic || h.Check == Verify
}

// scheme is what the value must begin with.
func (h *Header) scheme() string {
	switch h.Check {
	case Bearer:
		return "Bearer"
	case Basic:
		return "Basic"
	case Equals, In, Present, Verify:
	}
	return h.Scheme
}

// Rule is what one method demands.
type Rule struct {
	Public    bool
	GuardedBy string
	Headers   []Header
	AnyOf     [][]Header
	Code      int // what a refused caller gets
	Message   string
	MaxBytes  int // the longest value that is let through to its check
}

// All are the headers of the rule and of its alternatives.
func (r *Rule) All() []Header {
	all := append([]Header{}, r.Headers...)
	for _, alternative := range r.AnyOf {
		all = append(all, alternative...)
	}
	return all
}

// Call is what a caller sends. The keys are in lower case.
type Call struct {
	Metadata map[string][]string
	Ended    int // the code of the status of a call that has ended before it is checked; 0 for one that has not
}

// Question is one that a verifier is asked.
type Question struct {
	Slot       string
	Credential string
	Scopes     string // those that the rule demands
	Before     string // what the verifiers before it left in its context, see Outcome.Trail
}

// Outcome is what must be seen of a call.
type Outcome struct {
	Allowed bool
	Reason  string // as package grpcauth names it
	Header  string // that decided
	Code    int
	Message string
	Failed  bool // a verifier's error stays on the server
	Asked   []Question
	Values  map[string]string // what the handler reads, by header
	Trail   string            // the verifiers whose contexts the handler sees, each with its answer
	Hours   int               // the earliest expiry that was reported; 0 for none

	unavailable bool // a verifier said so
}
