package vectors

import (
	"context"
	"sync"
	"time"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

// caller is the principal that the verifiers of the vectors set.
type caller string

// callRecord is all that the server's side saw of one call.
type callRecord struct {
	decisions []grpcauth.Decision
	asked     []question
	expiries  map[int]time.Time // what verifiers reported, by the seconds that their answers state
	handlers  []handlerRecord
	problems  []string
}

// handlerRecord is what a handler saw.
type handlerRecord struct {
	values    map[string]Value
	principal string
	deadline  time.Time
}

// recorder collects the record of the call under way.
type recorder struct {
	mutex  sync.Mutex
	record callRecord
}

func (r *recorder) add(change func(*callRecord)) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	change(&r.record)
}

// take returns what was recorded since the last time.
func (r *recorder) take() callRecord {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	taken := r.record
	r.record = callRecord{}
	return taken
}

func (r *recorder) decided(_ context.Context, decision grpcauth.Decision) {
	r.add(func(record *callRecord) { record.decisions = append(record.decisions, decision) })
}
