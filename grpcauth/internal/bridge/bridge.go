// Package bridge lets package authimpl make what package grpcauth keeps closed, so that the constructors
// which only generated code calls stay out of grpcauth's documentation.
package bridge

import "github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"

// NewServerInterceptor makes a *grpcauth.ServerInterceptor. options is a []grpcauth.ServerOption.
// Package grpcauth sets it, once, in its init.
//
//nolint:gochecknoglobals // set once
var NewServerInterceptor func(service *rules.Service, options any, verifiers []rules.Verifier) any

// NewClientInterceptor makes a *grpcauth.ClientInterceptor. options is a []grpcauth.ClientOption.
// Package grpcauth sets it, once, in its init.
//
//nolint:gochecknoglobals // set once
var NewClientInterceptor func(service *rules.Service, options any, suppliers []rules.Supplier) any
