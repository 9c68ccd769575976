package gateway

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
	recipesv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/recipes/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	deskgw "github.com/grpcauth/protoc-gen-go-grpcauth/test/gateway/deskgw"
	greetergw "github.com/grpcauth/protoc-gen-go-grpcauth/test/gateway/greetergw"
)

// account is the principal.
type account string

var errUnknown = errors.New("unknown credential")

// verifier knows one of each.
type verifier struct{}

func (verifier) VerifyXApiKey(ctx context.Context, _ grpcauth.Call, key grpcauth.Secret) (context.Context, error) {
	if key.Reveal() != "good" {
		return nil, errUnknown
	}
	return ctx, nil
}

func (verifier) VerifyAuthorizationBearer(ctx context.Context, _ grpcauth.Call, token grpcauth.Secret) (context.Context, error) {
	switch token.Reveal() {
	case "reader":
		return grpcauth.WithPrincipal(grpcauth.WithGrantedScopes(ctx, "desk.read"), account("reader")), nil
	case "visitor":
		return grpcauth.WithPrincipal(ctx, account("visitor")), nil
	case "down":
		return nil, grpcauth.Unavailable(errUnknown)
	}
	return nil, errUnknown
}

func (verifier) VerifyAuthorizationBasic(ctx context.Context, _ grpcauth.Call, username string, password grpcauth.Secret) (context.Context, error) {
	if username != "ann" || password.Reveal() != "pw" {
		return nil, errUnknown
	}
	return ctx, nil
}

func (verifier) VerifyXOnBehalfOf(context.Context, grpcauth.Call, grpcauth.Secret) (context.Context, error) {
	return nil, errUnknown
}

func (verifier) VerifyXEnvironment(context.Context, grpcauth.Call, grpcauth.Secret) (context.Context, error) {
	return nil, errUnknown
}

// desk records what its handlers see.
type desk struct {
	recipesv1.UnimplementedDeskServer

	runs   atomic.Int64
	who    account
	tenant int64
	sent   metadata.MD
}

func (d *desk) WithToken(ctx context.Context, _ *recipesv1.WithTokenRequest) (*recipesv1.WithTokenResponse, error) {
	d.enter(ctx)
	return &recipesv1.WithTokenResponse{}, nil
}

func (d *desk) WithPassword(ctx context.Context, _ *recipesv1.WithPasswordRequest) (*recipesv1.WithPasswordResponse, error) {
	d.enter(ctx)
	return &recipesv1.WithPasswordResponse{}, nil
}

func (d *desk) WithEither(ctx context.Context, _ *recipesv1.WithEitherRequest) (*recipesv1.WithEitherResponse, error) {
	d.enter(ctx)
	return &recipesv1.WithEitherResponse{}, nil
}

func (d *desk) ForTenant(ctx context.Context, _ *recipesv1.ForTenantRequest) (*recipesv1.ForTenantResponse, error) {
	d.enter(ctx)
	return &recipesv1.ForTenantResponse{}, nil
}

func (d *desk) IfKnown(ctx context.Context, _ *recipesv1.IfKnownRequest) (*recipesv1.IfKnownResponse, error) {
	d.enter(ctx)
	return &recipesv1.IfKnownResponse{}, nil
}

func (d *desk) WithKey(ctx context.Context, _ *recipesv1.WithKeyRequest) (*recipesv1.WithKeyResponse, error) {
	d.enter(ctx)
	return &recipesv1.WithKeyResponse{}, nil
}

func (d *desk) enter(ctx context.Context) {
	d.runs.Add(1)
	d.who, _ = grpcauth.Principal[account](ctx)
	d.tenant, _ = recipesv1.DeskXTenantIdFromContext(ctx)
	d.sent, _ = metadata.FromIncomingContext(ctx)
}

// dial serves with grpc and returns a connection.
func dial(t *testing.T, register func(*grpc.Server), options ...grpc.ServerOption) *grpc.ClientConn {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(options...)
	register(server)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return connection
}

