// Package tokensource supplies the tokens of a golang.org/x/oauth2 token source to the `bearer` headers of a
// generated client:
//
//	tokens := (&clientcredentials.Config{ClientID: id, ClientSecret: secret, TokenURL: url}).TokenSource(ctx)
//	greeterv1.NewGreeterClientInterceptor(greeterv1.GreeterCredentials{
//		AuthorizationBearer: tokensource.New(tokens),
//	})
//
// It is a package of its own, so that only those who import it depend on golang.org/x/oauth2.
package tokensource

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/oauth2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

// New makes a source of bearer tokens from a token source. It panics if source is nil.
//
// The token source is asked for every attempt at a call, so it must keep its token until it expires:
// those of x/oauth2's configurations do, and [oauth2.ReuseTokenSource] makes others do so. It is asked by one
// goroutine at a time, and calls that need a token meanwhile share its answer. A call whose context ends
// first fails with the context's error and does not wait on. The question itself cannot be withdrawn, as
// [oauth2.TokenSource] takes no context: give its HTTP client a timeout, or a token endpoint that hangs
// holds up every call until that call's own deadline.
//
// No token, an empty or expired one, or one that is not of type Bearer is an error. So is an error of the
// token source, with one of these gRPC codes:
//
//   - UNAVAILABLE if the token endpoint could not be reached, answered with a 5xx or 429, or said
//     temporarily_unavailable: the same call can succeed later.
//   - the code of a gRPC status in it, for token sources that call a gRPC service.
//   - UNAUTHENTICATED otherwise.
//
// A token source that returns [grpcauth.ErrNoCredential] has no token for this call, which is no failure.
//
// The text of an error never repeats what the token source or its endpoint said, since that can hold a token
// or a client secret: it names the HTTP status, the error code if it is a registered one, or the kind of
// failure. The token source's error is not wrapped either, as reporters of errors print what they
// unwrap. To see it, let a token source of your own pass it on and log what is safe.
func New(source oauth2.TokenSource) grpcauth.Source[grpcauth.Secret] {
	if source == nil {
		panic("tokensource: New needs a token source, not nil")
	}
	return (&asker{source: source}).supply
}

// asker asks a token source on behalf of calls that may not want to wait as long as it takes.
//
// Each question costs a goroutine, also where the answer is in memory, which nobody can tell beforehand. That
// is well below a microsecond, beside a call over a network. Sharing the answer bounds the
// goroutines that wait for a token endpoint that hangs: one, whatever the number of calls.
type asker struct {
	source oauth2.TokenSource

	mu      sync.Mutex
	pending *answer // asked for and not there yet, or nil
}

// answer is what the token source returns to all who wait for it.
type answer struct {
	there chan struct{} // closed when the rest is set

	token    *oauth2.Token
	err      error
	panicked string // with the stack of the token source's goroutine
}

func (a *asker) supply(ctx context.Context, _ grpcauth.Call) (grpcauth.Secret, error) {
	if ctx.Err() != nil {
		return grpcauth.Secret{}, ctx.Err() //nolint:wrapcheck // what the client's interceptor looks for
	}
	pending := a.ask()
	select {
	case <-ctx.Done():
		return grpcauth.Secret{}, ctx.Err() //nolint:wrapcheck // as above
	case <-pending.there:
	}
	if pending.panicked != "" {
		panic(pending.panicked) // here, as without the goroutine, the caller can recover from it
	}
	if pending.err != nil {
		return grpcauth.Secret{}, describe(pending.err)
	}
	if err := check(pending.token); err != nil {
		return grpcauth.Secret{}, err
	}
	return grpcauth.NewSecret(pending.token.AccessToken), nil
}

// ask returns the answer that is under way, or has the token source asked for one.
func (a *asker) ask() *answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pending == nil {
		a.pending = &answer{there: make(chan struct{})}
		go a.await(a.pending)
	}
	return a.pending
}

func (a *asker) await(pending *answer) {
	defer func() {
		if value := recover(); value != nil {
			pending.panicked = fmt.Sprintf("tokensource: the token source panicked: %v\n\n%s", value, debug.Stack())
		}
		a.mu.Lock()
		a.pending = nil
		a.mu.Unlock()
		close(pending.there)
	}()
	pending.token, pending.err = a.source.Token()
}

