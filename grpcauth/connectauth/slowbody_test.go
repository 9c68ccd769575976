package connectauth_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
)

// A caller that announces a body and does not send it is refused at once, and does not hold its connection.
func TestARefusalDoesNotWaitForAnAnnouncedBody(t *testing.T) {
	t.Parallel()
	interceptor := authimpl.NewServerInterceptor(tableFor(headers(authimpl.Header{Name: "x-key", Equals: "42"})), nil)
	server := http1.serve(t, connectauth.NewMiddleware(interceptor)((&service{}).handler()))
	for _, sent := range []string{"", "he", "hello"} {
		t.Run(fmt.Sprintf("%d of 5 bytes", len(sent)), func(t *testing.T) {
			t.Parallel()
			conn, reader := dialRaw(t, server)
			conn.SetDeadline(time.Now().Add(patience / 2))
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/proto\r\nContent-Length: 5\r\n\r\n%s",
				methodOf(unary), sent)
			response, err := http.ReadResponse(reader, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil || !strings.Contains(string(body), "failed_precondition") || !response.Close {
				t.Errorf("got %q, %v and close %v", body, err, response.Close)
			}
		})
	}
}