// front serves a gateway.
func front(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// modes are the ways to put a gateway before the desk.
var modes = map[string]func(t *testing.T, d *desk, matcher runtime.HeaderMatcherFunc) string{
	"dialled": func(t *testing.T, d *desk, matcher runtime.HeaderMatcherFunc) string {
		t.Helper()
		interceptor := recipesv1.NewDeskServerInterceptor(verifier{})
		connection := dial(t, func(s *grpc.Server) { recipesv1.RegisterDeskServer(s, d) }, interceptor.ServerOptions()...)
		mux := runtime.NewServeMux(runtime.WithIncomingHeaderMatcher(matcher), runtime.WithErrorHandler(challengingErrors(interceptor)))
		if err := deskgw.RegisterDeskHandler(t.Context(), mux, connection); err != nil {
			t.Fatal(err)
		}
		return front(t, mux)
	},
	"in process": func(t *testing.T, d *desk, matcher runtime.HeaderMatcherFunc) string {
		t.Helper()
		interceptor := recipesv1.NewDeskServerInterceptor(verifier{})
		mux := runtime.NewServeMux(runtime.WithIncomingHeaderMatcher(matcher), runtime.WithErrorHandler(challengingErrors(interceptor)))
		if err := deskgw.RegisterDeskHandlerServer(t.Context(), mux, &guardedDesk{interceptor: interceptor, desk: d}); err != nil {
			t.Fatal(err)
		}
		return front(t, mux)
	},
}

// post makes a call as a browser or curl does, with lines "Name: value".
func post(t *testing.T, url string, lines ...string) (status int, challenges []string, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		request.Header.Add(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header.Values("WWW-Authenticate"), string(read)
}

const (
	bearer = `Bearer realm="recipes.v1.Desk"`
	basic  = `Basic realm="recipes.v1.Desk"`
)

func basicOf(text string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(text))
}

// A table of HTTP calls, the same for both modes.
func TestHTTPCalls(t *testing.T) {
	for mode, serve := range modes {
		d := &desk{}
		url := serve(t, d, passHeaders)
		for _, c := range []struct {
			name       string
			method     string
			lines      []string
			status     int
			challenges []string
		}{
			{"no token", "WithToken", nil, 401, []string{bearer}},
			{"an unknown token", "WithToken", []string{"Authorization: Bearer eve"}, 401, []string{bearer}},
			{"a token", "WithToken", []string{"Authorization: Bearer reader"}, 200, nil},
			{"its scheme in lower case", "WithToken", []string{"authorization: bearer reader"}, 200, nil},
			{"a token twice", "WithToken", []string{"Authorization: Bearer reader", "Authorization: Bearer reader"}, 401, []string{bearer}},
			{"a good and a bad token", "WithToken", []string{"Authorization: Bearer reader", "Authorization: Bearer eve"}, 401, []string{bearer}},
			{"two tokens in a value", "WithToken", []string{"Authorization: Bearer reader,Bearer reader"}, 401, []string{bearer}},
			{"another scheme", "WithToken", []string{basicOf("ann:pw")}, 401, []string{bearer}},
			{"a token without the scope", "WithToken", []string{"Authorization: Bearer visitor"}, 403, nil},
			{"a verifier that is down", "WithToken", []string{"Authorization: Bearer down"}, 503, nil},
			{"a token where the gateway looks for metadata", "WithToken", []string{"Grpc-Metadata-Authorization: Bearer reader"}, 401, []string{bearer}},
			{"a token under the gateway's prefix", "WithToken", []string{"Grpcgateway-Authorization: Bearer reader"}, 401, []string{bearer}},
			{"a token in a cookie", "WithToken", []string{"Cookie: authorization=Bearer reader"}, 401, []string{bearer}},
			{"a token in the query", "WithToken?authorization=Bearer%20reader", nil, 401, []string{bearer}},
			{"no password", "WithPassword", nil, 401, []string{basic}},
			{"a wrong password", "WithPassword", []string{basicOf("ann:no")}, 401, []string{basic}},
			{"a password", "WithPassword", []string{basicOf("ann:pw")}, 200, nil},
			{"neither", "WithEither", nil, 401, []string{bearer}},
			{"a key", "WithEither", []string{"X-Api-Key: good"}, 200, nil},
			{"a wrong key", "WithEither", []string{"X-Api-Key: bad"}, 401, []string{bearer}},
			{"a key twice", "WithEither", []string{"X-Api-Key: good", "X-API-KEY: good"}, 401, []string{bearer}},
			{"a key in another spelling", "WithEither", []string{"X_Api_Key: good"}, 401, []string{bearer}},
			{"no tenant", "ForTenant", []string{"X-Api-Key: good"}, 401, nil},
			{"a tenant that is no number", "ForTenant", []string{"X-Api-Key: good", "X-Tenant-Id: one"}, 401, nil},
			{"a tenant", "ForTenant", []string{"X-Api-Key: good", "X-Tenant-Id: -7"}, 200, nil},
			{"nobody known", "IfKnown", nil, 200, nil},
			{"somebody known", "IfKnown", []string{"Authorization: Bearer visitor"}, 200, nil},
			{"somebody unknown", "IfKnown", []string{"Authorization: Bearer eve"}, 401, []string{bearer}},
		} {
			t.Run(mode+"/"+c.name, func(t *testing.T) {
				d.runs.Store(0)
				status, challenges, body := post(t, url+"/recipes.v1.Desk/"+c.method, c.lines...)
				ran := d.runs.Load() > 0
				if status != c.status || !slices.Equal(challenges, c.challenges) || ran != (status == 200) {
					t.Errorf("got %d with %q and %s, ran %v; want %d with %q", status, challenges, body, ran, c.status, c.challenges)
				}
				if strings.Contains(body, errUnknown.Error()) {
					t.Errorf("the verifier's text left the server: %s", body)
				}
			})
		}
		if status, _, _ := post(t, url+"/recipes.v1.Desk/WithToken", "Authorization: Bearer reader"); status != 200 || d.who != "reader" {
			t.Errorf("%s: got %d, and the handler found principal %q", mode, status, d.who)
		}
		if status, _, _ := post(t, url+"/recipes.v1.Desk/ForTenant", "X-Api-Key: good", "X-Tenant-Id: -7"); status != 200 || d.tenant != -7 {
			t.Errorf("%s: got %d, and the handler found tenant %d", mode, status, d.tenant)
		}
	}
}

// A method that the wrapper of the in-process mode forgot is closed, whatever is sent. (The desk has one for WithKey.)
func TestForgottenMethodsAreClosed(t *testing.T) {
	d := &desk{}
	url := modes["in process"](t, d, passHeaders)
	status, _, _ := post(t, url+"/recipes.v1.Desk/WithKey", "X-Api-Key: good")
	if status != http.StatusNotImplemented || d.runs.Load() > 0 {
		t.Errorf("got %d, ran %d times", status, d.runs.Load())
	}
}

// What the in-process mode is like without the wrapper: interceptors do not run, and everything is open.
func TestInProcessRegistrationBypassesInterceptors(t *testing.T) {
	d := &desk{}
	mux := runtime.NewServeMux()
	if err := deskgw.RegisterDeskHandlerServer(t.Context(), mux, d); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := post(t, front(t, mux)+"/recipes.v1.Desk/WithToken"); status != 200 {
		t.Errorf("got %d: docs/transports.md says otherwise", status)
	}
}

// Which HTTP headers the gateway hands on as metadata, without and with a matcher.
func TestHeadersThatArriveAsMetadata(t *testing.T) {
	named := func(name string) (string, bool) {
		if strings.EqualFold(name, "Authorization") {
			return "authorization", true
		}
		return passHeaders(name)
	}
	lines := []string{
		"Authorization: Bearer reader", "X-Api-Key: good", "Accept-Language: de", "Grpc-Metadata-X-Tenant-Id: 7", "X-Other: a",
		"X-Data-Bin: AQI=",
	}
	for name, c := range map[string]struct {
		matcher runtime.HeaderMatcherFunc
		want    map[string][]string
	}{
		"the default": {runtime.DefaultHeaderMatcher, map[string][]string{
			"authorization": {"Bearer reader"}, "grpcgateway-authorization": {"Bearer reader"}, "x-api-key": nil,
			"grpcgateway-accept-language": {"de"}, "x-tenant-id": nil, "x-other": nil, "x-data-bin": nil,
		}},
		"the default of earlier versions": {runtime.LegacyHeaderMatcher, map[string][]string{
			"authorization": {"Bearer reader"}, "x-api-key": nil, "x-tenant-id": {"7"}, "x-other": nil,
		}},
		"passHeaders": {passHeaders, map[string][]string{
			"authorization": {"Bearer reader"}, "grpcgateway-authorization": nil, "x-api-key": {"good"},
			"grpcgateway-accept-language": nil, "x-tenant-id": nil, "x-other": nil, "x-data-bin": nil,
		}},
	} {
		for mode, serve := range modes {
			d := &desk{}
			url := serve(t, d, c.matcher)
			if status, _, body := post(t, url+"/recipes.v1.Desk/IfKnown", lines...); status != 200 {
				t.Fatalf("%s, %s: got %d %s", name, mode, status, body)
			}
			for key, want := range c.want {
				if got := d.sent.Get(key); !slices.Equal(got, want) {
					t.Errorf("%s, %s: %s: got %q, want %q", name, mode, key, got, want)
				}
			}
		}
	}
	for mode, serve := range modes {
		url := serve(t, &desk{}, named)
		if status, _, _ := post(t, url+"/recipes.v1.Desk/WithToken", lines[0]); status != 401 {
			t.Errorf("%s: a matcher that names Authorization doubles it, but got %d", mode, status)
		}
		url = serve(t, &desk{}, runtime.LegacyHeaderMatcher)
		if status, _, _ := post(t, url+"/recipes.v1.Desk/WithToken", lines[0], "Grpc-Metadata-Authorization: Bearer eve"); status != 401 {
			t.Errorf("%s: a second token under another name was not noticed: got %d", mode, status)
		}
		if status, _, _ := post(t, url+"/recipes.v1.Desk/WithToken", "Grpc-Metadata-Authorization: Bearer reader"); status != 200 {
			t.Errorf("%s: got %d: docs/transports.md says that the old default takes this name", mode, status)
		}
		if status, _, _ := post(t, url+"/recipes.v1.Desk/WithToken", lines[0], "Authorization: Bearer é"); status != 200 {
			t.Errorf("%s: got %d: docs/transports.md says that the gateway drops such a value", mode, status)
		}
	}
}

// How a gateway of its own, which knows nothing of the rules but the scheme, says how to authenticate: also for
// streams, which do not reach the error handler. Without, WWW-Authenticate holds the status's text.
func TestChallengesOfAGatewayOfItsOwn(t *testing.T) {
	connection := dial(t, func(s *grpc.Server) {
		greeterv1.RegisterGreeterServer(greeterv1.NewGreeterServerInterceptor().Guard(s), greeterv1.UnimplementedGreeterServer{})
	})
	mux := runtime.NewServeMux()
	if err := greetergw.RegisterGreeterHandler(t.Context(), mux, connection); err != nil {
		t.Fatal(err)
	}
	const own = `Bearer realm="example"`
	for _, c := range []struct {
		handler       http.Handler
		unary, stream []string
	}{
		{mux, []string{"Access denied!"}, nil},
		{challenging(mux, own), []string{own}, []string{own}},
	} {
		url := front(t, c.handler)
		for method, want := range map[string][]string{"SayHello": c.unary, "GreetTogether": c.unary, "RepeatHello": c.stream} {
			status, challenges, body := post(t, url+"/greeter.v1.Greeter/"+method)
			if status != 401 || !slices.Equal(challenges, want) || !strings.Contains(body, "Access denied!") {
				t.Errorf("%s: got %d with %q and %s, want %q", method, status, challenges, body, want)
			}
		}
		if status, challenges, _ := post(t, url+"/greeter.v1.Greeter/SayHello", "Authorization: 42"); status != 501 || challenges != nil {
			t.Errorf("with the header: got %d with %q", status, challenges)
		}
	}
}
