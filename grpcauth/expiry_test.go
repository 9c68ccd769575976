package grpcauth_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

const textExpired = "the credential has expired"

// expiring makes a server interceptor for one bearer header whose verifier reports these expiries in turn.
func expiring(table *authimpl.Service, options []grpcauth.ServerOption, expiries ...time.Duration) *grpcauth.ServerInterceptor {
	return authimpl.NewServerInterceptor(table, options, authimpl.VerifyBearer("authorization",
		func(ctx context.Context, _ grpcauth.Call, _ grpcauth.Secret) (context.Context, error) {
			now := time.Now()
			for _, after := range expiries {
				ctx = grpcauth.WithExpiry(ctx, now.Add(after)) //nolint:fatcontext // several reports on one context are what is tested
			}
			return ctx, nil
		}))
}

func bearerTable() *authimpl.Service {
	return tableFor("test.v1.Service", headers(authimpl.Header{Name: "authorization", Bearer: true}))
}

// streamOf opens a stream without sending anything on it.
func streamOf(t *testing.T, ctx context.Context, connection *grpc.ClientConn, table *authimpl.Service, kind kind) grpc.ClientStream {
	t.Helper()
	stream, err := connection.NewStream(ctx, &grpc.StreamDesc{
		StreamName: string(kind), ServerStreams: kind != clientStream, ClientStreams: kind != serverStream,
	}, "/"+table.Name+"/"+string(kind))
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// bubble runs a test under a controlled clock, with each installation, on a real server and connection
// inside of the process.
func bubble(t *testing.T, test func(t *testing.T, install install)) {
	t.Helper()
	for _, install := range installs {
		t.Run(install.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { test(t, install) })
		})
	}
}

// A handler that waits in Recv, and one that waits in Send because nobody receives, are woken when the
// credential expires; their caller gets UNAUTHENTICATED, and the handlers' context is cancelled.
func TestStreamsEndWhenTheirCredentialExpires(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]func(grpc.ServerStream) error{
		"in Recv": func(stream grpc.ServerStream) error {
			for {
				if err := stream.RecvMsg(&emptypb.Empty{}); err != nil {
					return err
				}
			}
		},
		"in Send": func(stream grpc.ServerStream) error {
			for {
				if err := stream.SendMsg(&emptypb.Empty{}); err != nil {
					return err
				}
			}
		},
		"for its context": func(stream grpc.ServerStream) error {
			<-stream.Context().Done()
			return stream.Context().Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, install install) {
				t.Helper()
				table := bearerTable()
				ended := make(chan error, 1)
				served := &streamer{name: table.Name, handle: func(stream grpc.ServerStream) error {
					err := wait(stream)
					<-stream.Context().Done()
					for what, late := range map[string]error{
						"Send":        stream.SendMsg(&emptypb.Empty{}),
						"Recv":        stream.RecvMsg(&emptypb.Empty{}),
						"SetHeader":   stream.SetHeader(metadata.Pairs("a", "b")),
						"SendHeader":  stream.SendHeader(metadata.Pairs("a", "b")),
						"the context": context.Cause(stream.Context()),
					} {
						if status.Code(late) != codes.Unauthenticated {
							t.Errorf("%s after expiry gives %v", what, late)
						}
					}
					stream.SetTrailer(metadata.Pairs("late", "trailer"))
					ended <- err
					return err
				}}
				interceptor := expiring(table, nil, time.Hour, time.Minute, 2*time.Hour)
				connection := served.start(t, install, interceptor)
				began := time.Now()
				stream := streamOf(t, sent(t, "authorization", "Bearer a"), connection, table, bidi)
				if err := stream.SendMsg(&emptypb.Empty{}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute - time.Second)
				synctest.Wait()
				select {
				case err := <-ended:
					t.Fatalf("the handler ended before its credential expired: %v", err)
				default:
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
				var err error
				for err == nil {
					err = stream.RecvMsg(&emptypb.Empty{})
				}
				if status.Code(err) != codes.Unauthenticated || status.Convert(err).Message() != textExpired {
					t.Errorf("the caller got %v", err)
				}
				if late := stream.Trailer().Get("late"); late != nil {
					t.Errorf("the caller got a trailer that was set after the end: %q", late)
				}
				if err := <-ended; err == nil {
					t.Error("the handler was not told")
				}
				if took := time.Since(began); took < time.Minute || took > time.Minute+2*time.Second {
					t.Errorf("the stream ended after %v", took)
				}
			})
		})
	}
}

