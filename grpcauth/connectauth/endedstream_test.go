package connectauth_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
)

// A handler that has sent the end of its stream, and goes on all the same, has its header to itself. (The race detector
// looks on.)
func TestHandlersThatGoOnAfterTheEndOfTheirStream(t *testing.T) {
	t.Parallel()
	const end = "\x02\x00\x00\x00\x02{}"
	release := make(chan struct{})
	handler := connectauth.NewMiddleware(expiring(lifetime))(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/connect+proto")
		io.WriteString(w, end)
		for {
			select {
			case <-release:
				return
			default:
				w.Header().Set("X-Late", "a")
			}
		}
	}))
	server := h2.serve(t, handler)
	defer close(release)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+methodOf(serverStream), strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = token.Clone()
	response, err := server.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	if string(body) != end || err != nil {
		t.Errorf("got %q and %v", body, err)
	}
}
