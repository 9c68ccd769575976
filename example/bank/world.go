package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/internal/pki"
	"github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/internal/provider"
	"github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/internal/server"
	"github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/internal/tokens"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

const (
	audience    = "bank"
	tenant      = int64(7)
	otherTenant = int64(8)
	operator    = "oscar"

	// Accounts.
	ada   = "ada"
	grace = "grace"

	// Apps that Ada uses, as clients of the provider. The tokens of the first are right, those of the others
	// differ in one thing each.
	bankingApp    = "banking-app"
	kiosk         = "kiosk"          // its tokens live for some seconds
	strictKiosk   = "strict-kiosk"   // and this one's for one
	newsletterApp = "newsletter-app" // its tokens are for another audience
	newsletter    = "newsletter"

	readScope = "accounts.read"
	payScope  = "payments.write"

	longLife  = time.Hour
	shortLife = 5 * time.Second
	tinyLife  = time.Second
)

// world is what there is to be called: the bank, the providers, and what their callers must know.
type world struct {
	authority *pki.Authority
	web       *http.Client
	provider  *provider.Provider // the one that the bank trusts
	foreign   *provider.Provider // another, with the same clients
	bank      string             // its address
	decisions decisions

	secret   string // of the provider's clients
	apiKey   grpcauth.Secret
	password grpcauth.Secret

	stops []func()
}

func newWorld(ctx context.Context) (_ *world, err error) {
	w := &world{
		secret:   rand.Text(),
		apiKey:   grpcauth.NewSecret(rand.Text()),
		password: grpcauth.NewSecret(rand.Text()),
	}
	defer func() {
		if err != nil {
			w.stop()
		}
	}()
	if w.authority, err = pki.New(); err != nil {
		return nil, err
	}
	w.web = w.authority.HTTPClient()
	w.stops = append(w.stops, w.web.CloseIdleConnections)
	if w.provider, err = w.startProvider(ctx); err != nil {
		return nil, err
	}
	if w.foreign, err = w.startProvider(ctx); err != nil {
		return nil, err
	}
	w.bank, err = w.startBank(ctx)
	return w, err
}

// stop stops everything, what was started last first.
func (w *world) stop() {
	for len(w.stops) > 0 {
		last := len(w.stops) - 1
		w.stops[last]()
		w.stops = w.stops[:last]
	}
}

func (w *world) startProvider(ctx context.Context) (*provider.Provider, error) {
	app := func(id, audience string, lifetime time.Duration) provider.Client {
		return provider.Client{
			ID: id, Secret: w.secret, Subject: ada, Tenant: tenant,
			Audience: audience, Lifetime: lifetime, Scopes: []string{readScope, payScope},
		}
	}
	started, err := provider.Start(ctx, w.authority,
		app(bankingApp, audience, longLife),
		app(kiosk, audience, shortLife),
		app(strictKiosk, audience, tinyLife),
		app(newsletterApp, newsletter, longLife),
	)
	if err != nil {
		return nil, err
	}
	w.stops = append(w.stops, func() { _ = started.Down() })
	return started, nil
}

// startBank starts a bank that trusts the provider, whether that is up or not.
func (w *world) startBank(ctx context.Context) (address string, err error) {
	config, err := w.authority.Server()
	if err != nil {
		return "", err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	bank := server.New(config, &server.Verifier{
		Tokens:        tokens.New(w.provider.Issuer(), audience, w.web),
		PartnerKeys:   grpcauth.NewSecretSet(w.apiKey),
		PartnerTenant: tenant,
		Operators:     map[string]grpcauth.Secret{operator: w.password},
	}, grpcauth.OnDecision(w.decisions.note))
	go bank.Serve(listener) //nolint:errcheck // a bank that does not serve fails the calls
	w.stops = append(w.stops, bank.Stop)
	return listener.Addr().String(), nil
}