// The clock ends a stream, and not the context, to which a verifier may have given an end of its own.
func TestStreamsEndOnTimeWhateverTheirContextDid(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, install install) {
		t.Helper()
		table := bearerTable()
		served := &streamer{name: table.Name, handle: func(stream grpc.ServerStream) error {
			for {
				if err := stream.RecvMsg(&emptypb.Empty{}); err != nil {
					return err
				}
			}
		}}
		connection := served.start(t, install, authimpl.NewServerInterceptor(table, nil, authimpl.VerifyBearer("authorization",
			func(ctx context.Context, _ grpcauth.Call, _ grpcauth.Secret) (context.Context, error) {
				bounded, cancel := context.WithTimeout(ctx, time.Second)
				context.AfterFunc(ctx, cancel)
				return grpcauth.WithExpiry(bounded, time.Now().Add(time.Minute)), nil
			})))
		began := time.Now()
		stream := streamOf(t, sent(t, "authorization", "Bearer a"), connection, table, bidi)
		for {
			if err := stream.SendMsg(&emptypb.Empty{}); err != nil {
				break
			}
			time.Sleep(time.Second)
		}
		if err := stream.RecvMsg(&emptypb.Empty{}); status.Code(err) != codes.Unauthenticated || time.Since(began) > time.Minute+5*time.Second {
			t.Errorf("ended after %v with %v", time.Since(began), err)
		}
	})
}

// What a stream does before its credential expires is as without us: its error, its messages, its trailer, its panic.
func TestStreamsWithAnExpiryAreTransparentUntilThen(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, install install) {
		t.Helper()
		table := bearerTable()
		var behave func(stream grpc.ServerStream) error
		var recovered any
		served := &streamer{
			name:   table.Name,
			handle: func(stream grpc.ServerStream) error { return behave(stream) },
			outermost: func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
				defer func() {
					if recovered = recover(); recovered != nil {
						err = status.Error(codes.DataLoss, "recovered")
					}
				}()
				return handler(srv, stream)
			},
		}
		connection := served.start(t, install, expiring(table, nil, time.Minute))
		run := func() (metadata.MD, error) {
			stream := streamOf(t, sent(t, "authorization", "Bearer a"), connection, table, bidi)
			if err := errors.Join(stream.SendMsg(&emptypb.Empty{}), stream.CloseSend()); err != nil {
				t.Fatal(err)
			}
			var err error
			for err == nil {
				err = stream.RecvMsg(&emptypb.Empty{})
			}
			return stream.Trailer(), err
		}
		behave = func(stream grpc.ServerStream) error {
			stream.SetTrailer(metadata.Pairs("x", "trailer"))
			if err := errors.Join(stream.SetHeader(metadata.Pairs("x", "y")), stream.RecvMsg(&emptypb.Empty{})); err != nil {
				return err
			}
			if err := stream.RecvMsg(&emptypb.Empty{}); !errors.Is(err, io.EOF) {
				return err
			}
			return errors.Join(stream.SendHeader(nil), stream.SendMsg(&emptypb.Empty{}))
		}
		if trailer, err := run(); !errors.Is(err, io.EOF) || len(trailer.Get("x")) != 1 {
			t.Errorf("got %v, %v", err, trailer)
		}
		for _, code := range []codes.Code{codes.NotFound, codes.DeadlineExceeded} {
			behave = func(grpc.ServerStream) error { return status.Error(code, "the handler's") }
			if _, err := run(); status.Code(err) != code || status.Convert(err).Message() != "the handler's" {
				t.Errorf("got %v, want the handler's own %v", err, code)
			}
		}
		behave = func(grpc.ServerStream) error { panic("the handler's") }
		if _, err := run(); status.Code(err) != codes.DataLoss || recovered != "the handler's" {
			t.Errorf("a panic became %v, recovered %v", err, recovered)
		}
	})
}

