package connectauth_test

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
)

// A header of nothing but commas has a value between any two of them. What a refused caller makes the server keep is one
// Go string for each, and no copies of a growing list besides.
func TestT42_CommasCostAStringEach(t *testing.T) { //nolint:paralleltest // counts what the whole process allocates
	interceptor := authimpl.NewServerInterceptor(tableFor(headers(authimpl.Header{Name: "x-key", Equals: "42"})), nil)
	handler := connectauth.NewMiddleware(interceptor)((&service{}).handler())
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, methodOf(unary), http.NoBody)
	request.Header.Set("X-Any-Bin", strings.Repeat(",", mebibyte))
	response := httptest.NewRecorder()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	handler.ServeHTTP(response, request)
	runtime.ReadMemStats(&after)
	const bytesOfAString = 16
	if allocated := after.TotalAlloc - before.TotalAlloc; response.Code != refusedStatus || allocated > (bytesOfAString+1)*mebibyte {
		t.Errorf("got %d for %d MiB", response.Code, allocated/mebibyte)
	}
}
