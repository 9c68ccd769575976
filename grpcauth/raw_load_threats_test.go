package grpcauth_test

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

// The tests in this file count goroutines, or allocations, of the whole process. So they do not run beside
// others: none of them calls t.Parallel.

// settle waits until there are no more goroutines than before.
func settle(t *testing.T, before int) {
	t.Helper()
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// readCounter is a call's context that counts how often its incoming metadata is asked for. It hides them from the
// first look, which is for all keys, so that the check asks grpc for each key. Each time, grpc goes through the
// keys once at the most, and only for one that is not there as it is spelled.
type readCounter struct {
	context.Context

	reads *atomic.Int64
}

func (c readCounter) Value(key any) any {
	if fmt.Sprintf("%T", key) == "metadata.mdIncomingKey" {
		if c.reads.Add(1) == 1 {
			return nil
		}
	}
	return c.Context.Value(key)
}

// countingRegistrar hands the handlers of a service contexts that count. What is registered through Guard
// checks with them.
type countingRegistrar struct {
	grpc.ServiceRegistrar

	reads *atomic.Int64
}

func (r countingRegistrar) RegisterService(desc *grpc.ServiceDesc, implementation any) {
	counting := *desc
	counting.Methods, counting.Streams = slices.Clone(desc.Methods), slices.Clone(desc.Streams)
	for i, method := range desc.Methods {
		counting.Methods[i].Handler = func(srv any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
			return method.Handler(srv, readCounter{ctx, r.reads}, decode, interceptor)
		}
	}
	for i, stream := range desc.Streams {
		counting.Streams[i].Handler = func(srv any, ss grpc.ServerStream) error {
			return stream.Handler(srv, &contextStream{ServerStream: ss, ctx: readCounter{ss.Context(), r.reads}})
		}
	}
	r.ServiceRegistrar.RegisterService(&counting, implementation)
}

// countingOptions are interceptors that hand on contexts that count.
func countingOptions(reads *atomic.Int64) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			return handler(readCounter{ctx, reads}, req)
		}),
		grpc.ChainStreamInterceptor(func(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
			return handler(srv, &contextStream{ServerStream: ss, ctx: readCounter{ss.Context(), reads}})
		}),
	}
}

// manyHeaders is a rule that names six keys, some of them in several alternatives. A call with none of them
// makes the check look for each.
func manyHeaders() authimpl.Method {
	rule := headers(
		optional(authimpl.Header{Name: "x-a", Equals: "1"}), optional(authimpl.Header{Name: "x-b", Present: authimpl.Int64}),
		optional(authimpl.Header{Name: "x-c", In: []string{"1", "2"}}))
	rule.AnyOf = [][]authimpl.Header{
		{{Name: "x-d", Equals: "1"}, {Name: "x-e", Equals: "1"}},
		{{Name: "x-d", Equals: "2"}, {Name: "x-f", Equals: "1"}},
		{{Name: "x-e", Equals: "2"}, {Name: "x-f", Equals: "2"}, {Name: "x-d", Equals: "3"}},
	}
	return rule
}

// Of a call with 100,000 keys, or as many values of one, the metadata is found once, and then read once for each
// key that its rule names: no scan depends on how often a rule names a key, and none is nested in another.
func TestT42_ManyKeysCostOneScanForEachHeaderOfTheRule(t *testing.T) {
	const found, named = 1, 6
	for _, install := range installs {
		for doorName, door := range rawDoors {
			t.Run(install.name+"/"+doorName, func(t *testing.T) {
				var reads atomic.Int64
				table := tableFor("test.v1.Service", manyHeaders())
				served := &service{name: table.Name}
				interceptor := authimpl.NewServerInterceptor(table, nil)
				options := []grpc.ServerOption{grpc.MaxHeaderListSize(16 << 20)} // which is also grpc's default
				if install.name == "interceptors" {
					options = append(options, countingOptions(&reads)...)
				}
				server := grpc.NewServer(append(options, install.options(interceptor)...)...)
				var registrar grpc.ServiceRegistrar = server
				if install.name == "guard" {
					registrar = countingRegistrar{server, &reads}
				}
				install.guard(interceptor, registrar).RegisterService(served.desc(), served)
				reached := door(t, server)
				for kind, fields := range map[kind][]field{
					unary: manyKeys(),
					bidi:  slices.Repeat([]field{{Name: "x-f", Value: "1"}}, 100_000),
				} {
					reads.Store(0)
					answer := reached.call(t, "/test.v1.Service/"+string(kind), fields...)
					if answer.fields["grpc-status"] != strconv.Itoa(int(refusal.Code)) || served.runs.Load() != 0 || reads.Load() != found+named {
						t.Errorf("%s: %v, handler ran %d times, metadata read %d times, want %d",
							kind, answer, served.runs.Load(), reads.Load(), found+named)
					}
				}
			})
		}
	}
}