// A handler that panics when its caller is gone ends nothing else, and somebody is told.
func TestHandlersThatPanicAfterExpiryAreReported(t *testing.T) { //nolint:paralleltest // it sets the default logger
	var log lockedBuffer
	restore := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(restore)
	synctest.Test(t, func(t *testing.T) {
		table := bearerTable()
		served := &streamer{name: table.Name, handle: func(stream grpc.ServerStream) error {
			<-stream.Context().Done()
			time.Sleep(time.Second)
			panic("too late")
		}}
		connection := served.start(t, installs[0], expiring(table, nil, time.Minute))
		stream := streamOf(t, sent(t, "authorization", "Bearer a"), connection, table, bidi)
		if err := stream.SendMsg(&emptypb.Empty{}); err != nil {
			t.Fatal(err)
		}
		if err := stream.RecvMsg(&emptypb.Empty{}); status.Code(err) != codes.Unauthenticated {
			t.Errorf("the caller got %v", err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
	})
	for _, want := range []string{"level=ERROR", `method=/test.v1.Service/Bidi`, `panic="too late"`, "expiry_test.go"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q: %s", want, log.String())
		}
	}
}

// runtime.Goexit in a handler ends the goroutine that called the interceptor, as without us.
func TestStreamsWithAnExpiryPassGoexitOn(t *testing.T) {
	t.Parallel()
	table := bearerTable()
	interceptor := expiring(table, nil, time.Minute)
	returned := false
	var wait sync.WaitGroup
	wait.Go(func() {
		stream := &fixedStream{ctx: arrived(t, "authorization", "Bearer a")}
		_ = interceptor.StreamInterceptor(nil, stream, &grpc.StreamServerInfo{FullMethod: table.Methods[3].FullMethod},
			func(any, grpc.ServerStream) error {
				runtime.Goexit()
				return nil
			})
		returned = true
	})
	wait.Wait()
	if returned {
		t.Error("the interceptor returned")
	}
}

// A caller that goes away ends a stream with an expiry as it ends any other.
func TestStreamsWithAnExpiryEndWithTheirCaller(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, install install) {
		t.Helper()
		table := bearerTable()
		ended := make(chan error, 1)
		served := &streamer{name: table.Name, handle: func(stream grpc.ServerStream) error {
			<-stream.Context().Done()
			time.Sleep(time.Second) // a handler has the time it needs to clean up
			ended <- context.Cause(stream.Context())
			return stream.Context().Err()
		}}
		connection := served.start(t, install, expiring(table, nil, time.Minute))
		ctx, cancel := context.WithCancel(sent(t, "authorization", "Bearer a"))
		stream := streamOf(t, ctx, connection, table, bidi)
		if err := stream.SendMsg(&emptypb.Empty{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		cancel()
		if err := stream.RecvMsg(&emptypb.Empty{}); status.Code(err) != codes.Canceled {
			t.Errorf("the caller got %v", err)
		}
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the handler's context ended with %v", err)
		}
	})
}

