package policy

import (
	"slices"

	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// Numbers of grpcauth.v1.Rule's and grpcauth.v1.Denial's fields.
const (
	rulePublic    = 1
	ruleHeaders   = 2
	ruleAnyOf     = 3
	ruleDenial    = 4
	ruleReplace   = 5
	ruleGuardedBy = 6

	denialCode    = 1
	denialMessage = 2
)

const maxHeaders = 64 // a rule, those of its alternatives included

// The levels at which rules stand.
const (
	fileLevel = iota
	serviceLevel
	methodLevel
	levelCount
)

// level is the rule that one level (file, service or method) states, checked by itself.
type level struct {
	at      place
	stated  *grpcauthv1.Rule // nil where the level states none
	headers []*Header        // those that could be resolved
	anyOf   []*Alternative   // with those of their headers that could be resolved
	broken  bool             // there are findings: the rule counts as one, whatever it says
}

// checkLevel checks the rule that a level states. at is the place of the option.
func checkLevel(at place, stated *grpcauthv1.Rule, err error) (level, Findings) {
	checked := level{at: at, stated: stated}
	var findings Findings
	switch {
	case err != nil:
		checked.stated = &grpcauthv1.Rule{}
		findings = Findings{at.finding("%v; does another extension use its number?", err)}
	case stated == nil:
	default:
		// What this version does not know may change the meaning of all the rest.
		if findings = unknownFields(at, stated.ProtoReflect()); len(findings) == 0 {
			findings = checked.check()
		}
	}
	checked.broken = len(findings) > 0
	return checked, findings
}

// check checks what the level states, and resolves its headers.
func (l *level) check() Findings {
	findings := slices.Concat(l.checkWords(), l.checkCount())
	if !isPlainText(l.stated.GetGuardedBy()) {
		findings = append(findings, l.at.in(ruleGuardedBy, "guarded_by").finding(
			"must be valid UTF-8 without control or format characters"))
	}
	headers, names, wrong := checkHeaders(l.at, ruleHeaders, l.stated.GetHeaders(), nil)
	l.headers, findings = headers, append(findings, wrong...)
	l.anyOf, wrong = checkAnyOf(l.at, l.stated.GetAnyOf(), names)
	findings = append(findings, wrong...)
	return append(findings, checkDenial(l.at.in(ruleDenial, "denial"), l.stated.GetDenial())...)
}

// checkHeaders checks the headers that stand in the field number of a rule or of an alternative. It returns
// their names, each with its place in words; outer holds the names that the path has before.
func checkHeaders(
	at place, number int32, stated []*grpcauthv1.Header, outer map[string]string,
) (headers []*Header, names map[string]string, findings Findings) {
	names = map[string]string{}
	for i, header := range stated {
		inside, name := at.item(number, "headers", i), header.GetName()
		resolved, wrong := checkHeader(inside, header)
		findings = append(findings, wrong...)
		first, twice := outer[name]
		if !twice {
			first, twice = names[name]
		}
		if twice {
			findings = append(findings, inside.in(headerName, "name").finding(
				"%q is already named by %s: say all about it in one place", name, first))
			continue
		}
		if name != "" {
			names[name] = inside.label
		}
		if resolved != nil {
			headers = append(headers, resolved)
		}
	}
	return headers, names, findings
}

// checkCount holds the cap, for the headers and those of the alternatives together.
func (l *level) checkCount() Findings {
	const allowed = "; at most %d are allowed in a rule"
	count := len(l.stated.GetHeaders())
	if count > maxHeaders {
		return Findings{l.at.in(ruleHeaders, "headers").sub(maxHeaders).finding(
			"%d headers"+allowed, count, maxHeaders)}
	}
	beyond := -1
	for i, alternative := range l.stated.GetAnyOf() {
		count += len(alternative.GetHeaders())
		if count > maxHeaders && beyond < 0 {
			beyond = i
		}
	}
	if beyond < 0 {
		return nil
	}
	return Findings{l.at.in(ruleAnyOf, "any_of").sub(int32(beyond)).finding(
		"%d headers, those outside any_of included"+allowed, count, maxHeaders)}
}

// checkWords checks which words of a rule stand together.
func (l *level) checkWords() Findings {
	at, stated := l.at, l.stated
	public, replace, guarded := stated.GetPublic(), stated.GetReplace(), stated.GetGuardedBy() != ""
	requires := requires(stated)
	switch {
	case public && replace, public && guarded, replace && guarded:
		return Findings{at.finding("public, replace and guarded_by exclude each other: keep one of them")}
	case isEmpty(stated):
		return Findings{at.finding("the rule is empty: say headers, any_of, public or guarded_by")}
	case replace && !requires:
		return Findings{at.in(ruleReplace, "replace").finding("drops what outer levels require, " +
			"and requires nothing itself: add headers that are not optional, or say public")}
	case public && requires:
		return Findings{at.in(rulePublic, "public").finding(
			"lets anyone call, but headers are required as well: remove one of the two")}
	case guarded && mentions(stated):
		return Findings{at.in(ruleGuardedBy, "guarded_by").finding(
			"nothing is checked here, but there are headers as well: remove one of the two")}
	case !public && mentions(stated) && !requires:
		return Findings{at.in(ruleHeaders, "headers").sub(0, headerOptional).finding(
			"all of them are optional, so this rule requires nothing: say public: true if anyone may call, " +
				"or replace: true with all that a call needs")}
	}
	return nil
}

// drops is true for a rule that drops what outer levels require.
func (l *level) drops() bool {
	return l.stated.GetPublic() || l.stated.GetReplace() || l.stated.GetGuardedBy() != ""
}

// onlyDenies is true for a rule that sets a denial and says nothing about who may call.
func (l *level) onlyDenies() bool {
	return l.stated.GetDenial() != nil && !l.broken && !l.drops() && !mentions(l.stated)
}

// mentions is true for a rule with headers, be they optional.
func mentions(stated *grpcauthv1.Rule) bool {
	return len(stated.GetHeaders()) > 0 || len(stated.GetAnyOf()) > 0
}

// requires is true for a rule that refuses a call without any header.
func requires(stated *grpcauthv1.Rule) bool {
	return len(stated.GetAnyOf()) > 0 || slices.ContainsFunc(stated.GetHeaders(),
		func(header *grpcauthv1.Header) bool { return !header.GetOptional() })
}

func isEmpty(stated *grpcauthv1.Rule) bool {
	return !stated.GetPublic() && !stated.GetReplace() && stated.GetGuardedBy() == "" && !mentions(stated) &&
		stated.GetDenial().GetCode() == grpcauthv1.Code_CODE_UNSPECIFIED && stated.GetDenial().GetMessage() == ""
}

func checkDenial(at place, denial *grpcauthv1.Denial) Findings {
	var findings Findings
	if _, known := grpcauthv1.Code_name[int32(denial.GetCode())]; !known {
		findings = append(findings, at.in(denialCode, "code").finding("%d is no gRPC status code", denial.GetCode()))
	}
	if !isPlainText(denial.GetMessage()) {
		findings = append(findings, at.in(denialMessage, "message").finding(
			"must be valid UTF-8 without control or format characters"))
	}
	return findings
}
