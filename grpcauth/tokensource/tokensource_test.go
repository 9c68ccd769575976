package tokensource_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/tokensource"
)

// canary stands for a token or a client secret. It is made of letters so that no rule of a text refuses it.
const canary = "canaryinthecoalmine"

// source is a token source made of a function.
type source func() (*oauth2.Token, error)

func (s source) Token() (*oauth2.Token, error) { return s() }

func returns(token *oauth2.Token) oauth2.TokenSource {
	return source(func() (*oauth2.Token, error) { return token, nil })
}

func fails(err error) oauth2.TokenSource {
	return source(func() (*oauth2.Token, error) { return nil, err })
}

// endpoint is a token endpoint that always gives this answer, as the token source that asks it.
func endpoint(t *testing.T, answer http.HandlerFunc) oauth2.TokenSource {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return asking(t, server.URL)
}

func asking(t *testing.T, tokenURL string) oauth2.TokenSource {
	t.Helper()
	config := clientcredentials.Config{
		ClientID: "client", ClientSecret: canary, TokenURL: tokenURL, AuthStyle: oauth2.AuthStyleInParams,
	}
	return config.TokenSource(t.Context())
}

func answers(code int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

// closedPort is an address that refuses connections: that of TCPMUX (RFC 1078), which nothing listens on. A port
// that was free a moment ago could be another test's by now.
const closedPort = "http://127.0.0.1:1"

func TestTokens(t *testing.T) {
	t.Parallel()
	for _, token := range []*oauth2.Token{
		{AccessToken: "abc"},
		{AccessToken: "abc", TokenType: "Bearer"},
		{AccessToken: "abc", TokenType: "bearer"},
		{AccessToken: "abc", TokenType: "BEARER", Expiry: time.Now().Add(time.Hour)},
		{AccessToken: "abc", Expiry: time.Now().Add(5 * time.Second)}, // not Valid, and still good
	} {
		secret, err := tokensource.New(returns(token))(t.Context(), grpcauth.Call{})
		if err != nil || secret.Reveal() != "abc" {
			t.Errorf("type %q, expiry %v: got %q, %v", token.TokenType, token.Expiry, secret.Reveal(), err)
		}
	}
	for _, test := range []struct {
		token *oauth2.Token
		want  string
	}{
		{nil, "the token source returned no token"},
		{&oauth2.Token{RefreshToken: canary}, "the token source returned an empty access token"},
		{
			&oauth2.Token{AccessToken: canary, Expiry: time.Now().Add(-time.Millisecond)},
			"the token source returned an expired token",
		},
		{
			&oauth2.Token{AccessToken: canary, TokenType: "DPoP"},
			"the token source returned a token whose type is not Bearer",
		},
		{
			&oauth2.Token{AccessToken: canary, TokenType: canary},
			"the token source returned a token whose type is not Bearer",
		},
	} {
		secret, err := tokensource.New(returns(test.token))(t.Context(), grpcauth.Call{})
		if err == nil || err.Error() != test.want || status.Code(err) != codes.Unauthenticated {
			t.Errorf("got %v, want %s", err, test.want)
		}
		if secret.Reveal() != "" {
			t.Errorf("%s: a token came with the error", test.want)
		}
	}
}

func TestT8_NilTokenSource(t *testing.T) {
	t.Parallel()
	defer func() {
		if got := recover(); got != "tokensource: New needs a token source, not nil" {
			t.Errorf("got %v", got)
		}
	}()
	tokensource.New(nil)
}

// failures are token sources that fail, with the error that is expected of them.
func failures(t *testing.T) []struct {
	name   string
	source oauth2.TokenSource
	code   codes.Code
	text   string
} {
	t.Helper()
	const jsonType, formType = "application/json", "application/x-www-form-urlencoded"
	ended, end := context.WithCancel(t.Context())
	end()
	hostile := &http.Response{StatusCode: http.StatusForbidden, Status: "403 " + canary}
	return []struct {
		name   string
		source oauth2.TokenSource
		code   codes.Code
		text   string
	}{
		{
			"refused with a registered code",
			endpoint(t, answers(401, jsonType, `{"error":"invalid_client","error_description":"`+canary+`","error_uri":"`+canary+`"}`)),
			codes.Unauthenticated, "the token endpoint refused, HTTP status 401 Unauthorized, error invalid_client",
		},
		{
			"refused with a code of its own",
			endpoint(t, answers(400, jsonType, `{"error":"`+canary+`"}`)),
			codes.Unauthenticated, "the token endpoint refused, HTTP status 400 Bad Request",
		},
		{
			"refused without a code",
			endpoint(t, answers(403, "text/html", "<p>"+canary)),
			codes.Unauthenticated, "the token endpoint refused, HTTP status 403 Forbidden",
		},
		{
			"refused with status 200",
			endpoint(t, answers(200, formType, "error=invalid_grant&error_description="+canary)),
			codes.Unauthenticated, "the token endpoint refused, HTTP status 200 OK, error invalid_grant",
		},
		{
			"500", endpoint(t, answers(500, jsonType, `{"detail":"`+canary+`"}`)),
			codes.Unavailable, "the token endpoint refused, HTTP status 500 Internal Server Error",
		},
		{
			"503 with a code", endpoint(t, answers(503, jsonType, `{"error":"server_error"}`)),
			codes.Unavailable, "the token endpoint refused, HTTP status 503 Service Unavailable, error server_error",
		},
		{
			"429", endpoint(t, answers(429, jsonType, `{"error":"slow_down"}`)),
			codes.Unavailable, "the token endpoint refused, HTTP status 429 Too Many Requests, error slow_down",
		},
		{
			"temporarily unavailable", endpoint(t, answers(400, jsonType, `{"error":"temporarily_unavailable"}`)),
			codes.Unavailable, "the token endpoint refused, HTTP status 400 Bad Request, error temporarily_unavailable",
		},
		{
			"status in the endpoint's words", fails(&oauth2.RetrieveError{Response: hostile, Body: []byte(canary)}),
			codes.Unauthenticated, "the token endpoint refused, HTTP status 403 Forbidden",
		},
		{
			"wrapped, without a response", fails(fmt.Errorf("%s: %w", canary, &oauth2.RetrieveError{ErrorCode: "invalid_scope"})),
			codes.Unauthenticated, "the token endpoint refused, error invalid_scope",
		},
		{
			"nobody listens", asking(t, closedPort+"/?key="+canary),
			codes.Unavailable, "the token endpoint cannot be reached: connection refused",
		},
		{
			"no such host", fails(&url.Error{Op: "Post", URL: canary, Err: &net.OpError{Op: "dial", Err: &net.DNSError{Name: canary}}}),
			codes.Unavailable, "the token endpoint cannot be reached: its host name does not resolve",
		},
		{
			"connection lost", fails(&net.OpError{Op: "read", Err: errors.New(canary)}),
			codes.Unavailable, "the token endpoint cannot be reached: *errors.errorString",
		},
		{
			"timeout", fails(fmt.Errorf("%s: %w", canary, context.DeadlineExceeded)),
			codes.Unavailable, "the token endpoint cannot be reached: timed out",
		},
		{
			"address that is none", asking(t, "http://"+canary+"\x7f"),
			codes.Unauthenticated, "the token source failed, with an error whose text may hold credentials: *errors.errorString",
		},
		{
			"the source's own context has ended", (&clientcredentials.Config{TokenURL: "http://127.0.0.1/" + canary}).TokenSource(ended),
			codes.Unauthenticated, "the context that the token source was made with has been cancelled",
		},
		{
			"token in a JSON error", endpoint(t, answers(200, jsonType, `{"access_token":`+digits+`}`)),
			codes.Unauthenticated, "the token source failed, with an error whose text may hold credentials: *errors.errorString",
		},
		{
			"no token in the answer", endpoint(t, answers(200, jsonType, `{"refresh_token":"`+canary+`"}`)),
			codes.Unauthenticated, "the token source failed, with an error whose text may hold credentials: *errors.errorString",
		},
		{
			"a status from another service", fails(fmt.Errorf("%s: %w", canary, status.Error(codes.PermissionDenied, canary))),
			codes.PermissionDenied, "the token source failed with PermissionDenied",
		},
		{
			"anything", fails(errors.New(canary)),
			codes.Unauthenticated, "the token source failed, with an error whose text may hold credentials: *errors.errorString",
		},
	}
}

// digits is a token that a broken endpoint sends as a number, which encoding/json quotes in its error.
const digits = "8675309867530986753098675309"

func TestFailures(t *testing.T) {
	t.Parallel()
	for _, test := range failures(t) {
		_, err := tokensource.New(test.source)(t.Context(), grpcauth.Call{})
		if err == nil || err.Error() != test.text || status.Code(err) != test.code {
			t.Errorf("%s: got %v, %v; want %v, %s", test.name, status.Code(err), err, test.code, test.text)
		}
	}
}

// The token source's errors hold the canary, and nothing shows it that is done with ours.
func TestT39_NoErrorRepeatsACredential(t *testing.T) {
	t.Parallel()
	for _, test := range failures(t) {
		_, err := tokensource.New(test.source)(t.Context(), grpcauth.Call{})
		var shown bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&shown, verb+" "+verb+"\n", err, struct{ err error }{err})
		}
		slog.New(slog.NewTextHandler(&shown, nil)).Error("failed", "error", err)
		slog.New(slog.NewJSONHandler(&shown, nil)).Error("failed", "error", err)
		json.NewEncoder(&shown).Encode(map[string]any{"error": err}) //nolint:errchkjson // what it shows counts
		fmt.Fprintln(&shown, status.Convert(err))
		for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) { // as reporters of errors do
			fmt.Fprintf(&shown, "%v %+v\n", inner, inner)
		}
		for _, secret := range []string{canary, fmt.Sprintf("%x", canary), digits} {
			if strings.Contains(shown.String(), secret) {
				t.Errorf("%s: the credential shows in:\n%s", test.name, &shown)
			}
		}
	}
}

