package load_test

import (
	"context"
	"errors"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

// backend is what a verifier asks about tokens: a server of its own, which dies and comes back.
type backend struct {
	address string
	server  *grpc.Server
	done    chan error
}

const introspect = "/tokens.v1.Tokens/Introspect"

// start serves, from the second time on where it was before.
func (b *backend) start(t *testing.T) {
	t.Helper()
	if b.address == "" {
		b.address = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", b.address)
	if err != nil {
		t.Fatal(err)
	}
	b.address = listener.Addr().String()
	b.server = grpc.NewServer()
	b.server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "tokens.v1.Tokens", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Introspect", Handler: answer}},
	}, b)
	b.done = make(chan error, 1)
	go func() { b.done <- b.server.Serve(listener) }()
}

func (b *backend) stop(t *testing.T) {
	t.Helper()
	b.server.Stop()
	if err := <-b.done; err != nil {
		t.Error(err)
	}
}

// answer knows one token.
func answer(_ any, ctx context.Context, _ func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	if token := metadata.ValueFromIncomingContext(ctx, "token"); len(token) != 1 || token[0] != "good" {
		return nil, status.Error(codes.NotFound, "no such token")
	}
	return &emptypb.Empty{}, nil
}

// asking is a verifier that asks the backend, as one would be written.
func asking(connection *grpc.ClientConn) verify {
	return func(ctx context.Context, _ grpcauth.Call, token grpcauth.Secret) (context.Context, error) {
		outgoing := metadata.AppendToOutgoingContext(ctx, "token", token.Reveal())
		err := connection.Invoke(outgoing, introspect, &emptypb.Empty{}, &emptypb.Empty{})
		switch status.Code(err) {
		case codes.OK:
			return grpcauth.WithPrincipal(ctx, ann), nil
		case codes.NotFound:
			return nil, errors.New("forged")
		default:
			return nil, grpcauth.Unavailable(err)
		}
	}
}

// phase is the state of the backend. Of a call during which it changes, nothing can be said but what holds in
// one of the two.
type phase int32

const (
	up phase = iota
	dying
	down
	returning
	upAgain
	phases
)

// load is callers that go on, whatever happens, and compare each answer with what the backend's state allows.
type load struct {
	phase    atomic.Int32
	over     atomic.Bool
	accepted atomic.Int64
	calls    [phases]atomic.Int64 // that began and ended in a phase
	callers  sync.WaitGroup
}

// sender is metadata and what it gets, by the state of the backend.
type sender struct {
	sent            []string
	whenUp, whenOut codes.Code
}

var senders = []sender{
	{accepted, codes.OK, codes.Unavailable},
	{refusals[4], denial.Code, codes.Unavailable}, // forged: the backend must say so
	{refusals[0], denial.Code, denial.Code},       // nobody is asked
	{refusals[1], denial.Code, denial.Code},
}

func (l *load) run(t *testing.T, connections []*grpc.ClientConn, services []*service) {
	t.Helper()
	for at, connection := range connections {
		l.callers.Go(func() {
			for i := at; !l.over.Load() && !t.Failed(); i++ {
				s, kind, sender := services[i%len(services)], kinds[i/2%len(kinds)], senders[i/8%len(senders)]
				began := phase(l.phase.Load())
				err := call(connection, s, kind, sender.sent...)
				ended := phase(l.phase.Load())
				code := status.Code(err)
				if code == codes.OK {
					l.accepted.Add(1)
				}
				allowed := code == sender.whenUp || code == sender.whenOut
				if began == ended {
					l.calls[began].Add(1)
					allowed = allowed && (began != up && began != upAgain || code == sender.whenUp)
					allowed = allowed && (began != down || code == sender.whenOut)
				}
				if !allowed {
					t.Errorf("%s with %q, from phase %d to %d: %v", s.method(kind), sender.sent, began, ended, err)
				}
			}
		})
	}
}

// enter begins a phase and waits until so many calls were made in it.
func (l *load) enter(t *testing.T, next phase, calls int64) {
	t.Helper()
	l.phase.Store(int32(next))
	for deadline := time.Now().Add(patience); l.calls[next].Load() < calls && !t.Failed(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("%d calls in phase %d, want %d", l.calls[next].Load(), next, calls)
		}
	}
}

// The backend of a verifier dies under load and comes back. Meanwhile those who might be right get UNAVAILABLE,
// those who are wrong in any case their denial, and nobody gets in; afterwards all is as before.
func TestABackendThatDiesAndReturns(t *testing.T) {
	const callers = 16
	calls := int64(fewer(2_000))
	before := runtime.NumGoroutine()
	tokens := &backend{}
	tokens.start(t)
	toTokens, err := grpc.NewClient(tokens.address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 10 * time.Millisecond, Multiplier: 1, MaxDelay: 10 * time.Millisecond},
			MinConnectTimeout: patience,
		}))
	if err != nil {
		t.Fatal(err)
	}
	byGuard, byInterceptors := &service{name: "load.v1.ByGuard"}, &service{name: "load.v1.ByInterceptors"}
	address, stop := serve(t, byGuard, byInterceptors, asking(toTokens))
	connections, closeAll := dial(t, address, callers)
	if err := call(connections[0], byGuard, unary, accepted...); err != nil {
		t.Fatal(err)
	}
	running := &load{}
	running.run(t, connections, []*service{byGuard, byInterceptors})

	running.enter(t, up, calls)
	running.enter(t, dying, 0)
	tokens.stop(t)
	running.enter(t, down, calls)
	running.enter(t, returning, 0)
	tokens.start(t)
	waits := int64(1) // calls of this loop's that pass
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		err := call(connections[0], byGuard, unary, accepted...)
		if err == nil {
			waits++
			break
		}
		if status.Code(err) != codes.Unavailable || time.Now().After(deadline) {
			t.Errorf("no recovery: %v", err)
			break
		}
	}
	running.enter(t, upAgain, calls)
	running.over.Store(true)
	running.callers.Wait()

	ran := byGuard.runs.Load() + byInterceptors.runs.Load()
	if ran != running.accepted.Load()+waits || byGuard.intruders.Load()+byInterceptors.intruders.Load() != 0 {
		t.Errorf("handlers ran %d times, want once for each of %d accepted calls, and for ann alone",
			ran, running.accepted.Load()+waits)
	}
	t.Logf("calls by phase: %d up, %d down, %d up again; %d accepted", running.calls[up].Load(),
		running.calls[down].Load(), running.calls[upAgain].Load(), running.accepted.Load())
	closeAll()
	stop()
	toTokens.Close()
	tokens.stop(t)
	settle(t, before)
}
