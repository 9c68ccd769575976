package provider_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/internal/pki"
	"github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/internal/provider"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the provider's library logs its routes
	os.Exit(m.Run())
}

func TestTokenOfAClient(t *testing.T) {
	t.Parallel()
	idp, web := start(t)
	ctx := oidc.ClientContext(t.Context(), web)
	discovered, err := oidc.NewProvider(ctx, idp.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	login := clientcredentials.Config{
		ClientID: "app", ClientSecret: "right", TokenURL: discovered.Endpoint().TokenURL,
		Scopes: []string{"read", "everything"},
	}
	token, err := login.Token(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(token.Expiry); token.TokenType != "Bearer" || left < 55*time.Second || left > time.Minute {
		t.Errorf("type %q, expires in %v", token.TokenType, left)
	}
	verified, err := discovered.Verifier(&oidc.Config{ClientID: "bank"}).Verify(ctx, token.AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Scope  string `json:"scope"`
		Tenant int64  `json:"tenant"`
	}
	if err := verified.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	if verified.Subject != "ada" || !slices.Equal(verified.Audience, []string{"bank"}) ||
		claims.Scope != "read" || claims.Tenant != 7 {
		t.Errorf("got %+v, %+v", verified, claims)
	}
}

func TestWrongClientsGetNoToken(t *testing.T) {
	t.Parallel()
	idp, web := start(t)
	for name, form := range map[string]url.Values{
		"wrong secret":   {"client_id": {"app"}, "client_secret": {"wrong"}, "grant_type": {"client_credentials"}},
		"no secret":      {"client_id": {"app"}, "grant_type": {"client_credentials"}},
		"unknown client": {"client_id": {"none"}, "client_secret": {"right"}, "grant_type": {"client_credentials"}},
		"another grant":  {"client_id": {"app"}, "client_secret": {"right"}, "grant_type": {"refresh_token"}, "refresh_token": {"x"}},
		"no grant":       {"client_id": {"app"}, "client_secret": {"right"}},
	} {
		response, err := web.PostForm(idp.Issuer()+"/oauth/token", form)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode < 400 || response.StatusCode > 499 {
			t.Errorf("%s: got %s", name, response.Status)
		}
	}
}

func TestDownAndUpAtTheSameAddress(t *testing.T) {
	t.Parallel()
	idp, web := start(t)
	issuer := idp.Issuer()
	ctx := oidc.ClientContext(t.Context(), web)
	for range 3 {
		if _, err := oidc.NewProvider(ctx, issuer); err != nil {
			t.Fatalf("up: %v", err)
		}
		if err := idp.Down(); err != nil {
			t.Fatal(err)
		}
		if _, err := oidc.NewProvider(ctx, issuer); err == nil {
			t.Fatal("answers although it is down")
		}
		if err := idp.Down(); err != nil {
			t.Errorf("down again: %v", err)
		}
		if err := idp.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var mistaken *oauth2.RetrieveError
	_, err := (&clientcredentials.Config{ClientID: "app", ClientSecret: "wrong", TokenURL: issuer + "/oauth/token"}).
		Token(context.WithValue(t.Context(), oauth2.HTTPClient, web))
	if !errors.As(err, &mistaken) || mistaken.ErrorCode != "invalid_client" {
		t.Errorf("got %v", err)
	}
}

func start(t *testing.T) (*provider.Provider, *http.Client) {
	t.Helper()
	authority, err := pki.New()
	if err != nil {
		t.Fatal(err)
	}
	idp, err := provider.Start(t.Context(), authority, provider.Client{
		ID: "app", Secret: "right", Subject: "ada", Audience: "bank", Tenant: 7, Scopes: []string{"read"}, Lifetime: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := idp.Down(); err != nil {
			t.Error(err)
		}
	})
	return idp, authority.HTTPClient()
}
