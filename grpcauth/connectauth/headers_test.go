package connectauth_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
)

// rawHTTP1 sends these lines in the header of a unary call of Connect, and returns HTTP's status.
func rawHTTP1(t *testing.T, server *served, requestLine string, lines ...string) int {
	t.Helper()
	conn, reader := dialRaw(t, server)
	fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: a\r\nContent-Type: application/proto\r\nContent-Length: 0\r\n", requestLine)
	for _, line := range lines {
		fmt.Fprintf(conn, "%s\r\n", line)
	}
	fmt.Fprint(conn, "\r\n")
	method, _, _ := strings.Cut(requestLine, " ")
	response, err := http.ReadResponse(reader, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

const refusedStatus = http.StatusBadRequest // Connect's for FAILED_PRECONDITION

// Header lines as no client library writes them.
func TestT11_HeaderLinesOfHTTP1(t *testing.T) {
	interceptor := authimpl.NewServerInterceptor(tableFor(headers(
		authimpl.Header{Name: "x-api-key", Equals: "good"},
		authimpl.Header{Name: "x-data-bin", Optional: true, Present: authimpl.Bytes},
	)), nil)
	for _, install := range installs {
		server := http1.serve(t, install.handler(interceptor, &service{}))
		for _, c := range []struct {
			lines  string
			status int
		}{
			{"X-Api-Key: good", http.StatusOK},
			{"x-api-key: good", http.StatusOK},
			{"X-API-KEY: good", http.StatusOK},
			{"X-Api-Key:good", http.StatusOK},
			{"X-Api-Key: good|x-api-key: bad", refusedStatus},
			{"x-api-key: bad|X-Api-Key: good", refusedStatus},
			{"X-Api-Key: good|X-API-KEY: good", refusedStatus},
			{"X-Api-Key: good|X-Api-Key:", refusedStatus},
			{"X-Api-Key:|X-Api-Key: good", refusedStatus},
			{"X-Api-Key: good,bad", refusedStatus},
			{"X-Api-Key: good, good", refusedStatus},
			{"X-Api-Key: Good", refusedStatus},
			{"X-Api-Key: \"good\"", refusedStatus},
			{"X_Api_Key: good", refusedStatus},
			{"X.Api.Key: good", refusedStatus},
			{"X-Api-Key-: good", refusedStatus},
			{"Grpc-Metadata-X-Api-Key: good", refusedStatus},
			{"Connect-X-Api-Key: good", refusedStatus},
			{"Trailer: X-Api-Key", refusedStatus},
			{"Cookie: X-Api-Key=good", refusedStatus},
			{"X-Api-Key: goo|\td", http.StatusBadRequest}, // a folded line: net/http's own refusal, or "goo d"
			{"X-Api-Key : good", http.StatusBadRequest},   // net/http's own
			{"X-Api-Key: good|X-Data-Bin: AQI", http.StatusOK},
			{"X-Api-Key: good|X-Data-Bin: AQI=", http.StatusOK},
			{"X-Api-Key: good|X-Data-Bin:", refusedStatus},
			{"X-Api-Key: good|X-Data-Bin: ,", refusedStatus},
			{"X-Api-Key: good|X-Data-Bin: AQI,", refusedStatus},
			{"X-Api-Key: good|X-Data-Bin: ,AQI", refusedStatus},
			{"X-Api-Key: good|X-Data-Bin: AQI,AQI", refusedStatus},
			{"X-Api-Key: good|X-Data-Bin: AQI=, AQI=", refusedStatus},
			{"X-Api-Key: good|X-Data-Bin: AQI|x-data-bin: AQI", refusedStatus},
			{"X-Api-Key: good|X-Data-Bin: !", refusedStatus},
			{"X-Api-Key: good|X-Data-Bin: A QI", refusedStatus},
			{"X-Api-Key: good|X-Data-Bin: -_8", refusedStatus},
			{"X-Api-Key: good|X-Data-Bin: AQI==", refusedStatus},
			{"X-Api-Key: good|X-Data: !", http.StatusOK},
			{"X-Api-Key: good|X-Other-Bin: !", http.StatusOK}, // no rule knows it
		} {
			t.Run(install.name+"/"+c.lines, func(t *testing.T) {
				if status := rawHTTP1(t, server, "POST "+methodOf(unary), strings.Split(c.lines, "|")...); status != c.status {
					t.Errorf("got %d, want %d", status, c.status)
				}
			})
		}
	}
}

// A value that stands in HTTP's trailers, after the body, is in no header.
func TestTrailersAreNoHeaders(t *testing.T) {
	t.Parallel()
	interceptor := authimpl.NewServerInterceptor(tableFor(headers(authimpl.Header{Name: "x-key", Equals: "42"})), nil)
	for _, install := range installs {
		for _, wire := range []wire{http1, h2} {
			server := wire.serve(t, install.handler(interceptor, &service{}))
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+methodOf(unary), io.MultiReader(strings.NewReader("")))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/proto")
			request.Trailer = http.Header{"X-Key": {"42"}}
			response, err := server.client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != refusedStatus {
				t.Errorf("%s, %s: got %s", install.name, wire.name, response.Status)
			}
		}
	}
}

// A header map that code in the same process fills can hold one name in several spellings.
func TestNamesThatDifferInCaseAreOneName(t *testing.T) {
	t.Parallel()
	interceptor := authimpl.NewServerInterceptor(tableFor(headers(authimpl.Header{Name: "x-key", Equals: "42"})), nil)
	for _, install := range installs {
		handler := install.handler(interceptor, &service{})
		for _, c := range []struct {
			header http.Header
			status int
		}{
			{http.Header{"x-key": {"42"}}, http.StatusOK},
			{http.Header{"X-Key": {"42"}, "x-key": {"42"}}, refusedStatus},
			{http.Header{"X-Key": {"42"}, "X-KEY": {"41"}}, refusedStatus},
			{http.Header{"X-Key": {"42"}, "x-kEy": {}}, http.StatusOK},
		} {
			c.header["Content-Type"] = []string{"application/proto"}
			request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, methodOf(unary), http.NoBody)
			request.Header = c.header
			response := httptest.NewRecorder()
			handler.ServeHTTP(response, request)
			if response.Code != c.status {
				t.Errorf("%s: %v: got %d", install.name, c.header, response.Code)
			}
		}
	}
}

