package transparency

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	rules "github.com/grpcauth/protoc-gen-go-grpcauth/test/transparency/credentials"
)

// handlers are grpc's own, and look at what reaches them.
type handlers struct {
	testgrpc.TestServiceServer

	log *record
}

func newHandlers(log *record) testgrpc.TestServiceServer {
	return &handlers{TestServiceServer: interop.NewTestServer(), log: log}
}

func (h *handlers) EmptyCall(ctx context.Context, in *testgrpc.Empty) (*testgrpc.Empty, error) {
	h.enter(ctx)
	return h.TestServiceServer.EmptyCall(ctx, in)
}

// UnaryCall says which server answers, on request. grpc's own server for its cases does not.
func (h *handlers) UnaryCall(ctx context.Context, in *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
	h.enter(ctx)
	if waits(ctx) {
		h.log.waiting <- struct{}{}
		h.log.woken <- untilOver(ctx)
	}
	if err := asked(ctx); err != nil {
		return nil, err
	}
	out, err := h.TestServiceServer.UnaryCall(ctx, in)
	if err == nil && in.GetFillServerId() {
		out.ServerId = "this"
	}
	return out, err
}

func (h *handlers) CacheableUnaryCall(ctx context.Context, in *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
	h.enter(ctx)
	return h.TestServiceServer.CacheableUnaryCall(ctx, in)
}

func (h *handlers) UnimplementedCall(ctx context.Context, in *testgrpc.Empty) (*testgrpc.Empty, error) {
	h.enter(ctx)
	return h.TestServiceServer.UnimplementedCall(ctx, in)
}

func (h *handlers) StreamingOutputCall(in *testgrpc.StreamingOutputCallRequest, stream testgrpc.TestService_StreamingOutputCallServer) error {
	h.enter(stream.Context())
	return h.TestServiceServer.StreamingOutputCall(in, stream)
}

func (h *handlers) StreamingInputCall(stream testgrpc.TestService_StreamingInputCallServer) error {
	h.enter(stream.Context())
	return h.TestServiceServer.StreamingInputCall(stream)
}

func (h *handlers) FullDuplexCall(stream testgrpc.TestService_FullDuplexCallServer) error {
	h.enter(stream.Context())
	if waits(stream.Context()) {
		h.log.waiting <- struct{}{}
		_, err := stream.Recv() // in which a handler waits as a rule
		h.log.woken <- errors.Join(receiveError{err}, untilOver(stream.Context()))
	}
	if err := asked(stream.Context()); err != nil {
		return err
	}
	return h.TestServiceServer.FullDuplexCall(stream)
}

func (h *handlers) HalfDuplexCall(stream testgrpc.TestService_HalfDuplexCallServer) error {
	h.enter(stream.Context())
	return h.TestServiceServer.HalfDuplexCall(stream)
}

// waitHeader asks the handler to wait until its call is over.
const waitHeader = "x-wait"

func waits(ctx context.Context) bool {
	return metadata.ValueFromIncomingContext(ctx, waitHeader) != nil
}

// receiveError is what a stream's handler got from Recv.
type receiveError struct{ error }

// untilOver waits for the end of a call, and not for ever, as the server waits for its handlers.
func untilOver(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-time.After(2 * longest):
	}
	return ctx.Err()
}

// failHeader asks the handler to fail, with a header and a trailer beside.
const failHeader = "x-fail"

// failures are errors of each sort that handlers return.
var failures = map[string]error{
	"no status":       errors.New("plain text"),
	"status":          status.Error(codes.NotFound, "not here\n☺"),
	"unauthenticated": status.Error(codes.Unauthenticated, "says the handler"),
	"wrapped":         fmt.Errorf("around: %w", status.Error(codes.Aborted, "inside")),
	"details":         withDetails(),
	"cancelled":       context.Canceled,
	"late":            context.DeadlineExceeded,
	"end of input":    io.EOF,
	"unnamed code":    status.Error(77, "no such code"),
}

