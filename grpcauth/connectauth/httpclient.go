package connectauth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"

	"connectrpc.com/connect"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/bridge"
)

// HTTPClient returns next with the part that interceptors cannot do: it adds the values of a call that needs
// credentials to the request, if that is for an https URL. Otherwise the call fails before anything is sent, and
// no source is asked. Requests that do not belong to such a call are handed on as they are.
//
// A redirection is not followed with credentials: an [http.Client] would send most headers to any other host,
// and on to plaintext. The caller gets the error that connect makes of the response. For this an [http.Client] is
// copied; other implementations must not follow redirections themselves. With [grpcauth.AllowInsecureTransport] the
// interceptor adds credentials by itself, and this does nothing. It panics if next is nil.
func (i *ClientInterceptor) HTTPClient(next connect.HTTPClient) connect.HTTPClient {
	client, isClient := next.(*http.Client)
	if next == nil || isClient && client == nil {
		panic("connectauth: HTTPClient needs an HTTP client such as http.DefaultClient, not nil")
	}
	if isClient {
		next = withoutRedirects(client)
	}
	i.private.Store(true)
	return &httpClient{next: next}
}

type httpClient struct{ next connect.HTTPClient }

type (
	credentialsKey struct{} // holds what a call needs of its HTTP client
	carriesKey     struct{} // is set for a request that carries credentials
)

// callCredentials are one call's, not yet fetched.
type callCredentials struct {
	supply bridge.Supply
	method string
	host   string
	wanted atomic.Bool // the interceptor has let the call pass
}

// Do sends a request, with the credentials that its call needs.
func (c *httpClient) Do(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	later, ok := ctx.Value(credentialsKey{}).(*callCredentials)
	if !ok || !later.wanted.Load() || !later.isFor(req) {
		return c.next.Do(req)
	}
	values, err := later.supply.Values(ctx, req.URL.Scheme == "https")
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // as an HTTP client does
		}
		return nil, connectError(err)
	}
	ctx = context.WithValue(context.WithValue(ctx, credentialsKey{}, nil), carriesKey{}, carriesKey{})
	carrying := req.WithContext(ctx)
	carrying.Header = req.Header.Clone() // the original is visible to interceptors, and to the caller
	addTo(carrying.Header, values)
	return c.next.Do(carrying)
}

// isFor is false for another request that is made with the call's context, such as one for a token.
func (l *callCredentials) isFor(req *http.Request) bool {
	return req.URL.Host == l.host && strings.HasSuffix(req.URL.Path, l.method)
}

// errTooManyRedirects is what an http.Client does by itself.
var errTooManyRedirects = errors.New("stopped after 10 redirects")

func withoutRedirects(client *http.Client) *http.Client {
	copied, check := *client, client.CheckRedirect
	copied.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		const most = 10
		switch {
		case via[0].Context().Value(carriesKey{}) != nil:
			return http.ErrUseLastResponse
		case check != nil:
			return check(req, via)
		case len(via) >= most:
			return errTooManyRedirects
		}
		return nil
	}
	return &copied
}
