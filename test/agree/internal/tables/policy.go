// Package tables makes of package policy's rules what generated code would state, independently of the
// generator.
package tables

import (
	"fmt"

	"google.golang.org/grpc/codes"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/test/agree/internal/plan"
)

// Plan writes down resolved services. Unruled ones are not among them.
func Plan(services []*policy.Service) []plan.Service {
	var planned []plan.Service
	for _, service := range services {
		name := string(service.Descriptor.FullName())
		made := plan.Service{Name: name, GoName: plan.GoName(string(service.Descriptor.Name()))}
		for _, method := range service.Methods {
			made.Methods = append(made.Methods, planMethod(name, method))
		}
		planned = append(planned, made)
	}
	return planned
}

func planMethod(service string, method *policy.Method) plan.Method {
	access := map[policy.Access]plan.Access{
		policy.Restricted: plan.Restricted, policy.Public: plan.Public, policy.Guarded: plan.Guarded,
	}
	planned := plan.Method{
		Name:          fmt.Sprintf("/%s/%s", service, method.Descriptor.Name()),
		ClientStreams: method.Descriptor.IsStreamingClient(),
		ServerStreams: method.Descriptor.IsStreamingServer(),
		Access:        access[method.Access],
		GuardedBy:     method.GuardedBy,
		Headers:       planHeaders(method.Headers),
		Code:          codes.Code(method.Denial.Code), //nolint:gosec // they share their numbers
		Message:       method.Denial.Message,
	}
	for _, alternative := range method.AnyOf {
		planned.AnyOf = append(planned.AnyOf, planHeaders(alternative.Headers))
	}
	return planned
}

func planHeaders(headers []*policy.Header) []plan.Header {
	types := map[grpcauthv1.Type]plan.Type{
		grpcauthv1.Type_TYPE_STRING: plan.String, grpcauthv1.Type_TYPE_BYTES: plan.Bytes,
		grpcauthv1.Type_TYPE_INT64: plan.Int64, grpcauthv1.Type_TYPE_UINT64: plan.Uint64,
		grpcauthv1.Type_TYPE_BOOL: plan.Bool,
	}
	var planned []plan.Header
	for _, header := range headers {
		planned = append(planned, plan.Header{
			Name: header.Name, Optional: header.Optional, Check: plan.Check(header.Check.String()),
			Type: types[header.Type], Literals: header.Literals, Scheme: header.Scheme, Scopes: header.Scopes,
		})
	}
	return planned
}
