package policy

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

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

// level is the rule that one level (file, service or method) states, checked by itself.
type level struct {
	at      place
	stated  *grpcauthv1.Rule // nil where the level states none
	headers []*Header        // those that could be resolved
	broken  bool             // there are findings: the rule counts as one, whatever it says
}

// checkLevel checks the rule that a level states. at is the place of the option.
func checkLevel(at place, stated *grpcauthv1.Rule, err error) (level, Findings) {
	if err != nil {
		undecoded := level{at: at, stated: &grpcauthv1.Rule{}, broken: true}
		return undecoded, Findings{at.finding("%v; does another extension use its number?", err)}
	}
	checked := level{at: at, stated: stated}
	if stated == nil {
		return checked, nil
	}
	headers, findings := checkRule(at, stated)
	checked.headers, checked.broken = headers, len(findings) > 0
	return checked, findings
}

func checkRule(at place, stated *grpcauthv1.Rule) ([]*Header, Findings) {
	if unknown := unknownFields(at, "", stated.ProtoReflect()); len(unknown) > 0 {
		// What this version does not know may change the meaning of all the rest.
		return nil, unknown
	}
	findings := checkCombination(at, stated)
	if len(stated.GetHeaders()) > maxHeaders {
		findings = append(findings, at.sub(ruleHeaders).finding(
			"headers: %d headers; at most %d are allowed in a rule", len(stated.GetHeaders()), maxHeaders))
	}
	var headers []*Header
	seen := map[string]int{}
	for i, header := range stated.GetHeaders() {
		inside, name := at.sub(ruleHeaders, int32(i)), fmt.Sprintf("headers[%d]", i)
		resolved, wrong := checkHeader(inside, name, header)
		findings = append(findings, wrong...)
		if first, twice := seen[header.GetName()]; twice && header.GetName() != "" {
			findings = append(findings, inside.sub(headerName).finding(
				"%s.name: %q is already required by headers[%d]: say all about it in one place",
				name, header.GetName(), first))
			continue
		}
		seen[header.GetName()] = i
		if resolved != nil {
			headers = append(headers, resolved)
		}
	}
	if len(stated.GetAnyOf()) > 0 {
		findings = append(findings, unsupported(at.sub(ruleAnyOf, 0), "", "any_of"))
	}
	findings = append(findings, checkDenial(at.sub(ruleDenial), stated.GetDenial())...)
	return headers, findings
}

// checkCombination checks which words of a rule stand together.
func checkCombination(at place, stated *grpcauthv1.Rule) Findings {
	requires := len(stated.GetAnyOf()) > 0 || slices.ContainsFunc(stated.GetHeaders(),
		func(header *grpcauthv1.Header) bool { return !header.GetOptional() })
	guarded := stated.GetGuardedBy() != ""
	dropping := 0
	for _, word := range []bool{stated.GetPublic(), stated.GetReplace(), guarded} {
		if word {
			dropping++
		}
	}
	var findings Findings
	switch {
	case dropping > 1:
		findings = append(findings, at.finding("public, replace and guarded_by exclude each other: keep one of them"))
	case isEmpty(stated):
		findings = append(findings, at.finding("the rule is empty: say headers, public or guarded_by"))
	case stated.GetReplace() && !requires:
		findings = append(findings, at.sub(ruleReplace).finding(
			"replace: drops what outer levels require, and requires nothing itself: add headers, or say public"))
	case stated.GetPublic() && requires:
		findings = append(findings, at.sub(rulePublic).finding(
			"public: lets anyone call, but headers are required as well: remove one of the two"))
	case guarded && requires:
		findings = append(findings, at.sub(ruleGuardedBy).finding(
			"guarded_by: nothing is checked here, but headers are required as well: remove one of the two"))
	}
	if guarded && !isPlainText(stated.GetGuardedBy()) {
		findings = append(findings, at.sub(ruleGuardedBy).finding(
			"guarded_by: must be valid UTF-8 without control or format characters"))
	}
	return findings
}

func isEmpty(stated *grpcauthv1.Rule) bool {
	return !stated.GetPublic() && !stated.GetReplace() && stated.GetGuardedBy() == "" &&
		len(stated.GetHeaders()) == 0 && len(stated.GetAnyOf()) == 0 &&
		stated.GetDenial().GetCode() == grpcauthv1.Code_CODE_UNSPECIFIED && stated.GetDenial().GetMessage() == ""
}

func checkDenial(at place, denial *grpcauthv1.Denial) Findings {
	var findings Findings
	if _, known := grpcauthv1.Code_name[int32(denial.GetCode())]; !known {
		findings = append(findings, at.sub(denialCode).finding(
			"denial.code: %d is no gRPC status code", denial.GetCode()))
	}
	if !isPlainText(denial.GetMessage()) {
		findings = append(findings, at.sub(denialMessage).finding(
			"denial.message: must be valid UTF-8 without control or format characters"))
	}
	return findings
}

// unknownFields looks for fields that the compiled-in option language does not have, at any depth.
func unknownFields(at place, name string, message protoreflect.Message) Findings {
	var findings Findings
	for _, number := range unknownNumbers(message.GetUnknown()) {
		findings = append(findings, at.finding("%sunknown field %d: the schema's options are newer than this "+
			"protoc-gen-go-grpcauth; update it", prefix(name), number))
	}
	fields := message.Descriptor().Fields()
	for i := range fields.Len() { // in declaration order: Range has none
		field := fields.Get(i)
		if field.Message() == nil || !message.Has(field) {
			continue
		}
		inside, label := at.sub(int32(field.Number())), join(name, string(field.Name()))
		if !field.IsList() {
			findings = append(findings, unknownFields(inside, label, message.Get(field).Message())...)
			continue
		}
		list := message.Get(field).List()
		for j := range list.Len() {
			findings = append(findings, unknownFields(
				inside.sub(int32(j)), fmt.Sprintf("%s[%d]", label, j), list.Get(j).Message())...)
		}
	}
	return findings
}

func join(outer, inner string) string {
	if outer == "" {
		return inner
	}
	return outer + "." + inner
}

func prefix(name string) string {
	if name == "" {
		return ""
	}
	return name + ": "
}
