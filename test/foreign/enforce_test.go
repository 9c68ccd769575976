package warehouse_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	inv "example.com/warehouse/gen/inventory"
	"example.com/warehouse/gen/reports/daily"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

// stock, types, audit and reports answer with what the check found, so that the client sees it.
type stock struct {
	inv.UnimplementedStockServer
}

func (stock) Count(ctx context.Context, _ *inv.CountRequest) (*inv.CountResponse, error) {
	tenant, ok := inv.StockXTenantIdFromContext(ctx)
	if !ok {
		return nil, errors.New("no tenant")
	}
	return &inv.CountResponse{Tenant: tenant}, nil
}

func (stock) Close(stream grpc.ClientStreamingServer[inv.CloseRequest, inv.CloseResponse]) error {
	environment, ok := inv.StockXEnvironmentFromContext(stream.Context())
	if !ok {
		return errors.New("no environment")
	}
	return stream.SendAndClose(&inv.CloseResponse{Environment: environment})
}

func (stock) Watch(_ *inv.WatchRequest, stream grpc.ServerStreamingServer[inv.WatchResponse]) error {
	if _, ok := inv.StockXTenantIdFromContext(stream.Context()); ok {
		return errors.New("a tenant, although the rule was replaced")
	}
	readOnly, ok := inv.StockXReadOnlyFromContext(stream.Context())
	if !ok {
		return errors.New("no read-only")
	}
	return stream.Send(&inv.WatchResponse{ReadOnly: readOnly})
}

type types struct {
	inv.UnimplementedTypeServer
}

func (types) Type(context.Context, *inv.TypeRequest) (*inv.TypeResponse, error) {
	return &inv.TypeResponse{}, nil
}

func (types) Ping(context.Context, *inv.PingRequest) (*inv.PingResponse, error) {
	return &inv.PingResponse{}, nil
}

type audit struct {
	inv.UnimplementedAuditServer
}

func (audit) Follow(stream grpc.BidiStreamingServer[inv.FollowRequest, inv.FollowResponse]) error {
	trace, hasTrace := inv.AuditTraceBinFromContext(stream.Context())
	offset, hasOffset := inv.AuditXOffsetFromContext(stream.Context())
	if !hasTrace || !hasOffset {
		return errors.New("no trace or no offset")
	}
	return stream.Send(&inv.FollowResponse{Trace: trace, Offset: offset})
}

type reports struct {
	daily.UnimplementedReportsServer
}

func (reports) Build(context.Context, *inv.CountRequest) (*inv.CountResponse, error) {
	return &inv.CountResponse{}, nil
}

func (reports) Publish(context.Context, *inv.CountRequest) (*inv.CountResponse, error) {
	return &inv.CountResponse{}, nil
}

