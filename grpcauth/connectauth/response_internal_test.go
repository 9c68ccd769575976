package connectauth

import (
	"context"
	"net/http/httptest"
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

func TestDeadlineErrorsThatTheClockDoesNotKnowYet(t *testing.T) {
	t.Parallel()
	expiry := time.Now().Add(time.Hour)
	for cause, want := range map[error]bool{rules.ErrExpired: true, context.DeadlineExceeded: false} {
		ended, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		if got := expiredInstead(endedEarly{ended, expiry}, expiry, context.DeadlineExceeded); got != want {
			t.Errorf("%v ended the context: got %v, want %v", cause, got, want)
		}
	}
}

// The wall's clock, by which credentials expire, can be behind the timer that was set by it. What the timer says
// counts: a response that has not begun is a refusal, and not an empty success.
func TestAnExpiryThatTheClockDoesNotKnowYet(t *testing.T) {
	t.Parallel()
	response := newExpiringResponse(httptest.NewRecorder(), time.Now().Add(time.Hour))
	if !response.recall() {
		t.Error("nothing has begun")
	}
	refused := false
	response.finish(func() { refused = true })
	if !refused {
		t.Error("the caller gets no refusal")
	}
	if n, err := response.Write([]byte("late")); n != 0 || err == nil {
		t.Errorf("the handler wrote %d bytes, and got %v", n, err)
	}
}
