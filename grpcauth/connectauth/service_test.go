package connectauth_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

// patience bounds every call: tests do not wait for what does not come.
const patience = 20 * time.Second

// refusal is the denial of most rules here, unlike any that connect makes by itself.
var refusal = authimpl.Denial{Code: codes.FailedPrecondition, Message: "Access denied! é"}

// kind is one of the kinds of methods. Each test service has a method of each kind, of that name.
type kind string

const (
	unary        kind = "Unary"
	get          kind = "Get" // a unary method without side effects, which Connect calls with HTTP's GET
	serverStream kind = "ServerStream"
	clientStream kind = "ClientStream"
	bidi         kind = "Bidi"
)

var kinds = []kind{unary, get, serverStream, clientStream, bidi}

const serviceName = "door.v1.Door"

func methodOf(k kind) string { return "/" + serviceName + "/" + string(k) }

// tableFor is a table with the same rule for a method of each kind.
func tableFor(rule authimpl.Method) *authimpl.Service {
	table := &authimpl.Service{Name: serviceName}
	for _, kind := range kinds {
		method := rule
		method.FullMethod = methodOf(kind)
		table.Methods = append(table.Methods, method)
	}
	return table
}

// headers is a rule that requires these.
func headers(list ...authimpl.Header) authimpl.Method {
	return authimpl.Method{Headers: list, Denial: refusal}
}

// message is what all methods take and return.
type message = wrapperspb.BytesValue

// service answers with a message of its own, after it has read all that it was sent.
type service struct {
	handled func(ctx context.Context) error // called by each handler before it reads a stream, if set
	receive func(ctx context.Context, receive func() error, send func() error) error
}

func (s *service) enter(ctx context.Context) error {
	if s.handled == nil {
		return nil
	}
	return s.handled(ctx)
}

// handler serves a method of each kind, as the handlers that connect generates do: by exact paths.
func (s *service) handler(options ...connect.HandlerOption) http.Handler {
	mux := http.NewServeMux()
	one := func(ctx context.Context, _ *connect.Request[message]) (*connect.Response[message], error) {
		if err := s.enter(ctx); err != nil {
			return nil, err
		}
		return connect.NewResponse(&message{}), nil
	}
	mux.Handle(methodOf(unary), connect.NewUnaryHandler(methodOf(unary), one, options...))
	mux.Handle(methodOf(get), connect.NewUnaryHandler(methodOf(get), one,
		append(options, connect.WithIdempotency(connect.IdempotencyNoSideEffects))...))
	mux.Handle(methodOf(serverStream), connect.NewServerStreamHandler(methodOf(serverStream),
		func(ctx context.Context, _ *connect.Request[message], stream *connect.ServerStream[message]) error {
			if err := s.enter(ctx); err != nil {
				return err
			}
			if s.receive != nil {
				return s.receive(ctx, nil, func() error { return stream.Send(&message{Value: []byte("more")}) })
			}
			return stream.Send(&message{})
		}, options...))
	mux.Handle(methodOf(clientStream), connect.NewClientStreamHandler(methodOf(clientStream),
		func(ctx context.Context, stream *connect.ClientStream[message]) (*connect.Response[message], error) {
			if err := s.enter(ctx); err != nil {
				return nil, err
			}
			for stream.Receive() {
			}
			return connect.NewResponse(&message{}), stream.Err()
		}, options...))
	mux.Handle(methodOf(bidi), connect.NewBidiStreamHandler(methodOf(bidi),
		func(ctx context.Context, stream *connect.BidiStream[message, message]) error {
			if err := s.enter(ctx); err != nil {
				return err
			}
			receive := func() error {
				_, err := stream.Receive()
				return err
			}
			if s.receive != nil {
				return s.receive(ctx, receive, func() error { return stream.Send(&message{Value: []byte("more")}) })
			}
			for {
				if err := receive(); errors.Is(err, io.EOF) {
					return stream.Send(&message{})
				} else if err != nil {
					return err
				}
			}
		}, options...))
	return mux
}

// wire is a kind of connection.
type wire struct {
	name  string
	tls   bool
	http2 bool
}

