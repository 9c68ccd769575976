package systems_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	benchv1 "github.com/grpcauth/protoc-gen-go-grpcauth/bench/v1"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/systems"
)

func TestEverySystemChecksEveryKindOfCall(t *testing.T) {
	t.Parallel()
	all, err := systems.All()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 8 {
		t.Errorf("there are %d systems", len(all))
	}
	for _, system := range all {
		t.Run(system.Name, func(t *testing.T) {
			t.Parallel()
			listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			server := system.Serve(listener)
			t.Cleanup(server.Stop)
			connection, err := grpc.NewClient(listener.Addr().String(),
				grpc.WithTransportCredentials(insecure.NewCredentials()))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { connection.Close() })
			client := benchv1.NewLiteralsClient(connection)

			refused := codes.Unauthenticated
			switch system.Name {
			case systems.None:
				refused = codes.OK
			case systems.Authz:
				refused = codes.PermissionDenied
			}
			for _, test := range []struct {
				name string
				ctx  context.Context
				want codes.Code
			}{
				{"right", system.Outgoing(systems.Right), codes.OK},
				{"wrong", system.Outgoing(systems.Wrong), refused},
				{"missing", t.Context(), refused},
			} {
				_, err := client.One(test.ctx, &benchv1.OneRequest{Payload: []byte("text")})
				if status.Code(err) != test.want {
					t.Errorf("unary, %s: %v, want %v", test.name, err, test.want)
				}
				if err := upload(test.ctx, client); status.Code(err) != test.want {
					t.Errorf("client stream, %s: %v, want %v", test.name, err, test.want)
				}
				if err := talk(test.ctx, client); status.Code(err) != test.want {
					t.Errorf("stream, %s: %v, want %v", test.name, err, test.want)
				}
			}
		})
	}
}

func upload(ctx context.Context, client benchv1.LiteralsClient) error {
	stream, err := client.Upload(ctx)
	if err != nil {
		return err
	}
	for range 3 {
		if err := stream.Send(&benchv1.UploadRequest{Payload: []byte("text")}); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
	}
	_, err = stream.CloseAndRecv()
	return err
}

func talk(ctx context.Context, client benchv1.LiteralsClient) error {
	stream, err := client.Talk(ctx)
	if err != nil {
		return err
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func TestNamed(t *testing.T) {
	t.Parallel()
	if got, err := systems.Named(systems.Guard); err != nil || got.Name != systems.Guard {
		t.Errorf("got %q, %v", got.Name, err)
	}
	if _, err := systems.Named("nobody"); err == nil {
		t.Error("a system that does not exist is found")
	}
}
