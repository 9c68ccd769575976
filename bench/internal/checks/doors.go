package checks

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// call is one call that arrived, and the outcome that it must have.
type call struct {
	ctx        context.Context //nolint:containedctx // the call's own, which the doors are given
	fullMethod string
	want       codes.Code
}

// doOften is a number of calls, and an error if one did not come out as it should.
type doOften = func(n int) error

// verify is asked after a loop: the last error, and how often the handler ran.
func (c *call) verify(err error, ran, n int) error {
	wantRuns := 0
	if c.want == codes.OK {
		wantRuns = n
	}
	if status.Code(err) != c.want || ran != wantRuns {
		return fmt.Errorf("%s ends with %w, and should with %v; of %d calls %d were handled",
			c.fullMethod, err, c.want, n, ran)
	}
	return nil
}

// alone calls a hand-written check as a function.
func alone(check func(context.Context) error, c call) doOften {
	return func(n int) error {
		var err error
		passed := 0
		for range n {
			if err = check(c.ctx); err == nil {
				passed++
			}
		}
		return c.verify(err, passed, n)
	}
}

// intercepted calls an interceptor with a handler that does nothing.
func intercepted(interceptor grpc.UnaryServerInterceptor, c call) doOften {
	info := &grpc.UnaryServerInfo{FullMethod: strings.Clone(c.fullMethod)} // as from the wire, not the literal
	return func(n int) error {
		var err error
		ran := 0
		handler := func(context.Context, any) (any, error) {
			ran++
			return nil, nil
		}
		for range n {
			_, err = interceptor(c.ctx, nil, info, handler)
		}
		return c.verify(err, ran, n)
	}
}

// streamIntercepted is the same for a stream.
func streamIntercepted(interceptor grpc.StreamServerInterceptor, c call) doOften {
	info := &grpc.StreamServerInfo{FullMethod: strings.Clone(c.fullMethod), IsClientStream: true, IsServerStream: true}
	stream := &openStream{ctx: c.ctx}
	return func(n int) error {
		var err error
		ran := 0
		handler := func(any, grpc.ServerStream) error {
			ran++
			return nil
		}
		for range n {
			err = interceptor(nil, stream, info, handler)
		}
		return c.verify(err, ran, n)
	}
}

// openStream is all that a check needs of a stream.
type openStream struct {
	grpc.ServerStream

	ctx context.Context //nolint:containedctx // as in grpc's own streams
}

func (s *openStream) Context() context.Context { return s.ctx }

// runs counts how often the handlers of a service ran.
type runs struct{ n int }

// bound calls a handler that a check is bound to. Its service must be a *runs.
func bound(handler grpc.MethodHandler, c call) doOften {
	return func(n int) error {
		var err error
		counted := &runs{}
		for range n {
			_, err = handler(counted, c.ctx, nil, nil)
		}
		return c.verify(err, counted.n, n)
	}
}

// streamBound is the same for a stream.
func streamBound(handler grpc.StreamHandler, c call) doOften {
	stream := &openStream{ctx: c.ctx}
	return func(n int) error {
		var err error
		counted := &runs{}
		for range n {
			err = handler(counted, stream)
		}
		return c.verify(err, counted.n, n)
	}
}

// handle is the handler of every unary method, handleStream that of every stream.
func handle(srv any, _ context.Context, _ func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	if counted, ok := srv.(*runs); ok {
		counted.n++
	}
	return nil, nil //nolint:nilnil // nothing but the check is measured
}

func handleStream(srv any, _ grpc.ServerStream) error {
	if counted, ok := srv.(*runs); ok {
		counted.n++
	}
	return nil
}

// registrar keeps the handlers that a service is registered with.
type registrar struct {
	unary   map[string]grpc.MethodHandler // by full method
	streams map[string]grpc.StreamHandler
}

func (r *registrar) RegisterService(desc *grpc.ServiceDesc, _ any) {
	for _, method := range desc.Methods {
		r.unary["/"+desc.ServiceName+"/"+method.MethodName] = method.Handler
	}
	for _, stream := range desc.Streams {
		r.streams["/"+desc.ServiceName+"/"+stream.StreamName] = stream.Handler
	}
}

// guarded registers a service through a guard, with handlers that do nothing, and returns what the server would
// call.
func guarded(
	guard func(grpc.ServiceRegistrar) grpc.ServiceRegistrar, service string, methods, streams []string,
) *registrar {
	desc := &grpc.ServiceDesc{ServiceName: service, HandlerType: (*any)(nil)}
	for _, name := range methods {
		desc.Methods = append(desc.Methods, grpc.MethodDesc{MethodName: name, Handler: handle})
	}
	for _, name := range streams {
		desc.Streams = append(desc.Streams, grpc.StreamDesc{
			StreamName: name, Handler: handleStream, ClientStreams: true, ServerStreams: true,
		})
	}
	captured := &registrar{unary: map[string]grpc.MethodHandler{}, streams: map[string]grpc.StreamHandler{}}
	guard(captured).RegisterService(desc, &runs{})
	return captured
}