// Nothing of 100,000 keys is copied to refuse a call: the allocations do not depend on them.
func TestT42_ManyKeysAreNotCopied(t *testing.T) {
	interceptor := authimpl.NewServerInterceptor(tableFor("test.v1.Service", manyHeaders()), nil)
	allocations := func(fields []field) float64 {
		md := metadata.MD{}
		for _, field := range fields {
			md.Append(field.Name, field.Value)
		}
		ctx := metadata.NewIncomingContext(t.Context(), md)
		return testing.AllocsPerRun(10, func() {
			if _, err := interceptor.Authorize(ctx, "/test.v1.Service/Unary"); err == nil {
				t.Error("not refused")
			}
		})
	}
	if few, many := allocations(nil), allocations(manyKeys()); many > few {
		t.Errorf("%.0f allocations with 100,000 keys, %.0f without", many, few)
	}
}

// flooded runs a test with each installation behind each door, and checks that no goroutine is left of what
// the test's connections did, although the server goes on.
func flooded(t *testing.T, test func(t *testing.T, installed string, door rawDoor, served *service)) {
	t.Helper()
	const atOnce = 100
	for _, install := range installs {
		for doorName, door := range rawDoors {
			t.Run(install.name+"/"+doorName, func(t *testing.T) {
				table := guarded("test.v1.Service")
				served := &service{name: table.Name}
				interceptor := authimpl.NewServerInterceptor(table, nil)
				server := grpc.NewServer(append(install.options(interceptor), grpc.MaxConcurrentStreams(atOnce))...)
				install.guard(interceptor, server).RegisterService(served.desc(), served)
				reached := door(t, server)
				right := field{Name: "authorization", Value: "42"}
				good := func() {
					t.Helper()
					before := served.runs.Load()
					answer := reached.call(t, "/test.v1.Service/Unary", right)
					if answer.fields["grpc-status"] != "0" || served.runs.Load() != before+1 {
						t.Errorf("a good call: %v, handler ran %d times", answer, served.runs.Load()-before)
					}
				}
				good() // so that all that serving needs is there
				settleDown()
				before := runtime.NumGoroutine()
				test(t, install.name, reached, served)
				good()
				settle(t, before)
			})
		}
	}
}

// settleDown waits until the number of goroutines has not fallen for a while.
func settleDown() {
	const quiet = 20
	for count, still := runtime.NumGoroutine(), 0; still < quiet; still++ {
		time.Sleep(time.Millisecond)
		if now := runtime.NumGoroutine(); now < count {
			count, still = now, 0
		}
	}
}

