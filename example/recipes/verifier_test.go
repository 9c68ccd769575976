package recipes_test

import (
	"context"
	"errors"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	recipesv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/recipes/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

// Account is who calls, as handlers see it.
type Account struct{ Name string }

// verifier is the application's part of the server's check.
type verifier struct {
	keys        *grpcauth.SecretSet                                    // active API keys
	environment grpcauth.Secret                                        // this server's
	passwords   map[string]grpcauth.Secret                             // by user name
	mayActFor   map[string][]string                                    // accounts, by the certificate's name
	lookUp      func(ctx context.Context, token string) (grant, error) // who a token is of
}

// grant is what a token stands for.
type grant struct {
	account string
	scopes  []string
}

var (
	_ recipesv1.DeskVerifier = (*verifier)(nil)

	errWrongPassword = errors.New("unknown user or wrong password")
	errNoCertificate = errors.New("no verified client certificate")
	errMayNot        = errors.New("the certificate may not act for this account")
	errElsewhere     = errors.New("a client of another environment")
)

func (v *verifier) VerifyXApiKey(
	ctx context.Context, call grpcauth.Call, key grpcauth.Secret,
) (context.Context, error) {
	return v.keys.Verify(ctx, call, key)
}

func (v *verifier) VerifyAuthorizationBearer(
	ctx context.Context, _ grpcauth.Call, token grpcauth.Secret,
) (context.Context, error) {
	granted, err := v.lookUp(ctx, token.Reveal())
	if err != nil {
		return nil, err
	}
	ctx = grpcauth.WithGrantedScopes(ctx, granted.scopes...)
	return grpcauth.WithPrincipal(ctx, Account{Name: granted.account}), nil
}

func (v *verifier) VerifyAuthorizationBasic(
	ctx context.Context, _ grpcauth.Call, username string, password grpcauth.Secret,
) (context.Context, error) {
	expected, known := v.passwords[username]
	if !expected.Equal(password) || !known {
		return nil, errWrongPassword
	}
	return grpcauth.WithPrincipal(ctx, Account{Name: username}), nil
}

func (v *verifier) VerifyXOnBehalfOf(
	ctx context.Context, _ grpcauth.Call, account grpcauth.Secret,
) (context.Context, error) {
	caller, _ := peer.FromContext(ctx)
	info, ok := caller.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.VerifiedChains) == 0 {
		return nil, errNoCertificate
	}
	certificate := info.State.VerifiedChains[0][0]
	for _, allowed := range v.mayActFor[certificate.Subject.CommonName] {
		if allowed == account.Reveal() {
			return grpcauth.WithPrincipal(ctx, Account{Name: allowed}), nil
		}
	}
	return nil, errMayNot
}

func (v *verifier) VerifyXEnvironment(
	ctx context.Context, _ grpcauth.Call, environment grpcauth.Secret,
) (context.Context, error) {
	if !environment.Equal(v.environment) {
		return nil, errElsewhere
	}
	return ctx, nil
}
