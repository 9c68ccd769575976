// Package client calls the bank: over TLS, with the generated client interceptor, and with tokens that
// golang.org/x/oauth2 fetches and keeps.
package client

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	bankv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/v1"
)

// Login finds the issuer's token endpoint by discovery and returns a source of access tokens for a client of
// that issuer. The source fetches a token when it is first asked and keeps it until shortly before it expires.
// The web client should have a timeout, because a token source has no context of the call that waits for it.
func Login(
	ctx context.Context, web *http.Client, issuer, id, secret string, scopes ...string,
) (oauth2.TokenSource, error) {
	ctx = oidc.ClientContext(ctx, web) // for discovery, and for oauth2, which looks for it at the same place
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return nil, fmt.Errorf("discover %s: %w", issuer, err)
	}
	config := clientcredentials.Config{
		ClientID:     id,
		ClientSecret: secret,
		TokenURL:     provider.Endpoint().TokenURL,
		Scopes:       scopes,
		AuthStyle:    oauth2.AuthStyleInHeader,
	}
	return config.TokenSource(ctx), nil
}

// Connect returns a connection that supplies these credentials. Each goes with the methods alone that ask
// for it in bank.proto.
func Connect(address string, config *tls.Config, with bankv1.BankCredentials) (*grpc.ClientConn, error) {
	options := append(bankv1.NewBankClientInterceptor(with).DialOptions(),
		grpc.WithTransportCredentials(credentials.NewTLS(config)))
	connection, err := grpc.NewClient(address, options...)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", address, err)
	}
	return connection, nil
}