// The deadline of a unary handler is the earliest expiry; the error that results is UNAUTHENTICATED, and
// errors for other reasons are left alone.
func TestUnaryHandlersHaveTheExpiryAsDeadline(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, install install) {
		t.Helper()
		table := bearerTable()
		var behave func(ctx context.Context) error
		served := &streamer{name: table.Name, unary: func(ctx context.Context) error { return behave(ctx) }}
		connection := served.start(t, install, expiring(table, nil, time.Hour, time.Minute))
		run := func(ctx context.Context) error {
			return connection.Invoke(ctx, "/"+table.Name+"/Unary", &emptypb.Empty{}, &emptypb.Empty{})
		}
		ctx := sent(t, "authorization", "Bearer a")
		began := time.Now()
		behave = func(ctx context.Context) error {
			if deadline, ok := ctx.Deadline(); !ok || !deadline.Equal(began.Add(time.Minute)) {
				t.Errorf("the deadline is %v", deadline)
			}
			<-ctx.Done()
			return ctx.Err()
		}
		if err := run(ctx); status.Code(err) != codes.Unauthenticated || status.Convert(err).Message() != textExpired {
			t.Errorf("a handler that waits for its context: %v", err)
		}
		if took := time.Since(began); took != time.Minute {
			t.Errorf("it took %v", took)
		}
		behave = func(ctx context.Context) error {
			<-ctx.Done()
			return status.FromContextError(ctx.Err()).Err()
		}
		if err := run(ctx); status.Code(err) != codes.Unauthenticated {
			t.Errorf("a handler that gives a status: %v", err)
		}
		behave = func(ctx context.Context) error {
			deadline, _ := ctx.Deadline()
			time.Sleep(time.Until(deadline))
			return status.Error(codes.DeadlineExceeded, "grpc sees that no time is left before the context does")
		}
		if err := run(ctx); status.Code(err) != codes.Unauthenticated {
			t.Errorf("a handler whose own calls run out of time: %v", err)
		}
		behave = func(ctx context.Context) error {
			<-ctx.Done()
			return status.Error(codes.Internal, "cleanup failed")
		}
		if err := run(ctx); status.Code(err) != codes.Internal {
			t.Errorf("a handler that fails otherwise: %v", err)
		}
		behave = func(context.Context) error { return context.DeadlineExceeded }
		if err := run(ctx); status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("a deadline of the handler's own: %v", err)
		}
		behave = func(ctx context.Context) error {
			<-ctx.Done()
			return nil
		}
		if err := run(ctx); err != nil {
			t.Errorf("a handler that succeeds all the same: %v", err)
		}
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		behave = func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}
		if err := run(short); status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("a caller whose own deadline is earlier: %v", err)
		}
	})
}

// A credential that is expired already refuses the call with the rule's denial. Without an expiry nothing ends.
func TestExpiryInThePastRefuses(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, install install) {
		t.Helper()
		for name, test := range map[string]struct {
			expiries []time.Duration
			refused  bool
		}{
			"past":                  {[]time.Duration{-time.Nanosecond}, true},
			"now":                   {[]time.Duration{0}, true},
			"past, then the future": {[]time.Duration{-time.Hour, time.Hour}, true},
			"the future, then past": {[]time.Duration{time.Hour, -time.Hour}, true},
			"the future":            {[]time.Duration{time.Nanosecond}, false},
			"none":                  {nil, false},
		} {
			table := bearerTable()
			var decisions recordedDecisions
			served := &service{name: table.Name}
			connection := served.startIn(t, install, expiring(table, []grpcauth.ServerOption{grpcauth.OnDecision(decisions.record)}, test.expiries...))
			for _, kind := range kinds {
				err := call(sent(t, "authorization", "Bearer a"), connection, table.Name, kind)
				if refused := status.Code(err) == refusal.Code && status.Convert(err).Message() == refusal.Message; refused != test.refused || (err != nil) != test.refused {
					t.Errorf("%s, %s: %v", name, kind, err)
				}
				want := grpcauth.Allowed
				if test.refused {
					want = grpcauth.Refused
				}
				if last := decisions.last(t); last.Reason != want || (last.Err != nil) != test.refused {
					t.Errorf("%s, %s: decided %+v", name, kind, last)
				}
			}
		}
	})
}

