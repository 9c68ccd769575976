package challenge_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/challenge"
)

// Handlers that ask for an http.Flusher, as connect's do for streams, find one, and what they flush is sent. All else
// that a response can do is found as well.
func TestWriterFlushes(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w = challenge.Writer(w)
		if err := http.NewResponseController(w).SetWriteDeadline(time.Time{}); err != nil {
			t.Error(err)
		}
		flusher, ok := w.(http.Flusher)
		if !ok {
			t.Error("it does not flush")
			return
		}
		flusher.Flush()
		select {
		case <-arrived:
		case <-r.Context().Done():
			t.Error("the header was not sent")
		}
	}))
	t.Cleanup(server.Close)
	response, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	close(arrived)
	response.Body.Close()
}
