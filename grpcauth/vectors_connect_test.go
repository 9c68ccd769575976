package grpcauth_test

import (
	"context"
	"errors"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	connectrpc "connectrpc.com/connect"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/vectors"
)

// connectDoor is a way to put the checks of several services before connect's handlers.
type connectDoor struct {
	name    string
	install func(services []*vectors.Service) http.Handler
}

var connectDoors = []connectDoor{
	{"middleware", func(services []*vectors.Service) http.Handler {
		list := []*grpcauth.ServerInterceptor{neverAsked()}
		for _, s := range services {
			list = append(list, s.Interceptor)
		}
		return connectauth.NewMiddleware(grpcauth.MergeServerInterceptors(list...))(connectHandlers(services, nil))
	}},
	{"interceptor", func(services []*vectors.Service) http.Handler {
		return connectHandlers(services, connectauth.NewInterceptor)
	}},
}

// connectWire is a protocol of connect's on a kind of connection.
type connectWire struct {
	name    string
	http2   bool
	options []connectrpc.ClientOption
	kinds   []kind
}

// grpcOverHTTP2 is the protocol of cases that are written as frames.
const grpcOverHTTP2 = "gRPC over HTTP/2"

var connectWires = []connectWire{
	{"Connect over HTTP/1", false, nil, kinds[:3]}, // bidirectional streams need HTTP/2
	{"Connect over HTTP/2", true, nil, kinds},
	{"Connect with GET over HTTP/1", false, withGet, onlyGET},
	{"Connect with GET over HTTP/2", true, withGet, onlyGET},
	{grpcOverHTTP2, true, []connectrpc.ClientOption{connectrpc.WithGRPC()}, kinds},
	{"gRPC-Web over HTTP/1", false, []connectrpc.ClientOption{connectrpc.WithGRPCWeb()}, kinds[:3]},
	{"gRPC-Web over HTTP/2", true, []connectrpc.ClientOption{connectrpc.WithGRPCWeb()}, kinds},
}

// noSideEffects is what allows GET for the unary methods here.
var noSideEffects = connectrpc.WithIdempotency(connectrpc.IdempotencyNoSideEffects)

// onlyGET are the kinds that GET can call.
var onlyGET = kinds[:1]

var withGet = []connectrpc.ClientOption{connectrpc.WithHTTPGet(), noSideEffects}

// TestT4_VectorsAtTheConnectDoor is TestVectors for services that are served with connectrpc. What another transport
// does differently, the case says.
func TestT4_VectorsAtTheConnectDoor(t *testing.T) {
	t.Parallel()
	files, err := loadVectors()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(file.Theme, func(t *testing.T) {
			t.Parallel()
			for _, door := range connectDoors {
				for _, wire := range connectWires {
					t.Run(door.name+"/"+strings.ReplaceAll(wire.name, "/", " "), func(t *testing.T) {
						t.Parallel()
						runCases(t, wire.cases(file.Cases), serveConnect(t, file, door, wire))
					})
				}
			}
		})
	}
}

// mostNotCarried bounds the cases that a transport may leave out.
const mostNotCarried = 25

// TestVectorsThatHTTP1DoesNotCarry counts them, each of which says why.
func TestVectorsThatHTTP1DoesNotCarry(t *testing.T) {
	t.Parallel()
	files, err := loadVectors()
	if err != nil {
		t.Fatal(err)
	}
	for _, wire := range connectWires {
		all, without := 0, 0
		for _, file := range files {
			all += len(file.Cases)
			without += len(file.Cases) - len(wire.cases(file.Cases))
		}
		if without > mostNotCarried || wire.http2 && without > 0 {
			t.Errorf("%d of %d cases do not travel by %s", without, all, wire.name)
		}
		t.Logf("%d of %d cases do not travel by %s", without, all, wire.name)
	}
}

// cases are those that the transport carries, with the verdict of the Connect door.
func (w connectWire) cases(all []*vectors.Case) []*vectors.Case {
	var carried []*vectors.Case
	for _, c := range all {
		if here := c.Over(w.name, c.AtConnect); here != nil {
			carried = append(carried, here)
		}
	}
	return carried
}

// serveConnect serves the rules of a file with connectrpc.
func serveConnect(t *testing.T, f *vectors.File, door connectDoor, wire connectWire) *vectorServer {
	t.Helper()
	made := &vectorServer{
		kinds: wire.kinds,
		takes: func(c *vectors.Case) bool {
			return c.Calls() && c.By != vectors.ByInProcess && (c.By != vectors.ByWire || wire.name == grpcOverHTTP2)
		},
	}
	made.services = f.Services()
	handler := door.install(slices.Collect(maps.Values(made.services)))
	if slices.Equal(wire.kinds, onlyGET) {
		handler = methodGET(handler)
	}
	address := listenConnect(t, handler)
	protocols := &http.Protocols{}
	protocols.SetHTTP1(!wire.http2)
	protocols.SetHTTP2(wire.http2)
	transport := &http.Transport{Protocols: protocols, TLSClientConfig: madeTLS().client.Clone()}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	dial := dialTLS(address)
	made.send = func(ctx context.Context, t *testing.T, s *vectors.Service, kind kind, c *vectors.Case) vectors.Answer {
		t.Helper()
		path := "/" + s.Name + "/" + string(kind)
		if c.By == vectors.ByWire {
			return sendRaw(ctx, t, c, ends{dial: dial}, "https", path)
		}
		return connectAnswer(callConnect(ctx, client, "https://"+address+path, kind, headerOf(c), wire.options...))
	}
	return made
}