var (
	http1    = wire{name: "HTTP/1.1"}
	http1TLS = wire{name: "HTTP/1.1 with TLS", tls: true}
	h2       = wire{name: "HTTP/2", tls: true, http2: true}
	h2c      = wire{name: "HTTP/2 in plaintext", http2: true}
	wires    = []wire{http1, http1TLS, h2, h2c}
)

// protocol is one that connect's clients speak.
type protocol struct {
	name    string
	options []connect.ClientOption
}

var (
	connectProtocol = protocol{name: "Connect"}
	grpcProtocol    = protocol{name: "gRPC", options: []connect.ClientOption{connect.WithGRPC()}}
	grpcWebProtocol = protocol{name: "gRPC-Web", options: []connect.ClientOption{connect.WithGRPCWeb()}}
	protocols       = []protocol{connectProtocol, grpcProtocol, grpcWebProtocol}
)

// carries is false where a protocol cannot make a call of the kind: bidirectional streams, and gRPC's trailers,
// need HTTP/2.
func (w wire) carries(p protocol, k kind) bool {
	return w.http2 || k != bidi && p.name != grpcProtocol.name
}

// served is a server that runs until the test's end, and a client for it.
type served struct {
	*httptest.Server

	client *http.Client
}

// serve serves a handler on a kind of connection.
func (w wire) serve(t *testing.T, handler http.Handler, configure ...func(*httptest.Server)) *served {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.Protocols = w.protocols()
	for _, one := range configure {
		one(server)
	}
	if w.tls {
		server.EnableHTTP2 = w.http2
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	transport := &http.Transport{Protocols: w.protocols()}
	if w.tls {
		transport.TLSClientConfig = &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &served{Server: server, client: &http.Client{Transport: transport}}
}

func (w wire) protocols() *http.Protocols {
	protocols := &http.Protocols{}
	protocols.SetHTTP1(!w.http2)
	protocols.SetHTTP2(w.http2 && w.tls)
	protocols.SetUnencryptedHTTP2(w.http2 && !w.tls)
	return protocols
}

// call makes a call to its end, as generated client code does, with these header fields beside those of an
// interceptor.
func (s *served) call(ctx context.Context, p protocol, k kind, header http.Header, options ...connect.ClientOption) error {
	return callWith(ctx, s.client, s.URL, p, k, header, options...)
}

func callWith(
	ctx context.Context, client connect.HTTPClient, url string, p protocol, k kind, header http.Header,
	options ...connect.ClientOption,
) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	options = append(append([]connect.ClientOption{}, p.options...), options...)
	if k == get {
		options = append(options, connect.WithHTTPGet(), connect.WithIdempotency(connect.IdempotencyNoSideEffects))
	}
	caller := connect.NewClient[message, message](client, url+methodOf(k), options...)
	add := func(to http.Header) { maps.Copy(to, header) }
	switch k {
	case unary, get:
		request := connect.NewRequest(&message{})
		add(request.Header())
		_, err := caller.CallUnary(ctx, request)
		return err
	case serverStream:
		request := connect.NewRequest(&message{})
		add(request.Header())
		stream, err := caller.CallServerStream(ctx, request)
		if err != nil {
			return err
		}
		defer stream.Close()
		for stream.Receive() {
		}
		return stream.Err()
	case clientStream:
		stream := caller.CallClientStream(ctx)
		add(stream.RequestHeader())
		if err := stream.Send(&message{}); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		_, err := stream.CloseAndReceive()
		return err
	default:
		stream := caller.CallBidiStream(ctx)
		defer stream.CloseResponse()
		add(stream.RequestHeader())
		if err := stream.Send(&message{}); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err := stream.CloseRequest(); err != nil {
			return err
		}
		for {
			if _, err := stream.Receive(); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
}

// wantError compares what a caller got.
func wantError(t *testing.T, got error, code connect.Code, text string) {
	t.Helper()
	var refused *connect.Error
	if !errors.As(got, &refused) || refused.Code() != code || refused.Message() != text {
		t.Errorf("got %v, want %s: %s", got, code, text)
	}
}

// install is a way to put the check into a server.
type install struct {
	name    string
	handler func(*grpcauth.ServerInterceptor, *service) http.Handler
}
