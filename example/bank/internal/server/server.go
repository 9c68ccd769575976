// Package server is the bank.
//
// In reading order: server.go (how it is put together), verifier.go (who is calling), callers.go (what
// handlers know about who is calling), service.go and ledger.go (the business).
package server

import (
	"crypto/tls"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	bankv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

// New makes a bank that enforces the rules of bank.proto. Guard binds them to the handlers: what is refused
// is refused before its message is received and decoded.
func New(config *tls.Config, verifier *Verifier, options ...grpcauth.ServerOption) *grpc.Server {
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(config)))
	interceptor := bankv1.NewBankServerInterceptor(verifier, options...)
	bankv1.RegisterBankServer(interceptor.Guard(server), &service{ledger: newLedger()})
	return server
}
