package policy

import (
	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// alternativeHeaders is the number of grpcauth.v1.Alternative's field.
const alternativeHeaders = 1

// checkAnyOf checks the alternatives of a rule. names are those of the rule's own headers: each alternative
// adds its own to these, and not to those of the others.
func checkAnyOf(at place, stated []*grpcauthv1.Alternative, names map[string]string) ([]*Alternative, Findings) {
	var alternatives []*Alternative
	var findings Findings
	for i, alternative := range stated {
		inside := at.item(ruleAnyOf, "any_of", i)
		if len(alternative.GetHeaders()) == 0 {
			findings = append(findings, inside.finding(
				"is empty, so every call would satisfy it: add headers, or remove it"))
		}
		for j, header := range alternative.GetHeaders() {
			if header.GetOptional() {
				element := inside.item(alternativeHeaders, "headers", j)
				findings = append(findings, element.in(headerOptional, "optional").finding(
					"is refused in an alternative, which would apply without the header: remove it, "+
						"or move the header to the rule's headers"))
			}
		}
		headers, _, wrong := checkHeaders(inside, alternativeHeaders, alternative.GetHeaders(), names)
		findings = append(findings, wrong...)
		alternatives = append(alternatives, &Alternative{Headers: headers})
	}
	return alternatives, findings
}
