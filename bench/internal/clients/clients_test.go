package clients

import (
	"net"
	"regexp"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	benchv1 "github.com/grpcauth/protoc-gen-go-grpcauth/bench/v1"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/systems"
)

func TestEveryVariantRuns(t *testing.T) {
	t.Parallel()
	calls, err := Calls(1, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer calls.Close()
	for _, group := range []*measure.Group{calls, Interceptors(1, time.Microsecond)} {
		results := measure.Results{}
		if err := group.Run(regexp.MustCompile(""), results); err != nil {
			t.Error(err)
		}
		if len(results) != 3 {
			t.Errorf("%s: %d variants", group.Name, len(results))
		}
	}
}

// What is measured sends what a server accepts.
func TestBothSendTheHeader(t *testing.T) {
	t.Parallel()
	system, err := systems.Named(systems.Careful)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := system.Serve(listener)
	t.Cleanup(server.Stop)
	for _, test := range []struct {
		name        string
		interceptor grpc.UnaryClientInterceptor
		want        codes.Code
	}{
		{"none", nil, codes.Unauthenticated},
		{"appended", appended, codes.OK},
		{"ours", benchv1.NewLiteralsClientInterceptor().UnaryInterceptor, codes.OK},
	} {
		options := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
		if test.interceptor != nil {
			options = append(options, grpc.WithUnaryInterceptor(test.interceptor))
		}
		connection, err := grpc.NewClient(listener.Addr().String(), options...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { connection.Close() })
		if err := connection.Invoke(t.Context(), method, &benchv1.OneRequest{}, &benchv1.OneResponse{}); status.Code(err) != test.want {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
}
