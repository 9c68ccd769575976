package main

import (
	"context"
	"net/http"

	"connectrpc.com/connect"
	connectcors "connectrpc.com/cors"
	"github.com/rs/cors"
	"google.golang.org/grpc/codes"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/interop/internal/cases"
	"github.com/grpcauth/protoc-gen-go-grpcauth/interop/internal/doors"
)

// A door is a server of the greeter, set up in one way, and what a page sees there.
type door struct {
	name      string
	http2     bool   // and TLS, as in production; the others speak HTTP/1.1
	stranger  bool   // it is called from an origin that CORS does not allow
	preflight string // what its preflights are
	handler   func(mux http.Handler, origin string) http.Handler
	// sees turns what a page should see of a call into what it sees, and says whether the call reaches the middleware.
	sees func(protocol string, should cases.Call) (seen cases.Call, reaches bool)

	runs       runs
	preflights preflights
}

// allDoors are the one of docs/transports.md, twice, and one for each mistake that it warns of.
func allDoors() []*door {
	all := []*door{
		{name: "as documented", preflight: allowed, handler: documented, sees: asItShould},
		{name: "over HTTP/2", preflight: allowed, handler: documented, sees: asItShould, http2: true},
		{name: "another origin", preflight: refused, handler: documented, sees: nothing, stranger: true},
		{name: "nothing exposed", preflight: allowed, handler: exposingNothing, sees: noFailuresOfGRPCWeb},
		{name: "header not allowed", preflight: mixed, handler: allowingNoHeader, sees: callsWithoutHeader},
		{name: "CORS inside", preflight: mixed, handler: inside, sees: publicMethods},
	}
	for _, d := range all {
		d.runs.count = map[attempt]int{}
	}
	return all
}

// open serves, for a page of this origin, until the context ends.
func (d *door) open(ctx context.Context, origin string) (url string, err error) {
	handler := d.preflights.watch(d.handler(doors.ConnectHandlers(connect.WithInterceptors(&d.runs)), origin))
	if d.http2 {
		return serveHTTP2(ctx, handler), nil
	}
	listener, url, err := listen(ctx)
	if err != nil {
		return "", err
	}
	serve(ctx, listener, handler)
	return url, nil
}

func documented(mux http.Handler, origin string) http.Handler {
	handler := cors.New(forPage(origin)).Handler(guard(mux))
	return handler
}

func asItShould(_ string, should cases.Call) (seen cases.Call, reaches bool) { return should, true }

func nothing(_ string, should cases.Call) (seen cases.Call, reaches bool) {
	return blocked(should), false
}

func exposingNothing(mux http.Handler, origin string) http.Handler {
	options := forPage(origin)
	options.ExposedHeaders = nil
	return cors.New(options).Handler(guard(mux))
}

func noFailuresOfGRPCWeb(protocol string, should cases.Call) (seen cases.Call, reaches bool) {
	if protocol == doors.GRPCWeb && should.Code != codes.OK {
		return failed(should, "missing trailer"), true
	}
	return should, true
}

func allowingNoHeader(mux http.Handler, origin string) http.Handler {
	options := forPage(origin)
	options.AllowedHeaders = connectcors.AllowedHeaders()
	return cors.New(options).Handler(guard(mux))
}

func callsWithoutHeader(_ string, should cases.Call) (seen cases.Call, reaches bool) {
	if should.Header != cases.None {
		return blocked(should), false
	}
	return should, true
}

func inside(mux http.Handler, origin string) http.Handler {
	return guard(cors.New(forPage(origin)).Handler(mux))
}

func publicMethods(_ string, should cases.Call) (seen cases.Call, reaches bool) {
	if should.Kind != cases.Ping {
		return blocked(should), false
	}
	return should, true
}

func guard(mux http.Handler) http.Handler {
	return connectauth.NewMiddleware(greeterv1.NewGreeterServerInterceptor())(mux)
}

// blocked is a call that the browser does not make: it does not tell scripts why.
func blocked(call cases.Call) cases.Call { return failed(call, "Failed to fetch") }

// failed is a call of which the script sees no status.
func failed(call cases.Call, message string) cases.Call {
	return cases.Call{Kind: call.Kind, Header: call.Header, Code: codes.Unknown, Message: message}
}
