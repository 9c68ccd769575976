package provider

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"slices"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

const (
	tokenPath = "oauth/token" //nolint:gosec // a path, not a token
	keysPath  = "keys"
)

// answers is what the provider answers. Requests are parsed and routed by the library; what is not here it
// answers as not implemented.
type answers struct {
	op.UnimplementedServer

	issuer  string
	clients []Client
	key     signingKey
}

// Discovery tells where the endpoints are and which algorithm signs.
func (a *answers) Discovery(context.Context, *op.Request[struct{}]) (*op.Response, error) {
	return op.NewResponse(&oidc.DiscoveryConfiguration{
		Issuer:                            a.issuer,
		TokenEndpoint:                     a.issuer + "/" + tokenPath,
		JwksURI:                           a.issuer + "/" + keysPath,
		GrantTypesSupported:               []oidc.GrantType{oidc.GrantTypeClientCredentials},
		TokenEndpointAuthMethodsSupported: []oidc.AuthMethod{oidc.AuthMethodBasic},
		IDTokenSigningAlgValuesSupported:  []string{string(algorithm)},
		SubjectTypesSupported:             []string{"public"},
	}), nil
}

// Keys publishes the public half of the signing key.
func (a *answers) Keys(context.Context, *op.Request[struct{}]) (*op.Response, error) {
	return op.NewResponse(a.key.published()), nil
}

// VerifyClient finds the client and compares its secret.
func (a *answers) VerifyClient(_ context.Context, r *op.Request[op.ClientCredentials]) (op.Client, error) {
	i := slices.IndexFunc(a.clients, func(c Client) bool { return c.ID == r.Data.ClientID })
	if i < 0 || subtle.ConstantTimeCompare([]byte(a.clients[i].Secret), []byte(r.Data.ClientSecret)) != 1 {
		err := oidc.ErrInvalidClient().WithDescription("unknown client or wrong secret")
		return nil, err //nolint:wrapcheck // for the library
	}
	return verified{registered: a.clients[i]}, nil
}

// ClientCredentialsExchange issues an access token: a JWT for the client's audience, with the scopes that the
// client asked for and may have.
func (a *answers) ClientCredentialsExchange(
	_ context.Context, r *op.ClientRequest[oidc.ClientCredentialsRequest],
) (*op.Response, error) {
	verified, ok := r.Client.(verified)
	if !ok {
		return nil, errors.New("a client that VerifyClient did not return")
	}
	client := verified.registered
	var scopes []string
	for _, scope := range r.Data.Scope {
		if slices.Contains(client.Scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	claims := oidc.NewAccessTokenClaims(a.issuer, client.Subject, []string{client.Audience},
		time.Now().Add(client.Lifetime), rand.Text(), client.ID, 0)
	claims.Scopes = scopes
	claims.Claims = map[string]any{"tenant": client.Tenant}
	token, err := a.key.sign(claims)
	if err != nil {
		return nil, err
	}
	return op.NewResponse(&oidc.AccessTokenResponse{
		AccessToken: token,
		TokenType:   oidc.BearerToken,
		ExpiresIn:   uint64(client.Lifetime / time.Second), //nolint:gosec // lifetimes are not negative
		Scope:       scopes,
	}), nil
}

// verified is a client as the library wants to see it. The embedded interface is nil: it stands for the
// methods that only other grants call.
type verified struct {
	op.Client

	registered Client
}

func (v verified) GetID() string { return v.registered.ID }

func (verified) AuthMethod() oidc.AuthMethod { return oidc.AuthMethodBasic }

func (verified) GrantTypes() []oidc.GrantType {
	return []oidc.GrantType{oidc.GrantTypeClientCredentials}
}
