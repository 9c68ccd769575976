package vectors

import (
	"encoding/json"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/runtime/protoimpl"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// statedLevels are the rules of a file, of a service in it, and of the service's method, as a schema states
// them; nil where it states none. The generator's own resolver adds them up.
type statedLevels struct {
	File    *statedRule `json:"file"`
	Service *statedRule `json:"service"`
	Method  *statedRule `json:"method"`
}

// statedRule is a grpcauth.v1.Rule as it stands at one level.
type statedRule struct{ rule *grpcauthv1.Rule }

// UnmarshalJSON reads proto3's JSON form, in which every field must be known.
func (s *statedRule) UnmarshalJSON(data []byte) error {
	s.rule = &grpcauthv1.Rule{}
	return protojson.Unmarshal(data, s.rule)
}

// MarshalJSON is the reverse; protojson's own spacing is random.
func (s *statedRule) MarshalJSON() ([]byte, error) {
	written, err := protojson.Marshal(s.rule)
	if err != nil {
		return nil, err
	}
	var plain any
	if err := json.Unmarshal(written, &plain); err != nil {
		return nil, err
	}
	return json.Marshal(plain)
}

// resolve returns the rule in force for the method, or what is wrong with the levels.
func (l *statedLevels) resolve() (*ruleInForce, policy.Findings, error) {
	file, err := l.schema()
	if err != nil {
		return nil, nil, err
	}
	services, findings := policy.Resolve(file, false)
	switch {
	case len(findings) > 0:
		return nil, findings, nil
	case len(services) != 1:
		return nil, nil, errors.New("no level states a rule")
	}
	return ruleOf(services[0].Methods[0]), nil, nil
}

// schema is a file with one method.
func (l *statedLevels) schema() (protoreflect.FileDescriptor, error) {
	options := [...]proto.Message{
		&descriptorpb.FileOptions{}, &descriptorpb.ServiceOptions{}, &descriptorpb.MethodOptions{},
	}
	extensions := [...]*protoimpl.ExtensionInfo{grpcauthv1.E_File, grpcauthv1.E_Service, grpcauthv1.E_Method}
	for i, stated := range []*statedRule{l.File, l.Service, l.Method} {
		if stated != nil {
			proto.SetExtension(options[i], extensions[i], stated.rule)
		}
	}
	return protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: new("vectors.proto"), Package: new("vectors.v1"), Syntax: new("proto3"),
		Options:     options[0].(*descriptorpb.FileOptions),
		MessageType: []*descriptorpb.DescriptorProto{{Name: new("M")}},
		Service: []*descriptorpb.ServiceDescriptorProto{{
			Name: new("Service"), Options: options[1].(*descriptorpb.ServiceOptions),
			Method: []*descriptorpb.MethodDescriptorProto{{
				Name: new("Method"), InputType: new(".vectors.v1.M"), OutputType: new(".vectors.v1.M"),
				Options: options[2].(*descriptorpb.MethodOptions),
			}},
		}},
	}, protoregistry.GlobalFiles)
}

// ruleOf writes a resolved rule in the form in which the files state those in force.
func ruleOf(method *policy.Method) *ruleInForce {
	rule := &ruleInForce{Public: method.Access == policy.Public, GuardedBy: method.GuardedBy}
	for _, h := range method.Headers {
		rule.Headers = append(rule.Headers, headerOf(h))
	}
	for _, alternative := range method.AnyOf {
		var list []headerInForce
		for _, h := range alternative.Headers {
			list = append(list, headerOf(h))
		}
		rule.AnyOf = append(rule.AnyOf, alternativeInForce{Headers: list})
	}
	rule.Denial.Code, rule.Denial.Message = method.Denial.Code.String(), method.Denial.Message
	return rule
}

func headerOf(resolved *policy.Header) headerInForce {
	h := headerInForce{Name: resolved.Name, Type: resolved.Type.String(), Optional: resolved.Optional}
	switch resolved.Check {
	case policy.Equals:
		h.Equals = resolved.Literals[0]
	case policy.In:
		h.In.Values = resolved.Literals
	case policy.Present:
		h.Present = &struct{}{}
	case policy.Bearer:
		h.Bearer = &bearerCheck{Scopes: resolved.Scopes}
	case policy.Basic:
		h.Basic = &struct{}{}
	case policy.Verify:
		h.Verify = &verifyCheck{Scheme: resolved.Scheme, Scopes: resolved.Scopes}
	}
	return h
}

// resolveLevels adds the rules in force to those that the file states, and keeps what is wrong with the rest.
func (f *File) resolveLevels() error {
	if f.Rules == nil {
		f.Rules = map[string]*ruleInForce{}
	}
	f.findings = map[string]policy.Findings{}
	for name, levels := range f.Levels {
		if f.Rules[name] != nil {
			return fmt.Errorf("rule %q is stated twice", name)
		}
		rule, findings, err := levels.resolve()
		if err != nil {
			return fmt.Errorf("levels %q: %w", name, err)
		}
		if len(findings) > 0 {
			f.findings[name] = findings
		} else {
			f.Rules[name] = rule
		}
	}
	return nil
}

// Findings are what is wrong with the levels of that name: no code is generated for them.
func (f *File) Findings(levels string) policy.Findings { return f.findings[levels] }