// methodGET serves GET and nothing else, so that no case is run with POST by mistake.
func methodGET(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			http.Error(w, "not a GET", http.StatusMethodNotAllowed)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func listenConnect(t *testing.T, handler http.Handler) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: patience, MaxHeaderBytes: 32 << 20,
		TLSConfig: madeTLS().server.Clone(), ErrorLog: log.New(io.Discard, "", 0),
	}
	done := make(chan error, 1)
	go func() { done <- server.ServeTLS(listener, "", "") }()
	t.Cleanup(func() {
		server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// headerOf is what an HTTP client sends.
func headerOf(c *vectors.Case) http.Header {
	sent := http.Header{}
	for _, pair := range c.Send {
		value, _ := pair.Unmarked()
		if strings.HasSuffix(pair.Key, "-bin") {
			value = connectrpc.EncodeBinaryHeader([]byte(value))
		}
		sent.Add(pair.Key, value)
	}
	return sent
}

func connectAnswer(err error) vectors.Answer {
	var got *connectrpc.Error
	switch {
	case err == nil:
		return vectors.Answer{}
	case errors.As(err, &got):
		return vectors.Answer{Code: codes.Code(got.Code()), Message: got.Message(), Details: len(got.Details())}
	default:
		return vectors.Answer{Code: codes.Unknown, Message: err.Error()}
	}
}

// connectHandlers serves a method of each kind, by exact paths as generated handlers do.
func connectHandlers(
	services []*vectors.Service, check func(*grpcauth.ServerInterceptor) connectrpc.Interceptor,
) http.Handler {
	handlers := map[string]http.Handler{}
	for _, s := range services {
		// The few bytes of these answers are not compressed: the race detector is slow to clear a compressor's tables.
		options := []connectrpc.HandlerOption{connectrpc.WithCompressMinBytes(1 << 10)}
		if check != nil {
			options = append(options, connectrpc.WithInterceptors(check(s.Interceptor)))
		}
		path := func(k kind) string { return "/" + s.Name + "/" + string(k) }
		handlers[path(unary)] = connectrpc.NewUnaryHandler(path(unary),
			func(ctx context.Context, _ *connectrpc.Request[emptypb.Empty]) (*connectrpc.Response[emptypb.Empty], error) {
				s.Enter(ctx)
				return connectrpc.NewResponse(&emptypb.Empty{}), nil
			}, append(options, noSideEffects)...)
		handlers[path(serverStream)] = connectrpc.NewServerStreamHandler(path(serverStream),
			func(ctx context.Context, _ *connectrpc.Request[emptypb.Empty], stream *connectrpc.ServerStream[emptypb.Empty]) error {
				s.Enter(ctx)
				return stream.Send(&emptypb.Empty{})
			}, options...)
		handlers[path(clientStream)] = connectrpc.NewClientStreamHandler(path(clientStream),
			func(ctx context.Context, stream *connectrpc.ClientStream[emptypb.Empty]) (*connectrpc.Response[emptypb.Empty], error) {
				s.Enter(ctx)
				for stream.Receive() {
				}
				return connectrpc.NewResponse(&emptypb.Empty{}), stream.Err()
			}, options...)
		handlers[path(bidi)] = connectrpc.NewBidiStreamHandler(path(bidi),
			func(ctx context.Context, stream *connectrpc.BidiStream[emptypb.Empty, emptypb.Empty]) error {
				s.Enter(ctx)
				for {
					if _, err := stream.Receive(); errors.Is(err, io.EOF) {
						return stream.Send(&emptypb.Empty{})
					} else if err != nil {
						return err
					}
				}
			}, options...)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if handler := handlers[r.URL.Path]; handler != nil {
			handler.ServeHTTP(w, r)
			return
		}
		http.NotFound(w, r)
	})
}

// callConnect calls a method of the given kind to its end, as generated client code does.
func callConnect(
	ctx context.Context, client connectrpc.HTTPClient, url string, kind kind, header http.Header, options ...connectrpc.ClientOption,
) error {
	caller := connectrpc.NewClient[emptypb.Empty, emptypb.Empty](client, url, options...)
	switch kind {
	case unary:
		request := connectrpc.NewRequest(&emptypb.Empty{})
		maps.Copy(request.Header(), header)
		_, err := caller.CallUnary(ctx, request)
		return err
	case serverStream:
		request := connectrpc.NewRequest(&emptypb.Empty{})
		maps.Copy(request.Header(), header)
		stream, err := caller.CallServerStream(ctx, request)
		if err != nil {
			return err
		}
		for stream.Receive() {
		}
		return errors.Join(stream.Err(), stream.Close())
	case clientStream:
		stream := caller.CallClientStream(ctx)
		maps.Copy(stream.RequestHeader(), header)
		if err := stream.Send(&emptypb.Empty{}); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		_, err := stream.CloseAndReceive()
		return err
	default:
		stream := caller.CallBidiStream(ctx)
		maps.Copy(stream.RequestHeader(), header)
		if err := stream.Send(&emptypb.Empty{}); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err := stream.CloseRequest(); err != nil {
			return err
		}
		for {
			if _, err := stream.Receive(); errors.Is(err, io.EOF) {
				return stream.CloseResponse()
			} else if err != nil {
				return err
			}
		}
	}
}
