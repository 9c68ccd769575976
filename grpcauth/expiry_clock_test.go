package grpcauth

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// endedEarly is a context whose timer has run while the clock of the wall was behind it.
type endedEarly struct {
	context.Context

	deadline time.Time
}

func (e endedEarly) Deadline() (time.Time, bool) { return e.deadline, true }

// Credentials expire by the wall's clock, and contexts by another one, which was set by it.
func TestExpiriesThatTheClockDoesNotKnowYet(t *testing.T) {
	t.Parallel()
	expiry := time.Now().Add(time.Hour)
	for cause, want := range map[error]error{
		rules.ErrExpired:         rules.ErrExpired,
		context.DeadlineExceeded: context.DeadlineExceeded,
	} {
		ended, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		if got := expiredInstead(endedEarly{ended, expiry}, expiry, context.DeadlineExceeded); !errors.Is(got, want) {
			t.Errorf("%v ended the context: got %v, want %v", cause, got, want)
		}
	}
}
