package fuzz

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	"github.com/grpcauth/protoc-gen-go-grpcauth/test/fuzz/internal/draw"
	"github.com/grpcauth/protoc-gen-go-grpcauth/test/fuzz/internal/oracle"
)

// FuzzEvaluator compares what is decided about a call, and what its verifiers and its handler see, with the
// oracle. A second call is made from inside of the first one's handler: nothing of the first may reach it.
func FuzzEvaluator(f *testing.F) {
	for _, seed := range seeds(evaluatorSeeds, seedLength) {
		f.Add(seed)
	}
	f.Fuzz(runEvaluator)
}

const evaluatorSeeds, seedLength = 600, 120

// The fuzzer finds what is rare; this finds, in every run of the tests, what is not.
func TestEvaluatorOnRandomCalls(t *testing.T) {
	t.Parallel()
	count := 6000
	if testing.Short() {
		count /= 10
	}
	for _, seed := range seeds(count, seedLength) {
		runEvaluator(t, seed)
		if t.Failed() {
			t.Fatalf("with the bytes %q", seed)
		}
	}
}

func runEvaluator(t *testing.T, bytes []byte) {
	t.Helper()
	source := draw.From(bytes)
	rule := source.Rule(source.Types())
	entry := newDoor(rule, source.Answers(), "Get")
	first, second := source.Call(rule), source.Call(rule)
	if source.Chance(2) {
		entry.call(t, first)
		return
	}
	admitted := entry.authorize(t, t.Context(), first, 0)
	if admitted != nil && first.Ended == 0 {
		entry.authorize(t, admitted, second, entry.judge(first).Hours)
	}
}

// seeds are random bytes, the same in every run.
func seeds(count, length int) [][]byte {
	made := make([][]byte, count)
	state := uint32(1)
	for i := range made {
		made[i] = make([]byte, length)
		for j := range made[i] {
			state = state*1664525 + 1013904223 // Numerical Recipes' generator
			made[i][j] = byte(state >> 24)
		}
	}
	return made
}

func (d *door) judge(call *oracle.Call) oracle.Outcome {
	copied := oracle.Call{Metadata: maps.Clone(call.Metadata), Ended: call.Ended}
	return d.rule.Judge(&copied, d.answer)
}

// authorize checks the call by way of Authorize and returns the handler's context, nil for a refused one. Of an
// outer call only its end may remain, after so many hours.
func (d *door) authorize(t *testing.T, outer context.Context, call *oracle.Call, outerHours int) context.Context {
	t.Helper()
	ctx, cancel := incoming(outer, call)
	t.Cleanup(cancel)
	want := d.judge(call)
	admitted, err := d.interceptor.Authorize(ctx, d.table.Methods[0].FullMethod)
	d.check(t, call, &want, err)
	if err != nil {
		return nil
	}
	if outerHours > 0 && (want.Hours == 0 || outerHours < want.Hours) {
		want.Hours = outerHours
	}
	d.checkSeen(t, admitted, call, &want)
	return admitted
}

// call checks the call by way of the unary interceptor.
func (d *door) call(t *testing.T, call *oracle.Call) {
	t.Helper()
	ctx, cancel := incoming(t.Context(), call)
	defer cancel()
	want := d.judge(call)
	runs := 0
	_, err := d.interceptor.UnaryInterceptor(ctx, nil, &grpc.UnaryServerInfo{FullMethod: d.table.Methods[0].FullMethod},
		func(ctx context.Context, _ any) (any, error) {
			runs++
			d.checkSeen(t, ctx, call, &want)
			return nil, nil //nolint:nilnil // the handler's answer is nobody's business
		})
	d.check(t, call, &want, err)
	if (runs == 1) != want.Allowed || runs > 1 {
		t.Errorf("the handler ran %d times\n%s", runs, d.describe(call, &want))
	}
}

