package grpcauth

import (
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/bridge"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// init hands the constructors to package authimpl, which generated code calls.
func init() {
	bridge.NewServerInterceptor = func(service *rules.Service, options any) any {
		return newServerInterceptor(service, options.([]ServerOption)) //nolint:forcetypeassert // see package bridge
	}
	bridge.NewClientInterceptor = func(service *rules.Service, options any, suppliers []rules.Supplier) any {
		return newClientInterceptor(service, options.([]ClientOption), suppliers) //nolint:forcetypeassert // as above
	}
}
