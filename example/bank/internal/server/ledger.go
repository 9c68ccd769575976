package server

import (
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// account is a customer's account with one tenant.
type account struct {
	tenant int64
	owner  string
}

// ledger holds the balances in cents.
type ledger struct {
	mu       sync.Mutex
	balances map[account]int64
	changed  chan struct{} // closed at the next change
}

func newLedger() *ledger {
	return &ledger{balances: map[account]int64{}, changed: make(chan struct{})}
}

// balance returns the balance and a channel that is closed when some balance changes.
func (l *ledger) balance(of account) (cents int64, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.balances[of], l.changed
}

// deposit adds money and returns the balance.
func (l *ledger) deposit(to account, cents int64) (int64, error) {
	if cents <= 0 {
		return 0, status.Error(codes.InvalidArgument, "cents must be positive")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.balances[to] += cents
	l.announce()
	return l.balances[to], nil
}

// transfer moves money and returns what is left.
func (l *ledger) transfer(from, to account, cents int64) (int64, error) {
	if cents <= 0 {
		return 0, status.Error(codes.InvalidArgument, "cents must be positive")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.balances[from] < cents {
		return 0, status.Error(codes.FailedPrecondition, "the balance does not suffice")
	}
	l.balances[from] -= cents
	l.balances[to] += cents
	l.announce()
	return l.balances[from], nil
}

func (l *ledger) announce() {
	close(l.changed)
	l.changed = make(chan struct{})
}
