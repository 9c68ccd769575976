package recipes_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	recipesv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/recipes/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

// desk answers, and notes who called.
type desk struct {
	recipesv1.UnimplementedDeskServer

	account  Account
	known    bool
	tenantID int64
}

func (d *desk) WithKey(ctx context.Context, _ *recipesv1.WithKeyRequest) (*recipesv1.WithKeyResponse, error) {
	d.note(ctx)
	return &recipesv1.WithKeyResponse{}, nil
}

func (d *desk) WithToken(ctx context.Context, _ *recipesv1.WithTokenRequest) (*recipesv1.WithTokenResponse, error) {
	d.note(ctx)
	return &recipesv1.WithTokenResponse{}, nil
}

func (d *desk) WithPassword(ctx context.Context, _ *recipesv1.WithPasswordRequest) (*recipesv1.WithPasswordResponse, error) {
	d.note(ctx)
	return &recipesv1.WithPasswordResponse{}, nil
}

func (d *desk) WithEither(ctx context.Context, _ *recipesv1.WithEitherRequest) (*recipesv1.WithEitherResponse, error) {
	d.note(ctx)
	return &recipesv1.WithEitherResponse{}, nil
}

func (d *desk) ForTenant(ctx context.Context, _ *recipesv1.ForTenantRequest) (*recipesv1.ForTenantResponse, error) {
	tenantID, ok := recipesv1.DeskXTenantIdFromContext(ctx)
	if !ok {
		return nil, status.Error(codes.Internal, "no tenant")
	}
	d.tenantID = tenantID
	return &recipesv1.ForTenantResponse{}, nil
}

func (d *desk) IfKnown(ctx context.Context, _ *recipesv1.IfKnownRequest) (*recipesv1.IfKnownResponse, error) {
	d.note(ctx)
	return &recipesv1.IfKnownResponse{}, nil
}

func (d *desk) OnBehalf(ctx context.Context, _ *recipesv1.OnBehalfRequest) (*recipesv1.OnBehalfResponse, error) {
	d.note(ctx)
	return &recipesv1.OnBehalfResponse{}, nil
}

func (d *desk) InEnvironment(ctx context.Context, _ *recipesv1.InEnvironmentRequest) (*recipesv1.InEnvironmentResponse, error) {
	d.note(ctx)
	return &recipesv1.InEnvironmentResponse{}, nil
}

func (d *desk) note(ctx context.Context) {
	d.account, d.known = grpcauth.Principal[Account](ctx)
}

// newVerifier knows one of each credential.
func newVerifier() *verifier {
	return &verifier{
		keys:        grpcauth.NewSecretSet(grpcauth.NewSecret("key-of-today"), grpcauth.NewSecret("key-of-tomorrow")),
		environment: grpcauth.NewSecret("staging"),
		passwords:   map[string]grpcauth.Secret{"ada": grpcauth.NewSecret("difference engine")},
		mayActFor:   map[string][]string{"front.example.com": {"ada"}},
		lookUp: func(_ context.Context, token string) (grant, error) {
			switch token {
			case "reader":
				return grant{account: "grace", scopes: []string{"desk.read", "desk.write"}}, nil
			case "visitor":
				return grant{account: "eve"}, nil
			default:
				return grant{}, errors.New("unknown token")
			}
		},
	}
}

// office is a served desk that clients can be made for.
type office struct {
	*desk

	t         *testing.T
	address   string
	authority *authority
}

func open(t *testing.T, options ...grpcauth.ServerOption) *office {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	opened := &office{desk: &desk{}, t: t, address: listener.Addr().String(), authority: newAuthority(t)}
	interceptor := recipesv1.NewDeskServerInterceptor(newVerifier(), options...)
	server := grpc.NewServer(append(interceptor.ServerOptions(), grpc.Creds(credentials.NewTLS(opened.authority.server())))...)
	recipesv1.RegisterDeskServer(server, opened.desk)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return opened
}

// client has the given credentials, and certificates of the given names.
func (o *office) client(c recipesv1.DeskCredentials, certificates ...string) recipesv1.DeskClient {
	o.t.Helper()
	transport := o.authority.client(certificates...)
	connection, err := grpc.NewClient(o.address, append(
		recipesv1.NewDeskClientInterceptor(c).DialOptions(),
		grpc.WithTransportCredentials(credentials.NewTLS(transport)),
	)...)
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { connection.Close() })
	return recipesv1.NewDeskClient(connection)
}

// secret is a source of one secret.
func secret(value string) grpcauth.Source[grpcauth.Secret] {
	return grpcauth.Static(grpcauth.NewSecret(value))
}

func password(user, value string) grpcauth.Source[grpcauth.BasicAuth] {
	return grpcauth.Static(grpcauth.BasicAuth{Username: user, Password: grpcauth.NewSecret(value)})
}

