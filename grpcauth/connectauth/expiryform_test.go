package connectauth_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
)

// A handler may change the header of its request, as those of connect do. The refusal at the expiry is made of what
// the caller sent, while the handler goes on.
func TestHandlersThatChangeTheirRequestsHeader(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	handler := connectauth.NewMiddleware(expiring(shortLife))(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		r.Header.Set("Content-Type", "application/grpc")
		<-release
	}))
	server := http1.serve(t, handler)
	defer close(release)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+methodOf(unary), strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = token.Clone()
	request.Header.Set("Content-Type", "application/json")
	response, err := server.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized || response.Header.Get("Content-Type") != "application/json" {
		t.Errorf("got %s with %v", response.Status, response.Header)
	}
}
