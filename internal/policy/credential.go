package policy

import (
	"cmp"
	"slices"
	"strings"
)

// Numbers of grpcauth.v1.Bearer's and grpcauth.v1.Verify's fields.
const (
	bearerScopes = 1
	verifyScheme = 1
	verifyScopes = 2
)

const maxScopes = 64 // a header

// checkScopes checks the list of scopes of the check at a place; number is that of its field.
func checkScopes(at place, number int32, scopes []string) Findings {
	var findings Findings
	if len(scopes) > maxScopes {
		findings = append(findings, at.in(number, "scopes").sub(maxScopes).finding(
			"%d scopes; at most %d are allowed", len(scopes), maxScopes))
	}
	for i, scope := range scopes {
		inside := at.item(number, "scopes", i)
		first := slices.Index(scopes, scope)
		switch {
		case scope == "":
			findings = append(findings, inside.finding("must not be empty: all of the list must be granted"))
		case !isScope(scope):
			findings = append(findings, inside.finding("%q is no scope: one is printable ASCII without spaces, "+
				"quotation marks and backslashes; write several as several elements", scope))
		case first < i:
			findings = append(findings, inside.finding("%q is scopes[%d] already: remove one of them", scope, first))
		}
	}
	return findings
}

// isScope matches a scope-token of RFC 6749.
func isScope(scope string) bool {
	for i := range len(scope) {
		if c := scope[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return scope != ""
}

// checkScheme accepts the authentication schemes that no check of their own exists for.
func checkScheme(at place, resolved *Header) Findings {
	switch scheme := resolved.Scheme; {
	case scheme == "":
		return nil
	case !isScheme(scheme):
		return Findings{at.finding("%q is no scheme: it must match [A-Za-z][A-Za-z0-9-]*", scheme)}
	case strings.EqualFold(scheme, "bearer"), strings.EqualFold(scheme, "basic"):
		return Findings{at.finding("%q has a check of its own: use %s instead of verify",
			scheme, strings.ToLower(scheme))}
	case isBinary(resolved.Name):
		return Findings{at.finding("is refused on a -bin name, whose value is bytes: remove it")}
	}
	return nil
}

// isScheme matches [A-Za-z][A-Za-z0-9-]*.
func isScheme(scheme string) bool {
	for i := range len(scheme) {
		c := scheme[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		other := '0' <= c && c <= '9' || c == '-'
		if !letter && (i == 0 || !other) {
			return false
		}
	}
	return scheme != ""
}

// checkSchemes refuses schemes of one service that differ only in case: they match the same calls, and
// would be verified by two methods of the application.
func checkSchemes(service *Service) Findings {
	var headers []*Header
	for _, method := range service.Methods {
		for header := range method.All() {
			if header.Scheme != "" {
				headers = append(headers, header)
			}
		}
	}
	slices.SortStableFunc(headers, func(a, b *Header) int { // the one further down is the wrong one
		_, lineA, columnA := a.at.recorded()
		_, lineB, columnB := b.at.recorded()
		return cmp.Or(cmp.Compare(lineA, lineB), cmp.Compare(columnA, columnB))
	})
	var findings Findings
	known := map[string]*Header{}
	for _, header := range headers {
		folded := strings.ToLower(header.Scheme)
		first := known[folded]
		if first == nil {
			known[folded] = header
			continue
		}
		if first.Scheme != header.Scheme {
			inside := header.at.in(headerVerify, "verify").in(verifyScheme, "scheme")
			findings = append(findings, inside.finding("%q is spelled %q in %s of %s: spell it one way in a service",
				header.Scheme, first.Scheme, first.at.label, first.at.element))
		}
	}
	return findings
}
