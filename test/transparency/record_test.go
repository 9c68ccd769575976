package transparency

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

// record counts, by method, what happens at a server: the calls that grpc serves, and who saw them.
type record struct {
	setup setup
	// server and client are what each end sees of its calls.
	server, client views

	// waiting and woken are for handlers that wait until their calls end.
	waiting chan struct{}
	woken   chan error

	mutex  sync.Mutex
	counts map[string]map[string]int // what, method
	// notes are what is wrong.
	notes []string
}

// What is counted.
const (
	ended, allowed, refused, verifications, handled = "ended", "allowed", "refused", "verified", "handled"
)

func newRecord(s setup) *record {
	return &record{
		setup: s, counts: map[string]map[string]int{}, waiting: make(chan struct{}, 1), woken: make(chan error, 1),
	}
}

func (r *record) count(what, method string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.counts[what] == nil {
		r.counts[what] = map[string]int{}
	}
	r.counts[what][method]++
}

func (r *record) notef(format string, args ...any) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

func (r *record) decided(_ context.Context, decision grpcauth.Decision) {
	switch {
	case decision.Reason == grpcauth.Allowed:
		r.count(allowed, decision.FullMethod)
	case decision.Code == codes.Canceled || decision.Code == codes.DeadlineExceeded:
		// The call was over before it was decided; that is how some cases end theirs.
		r.count(allowed, decision.FullMethod)
	default:
		r.count(refused, decision.FullMethod)
	}
}

func (r *record) verified(method string) { r.count(verifications, method) }

// mustAgree is for a server that has stopped: each call of the service was seen once by everybody.
func (r *record) mustAgree(t *testing.T, with ...string) {
	t.Helper()
	r.mutex.Lock()
	defer r.mutex.Unlock()
	calls := r.counts[ended]
	for _, what := range with {
		if !maps.Equal(r.counts[what], calls) {
			t.Errorf("of the calls %v %s %v", calls, what, r.counts[what])
		}
	}
	for _, note := range r.notes {
		t.Error(note)
	}
}

// views are what somebody saw, until somebody else takes them.
type views struct {
	mutex sync.Mutex
	seen  []string
}

func (v *views) addf(format string, args ...any) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	v.seen = append(v.seen, fmt.Sprintf(format, args...))
}

func (v *views) take() []string {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	taken := v.seen
	v.seen = nil
	return taken
}
