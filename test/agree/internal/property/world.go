package property

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/test/bufconn"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/test/agree/internal/plan"
)

// Ends are what guards and what supplies one service, made by its generated code or otherwise.
type Ends struct {
	Service *plan.Service
	Server  *grpcauth.ServerInterceptor
	Client  *grpcauth.ClientInterceptor
	Values  map[string]Accessor // by the header's name
}

// Accessor is what handlers read a header with.
type Accessor func(ctx context.Context) (any, bool)

// world is a server of one set with two connections: one supplies what the rules demand, one nothing.
type world struct {
	set      *plan.Set
	ends     []Ends
	supplied *grpc.ClientConn
	plain    *grpc.ClientConn

	calls    atomic.Int64
	failures atomic.Int64
	mutex    sync.Mutex
	arrivals map[string]*arrival
}

// arrival is what a server saw of one call.
type arrival struct {
	method string
	md     metadata.MD       // without what transports add
	ran    int               // handlers
	values map[string]string // that the accessors found
	trail  trail
}

// unrelated is a service without any rule on the same connection.
const unrelated = "unrelated.v1.Recorder"

// newWorld serves a set. Sets take turns in how the checks are installed and in merging.
func newWorld(t *testing.T, set *plan.Set, ends []Ends) *world {
	t.Helper()
	w := &world{set: set, ends: ends, arrivals: map[string]*arrival{}}
	certificate := certificateOfTests()
	options := []grpc.ServerOption{grpc.Creds(certificate.server), grpc.StatsHandler(observer{w})}
	const guarding, merging = 1, 2 // bits of the seed
	guards, merges := set.Seed&guarding == 0, set.Seed&merging == 0
	if !guards {
		options = append(options, serverOptions(ends, merges)...)
	}
	server := grpc.NewServer(options...)
	for i := range ends {
		registrar := grpc.ServiceRegistrar(server)
		if guards {
			registrar = ends[i].Server.Guard(server)
		}
		registrar.RegisterService(w.describe(ends[i].Service, &ends[i]), w)
	}
	for i := range set.Unruled {
		server.RegisterService(w.describe(&set.Unruled[i], nil), w)
	}
	server.RegisterService(w.describe(w.unrelated(), nil), w)
	healthv1.RegisterHealthServer(server, health.NewServer())

	const buffer = 1 << 16
	listener := bufconn.Listen(buffer)
	go func() { _ = server.Serve(listener) }() // it ends when the server is stopped
	t.Cleanup(server.Stop)
	w.plain = dial(t, listener, certificate.client)
	w.supplied = dial(t, listener, certificate.client, clientOptions(ends, merges)...)
	return w
}

// unrelated is described as a service of the set, so that it is called like one.
func (w *world) unrelated() *plan.Service {
	const name = "/" + unrelated + "/"
	return &plan.Service{Name: unrelated, Methods: []plan.Method{
		{Name: name + "Unary"}, {Name: name + "Stream", ClientStreams: true, ServerStreams: true},
	}}
}

func serverOptions(ends []Ends, merges bool) []grpc.ServerOption {
	var options []grpc.ServerOption
	var all []*grpcauth.ServerInterceptor
	for i := range ends {
		all = append(all, ends[i].Server)
		options = append(options, ends[i].Server.ServerOptions()...)
	}
	if merges && len(all) > 0 {
		return grpcauth.MergeServerInterceptors(all...).ServerOptions()
	}
	return options
}

func clientOptions(ends []Ends, merges bool) []grpc.DialOption {
	var options []grpc.DialOption
	var all []*grpcauth.ClientInterceptor
	for i := range ends {
		all = append(all, ends[i].Client)
		options = append(options, ends[i].Client.DialOptions()...)
	}
	if merges && len(all) > 0 {
		return grpcauth.MergeClientInterceptors(all...).DialOptions()
	}
	return options
}

func dial(
	t *testing.T, listener *bufconn.Listener, transport credentials.TransportCredentials, options ...grpc.DialOption,
) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///localhost", append(options,
		grpc.WithTransportCredentials(transport),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return listener.DialContext(ctx)
		}))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// callID is the header by which arrivals are found again. No rule names it.
const callID = "own-call-id"

// observer keeps what arrives with each call, before any interceptor or handler sees it.
type observer struct{ *world }

var _ stats.Handler = observer{}

func (observer) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (observer) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (observer) HandleConn(context.Context, stats.ConnStats)                       {}

func (o observer) HandleRPC(_ context.Context, event stats.RPCStats) {
	header, ok := event.(*stats.InHeader)
	if !ok {
		return
	}
	md := header.Header.Copy()
	o.mutex.Lock()
	defer o.mutex.Unlock()
	id := strings.Join(md[callID], "")
	for key := range md {
		ofTransports := []string{"content-type", "user-agent", callID}
		if strings.HasPrefix(key, ":") || strings.HasPrefix(key, "grpc-") || slices.Contains(ofTransports, key) {
			delete(md, key)
		}
	}
	o.arrivals[id] = &arrival{method: header.FullMethod, md: md}
}

// arrived is what the server saw of a call: nil if it did not reach the server.
func (w *world) arrived(id string) *arrival {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	found := w.arrivals[id]
	delete(w.arrivals, id)
	return found
}

// ran is called by handlers.
func (w *world) ran(ctx context.Context, ends *Ends) {
	values := map[string]string{}
	if ends != nil {
		for name, accessor := range ends.Values {
			if value, ok := accessor(ctx); ok {
				values[name] = textOf(value)
			}
		}
	}
	who, _ := grpcauth.Principal[trail](ctx)
	md, _ := metadata.FromIncomingContext(ctx)
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if seen := w.arrivals[strings.Join(md[callID], "")]; seen != nil {
		seen.ran++
		seen.values, seen.trail = values, who
	}
}