// Handlers and verifiers find metadata and peer as in a grpc server.
func TestHandlersFindMetadataAndPeer(t *testing.T) {
	var md metadata.MD
	var from *peer.Peer
	s := &service{handled: func(ctx context.Context) error {
		md, _ = metadata.FromIncomingContext(ctx)
		from, _ = peer.FromContext(ctx)
		return nil
	}}
	table := tableFor(authimpl.Method{Public: true})
	everyCall(t, authimpl.NewServerInterceptor(table, nil), s, func(t *testing.T, server *served, p protocol, k kind) {
		t.Helper()
		header := http.Header{"X-Any": {"a", "b,c"}, "X-Any-Bin": {connect.EncodeBinaryHeader([]byte{1, 0xff})}}
		if err := server.call(t.Context(), p, k, header); err != nil {
			t.Fatal(err)
		}
		if got := md["x-any"]; !slices.Equal(got, []string{"a", "b,c"}) {
			t.Errorf("x-any: %q", got)
		}
		if got := md["x-any-bin"]; !slices.Equal(got, []string{"\x01\xff"}) {
			t.Errorf("x-any-bin: %q", got)
		}
		if got := md[":authority"]; !slices.Equal(got, []string{server.Listener.Addr().String()}) {
			t.Errorf(":authority: %q", got)
		}
		if !strings.HasPrefix(from.Addr.String(), "127.0.0.1:") || from.Addr.Network() != "tcp" {
			t.Errorf("peer: %v", from)
		}
		if !strings.HasPrefix(t.Name(), "TestHandlersFindMetadataAndPeer/middleware/") {
			return // connect tells its interceptors no more of the peer
		}
		info, isTLS := from.AuthInfo.(credentials.TLSInfo)
		if from.LocalAddr.String() != server.Listener.Addr().String() || isTLS != strings.HasPrefix(server.URL, "https:") {
			t.Errorf("peer: %v", from)
		}
		if isTLS && (!info.State.HandshakeComplete || info.SecurityLevel != credentials.PrivacyAndIntegrity) {
			t.Errorf("peer's TLS: %v", info)
		}
	})
}

