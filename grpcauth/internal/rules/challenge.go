package rules

import "slices"

// Challenges are the values of the header WWW-Authenticate (RFC 9110, 11.6.1) for a caller who was refused:
// the schemes that the rule takes in the header Authorization, each once, in declaration order. Nothing in
// them comes from a call.
func (e *Evaluator) Challenges() []string {
	var challenges []string
	for _, list := range append([][]header{e.headers}, e.anyOf...) {
		for i := range list {
			scheme := list[i].scheme()
			if scheme == "" || list[i].Header != "authorization" {
				continue
			}
			challenge := scheme + ` realm="` + e.rule.service.Name + `"` // a full name needs no escapes
			if !slices.Contains(challenges, challenge) {
				challenges = append(challenges, challenge)
			}
		}
	}
	return challenges
}
