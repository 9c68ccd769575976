package policy

import (
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// requirement is what a path of levels, from the file inwards, adds up to.
type requirement struct {
	access    Access
	guardedBy string
	headers   []*Header
	anyOf     []*Alternative
	denial    Denial // zero fields are unset
	broken    bool   // there are findings on the path
}

// with adds the next level. Requirements add up; public, replace and guarded_by drop the outer ones,
// and an outer public or guarded_by gives way to any requirement further in.
func (r requirement) with(own level) requirement {
	stated := own.stated
	if stated == nil {
		return r
	}
	sum := r
	switch {
	case stated.GetPublic():
		sum.access, sum.guardedBy, sum.headers, sum.anyOf = Public, "", own.headers, nil
	case stated.GetGuardedBy() != "":
		sum.access, sum.guardedBy, sum.headers, sum.anyOf = Guarded, stated.GetGuardedBy(), nil, nil
	case stated.GetReplace():
		sum.access, sum.guardedBy, sum.headers, sum.anyOf = Restricted, "", own.headers, own.anyOf
	case mentions(stated):
		sum.access, sum.guardedBy = Restricted, ""
		sum.headers = slices.Concat(r.headers, own.headers)
		sum.anyOf = slices.Concat(r.anyOf, own.anyOf) // at most one of them is there, see conflicts
	}
	sum.broken = own.broken || r.broken && !own.drops()
	if own.broken && sum.access == Undeclared {
		sum.access = Restricted // one finding is enough: this is no forgotten rule
	}
	if code := stated.GetDenial().GetCode(); code != grpcauthv1.Code_CODE_UNSPECIFIED {
		sum.denial.Code = code
	}
	if message := stated.GetDenial().GetMessage(); message != "" {
		sum.denial.Message = message
	}
	return sum
}

// add is with, and says what the level cannot add.
func (r requirement) add(own level) (requirement, Findings) {
	findings := r.conflicts(own)
	sum := r.with(own)
	sum.broken = sum.broken || len(findings) > 0
	return sum, findings
}

// method is what the requirement means for a method.
func (r requirement) method(descriptor protoreflect.MethodDescriptor, levels [levelCount]*level) *Method {
	return &Method{
		Descriptor: descriptor,
		Access:     r.access,
		GuardedBy:  r.guardedBy,
		Headers:    r.headers,
		AnyOf:      r.anyOf,
		Denial:     r.denial.orDefault(),
		Broken:     r.broken,
		levels:     levels,
	}
}

// conflicts finds what a level cannot add to the outer ones.
func (r requirement) conflicts(own level) Findings {
	if own.drops() {
		return nil
	}
	findings := r.repeatedBy(own)
	if len(r.anyOf) > 0 && len(own.stated.GetAnyOf()) > 0 {
		findings = append(findings, own.at.in(ruleAnyOf, "any_of").sub(0).finding(
			"an outer level has any_of as well, and a call would have to satisfy both: "+
				"say replace with all that is needed, or keep one of the two"))
	}
	return findings
}

// repeatedBy finds headers that a level names again on the same path, whatever the checks: two
// requirements for one name would look stricter than the one that is met first.
func (r requirement) repeatedBy(own level) Findings {
	const remedy = ": remove it here, or say replace with all that is needed"
	required, chosen := map[string]bool{}, map[string]bool{}
	for _, header := range r.headers {
		required[header.Name] = true
	}
	for _, alternative := range r.anyOf {
		for _, header := range alternative.Headers {
			chosen[header.Name] = true
		}
	}
	var findings Findings
	for i, header := range own.stated.GetHeaders() {
		inside := own.at.item(ruleHeaders, "headers", i).in(headerName, "name")
		switch name := header.GetName(); {
		case required[name]:
			findings = append(findings, inside.finding("%q is already named by an outer level"+remedy, name))
		case chosen[name]:
			findings = append(findings, inside.finding(
				"%q is already named by an alternative of an outer level"+remedy, name))
		}
	}
	for i, alternative := range own.stated.GetAnyOf() {
		for j, header := range alternative.GetHeaders() {
			// Two alternatives of two levels are no path: any_of at both is an error of its own.
			if required[header.GetName()] {
				inside := own.at.item(ruleAnyOf, "any_of", i).item(alternativeHeaders, "headers", j)
				findings = append(findings, inside.in(headerName, "name").finding(
					"%q is already named by an outer level"+remedy, header.GetName()))
			}
		}
	}
	return findings
}
