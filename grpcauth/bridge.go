package grpcauth

import (
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/bridge"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// init hands the constructors to package authimpl, which generated code calls, and what checks to other doors.
func init() {
	bridge.NewServerInterceptor = func(service *rules.Service, options any, verifiers []rules.Verifier) any {
		//nolint:forcetypeassert // see package bridge
		return newServerInterceptor(service, options.([]ServerOption), verifiers)
	}
	bridge.NewClientInterceptor = func(service *rules.Service, options any, suppliers []rules.Supplier) any {
		//nolint:forcetypeassert // as above
		return newClientInterceptor(service, options.([]ClientOption), suppliers)
	}
	openDoors()
}
