package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
)

func TestServerServesUntilItIsStopped(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"-addr", "127.0.0.1:0"}, in) }()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "greeter listens on ")
	if !ok {
		t.Fatalf("printed %q", line)
	}
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()

	_, err = greeterv1.NewGreeterClient(connection).SayHello(t.Context(), &greeterv1.SayHelloRequest{Name: "Ada"})
	if status.Code(err) != codes.Unauthenticated || status.Convert(err).Message() != "Access denied!" {
		t.Errorf("without the header: %v", err)
	}
	healthy, err := healthv1.NewHealthClient(connection).Check(t.Context(),
		&healthv1.HealthCheckRequest{Service: "greeter.v1.Greeter"})
	if err != nil || healthy.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		t.Errorf("health: %v, %v", healthy, err)
	}
	checkReflection(t, connection)

	stop()
	if err := <-ended; err != nil {
		t.Errorf("a server that is stopped fails: %v", err)
	}
}

// checkReflection asks what grpcurl asks first.
func checkReflection(t *testing.T, connection *grpc.ClientConn) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := reflectionv1.NewServerReflectionClient(connection).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: "greeter.v1.Greeter"},
	}); err != nil {
		t.Fatal(err)
	}
	answer, err := stream.Recv()
	if err != nil || len(answer.GetFileDescriptorResponse().GetFileDescriptorProto()) == 0 {
		t.Errorf("reflection: %v, %v", answer, err)
	}
}

func TestServerSaysWhyItCannotListen(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()
	for arg, want := range map[string]string{
		address:           address + " is taken by another program: choose another address with -addr",
		"127.0.0.1:99999": "choose another address with -addr",
		"nonsense":        "missing port in address",
	} {
		if err := run(t.Context(), []string{"-addr", arg}, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", arg, err, want)
		}
	}
}