// serve installs one service's check in the chain and binds the others to their handlers.
func serve(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(inv.NewStockServerInterceptor().ServerOptions()...)
	inv.RegisterStockServer(server, stock{})
	inv.RegisterTypeServer(inv.NewTypeServerInterceptor().Guard(server), types{})
	inv.RegisterAuditServer(inv.NewAuditServerInterceptor().Guard(server), audit{})
	daily.RegisterReportsServer(daily.NewReportsServerInterceptor().Guard(server), reports{})
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

func dial(t *testing.T, address string, options ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	connection, err := grpc.NewClient(address, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return connection
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestRefusedWithoutHeaders(t *testing.T) {
	connection, ctx := dial(t, serve(t)), deadline(t)
	withTenant := metadata.AppendToOutgoingContext(ctx, "x-tenant-id", "7")
	tests := map[string]struct {
		call    func() error
		message string
		code    codes.Code
	}{
		"Count": {func() error {
			_, err := inv.NewStockClient(connection).Count(ctx, &inv.CountRequest{})
			return err
		}, "no such tenant", codes.PermissionDenied},
		"Close with a tenant only": {func() error {
			stream, err := inv.NewStockClient(connection).Close(withTenant)
			if err != nil {
				return err
			}
			_, err = stream.CloseAndRecv()
			return err
		}, "not in this environment", codes.PermissionDenied},
		"Watch with a tenant only": {func() error {
			stream, err := inv.NewStockClient(connection).Watch(withTenant, &inv.WatchRequest{})
			if err != nil {
				return err
			}
			_, err = stream.Recv()
			return err
		}, "no such tenant", codes.PermissionDenied},
		"Type": {func() error {
			_, err := inv.NewTypeClient(connection).Type(ctx, &inv.TypeRequest{})
			return err
		}, "no such tenant", codes.PermissionDenied},
		"Follow": {func() error {
			stream, err := inv.NewAuditClient(connection).Follow(ctx)
			if err != nil {
				return err
			}
			_, err = stream.Recv()
			return err
		}, "access denied", codes.Unauthenticated},
		"Publish": {func() error {
			_, err := daily.NewReportsClient(connection).Publish(ctx, &inv.CountRequest{})
			return err
		}, "access denied", codes.Unauthenticated},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := test.call()
			if status.Code(err) != test.code || status.Convert(err).Message() != test.message {
				t.Errorf("got %v, want %v %q", err, test.code, test.message)
			}
		})
	}
}

func TestOpenWithoutHeaders(t *testing.T) {
	connection, ctx := dial(t, serve(t)), deadline(t)
	if _, err := inv.NewTypeClient(connection).Ping(ctx, &inv.PingRequest{}); err != nil {
		t.Errorf("Ping is public: %v", err)
	}
	if _, err := daily.NewReportsClient(connection).Build(ctx, &inv.CountRequest{}); err != nil {
		t.Errorf("Build is guarded by something else: %v", err)
	}
}

func TestAcceptedWithCredentials(t *testing.T) {
	const offset = 1<<64 - 1
	trace := []byte{0, 1, 255}
	stockClient := inv.NewStockClientInterceptor(inv.StockCredentials{
		XTenantId:    grpcauth.Static(int64(-7)),
		XEnvironment: grpcauth.Static("staging"),
		XReadOnly:    grpcauth.Static(true),
	})
	typeClient := inv.NewTypeClientInterceptor(inv.TypeCredentials{XTenantId: grpcauth.Static(int64(7))})
	auditClient := inv.NewAuditClientInterceptor(inv.AuditCredentials{
		TraceBin: grpcauth.Static(trace),
		XOffset:  grpcauth.Static(uint64(offset)),
	})
	reportsClient := daily.NewReportsClientInterceptor(daily.ReportsCredentials{XEditor: grpcauth.Static("ada")})
	var options []grpc.DialOption
	for _, client := range []*grpcauth.ClientInterceptor{stockClient, typeClient, auditClient, reportsClient} {
		options = append(options, client.DialOptions()...)
	}
	connection, ctx := dial(t, serve(t), options...), deadline(t)

	counted, err := inv.NewStockClient(connection).Count(ctx, &inv.CountRequest{})
	if err != nil || counted.GetTenant() != -7 {
		t.Errorf("Count: %v, %v; want tenant -7", counted, err)
	}

	closing, err := inv.NewStockClient(connection).Close(ctx)
	if err != nil {
		t.Fatal(err)
	}
	closed, err := closing.CloseAndRecv()
	if err != nil || closed.GetEnvironment() != "staging" {
		t.Errorf("Close: %v, %v; want environment staging", closed, err)
	}

	watching, err := inv.NewStockClient(connection).Watch(ctx, &inv.WatchRequest{})
	if err != nil {
		t.Fatal(err)
	}
	watched, err := watching.Recv()
	if err != nil || !watched.GetReadOnly() {
		t.Errorf("Watch: %v, %v; want read-only", watched, err)
	}

	if _, err := inv.NewTypeClient(connection).Type(ctx, &inv.TypeRequest{}); err != nil {
		t.Errorf("Type: %v", err)
	}

	following, err := inv.NewAuditClient(connection).Follow(ctx)
	if err != nil {
		t.Fatal(err)
	}
	followed, err := following.Recv()
	if err != nil || !bytes.Equal(followed.GetTrace(), trace) || followed.GetOffset() != offset {
		t.Errorf("Follow: %v, %v; want the trace and the offset back", followed, err)
	}
	if _, err := following.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("Follow ends with %v, want EOF", err)
	}

	if _, err := daily.NewReportsClient(connection).Publish(ctx, &inv.CountRequest{}); err != nil {
		t.Errorf("Publish: %v", err)
	}
}
