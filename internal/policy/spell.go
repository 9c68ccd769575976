package policy

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// Requirement spells what a call of the method must carry, on one line and without any literal:
//
//	x-tenant-id (present, int64), and one of authorization (bearer, scopes a b) or x-user (present, string) +
//	x-api-key (verify)
//
// Two requirements that differ in nothing but their literals are spelled alike. A nil method is one of a
// service without rules.
func (m *Method) Requirement() string {
	switch {
	case m == nil || m.Access == Undeclared:
		return "no rule"
	case m.Access == Guarded:
		return "guarded_by " + strconv.Quote(m.GuardedBy)
	}
	var parts []string
	if m.Access == Public {
		parts = append(parts, "public")
	}
	if len(m.Headers) > 0 {
		parts = append(parts, spellAll(m.Headers, ", "))
	}
	if len(m.AnyOf) > 0 {
		ways := make([]string, 0, len(m.AnyOf))
		for _, alternative := range m.AnyOf {
			ways = append(ways, spellAll(alternative.Headers, " + "))
		}
		anyOf := strings.Join(ways, " or ")
		switch {
		case len(ways) > 1 && len(parts) > 0:
			anyOf = "and one of " + anyOf
		case len(ways) > 1:
			anyOf = "one of " + anyOf
		}
		parts = append(parts, anyOf)
	}
	return strings.Join(parts, ", ")
}

// spellAll spells headers with the number of their literals: lists of different lengths do not look alike.
func spellAll(headers []*Header, separator string) string {
	spelled := make([]string, 0, len(headers))
	for _, header := range headers {
		words := header.words()
		if header.Check == In {
			words = append(words, counted(len(header.Literals), "value"))
		}
		spelled = append(spelled, header.spell(words))
	}
	return strings.Join(spelled, separator)
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// String is the key and the check, without literals: "authorization (bearer, scopes a b)", "x-user (optional,
// verify)".
func (h *Header) String() string { return h.spell(h.words()) }

func (h *Header) spell(words []string) string {
	return fmt.Sprintf("%s (%s)", h.Name, strings.Join(words, ", "))
}

func (h *Header) words() []string {
	var words []string
	if h.Optional {
		words = append(words, "optional")
	}
	check := h.Check.String()
	if h.Scheme != "" {
		check += " " + h.Scheme
	}
	words = append(words, check)
	text := h.Type == grpcauthv1.Type_TYPE_STRING || h.Type == grpcauthv1.Type_TYPE_BYTES
	if h.Check == Present || h.Check == Verify && !text {
		words = append(words, typeNames[h.Type])
	}
	if len(h.Scopes) > 0 {
		words = append(words, "scopes "+h.ScopeList())
	}
	return words
}

// typeNames are the types as readers of generated code know them.
var typeNames = map[grpcauthv1.Type]string{ //nolint:gochecknoglobals // a constant table
	grpcauthv1.Type_TYPE_STRING: "string",
	grpcauthv1.Type_TYPE_INT64:  "int64",
	grpcauthv1.Type_TYPE_UINT64: "uint64",
	grpcauthv1.Type_TYPE_BOOL:   "bool",
	grpcauthv1.Type_TYPE_BYTES:  "[]byte",
}

// plainScope matches scopes that cannot be taken for anything else in a comment.
var plainScope = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._:/-]*$`)

// ScopeList lists the scopes, quoted where they hold more than letters, digits and a few separators.
func (h *Header) ScopeList() string {
	spelled := make([]string, 0, len(h.Scopes))
	for _, scope := range h.Scopes {
		if !plainScope.MatchString(scope) {
			scope = strconv.Quote(scope)
		}
		spelled = append(spelled, scope)
	}
	return strings.Join(spelled, " ")
}
