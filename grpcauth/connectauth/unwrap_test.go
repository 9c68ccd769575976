package connectauth_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
)

// wrapped is what middleware that counts or logs makes of a response.
type wrapped struct{ http.ResponseWriter }

func (w *wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Middleware before ours may wrap the response, as often as it likes. Where an answer has begun when the credential
// expires, what is left of the request's body is still not taken for another request.
func TestAnExpiryThroughOtherMiddleware(t *testing.T) {
	t.Parallel()
	answering := connectauth.NewMiddleware(expiring(lifetime))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/connect+proto")
		w.Write(envelope(nil))
		w.(http.Flusher).Flush()
		io.Copy(io.Discard, r.Body)
	}))
	server := http1.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != methodOf(clientStream) {
			t.Errorf("what followed the call was served: %s", r.URL.Path)
			return
		}
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		answering.ServeHTTP(&wrapped{&wrapped{w}}, r)
	}))
	conn, reader := dialRaw(t, server)
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\nContent-Type: application/connect+proto\r\n"+
		"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", methodOf(clientStream))
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil || !strings.Contains(string(body), textExpired) {
		t.Errorf("got %q and %v", body, err)
	}
	fmt.Fprint(conn, "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
	if more, err := reader.ReadString('\n'); err == nil {
		t.Errorf("the connection goes on with %q", more)
	}
}