func TestNoCredentialIsNoFailure(t *testing.T) {
	t.Parallel()
	bearer := tokensource.New(fails(fmt.Errorf("nobody is logged in: %w", grpcauth.ErrNoCredential)))
	if _, err := bearer(t.Context(), grpcauth.Call{}); !errors.Is(err, grpcauth.ErrNoCredential) {
		t.Errorf("got %v", err)
	}
}

// hanging is a token source that answers when it is released, and counts how often it was asked.
type hanging struct {
	asked    atomic.Int64
	released chan struct{}
}

func (h *hanging) Token() (*oauth2.Token, error) {
	h.asked.Add(1)
	<-h.released
	return &oauth2.Token{AccessToken: "late"}, nil
}

func TestACallDoesNotWaitBeyondItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tokens := &hanging{released: make(chan struct{})}
		bearer := tokensource.New(tokens)
		began := time.Now()
		var calls sync.WaitGroup
		for range 100 {
			calls.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if _, err := bearer(ctx, grpcauth.Call{}); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v", err)
				}
			})
		}
		calls.Wait()
		if waited := time.Since(began); waited != time.Second {
			t.Errorf("waited %v", waited)
		}
		if asked := tokens.asked.Load(); asked != 1 {
			t.Errorf("%d goroutines wait for the token source, want 1", asked)
		}
		close(tokens.released)
		synctest.Wait()
		if secret, err := bearer(t.Context(), grpcauth.Call{}); err != nil || secret.Reveal() != "late" {
			t.Errorf("after it came back: got %q, %v", secret.Reveal(), err)
		}
		if asked := tokens.asked.Load(); asked != 2 {
			t.Errorf("asked %d times: the token source keeps tokens, not we", asked)
		}
	})
}

func TestACallThatHasEndedAsksNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		tokens := &hanging{released: make(chan struct{})}
		defer close(tokens.released)
		if _, err := tokensource.New(tokens)(ctx, grpcauth.Call{}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
		if asked := tokens.asked.Load(); asked != 0 {
			t.Error("the token source was asked")
		}
	})
}

// A panic comes out where the caller can recover from it, and the next call asks again.
func TestPanicsAndGoexit(t *testing.T) {
	t.Parallel()
	behaviours := []func(){
		func() { panic("out of tokens") },
		func() {},
		runtime.Goexit,
		func() {},
	}
	turn := 0
	bearer := tokensource.New(source(func() (*oauth2.Token, error) {
		turn++
		behaviours[turn-1]()
		return &oauth2.Token{AccessToken: "abc"}, nil
	}))
	ask := func() (secret string, panicked any, err error) {
		defer func() { panicked = recover() }()
		value, err := bearer(t.Context(), grpcauth.Call{})
		return value.Reveal(), nil, err
	}
	_, panicked, _ := ask()
	if text := fmt.Sprint(panicked); !strings.Contains(text, "out of tokens") || !strings.Contains(text, "tokensource_test.go") {
		t.Errorf("got %v, want the panic with its stack", panicked)
	}
	if secret, panicked, err := ask(); secret != "abc" {
		t.Errorf("after a panic: got %q, %v, %v", secret, panicked, err)
	}
	if _, _, err := ask(); err == nil || err.Error() != "the token source returned no token" {
		t.Errorf("Goexit: got %v", err)
	}
	if secret, panicked, err := ask(); secret != "abc" {
		t.Errorf("after Goexit: got %q, %v, %v", secret, panicked, err)
	}
}

