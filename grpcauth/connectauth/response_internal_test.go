package connectauth

import (
	"context"
	"net/http"
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

// A handler that has returned in time has answered in time, whenever its call hears of it. (The end of gRPC's streams is
// in the trailers.)
func TestAnswersInTimeThatAreNoticedLate(t *testing.T) {
	t.Parallel()
	expiry := time.Now().Add(time.Second)
	recorder := httptest.NewRecorder()
	response := newExpiringResponse(recorder, expiry)
	response.Header().Set("Content-Type", "application/grpc")
	response.Write([]byte{0, 0, 0, 0, 0})
	response.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
	response.handlerReturned()
	if past(expiry) {
		t.Skip("this machine is too slow")
	}
	time.Sleep(time.Until(expiry))
	response.recall()
	response.stop()
	response.finish(func() { t.Error("it was refused") })
	if got := recorder.Header().Get(http.TrailerPrefix + "Grpc-Status"); got != "0" {
		t.Errorf("the caller got %q", got)
	}
}

// The header's values are the handler's own, too: whoever adds one writes behind the others.
func TestHeadersOfHandlersShareNoMemory(t *testing.T) {
	t.Parallel()
	const name = "Vary"
	recorder := httptest.NewRecorder()
	outer := append(make([]string, 0, 2), "outer")
	recorder.Header()[name] = outer
	response := newExpiringResponse(recorder, time.Now().Add(time.Hour))
	response.Header().Add(name, "handler")
	if behind := outer[:2][1]; behind != "" {
		t.Errorf("the handler wrote %q", behind)
	}
	own := append(make([]string, 0, 2), "own")
	response.Header()[name] = own
	response.WriteHeader(http.StatusOK)
	recorder.Header().Add(name, "outer")
	if behind := own[:2][1]; behind != "" {
		t.Errorf("%q was written into the handler's", behind)
	}
}
