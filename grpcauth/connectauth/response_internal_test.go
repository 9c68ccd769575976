package connectauth

import (
	"net/http/httptest"
	"testing"
	"time"
)

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