const method = "/test.v1.Service/Unary"

// table requires a bearer token, as generated code would say it.
var table = authimpl.Service{
	Name: "test.v1.Service",
	Methods: []authimpl.Method{{
		FullMethod: method,
		Headers:    []authimpl.Header{{Name: "authorization", Bearer: true}},
		Denial:     authimpl.Denial{Code: codes.Unauthenticated, Message: "refused"},
	}},
}

// dial connects to a server that returns the authorization header of a call as a trailer.
func dial(t *testing.T, tokens oauth2.TokenSource) *grpc.ClientConn {
	t.Helper()
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		arrived, _ := metadata.FromIncomingContext(stream.Context())
		stream.SetTrailer(metadata.MD{"arrived": arrived["authorization"]})
		return stream.SendMsg(&emptypb.Empty{})
	}))
	listener := bufconn.Listen(1 << 16)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	interceptor := authimpl.NewClientInterceptor(&table, []grpcauth.ClientOption{grpcauth.AllowInsecureTransport()},
		authimpl.SupplyBearer("authorization", "Credentials.AuthorizationBearer", tokensource.New(tokens)))
	connection, err := grpc.NewClient("passthrough:///in-memory", append(interceptor.DialOptions(),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return connection
}

func invoke(ctx context.Context, connection *grpc.ClientConn) (arrived []string, err error) {
	var trailer metadata.MD
	err = connection.Invoke(ctx, method, &emptypb.Empty{}, &emptypb.Empty{}, grpc.Trailer(&trailer))
	return trailer["arrived"], err
}

func TestInAClient(t *testing.T) {
	t.Parallel()
	asked := 0
	connection := dial(t, source(func() (*oauth2.Token, error) {
		asked++
		return &oauth2.Token{AccessToken: fmt.Sprintf("token-%d", asked), TokenType: "bearer"}, nil
	}))
	for _, want := range []string{"[Bearer token-1]", "[Bearer token-2]"} {
		if arrived, err := invoke(t.Context(), connection); fmt.Sprint(arrived) != want {
			t.Errorf("got %v, %v, want %s", arrived, err, want)
		}
	}
}

// What a caller of a failed call sees and can tell apart.
func TestT28_CodesThatClientsSee(t *testing.T) {
	t.Parallel()
	for _, test := range failures(t) {
		_, err := invoke(t.Context(), dial(t, test.source))
		if status.Code(err) != test.code || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: got %v, want %v: %s", test.name, err, test.code, test.text)
		}
		if strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), digits) {
			t.Errorf("%s: the credential shows in: %v", test.name, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	tokens := &hanging{released: make(chan struct{})}
	defer close(tokens.released)
	if _, err := invoke(ctx, dial(t, tokens)); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("a token source that hangs: got %v", err)
	}
}