func TestRecipes(t *testing.T) {
	t.Parallel()
	type c = recipesv1.DeskCredentials
	for name, test := range map[string]struct {
		credentials  c
		certificates []string
		call         func(context.Context, recipesv1.DeskClient) error
		code         codes.Code
		account      string
		tenantID     int64
	}{
		"API key":                       {credentials: c{XApiKey: secret("key-of-today")}, call: withKey},
		"API key, the other active one": {credentials: c{XApiKey: secret("key-of-tomorrow")}, call: withKey},
		"API key, an old one":           {credentials: c{XApiKey: secret("key-of-yesterday")}, call: withKey, code: codes.Unauthenticated},
		"token":                         {credentials: c{AuthorizationBearer: secret("reader")}, call: withToken, account: "grace"},
		"token without the scope":       {credentials: c{AuthorizationBearer: secret("visitor")}, call: withToken, code: codes.PermissionDenied},
		"unknown token":                 {credentials: c{AuthorizationBearer: secret("forged")}, call: withToken, code: codes.Unauthenticated},
		"password":                      {credentials: c{AuthorizationBasic: password("ada", "difference engine")}, call: withPassword, account: "ada"},
		"wrong password":                {credentials: c{AuthorizationBasic: password("ada", "analytical engine")}, call: withPassword, code: codes.Unauthenticated},
		"unknown user":                  {credentials: c{AuthorizationBasic: password("eve", "difference engine")}, call: withPassword, code: codes.Unauthenticated},
		"either, by token":              {credentials: c{AuthorizationBearer: secret("visitor")}, call: withEither, account: "eve"},
		"either, by key":                {credentials: c{XApiKey: secret("key-of-today")}, call: withEither},
		"either, by neither":            {call: withEither, code: codes.Unauthenticated},
		"tenant": {
			credentials: c{XApiKey: secret("key-of-today"), XTenantId: grpcauth.Static(int64(7))}, call: forTenant, tenantID: 7,
		},
		"tenant missing":         {credentials: c{XApiKey: secret("key-of-today")}, call: forTenant, code: codes.Unauthenticated},
		"user if known, unknown": {call: ifKnown},
		"user if known, known":   {credentials: c{AuthorizationBearer: secret("visitor")}, call: ifKnown, account: "eve"},
		"user if known, forged":  {credentials: c{AuthorizationBearer: secret("forged")}, call: ifKnown, code: codes.Unauthenticated},
		"certificate": {
			credentials: c{XOnBehalfOf: secret("ada")}, certificates: []string{"front.example.com"}, call: onBehalf, account: "ada",
		},
		"certificate for another": {
			credentials: c{XOnBehalfOf: secret("eve")}, certificates: []string{"front.example.com"}, call: onBehalf, code: codes.Unauthenticated,
		},
		"another certificate": {
			credentials: c{XOnBehalfOf: secret("ada")}, certificates: []string{"back.example.com"}, call: onBehalf, code: codes.Unauthenticated,
		},
		"no certificate":        {credentials: c{XOnBehalfOf: secret("ada")}, call: onBehalf, code: codes.Unauthenticated},
		"environment":           {credentials: c{XEnvironment: secret("staging")}, call: inEnvironment},
		"another environment":   {credentials: c{XEnvironment: secret("production")}, call: inEnvironment, code: codes.FailedPrecondition},
		"no credentials at all": {call: withKey, code: codes.Unauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			office := open(t)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			err := test.call(ctx, office.client(test.credentials, test.certificates...))
			if status.Code(err) != test.code {
				t.Fatalf("got %v, want %v", err, test.code)
			}
			if office.account.Name != test.account || office.known != (test.account != "") || office.tenantID != test.tenantID {
				t.Errorf("the handler sees %+v (%t), tenant %d", office.account, office.known, office.tenantID)
			}
		})
	}
}

func withKey(ctx context.Context, client recipesv1.DeskClient) error {
	_, err := client.WithKey(ctx, &recipesv1.WithKeyRequest{})
	return err
}

func withToken(ctx context.Context, client recipesv1.DeskClient) error {
	_, err := client.WithToken(ctx, &recipesv1.WithTokenRequest{})
	return err
}

func withPassword(ctx context.Context, client recipesv1.DeskClient) error {
	_, err := client.WithPassword(ctx, &recipesv1.WithPasswordRequest{})
	return err
}

func withEither(ctx context.Context, client recipesv1.DeskClient) error {
	_, err := client.WithEither(ctx, &recipesv1.WithEitherRequest{})
	return err
}

func forTenant(ctx context.Context, client recipesv1.DeskClient) error {
	_, err := client.ForTenant(ctx, &recipesv1.ForTenantRequest{})
	return err
}

func ifKnown(ctx context.Context, client recipesv1.DeskClient) error {
	_, err := client.IfKnown(ctx, &recipesv1.IfKnownRequest{})
	return err
}

func onBehalf(ctx context.Context, client recipesv1.DeskClient) error {
	_, err := client.OnBehalf(ctx, &recipesv1.OnBehalfRequest{})
	return err
}

func inEnvironment(ctx context.Context, client recipesv1.DeskClient) error {
	_, err := client.InEnvironment(ctx, &recipesv1.InEnvironmentRequest{})
	return err
}
