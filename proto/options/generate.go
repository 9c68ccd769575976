// Package options is the root of the buf module that holds the option language, grpcauth/v1/options.proto.
package options

//go:generate go run ../../internal/cmd/regenerate -messages-only -I . grpcauth/v1/options.proto
