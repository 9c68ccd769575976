package draw

import (
	"slices"
	"strings"

	"github.com/grpcauth/protoc-gen-go-grpcauth/test/fuzz/internal/oracle"
)

// names are few, so that headers, alternatives and calls meet.
func names() []string { return []string{"authorization", "x-a", "x-b", "x-c", "x-n-bin"} }

// Types are those of one service's headers: within a service, each has one for each kind of check.
type Types map[string]oracle.Type

// Types chooses them.
func (s *Source) Types() Types {
	types := Types{}
	for _, name := range names() {
		types[name] = Of(s, oracle.String, oracle.Int64, oracle.Uint64, oracle.Bool)
		if isBinary(name) {
			types[name] = oracle.Bytes
		}
	}
	return types
}

func isBinary(name string) bool { return strings.HasSuffix(name, "-bin") }

// Rule makes a rule that a schema can state.
func (s *Source) Rule(types Types) *oracle.Rule {
	const most, fewBytes, usualBytes = 3, 24, 8192
	rule := &oracle.Rule{
		Code:     1 + s.Pick(16),
		Message:  Of(s, "no", "Access denied!", "nö"),
		MaxBytes: Of(s, usualBytes, fewBytes),
	}
	switch s.Pick(most * most) {
	case 0:
		rule.Public = true
		rule.Headers = s.headers(types, nil, s.Pick(most))
		for i := range rule.Headers {
			rule.Headers[i].Optional = true
		}
		return rule
	case 1:
		rule.GuardedBy = "something else"
		return rule
	}
	rule.Headers = s.headers(types, nil, s.Pick(most+1))
	required := false
	for i := range rule.Headers {
		rule.Headers[i].Optional = s.Chance(most)
		required = required || !rule.Headers[i].Optional
	}
	var taken []string
	for _, h := range rule.Headers {
		taken = append(taken, h.Name)
	}
	for range s.Pick(most + 1) {
		if alternative := s.headers(types, taken, 1+s.Pick(most)); len(alternative) > 0 {
			rule.AnyOf = append(rule.AnyOf, alternative)
		}
	}
	if required || len(rule.AnyOf) > 0 {
		return rule
	}
	if len(rule.Headers) > 0 {
		rule.Headers[0].Optional = false
	} else {
		rule.Headers = s.headers(types, nil, 1)
	}
	return rule
}

// headers makes up to so many headers whose names are not taken.
func (s *Source) headers(types Types, taken []string, count int) []oracle.Header {
	var made []oracle.Header
	for range count {
		name := Of(s, names()...)
		if !slices.Contains(taken, name) {
			taken = append(slices.Clone(taken), name)
			made = append(made, s.header(name, types[name]))
		}
	}
	return made
}

func (s *Source) header(name string, typ oracle.Type) oracle.Header {
	made := oracle.Header{Name: name, Type: typ}
	checks := []oracle.Check{oracle.Verify, oracle.Present}
	if !isBinary(name) {
		checks = append(checks, oracle.Bearer, oracle.Basic, oracle.Equals)
	}
	if typ == oracle.String {
		checks = append(checks, oracle.In)
	}
	switch made.Check = Of(s, checks...); made.Check {
	case oracle.Equals:
		made.Literals = []string{s.literal()}
	case oracle.In:
		made.Literals = []string{s.literal(), s.literal()}
	case oracle.Verify:
		if !isBinary(name) {
			made.Scheme = Of(s, "", "DPoP", "S")
		}
		made.Scopes = s.scopes()
	case oracle.Bearer:
		made.Scopes = s.scopes()
	case oracle.Present, oracle.Basic:
	}
	return made
}

func (s *Source) literal() string { return Of(s, "42", "a", "A", "a b", "Bearer t", "true") }

func (s *Source) scopes() []string {
	return Of(s, nil, []string{"read"}, []string{"read", "write"})
}
