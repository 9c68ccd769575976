package policy

import (
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// Resolve returns the services of a file for which something is declared, with every method's rule, in
// declaration order. With findings, the services are not to be used.
//
// requireAll makes a service without any rule in sight a finding.
func Resolve(file protoreflect.FileDescriptor, requireAll bool) ([]*Service, Findings) {
	at := filePlace(file)
	stated, err := fileRule(file)
	outer, findings := checkLevel(at.sub(fileOptions, int32(grpcauthv1.E_File.TypeDescriptor().Number())), stated, err)
	base := requirement{}.with(outer)

	var resolved []*Service
	restricts := false
	for i := range file.Services().Len() {
		service, serviceRestricts, wrong := resolveService(file.Services().Get(i), base, requireAll)
		findings = append(findings, wrong...)
		restricts = restricts || serviceRestricts
		if service != nil {
			resolved = append(resolved, service)
		}
	}
	if outer.onlyDenies() && !restricts {
		findings = append(findings, outer.at.sub(ruleDenial).finding(
			"denial: no method of this file requires anything, so nobody is refused: "+
				"add headers, or remove the rule"))
	}
	return resolved, findings
}

// resolveService returns nil for a service for which nothing is declared. restricts is true if some
// method requires something.
func resolveService(
	descriptor protoreflect.ServiceDescriptor, outer requirement, requireAll bool,
) (service *Service, restricts bool, findings Findings) {
	at := servicePlace(descriptor)
	stated, err := serviceRule(descriptor)
	own, findings := checkLevel(
		at.sub(serviceOptions, int32(grpcauthv1.E_Service.TypeDescriptor().Number())), stated, err)
	findings = append(findings, outer.repeatedBy(own)...)
	base := outer.with(own)

	service = &Service{Descriptor: descriptor}
	declared := base.access != Undeclared
	var undeclared []protoreflect.MethodDescriptor
	for i := range descriptor.Methods().Len() {
		method, wrong := resolveMethod(descriptor.Methods().Get(i), base)
		findings = append(findings, wrong...)
		switch method.Access {
		case Undeclared:
			undeclared = append(undeclared, method.Descriptor)
		case Restricted:
			declared, restricts = true, true
		case Public, Guarded:
			declared = true
		}
		service.Methods = append(service.Methods, method)
	}
	if own.onlyDenies() && !restricts {
		findings = append(findings, own.at.sub(ruleDenial).finding(
			"denial: no method of this service requires anything, so nobody is refused: "+
				"add headers, or remove the rule"))
	}
	if !declared {
		if requireAll {
			findings = append(findings, at.finding(
				"has no rule, and require_all=true asks for one: add option (grpcauth.v1.service) with headers, "+
					"public or guarded_by"))
		}
		return nil, restricts, findings
	}
	for _, method := range undeclared {
		findings = append(findings, methodPlace(method).finding(
			"has no rule, while other methods of its service have: add option (grpcauth.v1.method) with headers, "+
				"public or guarded_by, or a rule for the whole service"))
	}
	return service, restricts, findings
}

func resolveMethod(descriptor protoreflect.MethodDescriptor, outer requirement) (*Method, Findings) {
	at := methodPlace(descriptor).sub(methodOptions, int32(grpcauthv1.E_Method.TypeDescriptor().Number()))
	stated, err := methodRule(descriptor)
	own, findings := checkLevel(at, stated, err)
	findings = append(findings, outer.repeatedBy(own)...)
	total := outer.with(own)
	if own.onlyDenies() && total.access != Restricted {
		findings = append(findings, at.sub(ruleDenial).finding(
			"denial: nothing is required here, so nobody is refused: add headers, or remove the rule"))
	}
	return &Method{
		Descriptor: descriptor,
		Access:     total.access,
		GuardedBy:  total.guardedBy,
		Headers:    total.headers,
		Denial:     total.denial.orDefault(),
	}, findings
}

// requirement is what a path of levels, from the file inwards, adds up to.
type requirement struct {
	access    Access
	guardedBy string
	headers   []*Header
	denial    Denial // zero fields are unset
}

// with adds the next level. Requirements add up; public, replace and guarded_by drop the outer ones,
// and an outer public or guarded_by gives way to any requirement further in.
func (r requirement) with(own level) requirement {
	stated := own.stated
	if stated == nil {
		return r
	}
	sum := requirement{access: r.access, guardedBy: r.guardedBy, headers: r.headers, denial: r.denial}
	requires := len(stated.GetHeaders()) > 0 || len(stated.GetAnyOf()) > 0
	switch {
	case stated.GetPublic():
		sum.access, sum.guardedBy, sum.headers = Public, "", nil
	case stated.GetGuardedBy() != "":
		sum.access, sum.guardedBy, sum.headers = Guarded, stated.GetGuardedBy(), nil
	case stated.GetReplace():
		sum.access, sum.guardedBy, sum.headers = Restricted, "", own.headers
	case requires:
		sum.access, sum.guardedBy = Restricted, ""
		sum.headers = slices.Concat(r.headers, own.headers)
	}
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

// repeatedBy finds headers that a level requires again on the same path, whatever the checks: two
// requirements for one name would look stricter than the one that is met first.
func (r requirement) repeatedBy(own level) Findings {
	if own.stated.GetPublic() || own.stated.GetReplace() || own.stated.GetGuardedBy() != "" {
		return nil
	}
	var findings Findings
	for _, outer := range r.headers {
		for i, header := range own.stated.GetHeaders() {
			if header.GetName() == outer.Name {
				inside := own.at.sub(ruleHeaders, int32(i), headerName)
				findings = append(findings, inside.finding(
					"headers[%d].name: %q is already required by an outer level: remove it here, or say replace",
					i, header.GetName()))
			}
		}
	}
	return findings
}

// onlyDenies is true for a rule that sets a denial and says nothing about who may call.
func (l level) onlyDenies() bool {
	return l.stated != nil && !l.broken && l.stated.GetDenial() != nil &&
		!l.stated.GetPublic() && !l.stated.GetReplace() && l.stated.GetGuardedBy() == "" &&
		len(l.stated.GetHeaders()) == 0 && len(l.stated.GetAnyOf()) == 0
}

func (d Denial) orDefault() Denial {
	if d.Code == grpcauthv1.Code_CODE_UNSPECIFIED {
		d.Code = grpcauthv1.Code_CODE_UNAUTHENTICATED
	}
	if d.Message == "" {
		d.Message = DefaultMessage
	}
	return d
}
