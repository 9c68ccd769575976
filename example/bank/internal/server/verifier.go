package server

import (
	"context"
	"errors"

	"github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/internal/tokens"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

// Verifier implements bankv1.BankVerifier. A credential that bank.proto begins to ask for is a method missing
// here, and does not compile.
type Verifier struct {
	Tokens        *tokens.Verifier
	PartnerKeys   *grpcauth.SecretSet // of the one partner
	PartnerTenant int64
	Operators     map[string]grpcauth.Secret // passwords by name
}

// VerifyAuthorizationBearer asks go-oidc about a token. What its caller is told is one text, whatever is
// wrong; the reason stays in the server's decisions. A provider that does not answer is no fault of the
// token, and says so with UNAVAILABLE.
func (v *Verifier) VerifyAuthorizationBearer(
	ctx context.Context, _ grpcauth.Call, secret grpcauth.Secret,
) (context.Context, error) {
	token, err := v.Tokens.Verify(ctx, secret.Reveal())
	switch {
	case errors.Is(err, tokens.ErrProviderDown):
		return nil, grpcauth.Unavailable(err)
	case err != nil:
		return nil, err
	}
	ctx = grpcauth.WithPrincipal(ctx, Customer{ID: token.Subject, Tenant: token.Tenant})
	ctx = grpcauth.WithExpiry(ctx, token.Expiry)
	return grpcauth.WithGrantedScopes(ctx, token.Scopes...), nil
}

// VerifyXApiKey compares with the partner's active keys, of which there are two while a key is rotated.
func (v *Verifier) VerifyXApiKey(
	ctx context.Context, call grpcauth.Call, key grpcauth.Secret,
) (context.Context, error) {
	ctx, err := v.PartnerKeys.Verify(ctx, call, key)
	if err != nil {
		return nil, err
	}
	return grpcauth.WithPrincipal(ctx, Partner{Tenant: v.PartnerTenant}), nil
}

// VerifyAuthorizationBasic compares an operator's password in constant time. These passwords are random; those
// that people choose are to be kept as hashes of a slow function such as bcrypt.
func (v *Verifier) VerifyAuthorizationBasic(
	ctx context.Context, _ grpcauth.Call, name string, password grpcauth.Secret,
) (context.Context, error) {
	expected, known := v.Operators[name]
	if right := expected.Equal(password); !right || !known {
		return nil, errors.New("unknown operator or wrong password")
	}
	return grpcauth.WithPrincipal(ctx, Operator{Name: name}), nil
}