// The earliest expiry counts, whichever verifier reports it and in whatever order.
func TestEarliestExpiryOfSeveralVerifiersCounts(t *testing.T) {
	t.Parallel()
	for name, minutes := range map[string][2]int{"the first": {1, 2}, "the second": {2, 1}, "the same": {1, 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				verify := func(after int) func(ctx context.Context, _ grpcauth.Call, _ grpcauth.Secret) (context.Context, error) {
					return func(ctx context.Context, _ grpcauth.Call, _ grpcauth.Secret) (context.Context, error) {
						return grpcauth.WithExpiry(ctx, began.Add(time.Duration(after)*time.Minute)), nil
					}
				}
				table := tableFor("test.v1.Service", authimpl.Method{
					Headers: []authimpl.Header{{Name: "authorization", Bearer: true}},
					AnyOf:   [][]authimpl.Header{{{Name: "x-api-key", Verify: authimpl.String}}},
					Denial:  refusal,
				})
				interceptor := authimpl.NewServerInterceptor(table, nil,
					authimpl.VerifyBearer("authorization", verify(minutes[0])),
					authimpl.VerifyValue("x-api-key", "", verify(minutes[1])))
				admitted, err := interceptor.Authorize(arrived(t, "authorization", "Bearer a", "x-api-key", "b"), table.Methods[0].FullMethod)
				if err != nil {
					t.Fatal(err)
				}
				<-admitted.Done()
				if took := time.Since(began); took != time.Minute || status.Code(context.Cause(admitted)) != codes.Unauthenticated {
					t.Errorf("ended after %v with %v", took, context.Cause(admitted))
				}
			})
		})
	}
}

// The context that Authorize returns ends with its call as well, and then for no reason of ours.
func TestAuthorizedContextEndsWithItsCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := bearerTable()
		ctx, cancel := context.WithCancel(arrived(t, "authorization", "Bearer a"))
		admitted, err := expiring(table, nil, time.Minute).Authorize(ctx, table.Methods[0].FullMethod)
		if err != nil || admitted.Err() != nil {
			t.Fatal(err, admitted.Err())
		}
		cancel()
		<-admitted.Done()
		if !errors.Is(context.Cause(admitted), context.Canceled) {
			t.Errorf("ended with %v", context.Cause(admitted))
		}
	})
}

// Only what a verifier reports of its call counts: a handler without a verified header has no deadline from
// whatever an outer context says.
func TestExpiryWithoutVerifierIsNotOurs(t *testing.T) {
	t.Parallel()
	table := guarded("test.v1.Service")
	ctx := grpcauth.WithExpiry(arrived(t, "authorization", "42"), time.Now().Add(-time.Hour))
	admitted, err := authimpl.NewServerInterceptor(table, nil).Authorize(ctx, table.Methods[0].FullMethod)
	if err != nil || admitted.Err() != nil {
		t.Error(err, admitted)
	}
}

// streamer is a real service with one unary method, Unary, and one bidirectional stream, Bidi.
type streamer struct {
	name      string
	unary     func(ctx context.Context) error
	handle    func(stream grpc.ServerStream) error
	outermost grpc.StreamServerInterceptor
}

func (s *streamer) start(t *testing.T, install install, interceptor *grpcauth.ServerInterceptor) *grpc.ClientConn {
	t.Helper()
	options := install.options(interceptor)
	if s.outermost != nil {
		options = append([]grpc.ServerOption{grpc.ChainStreamInterceptor(s.outermost)}, options...)
	}
	server := grpc.NewServer(options...)
	desc := (&service{name: s.name}).desc()
	desc.Streams = desc.Streams[2:]
	desc.Streams[0].Handler = func(_ any, stream grpc.ServerStream) error { return s.handle(stream) }
	method := desc.Methods[0].Handler
	desc.Methods[0].Handler = func(_ any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
		return method(nil, ctx, decode, func(ctx context.Context, req any, info *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
			handler := func(ctx context.Context, _ any) (any, error) { return &emptypb.Empty{}, s.unary(ctx) }
			if interceptor == nil {
				return handler(ctx, req)
			}
			return interceptor(ctx, req, info, handler)
		})
	}
	install.guard(interceptor, server).RegisterService(desc, s)
	return inMemory(t, server)
}

func (s *service) startIn(t *testing.T, install install, interceptor *grpcauth.ServerInterceptor) *grpc.ClientConn {
	t.Helper()
	server := grpc.NewServer(install.options(interceptor)...)
	install.guard(interceptor, server).RegisterService(s.desc(), s)
	return inMemory(t, server)
}
