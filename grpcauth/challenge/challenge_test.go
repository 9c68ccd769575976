package challenge_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/challenge"
)

func TestFor(t *testing.T) {
	t.Parallel()
	service := &authimpl.Service{Name: "a.v1.A", Methods: []authimpl.Method{
		{
			FullMethod: "/a.v1.A/Guarded", Headers: []authimpl.Header{{Name: "authorization", Bearer: true}},
			Denial: authimpl.Denial{Code: codes.Unauthenticated},
		},
		{FullMethod: "/a.v1.A/Open", Public: true},
	}}
	interceptor := authimpl.NewServerInterceptor(service, nil, authimpl.VerifyBearer("authorization", nil))
	for method, want := range map[string][]string{
		"/a.v1.A/Guarded": {`Bearer realm="a.v1.A"`}, "/a.v1.A/Open": nil, "/a.v1.A/Unknown": nil, "": nil,
	} {
		if got := challenge.For(interceptor, method); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", method, got, want)
		}
	}
	for _, broken := range []*grpcauth.ServerInterceptor{nil, {}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("an interceptor without rules does not panic")
				}
			}()
			challenge.For(broken, "")
		}()
	}
}

// A 401 carries the challenges and nothing that was there before; other responses are left alone.
func TestWriter(t *testing.T) {
	t.Parallel()
	for status, want := range map[int][]string{
		http.StatusUnauthorized: {"Bearer", "Basic"}, http.StatusForbidden: {"before"}, http.StatusOK: {"before"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(challenge.Header, "before")
			w = challenge.Writer(w, "Bearer", "Basic")
			w.WriteHeader(status)
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
		}))
		t.Cleanup(server.Close)
		response, err := server.Client().Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := response.Header.Values("WWW-Authenticate"); response.StatusCode != status || !slices.Equal(got, want) {
			t.Errorf("got %s with %q, want %d with %q", response.Status, got, status, want)
		}
	}
}
