package refusals

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"

	benchv1 "github.com/grpcauth/protoc-gen-go-grpcauth/bench/v1"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/systems"
)

const mebibyte = 1 << 20

// situation is a call that will be refused.
type situation struct {
	name    string
	calls   int // of one sample
	old     bool
	options []grpc.CallOption
	call    func(context.Context, benchv1.LiteralsClient, ...grpc.CallOption) error
}

func small() []situation { return []situation{{"small", 100, false, nil, unary(nil)}} }

func large() []situation {
	body := text(mebibyte)
	compressed := []grpc.CallOption{grpc.UseCompressor(gzip.Name)}
	return []situation{
		{"1 MiB", 10, false, nil, unary(body)},
		{"1 MiB, old connection", 10, true, nil, unary(body)},
		{"1 MiB gzip", 2, false, compressed, unary(body)},
		{"4 x 1 MiB stream", 10, false, nil, upload(body)},
		{"4 x 1 MiB stream gzip", 2, false, compressed, upload(body)},
	}
}

// Small measures refused calls without a body. CPU time and allocations are the server's.
func Small(rounds int) (*measure.Group, error) {
	return group("refused small", "A refused small call, the server alone", rounds, small())
}

// Large measures refused calls with bodies.
func Large(rounds int) (*measure.Group, error) {
	return group("refused", "A refused call with a body, the server alone", rounds, large())
}

func group(name, title string, rounds int, situations []situation) (*measure.Group, error) {
	group := &measure.Group{
		Name: name, Title: title, CPU: true, Reference: systems.Careful, Rounds: rounds, WarmUp: true,
	}
	all, err := systems.All()
	if err != nil {
		return nil, err
	}
	var stops []func()
	group.Close = func() {
		for _, stop := range slices.Backward(stops) {
			stop()
		}
	}
	for _, system := range all {
		if system.Name == systems.None || system.Name == systems.Selected { // nothing, and nothing new
			continue
		}
		server, err := start(system.Name)
		if err != nil {
			group.Close()
			return nil, err
		}
		stops = append(stops, func() { _ = server.stop() })
		caller, err := newCaller(system, server)
		if err != nil {
			group.Close()
			return nil, err
		}
		stops = append(stops, caller.close)
		for _, one := range situations {
			group.Variants = append(group.Variants, measure.Variant{
				Name:   one.name + "/" + system.Name,
				Sample: func() (measure.Sample, error) { return caller.sample(one) },
			})
		}
	}
	return group, nil
}

// caller makes the calls to one server.
type caller struct {
	system systems.System
	server *process
	old    *grpc.ClientConn // for as long as there are samples
}

func newCaller(system systems.System, server *process) (*caller, error) {
	old, err := server.connect()
	return &caller{system: system, server: server, old: old}, err
}

func (c *caller) close() { _ = c.old.Close() }

// sample makes the calls of one round, most on a connection of their own: grpc adapts its windows to what a
// connection carried before, so that more of a body is on its way when a call is refused.
func (c *caller) sample(one situation) (measure.Sample, error) {
	connection := c.old
	if !one.old {
		fresh, err := c.server.connect()
		if err != nil {
			return measure.Sample{}, err
		}
		defer func() { _ = fresh.Close() }()
		connection = fresh
	}
	client := benchv1.NewLiteralsClient(connection)
	if err := c.refused(1, client, unary(nil)); err != nil { // connects
		return measure.Sample{}, err
	}
	before, err := c.server.used()
	if err != nil {
		return measure.Sample{}, err
	}
	if err := c.refused(one.calls, client, one.call, one.options...); err != nil {
		return measure.Sample{}, err
	}
	after, err := c.server.used()
	if err != nil {
		return measure.Sample{}, err
	}
	each := func(total float64) float64 { return total / float64(one.calls) }
	return measure.Sample{
		Nanos:  each(float64(after.CPU - before.CPU)),
		Allocs: each(float64(after.Allocs - before.Allocs)),
		Bytes:  each(float64(after.Heap - before.Heap)),
	}, nil
}

// refused makes calls, and fails if one is not refused.
func (c *caller) refused(
	n int, client benchv1.LiteralsClient,
	call func(context.Context, benchv1.LiteralsClient, ...grpc.CallOption) error, options ...grpc.CallOption,
) error {
	want := codes.Unauthenticated
	if c.system.Name == systems.Authz {
		want = codes.PermissionDenied
	}
	ctx := c.system.Outgoing(systems.Wrong)
	for range n {
		if err := call(ctx, client, options...); status.Code(err) != want {
			return fmt.Errorf("got %w, want %v", err, want)
		}
	}
	return nil
}

func unary(body []byte) func(context.Context, benchv1.LiteralsClient, ...grpc.CallOption) error {
	return func(ctx context.Context, client benchv1.LiteralsClient, options ...grpc.CallOption) error {
		_, err := client.One(ctx, &benchv1.OneRequest{Payload: body}, options...)
		return err
	}
}

// upload sends four messages, or fewer if the server refuses in between.
func upload(body []byte) func(context.Context, benchv1.LiteralsClient, ...grpc.CallOption) error {
	return func(ctx context.Context, client benchv1.LiteralsClient, options ...grpc.CallOption) error {
		const messages = 4
		stream, err := client.Upload(ctx, options...)
		if err != nil {
			return err
		}
		for range messages {
			if err := stream.Send(&benchv1.UploadRequest{Payload: body}); errors.Is(err, io.EOF) {
				break // CloseAndRecv says why
			} else if err != nil {
				return err //nolint:wrapcheck // a status, to be compared
			}
		}
		_, err = stream.CloseAndRecv()
		return err //nolint:wrapcheck // a status, to be compared
	}
}

// text is a body of lines of words and numbers, which gzip makes about a quarter as long.
func text(size int) []byte {
	words := strings.Fields("account amount balance currency customer from id line name order price to total unit")
	source := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // the same text in each run
	var text strings.Builder
	for text.Len() < size {
		fmt.Fprintf(&text, "%s: %d\n", words[source.IntN(len(words))], source.IntN(mebibyte))
	}
	return []byte(text.String()[:size])
}
