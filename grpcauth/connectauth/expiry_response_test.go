package connectauth_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
)

// post makes a request with a token, and returns its answer with the body unread. That is closed in the end.
func (s *served) post(t *testing.T, body io.Reader) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+methodOf(unary), body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = token.Clone()
	response, err := s.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

// The header of a handler that goes on when it has said all stays its own.
func TestTrailersAfterTheEndOfAStreamThatExpires(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	const end = "\x02\x00\x00\x00\x02{}"
	server := h2.serve(t, connectauth.NewMiddleware(expiring(lifetime))(http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/connect+proto")
			io.WriteString(w, end)
			w.(http.Flusher).Flush()
			w.Header().Set(http.TrailerPrefix+"Draft", "trailer")
			<-release
		})))
	response := server.post(t, http.NoBody) //nolint:bodyclose // post does
	body, err := io.ReadAll(response.Body)
	if err != nil || string(body) != end || len(response.Trailer) > 0 {
		t.Errorf("got %q, %v and the trailers %v", body, err, response.Trailer)
	}
}

// A handler that stops in the middle of a message, to read more of the request, is woken.
func TestReadsInTheMiddleOfAMessageEnd(t *testing.T) {
	t.Parallel()
	for _, wire := range []wire{h2, http1} {
		t.Run(wire.name, func(t *testing.T) {
			t.Parallel()
			ended := make(chan error, 1)
			server := wire.serve(t, connectauth.NewMiddleware(expiring(lifetime))(http.HandlerFunc(
				func(w http.ResponseWriter, r *http.Request) {
					http.NewResponseController(w).EnableFullDuplex()
					w.Header().Set("Content-Type", "application/connect+proto")
					io.WriteString(w, "\x00")
					w.(http.Flusher).Flush()
					_, err := io.Copy(io.Discard, r.Body)
					ended <- err
				})))
			reader, writer := io.Pipe()
			t.Cleanup(func() { writer.Close() })
			response := server.post(t, reader) //nolint:bodyclose // post does
			wantEnd(t, ended)
			if body, err := io.ReadAll(response.Body); err == nil {
				t.Errorf("the caller took %q for a success", body)
			}
		})
	}
}