// check refuses what a server would refuse, in words that the caller never gets from a server.
//
// A token is expired when its time has come, not ten seconds before as for [oauth2.Token.Valid]: that
// margin is for fetching a new one early, and would refuse tokens of a shorter life.
func check(token *oauth2.Token) error {
	switch {
	case token == nil:
		return failed("the token source returned no token")
	case token.AccessToken == "":
		return failed("the token source returned an empty access token")
	case token.TokenType != "" && !strings.EqualFold(token.TokenType, "Bearer"):
		return failed("the token source returned a token whose type is not Bearer")
	case !token.Expiry.IsZero() && !time.Now().Before(token.Expiry.Round(0)): // the wall clock, which goes on in sleep
		return failed("the token source returned an expired token")
	}
	return nil
}

// failure is an error with a gRPC code and a text that is safe to show.
type failure struct {
	code codes.Code
	text string
}

func failed(text string) error { return &failure{code: codes.Unauthenticated, text: text} }

func (f *failure) Error() string { return f.text }

// GRPCStatus keeps the code on its way through the client's interceptor.
func (f *failure) GRPCStatus() *status.Status { return status.New(f.code, f.text) }

// describe says of a token source's error what can be said without its text.
func describe(err error) error {
	var (
		refusal *oauth2.RetrieveError
		carrier interface{ GRPCStatus() *status.Status }
	)
	switch {
	case errors.Is(err, grpcauth.ErrNoCredential):
		return grpcauth.ErrNoCredential
	case errors.As(err, &refusal):
		return describeRefusal(refusal)
	case errors.As(err, &carrier):
		code := carrier.GRPCStatus().Code()
		return &failure{code: code, text: "the token source failed with " + code.String()}
	case errors.Is(err, context.Canceled):
		return failed("the context that the token source was made with has been cancelled")
	case isOfNetwork(err):
		return &failure{code: codes.Unavailable, text: "the token endpoint cannot be reached: " + reason(err)}
	}
	return failed("the token source failed, with an error whose text may hold credentials: " + reason(err))
}

// registered are the error codes of a token endpoint that are repeated, because others could be anything:
// RFC 6749 sections 4.1.2.1 and 5.2, RFC 8628 section 3.5, RFC 8707 section 2, RFC 9449 sections 5 and 8.
var registered = map[string]bool{ //nolint:gochecknoglobals // a constant, which Go has no maps of
	"invalid_request": true, "invalid_client": true, "invalid_grant": true, "unauthorized_client": true,
	"unsupported_grant_type": true, "invalid_scope": true,
	"access_denied": true, "server_error": true, "temporarily_unavailable": true,
	"authorization_pending": true, "slow_down": true, "expired_token": true,
	"invalid_target": true, "invalid_dpop_proof": true, "use_dpop_nonce": true,
}

// describeRefusal is about an answer of the token endpoint, whose body, description and own words for its
// HTTP status are not repeated.
func describeRefusal(refusal *oauth2.RetrieveError) error {
	f := &failure{code: codes.Unauthenticated, text: "the token endpoint refused"}
	if refusal.Response != nil {
		code := refusal.Response.StatusCode
		f.text += fmt.Sprintf(", HTTP status %d %s", code, http.StatusText(code))
		if code >= http.StatusInternalServerError || code == http.StatusTooManyRequests {
			f.code = codes.Unavailable
		}
	}
	if registered[refusal.ErrorCode] {
		f.text += ", error " + refusal.ErrorCode
	}
	if refusal.ErrorCode == "temporarily_unavailable" {
		f.code = codes.Unavailable
	}
	return f
}

// isOfNetwork is true if the token endpoint could not be asked. A [url.Error] is what net/http returns, for
// TLS as well; one about parsing is about the configuration.
func isOfNetwork(err error) bool {
	if request, ok := errors.AsType[*url.Error](err); ok {
		return request.Op != "parse"
	}
	_, ok := errors.AsType[*net.OpError](err)
	return ok || errors.Is(err, context.DeadlineExceeded)
}

// reason is the kind of an error: text of the operating system, or the Go type of the innermost error.
func reason(err error) string {
	var (
		name   *net.DNSError
		system syscall.Errno
	)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timed out"
	case errors.As(err, &name):
		return "its host name does not resolve"
	case errors.As(err, &system):
		return system.Error()
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return fmt.Sprintf("%T", err)
}
