// Package provider is an OpenID provider on a loopback listener, made with github.com/zitadel/oidc: discovery,
// JSON Web Keys, and tokens for clients that know their secret (the client credentials grant). Its access
// tokens are JWTs. It can rotate its signing key, and go down and come back.
//
// In reading order: provider.go (the listener), server.go (what it answers), keys.go (the signing key).
package provider

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/internal/pki"
)

const headerTimeout = 5 * time.Second

// Client is a registered client of the provider.
type Client struct {
	ID       string
	Secret   string
	Subject  string        // whom its tokens speak for
	Audience string        // whom its tokens are for
	Tenant   int64         // the claim "tenant" of its tokens
	Scopes   []string      // what it may ask for
	Lifetime time.Duration // of its tokens
}

// Provider is an OpenID provider. Make it with Start. Up and Down are not for concurrent use.
type Provider struct {
	address string
	tls     *tls.Config
	answers *answers
	http    *http.Server // nil while the provider is down
}

// Start makes a provider with these clients and brings it up on a free loopback port.
func Start(ctx context.Context, authority *pki.Authority, clients ...Client) (*Provider, error) {
	config, err := authority.Server()
	if err != nil {
		return nil, err
	}
	listener, err := listen(ctx, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Provider{address: listener.Addr().String(), tls: config}
	p.answers = &answers{issuer: p.Issuer(), clients: clients}
	if err := p.Rotate(); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	p.serve(listener)
	return p, nil
}

// Issuer is the URL that names the provider.
func (p *Provider) Issuer() string { return "https://" + p.address }

// Up brings the provider up again, at the address that it had before.
func (p *Provider) Up(ctx context.Context) error {
	listener, err := listen(ctx, p.address)
	if err != nil {
		return err
	}
	p.serve(listener)
	return nil
}

// Down takes the provider down: its port is closed, and so are its connections.
func (p *Provider) Down() error {
	if p.http == nil {
		return nil
	}
	server := p.http
	p.http = nil
	if err := server.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("provider: close: %w", err)
	}
	return nil
}

// Rotate makes a new signing key and withdraws the old one at once, as after a leak: its tokens can no longer
// be verified by anyone who asks for the keys. (In a planned rotation, the old key stays published until the
// last of its tokens has expired.)
func (p *Provider) Rotate() error { return p.answers.key.rotate() }

// Sign signs any claims with the current key, also some that the provider would not issue.
func (p *Provider) Sign(claims any) (string, error) { return p.answers.key.sign(claims) }

func (p *Provider) serve(listener net.Listener) {
	endpoints := op.Endpoints{Token: op.NewEndpoint(tokenPath), JwksURI: op.NewEndpoint(keysPath)}
	p.http = &http.Server{
		Handler:           op.RegisterServer(p.answers, endpoints),
		ReadHeaderTimeout: headerTimeout,
	}
	go p.http.Serve(tls.NewListener(listener, p.tls)) //nolint:errcheck // ends with Down
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("provider: listen: %w", err)
	}
	return listener, nil
}
