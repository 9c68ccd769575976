// Package plan says, as plain data, what the rules of one random schema demand, what the right values are,
// and, naively, what either end should do. It knows neither the generator nor the runtime, so that a mistake
// of theirs is not repeated here.
package plan

import (
	"slices"

	"google.golang.org/grpc/codes"
)

// Set is one random schema.
type Set struct {
	Seed     uint64
	Services []Service
	Unruled  []Service // for which the schema says nothing
}

// Service is one service. Methods of an unruled one have kinds and names only.
type Service struct {
	Name    string // full name
	GoName  string
	Methods []Method
}

// Method is an RPC with its resolved rule.
type Method struct {
	Name          string // "/package.Service/Method"
	ClientStreams bool
	ServerStreams bool
	Access        Access
	GuardedBy     string
	Headers       []Header
	AnyOf         [][]Header
	Code          codes.Code
	Message       string
}

// Access says who may call.
type Access string

// The kinds of access.
const (
	Restricted Access = "restricted"
	Public     Access = "public"
	Guarded    Access = "guarded"
)

// Header is one header of a rule.
type Header struct {
	Name     string
	Optional bool
	Check    Check
	Type     Type
	Literals []string
	Scheme   string
	Scopes   []string
}

// Check is the word of the option language.
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

// Type is the type of a value, by its Go name.
type Type string

// The types.
const (
	String Type = "string"
	Int64  Type = "int64"
	Uint64 Type = "uint64"
	Bool   Type = "bool"
	Bytes  Type = "[]byte"
)

// Slot is what a service has one source for, and one verifier or one accessor.
type Slot struct {
	Name   string
	Kind   Check // Present for In as well
	Scheme string
}

// Slot is the header's slot; that of a literal is nobody's.
func (h *Header) Slot() Slot {
	kind := h.Check
	if kind == In {
		kind = Present
	}
	return Slot{Name: h.Name, Kind: kind, Scheme: h.Scheme}
}

// Verified is true for what the application decides about.
func (h *Header) Verified() bool { return h.Check == Bearer || h.Check == Basic || h.Check == Verify }

// Slots lists the slots of a service, each by the header that names it first.
func (s *Service) Slots() []*Header {
	var slots []*Header
	for i := range s.Methods {
		for _, header := range s.Methods[i].All() {
			known := slices.ContainsFunc(slots, func(h *Header) bool { return h.Slot() == header.Slot() })
			if header.Check != Equals && !known {
				slots = append(slots, header)
			}
		}
	}
	return slots
}

// Method finds a method by its full name.
func (s *Service) Method(name string) *Method {
	at := slices.IndexFunc(s.Methods, func(m Method) bool { return m.Name == name })
	if at < 0 {
		return nil
	}
	return &s.Methods[at]
}

// All lists the headers of the rule and of its alternatives.
func (m *Method) All() []*Header {
	var all []*Header
	for _, list := range append([][]Header{m.Headers}, m.AnyOf...) {
		for i := range list {
			all = append(all, &list[i])
		}
	}
	return all
}
