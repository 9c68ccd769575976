package rules

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
)

// Rule is a method's rule in the form in which it is checked. It is immutable.
type Rule struct {
	FullMethod string
	Denial     Denial

	service *Service // identifies the values that a check passes on
	headers []header
	keeps   int  // how many values a check passes on
	shadows bool // some method of the service passes values on, which must not outlive their call
}

// header is a Header in the form in which it is checked.
type header struct {
	name     string
	typ      Type     // of the value of a `present` header, else 0
	literals [][]byte // one for `equals`, all for `in`, none for `present`
	kept     bool     // the value is passed on to the handler
}

// Compile returns the rules of a service in the order of its methods. The error names the method whose
// entry could not be enforced; generated code does not cause one.
func Compile(service *Service) ([]*Rule, error) {
	if service.Name == "" || strings.Contains(service.Name, "/") {
		return nil, fmt.Errorf("service name %q is not a full name", service.Name)
	}
	compiled := make([]*Rule, 0, len(service.Methods))
	seen := make(map[string]bool, len(service.Methods))
	shadows := false
	for i := range service.Methods {
		method := &service.Methods[i]
		rule, err := compileMethod(service, method)
		if err != nil {
			return nil, fmt.Errorf("method %q: %w", method.FullMethod, err)
		}
		if seen[rule.FullMethod] {
			return nil, fmt.Errorf("method %q is listed twice", rule.FullMethod)
		}
		seen[rule.FullMethod] = true
		shadows = shadows || rule.keeps > 0
		compiled = append(compiled, rule)
	}
	for _, rule := range compiled {
		rule.shadows = shadows
	}
	return compiled, nil
}

func compileMethod(service *Service, method *Method) (*Rule, error) {
	name, ok := strings.CutPrefix(method.FullMethod, "/"+service.Name+"/")
	if !ok || name == "" || strings.Contains(name, "/") {
		return nil, fmt.Errorf("is no method of service %q", service.Name)
	}
	stated := 0
	for _, set := range []bool{method.Public, method.GuardedBy != "", len(method.Headers) > 0} {
		if set {
			stated++
		}
	}
	if stated != 1 {
		return nil, fmt.Errorf("exactly one of Public, GuardedBy and Headers must be set, not %d", stated)
	}
	if method.Denial.Code == codes.OK && len(method.Headers) > 0 {
		return nil, errors.New("a denial must not have the code OK")
	}
	rule := &Rule{FullMethod: method.FullMethod, Denial: method.Denial, service: service}
	for i := range method.Headers {
		compiled, err := compileHeader(&method.Headers[i])
		if err != nil {
			return nil, fmt.Errorf("header %q: %w", method.Headers[i].Name, err)
		}
		for _, other := range rule.headers {
			if other.name == compiled.name {
				return nil, fmt.Errorf("header %q is required twice", compiled.name)
			}
		}
		if compiled.kept {
			rule.keeps++
		}
		rule.headers = append(rule.headers, compiled)
	}
	return rule, nil
}

func compileHeader(stated *Header) (header, error) {
	if stated.Name == "" || stated.Name != strings.ToLower(stated.Name) {
		return header{}, errors.New("the name must be in lower case")
	}
	compiled := header{name: stated.Name}
	checks := 0
	if stated.Equals != "" {
		checks++
		compiled.literals = [][]byte{[]byte(stated.Equals)}
	}
	if len(stated.In) > 0 {
		checks++
		compiled.kept = true
		for _, literal := range stated.In {
			if literal == "" {
				return header{}, errors.New("a literal must not be empty")
			}
			compiled.literals = append(compiled.literals, []byte(literal))
		}
	}
	if stated.Present != 0 {
		checks++
		if stated.Present > Bytes {
			return header{}, fmt.Errorf("unknown type %d", stated.Present)
		}
		compiled.kept = true
		compiled.typ = stated.Present
	}
	if checks != 1 {
		return header{}, fmt.Errorf("exactly one check must be set, not %d", checks)
	}
	return compiled, nil
}
