package main

import (
	"context"
	"path"
	"sync"

	"connectrpc.com/connect"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/interop/internal/cases"
	"github.com/grpcauth/protoc-gen-go-grpcauth/interop/internal/doors"
)

// An attempt is a kind of call of a protocol, with or without the header.
type attempt struct{ protocol, kind, header string }

// runs counts what handlers are called for. It is the interceptor right before them.
type runs struct {
	mutex sync.Mutex
	count map[attempt]int
}

// WrapUnary is for handlers of unary methods.
func (r *runs) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
		kind := path.Base(request.Spec().Procedure)
		if hello, ok := request.Any().(*greeterv1.SayHelloRequest); ok && hello.GetName() == doors.Nobody {
			kind = cases.Details
		}
		r.add(kind, request.Peer().Protocol, request.Header().Get("Authorization"))
		return next(ctx, request)
	}
}

// WrapStreamingHandler is for handlers of streams.
func (r *runs) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, stream connect.StreamingHandlerConn) error {
		r.add(path.Base(stream.Spec().Procedure), stream.Peer().Protocol, stream.RequestHeader().Get("Authorization"))
		return next(ctx, stream)
	}
}

// WrapStreamingClient is for clients, and there are none.
func (*runs) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

func (r *runs) add(kind, protocol, authorization string) {
	one := attempt{protocol, kind, cases.Wrong}
	switch protocol {
	case connect.ProtocolConnect:
		one.protocol = doors.Connect
	case connect.ProtocolGRPCWeb:
		one.protocol = doors.GRPCWeb
	}
	switch authorization {
	case "":
		one.header = cases.None
	case "42":
		one.header = cases.Right
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.count[one]++
}

func (r *runs) of(one attempt) int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.count[one]
}
