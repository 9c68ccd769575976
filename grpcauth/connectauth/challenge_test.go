package connectauth_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

// Where HTTP's own status is 401, the response says how to authenticate; elsewhere it does not.
func TestChallenges(t *testing.T) {
	t.Parallel()
	withBearer := authimpl.Header{Name: "authorization", Bearer: true}
	withBasic := authimpl.Header{Name: "authorization", Basic: true}
	withKey := authimpl.Header{Name: "x-api-key", Verify: authimpl.String}
	verifiers := []authimpl.Verifier{verifier(), authimpl.VerifyBasic("authorization", nil), authimpl.VerifyValue[int64]("x", "", nil)}
	verifiers[1].Verify = verifiers[0].Verify
	verifiers[2] = authimpl.VerifyValue("x-api-key", "", verify)
	for name, c := range map[string]struct {
		rule authimpl.Method
		want []string
	}{
		"bearer": {authimpl.Method{Headers: []authimpl.Header{withBearer}}, []string{`Bearer realm="door.v1.Door"`}},
		"basic":  {authimpl.Method{Headers: []authimpl.Header{withBasic}}, []string{`Basic realm="door.v1.Door"`}},
		"either": {
			authimpl.Method{AnyOf: [][]authimpl.Header{{withKey, withBearer}, {withBasic}, {withBearer}}},
			[]string{`Bearer realm="door.v1.Door"`, `Basic realm="door.v1.Door"`},
		},
		"another header": {authimpl.Method{Headers: []authimpl.Header{withKey}}, nil},
		"a literal":      {authimpl.Method{Headers: []authimpl.Header{{Name: "authorization", Equals: "42"}}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, code := range []codes.Code{codes.Unauthenticated, codes.PermissionDenied} {
				c.rule.Denial = authimpl.Denial{Code: code, Message: "Access denied!"}
				interceptor := authimpl.NewServerInterceptor(tableFor(c.rule), nil, verifiers...)
				for _, install := range installs {
					server := h2.serve(t, install.handler(interceptor, &service{}))
					for _, contentType := range []string{
						"application/proto", "application/json", "application/connect+proto", "application/grpc", "application/grpc-web",
					} {
						k := unary
						if strings.HasPrefix(contentType, "application/connect+") {
							k = clientStream
						}
						request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+methodOf(k), http.NoBody)
						if err != nil {
							t.Fatal(err)
						}
						request.Header.Set("Content-Type", contentType)
						request.Header.Set("Authorization", `Evil realm="evil"`)
						if install.name == "interceptor" && strings.HasPrefix(contentType, "application/grpc") {
							request.Body, request.ContentLength = io.NopCloser(strings.NewReader("\x00\x00\x00\x00\x00")), 5
						}
						response, err := server.client.Do(request)
						if err != nil {
							t.Fatal(err)
						}
						io.Copy(io.Discard, response.Body)
						response.Body.Close()
						want, status := c.want, http.StatusUnauthorized
						if code != codes.Unauthenticated {
							want, status = nil, http.StatusForbidden
						}
						if !slices.Contains([]string{"application/proto", "application/json"}, contentType) {
							want, status = nil, http.StatusOK
						}
						if contentType == "application/json" && install.name == "interceptor" {
							continue // an empty body is no JSON, which connect finds first
						}
						got := response.Header.Values("WWW-Authenticate")
						if response.StatusCode != status || !slices.Equal(got, want) || len(response.Trailer.Values("WWW-Authenticate")) > 0 {
							t.Errorf("%s, %s: got %s with %q, want %d with %q", install.name, contentType, response.Status, got, status, want)
						}
					}
				}
			}
		})
	}
	// Connect's GET is HTTP's.
	interceptor := authimpl.NewServerInterceptor(tableFor(authimpl.Method{
		Headers: []authimpl.Header{withBearer}, Denial: authimpl.Denial{Code: codes.Unauthenticated},
	}), nil, verifiers...)
	for _, install := range installs {
		server := http1.serve(t, install.handler(interceptor, &service{}))
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
			server.URL+methodOf(get)+"?connect=v1&encoding=proto&message=", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := server.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := response.Header.Get("WWW-Authenticate"); response.StatusCode != http.StatusUnauthorized || got != `Bearer realm="door.v1.Door"` {
			t.Errorf("%s: got %s with %q", install.name, response.Status, got)
		}
	}
}
