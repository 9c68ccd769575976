package connectauth_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
)

// A handler behind the middleware that takes over connections, as h2c.NewHandler does, does not get them: what it
// would serve there is checked by nobody.
func TestT4_NobodyTakesOverAConnectionForHTTP2(t *testing.T) {
	t.Parallel()
	const taken, refused = "101 Switching Protocols", "505 HTTP Version Not Supported"
	var takenOver atomic.Int64
	takesOver := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "PRI" && r.Header.Get("Upgrade") == "" && len(r.Header["Http2-Settings"]) == 0 {
			return
		}
		takenOver.Add(1)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprintf(conn, "HTTP/1.1 %s\r\n\r\n", taken)
	})
	interceptor := authimpl.NewServerInterceptor(tableFor(headers(authimpl.Header{Name: "x-key", Equals: "42"})), nil)
	server := http1.serve(t, connectauth.NewMiddleware(interceptor)(takesOver))
	for request, want := range map[string]string{
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": refused,
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n\r\n": "200 OK",
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: a\r\nUpgrade: x, H2C\r\n\r\n":                       "200 OK",
		"POST " + methodOf(unary) + " HTTP/1.1\r\nHost: a\r\nX-Key: 42\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n":      "200 OK",
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n":                                  taken, // not ours
	} {
		conn, reader := dialRaw(t, server)
		fmt.Fprint(conn, request)
		if status := firstLine(t, reader); status != "HTTP/1.1 "+want+"\r\n" {
			t.Errorf("%q: got %q, want %s", request, status, want)
		}
		if want == refused {
			io.Copy(io.Discard, reader) // to the connection's end, so that the request has been served
		}
	}
	if takenOver.Load() != 1 {
		t.Errorf("%d connections were taken over, want one, which asked for something else", takenOver.Load())
	}
}

func firstLine(t *testing.T, reader *bufio.Reader) string {
	t.Helper()
	line, err := reader.ReadString('\n')
	if err != nil {
		t.Error(err)
	}
	return line
}
