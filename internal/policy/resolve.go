package policy

import (
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
	refuses := false
	for i := range file.Services().Len() {
		service, serviceRefuses, wrong := resolveService(file.Services().Get(i), base, requireAll)
		findings = append(findings, wrong...)
		refuses = refuses || serviceRefuses
		if service != nil {
			resolved = append(resolved, service)
		}
	}
	if outer.onlyDenies() && !refuses {
		findings = append(findings, outer.at.in(ruleDenial, "denial").finding(
			"no method of this file requires anything, so nobody is refused: "+
				"add headers, or remove the rule"))
	}
	return resolved, findings
}

// resolveService returns nil for a service for which nothing is declared. refuses is true if a call
// of some method can be refused.
func resolveService(
	descriptor protoreflect.ServiceDescriptor, outer requirement, requireAll bool,
) (service *Service, refuses bool, findings Findings) {
	at := servicePlace(descriptor)
	stated, err := serviceRule(descriptor)
	own, findings := checkLevel(
		at.sub(serviceOptions, int32(grpcauthv1.E_Service.TypeDescriptor().Number())), stated, err)
	findings = append(findings, outer.conflicts(own)...)
	base := outer.with(own)

	service = &Service{Descriptor: descriptor}
	declared := base.access != Undeclared
	var undeclared []protoreflect.MethodDescriptor
	for i := range descriptor.Methods().Len() {
		method, wrong := resolveMethod(descriptor.Methods().Get(i), base)
		findings = append(findings, wrong...)
		refuses = refuses || method.Refuses()
		if method.Access == Undeclared {
			undeclared = append(undeclared, method.Descriptor)
		} else {
			declared = true
		}
		service.Methods = append(service.Methods, method)
	}
	findings = append(findings, checkSchemes(service)...)
	if own.onlyDenies() && !refuses {
		findings = append(findings, own.at.in(ruleDenial, "denial").finding(
			"no method of this service requires anything, so nobody is refused: "+
				"add headers, or remove the rule"))
	}
	if !declared {
		if requireAll {
			findings = append(findings, at.finding(
				"has no rule, and require_all=true asks for one: add option (grpcauth.v1.service) with headers, "+
					"public or guarded_by"))
		}
		return nil, refuses, findings
	}
	for _, method := range undeclared {
		findings = append(findings, methodPlace(method).finding(
			"has no rule, while other methods of its service have: add option (grpcauth.v1.method) with headers, "+
				"public or guarded_by, or a rule for the whole service"))
	}
	return service, refuses, findings
}

func resolveMethod(descriptor protoreflect.MethodDescriptor, outer requirement) (*Method, Findings) {
	at := methodPlace(descriptor).sub(methodOptions, int32(grpcauthv1.E_Method.TypeDescriptor().Number()))
	stated, err := methodRule(descriptor)
	own, findings := checkLevel(at, stated, err)
	findings = append(findings, outer.conflicts(own)...)
	total := outer.with(own)
	method := &Method{
		Descriptor: descriptor,
		Access:     total.access,
		GuardedBy:  total.guardedBy,
		Headers:    total.headers,
		AnyOf:      total.anyOf,
		Denial:     total.denial.orDefault(),
	}
	if own.onlyDenies() && !method.Refuses() {
		findings = append(findings, at.in(ruleDenial, "denial").finding(
			"nothing is required here, so nobody is refused: add headers, or remove the rule"))
	}
	return method, findings
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