// incoming is the context of a call.
func incoming(outer context.Context, call *oracle.Call) (context.Context, context.CancelFunc) {
	ctx := metadata.NewIncomingContext(outer, metadata.MD(call.Metadata))
	switch call.Ended {
	case int(codes.Canceled):
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return ctx, cancel
	case int(codes.DeadlineExceeded):
		return context.WithDeadline(ctx, began.Add(-time.Hour))
	}
	return context.WithCancel(ctx)
}

// check compares what the caller gets, what is reported and what was asked.
func (d *door) check(t *testing.T, call *oracle.Call, want *oracle.Outcome, err error) {
	t.Helper()
	asked, decisions := d.asked, d.decisions
	d.asked, d.decisions = nil, nil
	if !slices.Equal(asked, want.Asked) {
		t.Errorf("asked %q\n%s", asked, d.describe(call, want))
	}
	got, isStatus := status.FromError(err)
	message := want.Message
	if message == "" && want.Failed && int(got.Code()) == call.Ended {
		message = got.Message() // grpc's text for a call that has ended
	}
	if !isStatus || int(got.Code()) != want.Code || got.Message() != message || len(got.Details()) > 0 ||
		strings.Contains(got.Proto().String(), canary) {
		t.Errorf("the caller gets %v\n%s", err, d.describe(call, want))
	}
	if len(decisions) != 1 {
		t.Fatalf("decisions: %+v\n%s", decisions, d.describe(call, want))
	}
	decision := decisions[0]
	if decision.Reason.String() != want.Reason || decision.Header != want.Header || int(decision.Code) != want.Code ||
		(decision.Err != nil) != want.Failed {
		t.Errorf("decision: %+v\n%s", decision, d.describe(call, want))
	}
}

// checkSeen compares what the handler sees.
func (d *door) checkSeen(t *testing.T, ctx context.Context, call *oracle.Call, want *oracle.Outcome) {
	t.Helper()
	values := map[string]string{}
	for _, h := range d.rule.All() {
		if text, ok := d.value(ctx, &h); ok {
			values[h.Name] = text
		}
	}
	seen, _ := grpcauth.Principal[trail](ctx)
	if !maps.Equal(values, want.Values) || string(seen) != want.Trail {
		t.Errorf("the handler sees %q and %q\n%s", values, seen, d.describe(call, want))
	}
	deadline, limited := ctx.Deadline()
	switch {
	case call.Ended != 0: // its own deadline is earlier
	case limited != (want.Hours != 0), limited && !deadline.Equal(began.Add(time.Duration(want.Hours)*time.Hour)):
		t.Errorf("the handler's context ends at %v\n%s", deadline, d.describe(call, want))
	}
}

// value is what the generated accessor of the header returns, printed.
func (d *door) value(ctx context.Context, h *oracle.Header) (string, bool) {
	typ := h.Type
	if h.Check != oracle.In && h.Check != oracle.Present {
		return "", false
	}
	switch typ {
	case oracle.Int64:
		value, ok := authimpl.FromContext[int64](ctx, d.table, h.Name)
		return strconv.FormatInt(value, 10), ok
	case oracle.Uint64:
		value, ok := authimpl.FromContext[uint64](ctx, d.table, h.Name)
		return strconv.FormatUint(value, 10), ok
	case oracle.Bool:
		value, ok := authimpl.FromContext[bool](ctx, d.table, h.Name)
		return strconv.FormatBool(value), ok
	case oracle.Bytes:
		value, ok := authimpl.FromContext[[]byte](ctx, d.table, h.Name)
		return string(value), ok
	case oracle.String:
	}
	return authimpl.FromContext[string](ctx, d.table, h.Name)
}

// describe is what a failure's reader needs.
func (d *door) describe(call *oracle.Call, want *oracle.Outcome) string {
	return fmt.Sprintf("rule: %+v\ncall: %q, ended %d\nwant: %+v", *d.rule, call.Metadata, call.Ended, *want)
}
