// Package challenge tells HTTP clients how to authenticate: in the header WWW-Authenticate, which RFC 9110
// asks for beside the status 401. connectauth does so by itself; this is for gateways, whose own code turns a
// refusal into an HTTP response:
//
//	func onError(ctx context.Context, mux *runtime.ServeMux, m runtime.Marshaler,
//		w http.ResponseWriter, r *http.Request, err error,
//	) {
//		method, _ := runtime.RPCMethod(ctx)
//		w = challenge.Writer(w, challenge.For(interceptor, method)...)
//		runtime.DefaultHTTPErrorHandler(ctx, mux, m, w, r, err)
//	}
package challenge

import (
	"net/http"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/bridge"
)

// Header is the HTTP header of challenges.
const Header = "WWW-Authenticate"

// For returns the challenges of a method ("/package.Service/Method"), such as
//
//	Bearer realm="bank.v1.Bank"
//
// They are the schemes that its rule takes in the header Authorization, with the service as the realm. There
// are none for a rule without such a scheme, and for a method without a rule. It panics on an interceptor that
// was not made by a generated constructor.
func For(interceptor *grpcauth.ServerInterceptor, fullMethod string) []string {
	bridge.MustBeMade(interceptor)
	check := bridge.FindListed(interceptor, fullMethod)
	if check == nil {
		return nil
	}
	return check.Challenges()
}

// Writer returns a w whose response, if its status is 401, carries these challenges and no others.
func Writer(w http.ResponseWriter, challenges ...string) http.ResponseWriter {
	return &writer{ResponseWriter: w, challenges: challenges}
}

type writer struct {
	http.ResponseWriter

	challenges []string
}

// WriteHeader is [http.ResponseWriter.WriteHeader].
func (w *writer) WriteHeader(status int) {
	if status == http.StatusUnauthorized {
		w.Header().Del(Header)
		for _, challenge := range w.challenges {
			w.Header().Add(Header, challenge)
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Flush is [http.Flusher.Flush], without which connect's handlers serve no streams.
func (w *writer) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Unwrap is for [http.ResponseController].
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
