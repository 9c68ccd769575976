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
	read := Read(file)
	findings := read.Findings
	var declared []*Service
	for _, service := range read.Services {
		switch {
		case service.Declared:
			declared = append(declared, service)
		case requireAll:
			findings = append(findings, FindingAt(service.Descriptor,
				"has no rule, and require_all=true asks for one: add option (grpcauth.v1.service) with headers, "+
					"public or guarded_by"))
		}
	}
	return declared, findings
}

// Read resolves all that a file says, right or wrong.
func Read(file protoreflect.FileDescriptor) *File {
	at := filePlace(file)
	stated, err := fileRule(file)
	outer, findings := checkLevel(at.sub(fileOptions, int32(grpcauthv1.E_File.TypeDescriptor().Number())), stated, err)
	base := requirement{}.with(outer)

	read := &File{rule: &outer}
	refuses := false
	for i := range file.Services().Len() {
		service, serviceRefuses, wrong := resolveService(file.Services().Get(i), &outer, base)
		findings = append(findings, wrong...)
		refuses = refuses || serviceRefuses
		read.Services = append(read.Services, service)
	}
	if outer.onlyDenies() && !refuses {
		findings = append(findings, outer.at.in(ruleDenial, "denial").finding(
			"no method of this file requires anything, so nobody is refused: "+
				"add headers, or remove the rule"))
	}
	read.Findings = findings
	return read
}

// resolveService adds a service's rule to what its file's adds up to. refuses is true if a call of some
// method can be refused.
func resolveService(
	descriptor protoreflect.ServiceDescriptor, ofFile *level, outer requirement,
) (service *Service, refuses bool, findings Findings) {
	at := servicePlace(descriptor)
	stated, err := serviceRule(descriptor)
	own, findings := checkLevel(
		at.sub(serviceOptions, int32(grpcauthv1.E_Service.TypeDescriptor().Number())), stated, err)
	base, wrong := outer.add(own)
	findings = append(findings, wrong...)

	service = &Service{Descriptor: descriptor, Declared: base.access != Undeclared, rule: &own}
	var undeclared []protoreflect.MethodDescriptor
	for i := range descriptor.Methods().Len() {
		method, wrong := resolveMethod(descriptor.Methods().Get(i), ofFile, &own, base)
		findings = append(findings, wrong...)
		refuses = refuses || method.Refuses()
		if method.Access == Undeclared {
			undeclared = append(undeclared, method.Descriptor)
		} else {
			service.Declared = true
		}
		service.Methods = append(service.Methods, method)
	}
	findings = append(findings, checkSchemes(service)...)
	if own.onlyDenies() && !refuses {
		findings = append(findings, own.at.in(ruleDenial, "denial").finding(
			"no method of this service requires anything, so nobody is refused: "+
				"add headers, or remove the rule"))
	}
	if !service.Declared {
		return service, refuses, findings
	}
	for _, method := range undeclared {
		findings = append(findings, methodPlace(method).finding(
			"has no rule, while other methods of its service have: add option (grpcauth.v1.method) with headers, "+
				"public or guarded_by, or a rule for the whole service"))
	}
	return service, refuses, findings
}

func resolveMethod(
	descriptor protoreflect.MethodDescriptor, ofFile, ofService *level, outer requirement,
) (*Method, Findings) {
	at := methodPlace(descriptor).sub(methodOptions, int32(grpcauthv1.E_Method.TypeDescriptor().Number()))
	stated, err := methodRule(descriptor)
	own, findings := checkLevel(at, stated, err)
	total, wrong := outer.add(own)
	findings = append(findings, wrong...)
	method := total.method(descriptor, [levelCount]*level{ofFile, ofService, &own})
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