// The path decides which check is made, and nothing else of a request.
func TestT1_PathsMethodsAndContentTypes(t *testing.T) {
	var ran atomic.Int64
	s := &service{handled: func(context.Context) error {
		ran.Add(1)
		return nil
	}}
	handler := s.handler()
	lenient := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ran.Add(1) // a router that would find a handler for everything
		handler.ServeHTTP(w, r)
	})
	interceptor := authimpl.NewServerInterceptor(tableFor(headers(authimpl.Header{Name: "x-key", Equals: "42"})), nil)
	server := http1.serve(t, connectauth.NewMiddleware(interceptor)(lenient))
	t.Run("paths", func(t *testing.T) {
		for _, path := range []string{
			"/door.v1.Door/Unknown", "//door.v1.Door/Unary", "/door.v1.Door//Unary", "/door.v1.Door/Unary/",
			"/door.v1.Door/./Unary", "/x/../door.v1.Door/Unary", "/api/door.v1.Door/Unary", "/DOOR.v1.Door/Unary",
			"/door.v1.Door/unary", "/%64oor.v1.Door/Unknown", "/door.v1.Door%2FUnknown", "/door.v1.Door%252FUnary",
			"/%2564oor.v1.Door/Unary", "/door.v1.Door;a=b/Unary", "/door.v1.Door%3Fa/Unary", "/door.v1.Door/Unary%00",
			"/a%2Fdoor.v1.Door%2FUnary", "/%25%25", "/door.v1.Door/Unary%2f..%2fUnknown", "http://a/door.v1.Door/Unknown",
		} {
			ran.Store(0)
			if status := rawHTTP1(t, server, "POST "+path, "X-Key: 42"); status != http.StatusNotImplemented || ran.Load() > 0 {
				t.Errorf("%s: got %d, ran %d times", path, status, ran.Load())
			}
		}
	})
	t.Run("as spelled otherwise", func(t *testing.T) {
		for _, path := range []string{"/%64oor.v1.Door/Unary", "/door.v1.Door%2FUnary", "http://other/door.v1.Door/Unary"} {
			ran.Store(0)
			if status := rawHTTP1(t, server, "POST "+path); status != refusedStatus || ran.Load() > 0 {
				t.Errorf("%s: got %d, ran %d times", path, status, ran.Load())
			}
		}
	})
	t.Run("others pass", func(t *testing.T) {
		for _, path := range []string{"/", "/door.v1", "/door.v1.Door", "/other.v1.Door/Unary", "/door.v1.Doors/Unary", "/x?a=/door.v1.Door/Unary"} {
			ran.Store(0)
			if status := rawHTTP1(t, server, "POST "+path); status != http.StatusNotFound || ran.Load() != 1 {
				t.Errorf("%s: got %d, ran %d times", path, status, ran.Load())
			}
		}
	})
	t.Run("methods", func(t *testing.T) {
		for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "ODD"} {
			ran.Store(0)
			if status := rawHTTP1(t, server, method+" "+methodOf(unary), "X-HTTP-Method-Override: POST"); status != refusedStatus || ran.Load() > 0 {
				t.Errorf("%s: got %d, ran %d times", method, status, ran.Load())
			}
		}
	})
	t.Run("query", func(t *testing.T) {
		ran.Store(0)
		query := "?connect=v1&encoding=proto&message=&x-key=42&X-Key=42&header=x-key%3A42"
		if status := rawHTTP1(t, server, "GET "+methodOf(get)+query); status != refusedStatus || ran.Load() > 0 {
			t.Errorf("got %d, ran %d times", status, ran.Load())
		}
		if status := rawHTTP1(t, server, "GET "+methodOf(get)+query, "X-Key: 42"); status != http.StatusOK {
			t.Errorf("with the header: got %d", status)
		}
	})
}

// What a request says of its content decides about the form of a refusal, never about the refusal.
func TestContentTypesOpenNothing(t *testing.T) {
	t.Parallel()
	var ran atomic.Int64
	s := &service{handled: func(context.Context) error {
		ran.Add(1)
		return nil
	}}
	interceptor := authimpl.NewServerInterceptor(tableFor(headers(authimpl.Header{Name: "x-key", Equals: "42"})), nil)
	for _, install := range installs {
		server := h2.serve(t, install.handler(interceptor, s))
		for _, contentType := range []string{
			"", "application/proto", "application/json", "application/json; charset=utf-8", "APPLICATION/JSON",
			"application/connect+proto", "application/connect+json", "application/grpc", "application/grpc+proto",
			"application/grpc-web", "application/grpc-web+json", "application/grpc-web-text", "text/html", "a", ";",
			"application/grpc, application/proto", "multipart/form-data; boundary=a",
		} {
			for _, version := range []string{"", "1", "2"} {
				for _, kind := range kinds {
					request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+methodOf(kind), http.NoBody)
					if err != nil {
						t.Fatal(err)
					}
					request.Header.Set("Content-Type", contentType)
					request.Header.Set("Connect-Protocol-Version", version)
					response, err := server.client.Do(request)
					if err != nil {
						t.Fatal(err)
					}
					io.Copy(io.Discard, response.Body)
					response.Body.Close()
				}
			}
		}
		if ran.Load() > 0 {
			t.Fatalf("%s: handlers ran %d times", install.name, ran.Load())
		}
	}
}

// -bin values travel in base64, padded or not, and arrive as bytes.
func TestT17_BinaryValues(t *testing.T) {
	table := tableFor(headers(authimpl.Header{Name: "x-data-bin", Present: authimpl.Bytes}))
	var got []byte
	s := &service{handled: func(ctx context.Context) error {
		got, _ = authimpl.FromContext[[]byte](ctx, table, "x-data-bin")
		return nil
	}}
	everyCall(t, authimpl.NewServerInterceptor(table, nil), s, func(t *testing.T, server *served, p protocol, k kind) {
		t.Helper()
		for _, value := range []string{"\x00", "\xff\xfe", "abc", "a,b", strings.Repeat("z", 100)} {
			for _, encoded := range []string{
				base64.StdEncoding.EncodeToString([]byte(value)), base64.RawStdEncoding.EncodeToString([]byte(value)),
			} {
				got = nil
				if err := server.call(t.Context(), p, k, http.Header{"X-Data-Bin": {encoded}}); err != nil || string(got) != value {
					t.Errorf("%s: got %q and %v, want %q", encoded, got, err, value)
				}
			}
		}
		for _, encoded := range []string{"YWJj*", "YWJjZ", "YWJj=", "*"} { // also where it begins as base64
			got = nil
			wantError(t, server.call(t.Context(), p, k, http.Header{"X-Data-Bin": {encoded}}), connect.CodeFailedPrecondition, refusal.Message)
			if got != nil {
				t.Errorf("%s: a handler got %q", encoded, got)
			}
		}
	})
}
