package fuzz

import (
	"context"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/test/fuzz/internal/draw"
	"github.com/grpcauth/protoc-gen-go-grpcauth/test/fuzz/internal/oracle"
	"github.com/grpcauth/protoc-gen-go-grpcauth/test/fuzz/internal/wire"
)

// FuzzFrames sends a server frames that no client of gRPC would. The process must live, and the handler must not
// run for a call whose metadata, as it was sent and as it was delivered, does not satisfy the rule.
func FuzzFrames(f *testing.F) {
	for _, seed := range seeds(frameSeeds, frameSeedLength) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, bytes []byte) { runFrames(t, bytes) })
}

const frameSeeds, frameSeedLength = 200, 240

// runFrames returns how many handlers ran.
func runFrames(t *testing.T, bytes []byte) int {
	t.Helper()
	source := draw.From(bytes)
	rule := source.Rule(source.Types())
	served := &served{door: newDoor(rule, alwaysYes, "Unary", "Stream")}
	server := served.start(source.Chance(2))
	listener := bufconn.Listen(1 << 16)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	connection, err := listener.DialContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sent := send(t, connection, source, rule)
	server.Stop() // returns when the handlers have
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for _, delivered := range served.delivered {
		served.checkRun(t, delivered, sent)
	}
	return len(served.delivered)
}

// alwaysYes are verifiers that accept whatever is formed as the rule demands.
func alwaysYes(string, string) oracle.Answer {
	return oracle.Answer{Grants: []string{"read", "write"}}
}

// send writes what the bytes say, waits for as much of an answer as there is reason to, and hangs up.
func send(t *testing.T, connection net.Conn, source *draw.Source, rule *oracle.Rule) *wire.Client {
	t.Helper()
	const patience = 2 * time.Second
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	client := wire.NewClient(connection, source, rule, "/"+serviceName+"/")
	client.Run()
	if err := connection.Close(); err != nil {
		t.Fatal(err)
	}
	return client
}

// served is a service whose handlers note what was delivered to them.
type served struct {
	*door

	mutex     sync.Mutex
	delivered []metadata.MD
}

// start makes the server, with Guard or with interceptors.
func (s *served) start(guard bool) *grpc.Server {
	options := []grpc.ServerOption{grpc.WaitForHandlers(true), grpc.MaxHeaderListSize(1 << 16)}
	if !guard {
		options = append(options, s.interceptor.ServerOptions()...)
	}
	server := grpc.NewServer(options...)
	var registrar grpc.ServiceRegistrar = server
	if guard {
		registrar = s.interceptor.Guard(server)
	}
	registrar.RegisterService(&grpc.ServiceDesc{
		ServiceName: serviceName,
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Unary", Handler: s.unary}},
		Streams: []grpc.StreamDesc{
			{StreamName: "Stream", Handler: s.stream, ServerStreams: true, ClientStreams: true},
		},
	}, s)
	return server
}

func (s *served) note(ctx context.Context) {
	md, _ := metadata.FromIncomingContext(ctx)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.delivered = append(s.delivered, md)
}

func (s *served) unary(
	_ any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor,
) (any, error) {
	request := &emptypb.Empty{}
	if err := decode(request); err != nil {
		return nil, err
	}
	handler := func(ctx context.Context, _ any) (any, error) {
		s.note(ctx)
		return &emptypb.Empty{}, nil
	}
	if interceptor == nil {
		return handler(ctx, request)
	}
	return interceptor(ctx, request, &grpc.UnaryServerInfo{FullMethod: "/" + serviceName + "/Unary"}, handler)
}

func (s *served) stream(_ any, stream grpc.ServerStream) error {
	s.note(stream.Context())
	for {
		if err := stream.RecvMsg(&emptypb.Empty{}); err != nil {
			if err == io.EOF { //nolint:errorlint // grpc returns it as it is
				return nil
			}
			return err
		}
	}
}

// checkRun is about a call whose handler ran.
func (s *served) checkRun(t *testing.T, delivered metadata.MD, sent *wire.Client) {
	t.Helper()
	s.checkAllowed(t, delivered, "delivered")
	for _, id := range delivered[wire.IDKey] {
		at, err := strconv.Atoi(id)
		if err != nil || at >= len(sent.Sent) || len(delivered[wire.IDKey]) > 1 {
			continue // a header block of the fuzzer's own making
		}
		if md, ok := sent.Sent[at].Metadata(); ok {
			s.checkAllowed(t, md, "sent")
		}
	}
}

func (s *served) checkAllowed(t *testing.T, md map[string][]string, how string) {
	t.Helper()
	want := s.rule.Judge(&oracle.Call{Metadata: md}, alwaysYes)
	if !want.Allowed {
		t.Errorf("the handler ran, and should not for metadata as %s: %q\nrule: %+v\nwant: %+v",
			how, md, *s.rule, want)
	}
}

// What the fuzzer begins with reaches handlers, too.
func TestFramesReachHandlers(t *testing.T) {
	t.Parallel()
	const few = 10
	runs := 0
	for _, seed := range seeds(frameSeeds, frameSeedLength) {
		runs += runFrames(t, seed)
	}
	t.Log("handlers ran", runs, "times")
	if runs < few {
		t.Errorf("handlers ran %d times only", runs)
	}
}
