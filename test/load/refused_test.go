package load_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

// refusals are metadata that are refused, each for a reason of its own.
var refusals = [][]string{
	nil,
	{"x-key", "bad", "authorization", "Bearer good"},
	{"x-key", "good", "x-key", "good", "authorization", "Bearer good"},
	{"x-key", "good", "authorization", "Basic good"},
	{"x-key", "good", "authorization", "Bearer forged"},
}

// accepted is the metadata that is not.
var accepted = []string{"x-key", "good", "authorization", "Bearer good"}

// tally is what callers got.
type tally struct{ refused, accepted, wrong atomic.Int64 }

// make makes calls on all connections at once: to both services, of all four kinds, ten that are refused for
// each that is accepted.
func (c *tally) make(t *testing.T, connections []*grpc.ClientConn, services []*service, each int) {
	t.Helper()
	const cycle = 11
	var callers sync.WaitGroup
	for at, connection := range connections {
		callers.Go(func() {
			for i := range each {
				s, kind := services[(i+at)%len(services)], kinds[(i/len(services)+at)%len(kinds)]
				if i%cycle == cycle-1 {
					c.accepted.Add(1)
					if err := call(connection, s, kind, accepted...); err != nil {
						c.wrong.Add(1)
						t.Errorf("%s: a right call was refused: %v", s.method(kind), err)
					}
				} else {
					c.refused.Add(1)
					err := call(connection, s, kind, refusals[(i+at/len(refusals))%len(refusals)]...)
					if status.Code(err) != denial.Code || status.Convert(err).Message() != denial.Message {
						c.wrong.Add(1)
						t.Errorf("%s: a wrong call got %v", s.method(kind), err)
					}
				}
				if c.wrong.Load() > 0 {
					return // one is enough to read
				}
			}
		})
	}
	callers.Wait()
}

// 100,000 refused calls and 10,000 accepted ones, mixed, over 50 connections, half of them to a service behind
// Guard and half to one behind interceptors: every call gets what it should, handlers run for the accepted
// ones alone, and nothing is left of the rest.
func TestRefusedCallsLeaveNothing(t *testing.T) {
	const connectionCount, total = 50, 110_000
	before := runtime.NumGoroutine()
	var decisions atomic.Int64
	byGuard, byInterceptors := &service{name: "load.v1.ByGuard"}, &service{name: "load.v1.ByInterceptors"}
	services := []*service{byGuard, byInterceptors}
	address, stop := serve(t, byGuard, byInterceptors,
		func(ctx context.Context, _ grpcauth.Call, token grpcauth.Secret) (context.Context, error) {
			if !token.Equal(grpcauth.NewSecret("good")) {
				return nil, errors.New("forged")
			}
			return grpcauth.WithPrincipal(ctx, ann), nil
		},
		grpcauth.OnDecision(func(_ context.Context, decision grpcauth.Decision) {
			if decision.Code != codes.OK {
				decisions.Add(1)
			}
		}))
	connections, closeAll := dial(t, address, connectionCount)

	// What serving needs, pools and buffers of 50 connections at both ends, is there after a tenth of the calls.
	got := &tally{}
	const warm = 10
	each := fewer(total) / connectionCount
	got.make(t, connections, services, each/warm)
	first, running := measure(), runtime.NumGoroutine()
	warmed := got.refused.Load()

	for got.refused.Load() < int64(fewer(100_000)) && got.wrong.Load() == 0 {
		got.make(t, connections, services, each*(warm-1)/warm)
	}
	last := measure()
	t.Logf("%d refused, %d accepted; heap %+v, then %+v", got.refused.Load(), got.accepted.Load(), first, last)

	settle(t, running) // the connections are open, and idle
	ran := byGuard.runs.Load() + byInterceptors.runs.Load()
	if ran != got.accepted.Load() || byGuard.intruders.Load()+byInterceptors.intruders.Load() != 0 {
		t.Errorf("handlers ran %d times, %d of them not for ann, want once for each of %d accepted calls",
			ran, byGuard.intruders.Load()+byInterceptors.intruders.Load(), got.accepted.Load())
	}
	if decisions.Load() != got.refused.Load() {
		t.Errorf("%d refusals were reported, of %d", decisions.Load(), got.refused.Load())
	}
	// A leak of one object for each refused call would be twice this bound. Grown maps and buffers of the
	// connections are noise, of a size that does not depend on the number of calls.
	const noise = 2_000
	calls := got.refused.Load() - warmed
	if grown := last.objects - first.objects; grown > calls/2+noise {
		t.Errorf("%d objects more after %d refused calls", grown, calls)
	}
	const small, noiseBytes = 32, 1 << 20 // less than the smallest that a call could leave: a context, a timer
	if grown := last.bytes - first.bytes; grown > small*calls+noiseBytes {
		t.Errorf("%d bytes more after %d refused calls", grown, calls)
	}
	closeAll()
	stop()
	settle(t, before)
}
