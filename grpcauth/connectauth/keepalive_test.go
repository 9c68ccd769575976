package connectauth_test

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"testing"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
)

// A refusal costs a connection of HTTP/1 only where something of a body may follow.
func TestRefusalsOfCallsWithoutABodyKeepTheConnection(t *testing.T) {
	t.Parallel()
	interceptor := authimpl.NewServerInterceptor(tableFor(headers(authimpl.Header{Name: "x-key", Equals: "42"})), nil)
	server := http1.serve(t, connectauth.NewMiddleware(interceptor)((&service{}).handler()))
	for _, again := range []bool{false, true} {
		var reused bool
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			GotConn: func(info httptrace.GotConnInfo) { reused = info.Reused },
		})
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+methodOf(get), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := server.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode < http.StatusBadRequest || reused != again {
			t.Errorf("got %s, with the connection of the call before: %t", response.Status, reused)
		}
	}
}
