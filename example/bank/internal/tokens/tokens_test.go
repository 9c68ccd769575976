package tokens_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/internal/pki"
	"github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/internal/provider"
	"github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/internal/tokens"
)

const audience = "bank"

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the provider's library logs its routes
	os.Exit(m.Run())
}

// claims of a right token; a nil value removes one.
func claims(issuer string, changes map[string]any) map[string]any {
	all := map[string]any{
		"iss": issuer, "aud": audience, "sub": "ada", "tenant": 7, "scope": "accounts.read payments.write",
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	maps.Copy(all, changes)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	return all
}

func TestClaimsOfARightToken(t *testing.T) {
	t.Parallel()
	idp, authority := start(t)
	got, err := tokens.New(idp.Issuer(), audience, authority.HTTPClient()).
		Verify(t.Context(), sign(t, idp, claims(idp.Issuer(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	if got.Subject != "ada" || got.Tenant != 7 || !slices.Equal(got.Scopes, []string{"accounts.read", "payments.write"}) {
		t.Errorf("got %+v", got)
	}
	if left := time.Until(got.Expiry); left < 59*time.Minute || left > time.Hour {
		t.Errorf("expires in %v", left)
	}
}

func TestWrongClaimsAreRefused(t *testing.T) {
	t.Parallel()
	idp, authority := start(t)
	verifier := tokens.New(idp.Issuer(), audience, authority.HTTPClient())
	for name, test := range map[string]struct {
		changes map[string]any
		want    string
	}{
		"issuer says another":   {map[string]any{"iss": "https://127.0.0.1:1"}, "issued by a different provider"},
		"issuer with a slash":   {map[string]any{"iss": idp.Issuer() + "/"}, "issued by a different provider"},
		"no issuer":             {map[string]any{"iss": nil}, "issued by a different provider"},
		"wrong audience":        {map[string]any{"aud": "newsletter"}, "expected audience"},
		"no audience":           {map[string]any{"aud": nil}, "expected audience"},
		"expired":               {map[string]any{"exp": time.Now().Add(-time.Second).Unix()}, "token is expired"},
		"never expires":         {map[string]any{"exp": nil}, "token is expired"},
		"not yet valid":         {map[string]any{"nbf": time.Now().Add(10 * time.Minute).Unix()}, "before the nbf"},
		"no subject":            {map[string]any{"sub": nil}, "no subject"},
		"tenant of other type":  {map[string]any{"tenant": "7"}, "the token's claims"},
		"scopes of other shape": {map[string]any{"scope": []string{"accounts.read"}}, "the token's claims"},
	} {
		_, err := verifier.Verify(t.Context(), sign(t, idp, claims(idp.Issuer(), test.changes)))
		refused(t, name, err, test.want)
	}
	// One of several audiences is enough.
	several := claims(idp.Issuer(), map[string]any{"aud": []string{"newsletter", audience}})
	if _, err := verifier.Verify(t.Context(), sign(t, idp, several)); err != nil {
		t.Error(err)
	}
}

func TestWrongSignaturesAreRefused(t *testing.T) {
	t.Parallel()
	idp, authority := start(t)
	foreign, _ := start(t)
	right := claims(idp.Issuer(), nil)
	payload, err := json.Marshal(right)
	if err != nil {
		t.Fatal(err)
	}
	key := publicKey(t, authority.HTTPClient(), idp)
	der, err := x509.MarshalPKIXPublicKey(key.Key)
	if err != nil {
		t.Fatal(err)
	}
	asPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	asJSON, err := key.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	part := base64.RawURLEncoding.EncodeToString
	signed := strings.Split(sign(t, idp, right), ".")
	richer, err := json.Marshal(claims(idp.Issuer(), map[string]any{"scope": "everything"}))
	if err != nil {
		t.Fatal(err)
	}

	verifier := tokens.New(idp.Issuer(), audience, authority.HTTPClient())
	const alg, signature = "unexpected signature algorithm", "failed to verify"
	for name, test := range map[string]struct{ token, want string }{
		"foreign key":            {sign(t, foreign, right), signature},
		"foreign key, known kid": {signWith(t, jose.ES256, foreignKey(t), key.KeyID, payload), signature},
		"none":                   {part([]byte(`{"alg":"none"}`)) + "." + part(payload) + ".", alg},
		"None":                   {part([]byte(`{"alg":"None"}`)) + "." + part(payload) + ".", alg},
		"HS256 with the PEM":     {signWith(t, jose.HS256, asPEM, key.KeyID, payload), alg},
		"HS256 with the DER":     {signWith(t, jose.HS256, der, key.KeyID, payload), alg},
		"HS256 with the JWK":     {signWith(t, jose.HS256, asJSON, key.KeyID, payload), alg},
		"other claims":           {signed[0] + "." + part(richer) + "." + signed[2], signature},
		"no signature":           {signed[0] + "." + signed[1] + ".", signature},
		"two parts":              {signed[0] + "." + signed[1], "malformed"},
		"no token":               {"42", "malformed"},
	} {
		_, err := verifier.Verify(t.Context(), test.token)
		refused(t, name, err, test.want)
	}
	if _, err := verifier.Verify(t.Context(), strings.Join(signed, ".")); err != nil {
		t.Errorf("the right token: %v", err)
	}
}

func TestRotatedKeyIsFetchedAndWithdrawnKeyForgotten(t *testing.T) {
	t.Parallel()
	idp, authority := start(t)
	verifier := tokens.New(idp.Issuer(), audience, authority.HTTPClient())
	old := sign(t, idp, claims(idp.Issuer(), nil))
	if _, err := verifier.Verify(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	if err := idp.Rotate(); err != nil {
		t.Fatal(err)
	}
	if _, err := verifier.Verify(t.Context(), sign(t, idp, claims(idp.Issuer(), nil))); err != nil {
		t.Errorf("under the new key: %v", err)
	}
	_, err := verifier.Verify(t.Context(), old)
	refused(t, "under the withdrawn key", err, "failed to verify")
}

func TestProviderDownAndBack(t *testing.T) {
	t.Parallel()
	idp, authority := start(t)
	known := sign(t, idp, claims(idp.Issuer(), nil))
	early := tokens.New(idp.Issuer(), audience, authority.HTTPClient())
	if _, err := early.Verify(t.Context(), known); err != nil {
		t.Fatal(err)
	}
	if err := idp.Rotate(); err != nil {
		t.Fatal(err)
	}
	unknown := sign(t, idp, claims(idp.Issuer(), nil))
	if err := idp.Down(); err != nil {
		t.Fatal(err)
	}
	late := tokens.New(idp.Issuer(), audience, authority.HTTPClient())
	for range 2 {
		if _, err := early.Verify(t.Context(), known); err != nil {
			t.Errorf("a cached key needs no provider: %v", err)
		}
		if _, err := early.Verify(t.Context(), unknown); !errors.Is(err, tokens.ErrProviderDown) {
			t.Errorf("a key not yet fetched: got %v", err)
		}
		if _, err := late.Verify(t.Context(), unknown); !errors.Is(err, tokens.ErrProviderDown) {
			t.Errorf("not yet discovered: got %v", err)
		}
	}
	if err := idp.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, verifier := range map[string]*tokens.Verifier{"early": early, "late": late} {
		if _, err := verifier.Verify(t.Context(), unknown); err != nil {
			t.Errorf("%s, the provider is back: %v", name, err)
		}
	}
}

// A provider that answers, but not with keys, is down as well, and never a bad token.
func TestProviderThatAnswersNonsenseIsDown(t *testing.T) {
	t.Parallel()
	idp, _ := start(t)
	for name, answer := range map[string]struct {
		discovery, keys http.HandlerFunc
	}{
		"discovery fails":     {fail, nil},
		"discovery is broken": {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{") }, nil},
		"keys fail":           {nil, fail},
		"keys are broken":     {nil, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{") }},
		"keys hang":           {nil, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mux := http.NewServeMux()
			server := httptest.NewTLSServer(mux)
			t.Cleanup(server.Close)
			if answer.discovery == nil {
				answer.discovery = func(w http.ResponseWriter, _ *http.Request) {
					json.NewEncoder(w).Encode(map[string]string{"issuer": server.URL, "jwks_uri": server.URL + "/keys"})
				}
			}
			mux.HandleFunc("/.well-known/openid-configuration", answer.discovery)
			if answer.keys != nil {
				mux.HandleFunc("/keys", answer.keys)
			}
			client := server.Client()
			client.Timeout = 100 * time.Millisecond
			verifier := tokens.New(server.URL, audience, client)
			for range 2 {
				_, err := verifier.Verify(t.Context(), sign(t, idp, claims(server.URL, nil)))
				if !errors.Is(err, tokens.ErrProviderDown) {
					t.Errorf("got %v", err)
				}
			}
		})
	}
}

// Many calls at once share one discovery, each waits no longer than it may, and one that gives up does not
// take the discovery with it.
func TestCallsShareADiscovery(t *testing.T) {
	t.Parallel()
	idp, authority := start(t)
	token := sign(t, idp, claims(idp.Issuer(), nil))
	counting := authority.HTTPClient()
	transport := &gate{next: counting.Transport, open: make(chan struct{})}
	counting.Transport = transport
	verifier := tokens.New(idp.Issuer(), audience, counting)

	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := verifier.Verify(impatient, token); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() {
			if _, err := verifier.Verify(t.Context(), token); err != nil {
				t.Error(err)
			}
		})
	}
	close(transport.open)
	calls.Wait()
	if transport.discoveries != 1 {
		t.Errorf("%d discoveries", transport.discoveries)
	}
}

// gate counts discoveries, and holds them until it is open.
type gate struct {
	next        http.RoundTripper
	open        chan struct{}
	mu          sync.Mutex
	discoveries int
}

func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	<-g.open
	if strings.HasPrefix(r.URL.Path, "/.well-known/") {
		g.mu.Lock()
		g.discoveries++
		g.mu.Unlock()
	}
	return g.next.RoundTrip(r)
}

func refused(t *testing.T, name string, err error, want string) {
	t.Helper()
	if err == nil || errors.Is(err, tokens.ErrProviderDown) || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: got %v, want an error with %q", name, err, want)
	}
}

func start(t *testing.T) (*provider.Provider, *pki.Authority) {
	t.Helper()
	authority, err := pki.New()
	if err != nil {
		t.Fatal(err)
	}
	idp, err := provider.Start(t.Context(), authority)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := idp.Down(); err != nil {
			t.Error(err)
		}
	})
	return idp, authority
}

func sign(t *testing.T, idp *provider.Provider, claims map[string]any) string {
	t.Helper()
	token, err := idp.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func signWith(t *testing.T, algorithm jose.SignatureAlgorithm, key any, keyID string, payload []byte) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: keyID}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func fail(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "maintenance", http.StatusServiceUnavailable)
}

func foreignKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// publicKey is what anyone can fetch.
func publicKey(t *testing.T, client *http.Client, idp *provider.Provider) jose.JSONWebKey {
	t.Helper()
	discovered, err := oidc.NewProvider(oidc.ClientContext(t.Context(), client), idp.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	var endpoints struct {
		Keys string `json:"jwks_uri"`
	}
	if err := discovered.Claims(&endpoints); err != nil {
		t.Fatal(err)
	}
	response, err := client.Get(endpoints.Keys)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(response.Body).Decode(&set); err != nil || len(set.Keys) != 1 || !set.Keys[0].IsPublic() {
		t.Fatalf("got %d keys, %v", len(set.Keys), err)
	}
	return set.Keys[0]
}