// A caller that sends header fields and no more, many times over.
func TestT42_HeadersWithoutABody(t *testing.T) {
	flooded(t, func(t *testing.T, installed string, door rawDoor, served *service) {
		t.Helper()
		ran := served.runs.Load()
		for _, kind := range kinds {
			connection := door.open(t)
			var stream uint32
			for stream = 1; stream < 100; stream += 2 {
				if err := connection.request(t, stream, "/test.v1.Service/"+string(kind)); err != nil {
					t.Fatal(err)
				}
				// grpc receives a unary request before its interceptors are called, so there only Guard answers.
				if kind == unary && installed == "interceptors" {
					continue
				}
				if answer := connection.answer(stream); answer.fields["grpc-status"] != strconv.Itoa(int(refusal.Code)) {
					t.Fatalf("%s: %v", kind, answer)
				}
			}
			connection.heard(t)
			connection.Close()
		}
		// With the right header, a unary handler waits for its request, and does not run without it.
		connection := door.open(t)
		if err := connection.request(t, 1, "/test.v1.Service/Unary", field{Name: "authorization", Value: "42"}); err != nil {
			t.Fatal(err)
		}
		connection.heard(t)
		connection.Close()
		if served.runs.Load() != ran {
			t.Errorf("handlers ran %d times", served.runs.Load()-ran)
		}
	})
}

// A caller that announces a message, sends a part of it, and then ends the stream, resets it, or goes away.
func TestT42_BodiesThatStopHalfWay(t *testing.T) {
	half := append([]byte{0, 0, 0, 4, 0}, make([]byte, 10)...) // 10 of 1024 bytes
	flooded(t, func(t *testing.T, installed string, door rawDoor, served *service) {
		t.Helper()
		for _, key := range []string{"42", "43"} {
			for _, kind := range kinds {
				if key == "42" && kind != unary {
					continue // the handler of a stream runs, and is told when it receives
				}
				ran := served.runs.Load()
				for _, end := range []string{"ended", "reset", "gone"} {
					connection := door.open(t)
					err := connection.request(t, 1, "/test.v1.Service/"+string(kind), field{Name: "authorization", Value: key})
					if err == nil {
						err = connection.framer.WriteData(1, end == "ended", half)
					}
					if err == nil && end == "reset" {
						err = connection.framer.WriteRSTStream(1, http2.ErrCodeCancel)
					}
					if err != nil {
						t.Fatal(err)
					}
					if end == "ended" {
						if answer := connection.answer(1); answer.fields["grpc-status"] == "0" {
							t.Errorf("%s, %s: %v", kind, key, answer)
						}
					} else {
						connection.heard(t)
					}
					connection.Close()
				}
				if served.runs.Load() != ran {
					t.Errorf("%s, %s: handlers ran %d times", kind, key, served.runs.Load()-ran)
				}
			}
		}
	})
}

// Streams that are opened and reset at once (CVE-2023-44487), more than the server serves at a time. It may
// close connections; it goes on serving, and no handler has run.
func TestT42_RapidResets(t *testing.T) {
	const resets, connections = 3_000, 300
	flooded(t, func(t *testing.T, _ string, door rawDoor, served *service) {
		t.Helper()
		ran := served.runs.Load()
		sent := 0
		for opened := 0; sent < resets && opened < connections; opened++ {
			sent += resetUntilClosed(t, door, resets-sent)
		}
		if sent < resets {
			t.Errorf("only %d streams were opened", sent)
		}
		if served.runs.Load() != ran {
			t.Errorf("handlers ran %d times", served.runs.Load()-ran)
		}
	})
}

// resetUntilClosed opens and resets streams on one connection, until the server closes it or count is
// reached, and returns how many there were.
func resetUntilClosed(t *testing.T, door rawDoor, count int) int {
	t.Helper()
	connection := door.open(t)
	read := make(chan struct{})
	go func() { // a server that cannot write stops to read
		defer close(read)
		_, _ = io.Copy(io.Discard, connection.Conn)
	}()
	sent := 0
	for ; sent < count; sent++ {
		stream := uint32(2*sent + 1)
		path := "/test.v1.Service/" + string(kinds[sent%len(kinds)])
		err := connection.request(t, stream, path, field{Name: "authorization", Value: "43"})
		if err == nil {
			err = connection.framer.WriteRSTStream(stream, http2.ErrCodeCancel)
		}
		if err != nil {
			break
		}
	}
	connection.Close()
	<-read
	return sent
}