func withDetails() error {
	made, err := status.New(codes.FailedPrecondition, "see details").WithDetails(&testgrpc.Payload{Body: []byte("\x00\xff")})
	if err != nil {
		return err
	}
	return made.Err()
}

func asked(ctx context.Context) error {
	md, _ := metadata.FromIncomingContext(ctx)
	if md[failHeader] == nil {
		return nil
	}
	if err := grpc.SetHeader(ctx, metadata.Pairs("x-header", "a", "x-header", "b", "x-header-bin", "\x00")); err != nil {
		return err
	}
	if err := grpc.SetTrailer(ctx, metadata.Pairs("x-trailer", "c", "x-trailer-bin", "\xff")); err != nil {
		return err
	}
	return failures[md[failHeader][0]]
}

// compressHeader asks the handler to compress what it sends.
const compressHeader = "x-compress"

func (h *handlers) enter(ctx context.Context) {
	method, _ := grpc.Method(ctx)
	h.log.count(handled, method)
	md, _ := metadata.FromIncomingContext(ctx)
	if compressor := md[compressHeader]; compressor != nil {
		if err := grpc.SetSendCompressor(ctx, compressor[0]); err != nil {
			// Behind ServeHTTP, as grpc does not know what the client takes.
			h.log.server.addf("handler cannot compress: %v", err)
		}
	}
	if h.log.setup.others {
		h.neighbours(ctx, method, md)
	}
	if h.log.setup.verifies() {
		h.admitted(ctx, method)
	}
	h.log.server.addf("%s", view(ctx, method, md))
}

// neighbours looks for what other interceptors left.
func (h *handlers) neighbours(ctx context.Context, method string, md metadata.MD) {
	want := []string{"outer", "inner"}
	if got, _ := ctx.Value(neighbourKey{}).([]string); !slices.Equal(got, want) {
		h.log.notef("%s: the context is from the interceptors %q, want %q", method, got, want)
	}
	if got := md[neighbourHeader]; !slices.Equal(got, want) {
		h.log.notef("%s: the metadata is from the interceptors %q, want %q", method, got, want)
	}
}

// admitted looks for what the check leaves to the handler.
func (h *handlers) admitted(ctx context.Context, method string) {
	who, _ := grpcauth.Principal[account](ctx)
	number, _ := rules.TestServiceXTenantIdFromContext(ctx)
	if who != "interop" || number != tenant {
		h.log.notef("%s: the principal is %q, the tenant %d", method, who, number)
	}
	if value, ok := rules.TestServiceXRegionFromContext(ctx); ok && value != region {
		h.log.notef("%s: the region is %q", method, value)
	}
	if value, ok := rules.TestServiceXNonceBinFromContext(ctx); ok && string(value) != nonce {
		h.log.notef("%s: the nonce is %q", method, value)
	}
}

// supplied are the headers that rules add; the address has a port.
var supplied = []string{"authorization", "x-tenant-id", "x-client", "x-region", "x-nonce-bin", ":authority"}

// view is what a handler can learn about its call, apart from what the rules add.
func view(ctx context.Context, method string, md metadata.MD) string {
	md = md.Copy()
	for _, name := range supplied {
		md.Delete(name)
	}
	var auth string
	if from, ok := peer.FromContext(ctx); ok && from.AuthInfo != nil {
		auth = from.AuthInfo.AuthType() + " " + from.Addr.Network()
	}
	deadline, ok := ctx.Deadline()
	soon := ok && time.Until(deadline) < longest // a credential's expiry is later
	compressors, err := grpc.ClientSupportedCompressors(ctx)
	return fmt.Sprintf("handler of %s got %q from %s, must answer soon: %t, may compress with %q (%v)",
		method, plain(md), auth, soon, compressors, err)
}

// plain is metadata as any other map: printed as metadata, values are hidden.
func plain(md metadata.MD) map[string][]string { return md }
