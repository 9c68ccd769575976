// Package tokens verifies the access tokens of one OpenID provider for one audience, with
// github.com/coreos/go-oidc. It knows nothing of gRPC.
package tokens

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/sync/singleflight"
)

// ErrProviderDown says that a token could not be judged, because the provider did not answer. Every other
// error of Verify is about the token.
var ErrProviderDown = errors.New("the OpenID provider does not answer")

// Token is what a verified token says.
type Token struct {
	Subject string
	Tenant  int64
	Scopes  []string
	Expiry  time.Time
}

// Verifier verifies tokens. It is safe for concurrent use.
type Verifier struct {
	issuer string
	config *oidc.Config
	client *http.Client

	discovery singleflight.Group
	keys      atomic.Pointer[oidc.RemoteKeySet] // nil until the provider has been discovered
}

// New makes a verifier. It asks the provider for nothing yet: a server must be able to start while its
// provider is down. The client should have a timeout.
func New(issuer, audience string, client *http.Client) *Verifier {
	return &Verifier{
		issuer: issuer,
		client: client,
		// The algorithm is this server's decision, and not that of a document or a token.
		config: &oidc.Config{ClientID: audience, SupportedSigningAlgs: []string{oidc.ES256}},
	}
}

// Verify checks signature, issuer, audience and times. Keys are cached: they are fetched when the provider
// is first needed and when a token does not verify with those at hand. So a key that the provider has
// withdrawn counts until then, and with keys at hand a provider may be down unnoticed.
func (v *Verifier) Verify(ctx context.Context, token string) (*Token, error) {
	remote, err := v.discovered(ctx)
	if err != nil {
		return nil, err
	}
	keys := &keySet{remote: remote}
	verified, err := oidc.NewVerifier(v.issuer, keys, v.config).Verify(ctx, token)
	switch {
	case keys.down != nil:
		return nil, keys.down
	case err != nil:
		return nil, err //nolint:wrapcheck // says all there is to say
	case verified.Subject == "":
		return nil, errors.New("the token names no subject")
	}
	var claims struct {
		Scope  string `json:"scope"`
		Tenant int64  `json:"tenant"`
	}
	if err := verified.Claims(&claims); err != nil {
		return nil, fmt.Errorf("the token's claims: %w", err)
	}
	return &Token{
		Subject: verified.Subject,
		Tenant:  claims.Tenant,
		Scopes:  strings.Fields(claims.Scope),
		Expiry:  verified.Expiry,
	}, nil
}

// discovered returns the provider's keys, after discovery if there was none yet. A discovery that fails is
// tried again by the next call. Calls that come meanwhile wait for the same one, each as long as it may.
func (v *Verifier) discovered(ctx context.Context) (*oidc.RemoteKeySet, error) {
	if keys := v.keys.Load(); keys != nil {
		return keys, nil
	}
	done := v.discovery.DoChan("", func() (any, error) { //nolint:contextcheck // not the call's context: see below
		// Others wait for this discovery, too, and the key set keeps the context for good. The client's timeout
		// bounds the wait.
		ctx := oidc.ClientContext(context.Background(), v.client)
		provider, err := oidc.NewProvider(ctx, v.issuer)
		if err != nil {
			return nil, fmt.Errorf("%w: discovery: %w", ErrProviderDown, err)
		}
		var endpoints struct {
			Keys string `json:"jwks_uri"`
		}
		if err := provider.Claims(&endpoints); err != nil {
			return nil, fmt.Errorf("%w: discovery: %w", ErrProviderDown, err)
		}
		v.keys.Store(oidc.NewRemoteKeySet(ctx, endpoints.Keys))
		return nil, nil //nolint:nilnil // the result is in v.keys
	})
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: discovery: %w", ErrProviderDown, ctx.Err())
	case result := <-done:
		return v.keys.Load(), result.Err
	}
}

// keySet is the provider's keys, for one verification. It keeps the error of a provider that is down, which
// oidc.IDTokenVerifier reports in the same words as a bad signature.
type keySet struct {
	remote *oidc.RemoteKeySet
	down   error
}

// VerifySignature tells the two apart by what RemoteKeySet wraps: an error in fetching keys has a cause, a
// signature that no key verifies has none. Tests of this package hold go-oidc to that.
func (k *keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := k.remote.VerifySignature(ctx, token)
	if err != nil && errors.Unwrap(err) != nil {
		k.down = fmt.Errorf("%w: %w", ErrProviderDown, err)
	}
	return payload, err //nolint:wrapcheck // for go-oidc
}
