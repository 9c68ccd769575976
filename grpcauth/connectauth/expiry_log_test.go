package connectauth_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// lockedBuffer is a log that goroutines of servers write to.
type lockedBuffer struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.Write(p)
}

// take returns what was written since the last time.
func (b *lockedBuffer) take() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	defer b.text.Reset()
	return b.text.String()
}

func panicOfAHandler(value any) { panic(value) }

// The log says where a handler panicked: whoever recovers elsewhere cannot. What ends a handler on purpose leaves
// nothing there.
func TestPanicsOfHandlersWithAnExpiryAreLogged(t *testing.T) { //nolint:paralleltest // there is one default log
	var log lockedBuffer
	restore := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(restore) })
	for name, end := range map[string]func(){
		"canary": func() { panicOfAHandler("canary") },
		"abort":  func() { panicOfAHandler(http.ErrAbortHandler) },
		"exit":   runtime.Goexit,
	} {
		for _, install := range installs {
			inner := install.handler(expiring(time.Hour), &service{handled: func(context.Context) error {
				end()
				return nil
			}})
			ended := make(chan struct{}, 1)
			server := h2c.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer func() {
					_ = recover()
					ended <- struct{}{}
					panic(http.ErrAbortHandler) // as Goexit would have net/http wait
				}()
				inner.ServeHTTP(w, r)
			}))
			if err := server.call(t.Context(), grpcProtocol, bidi, token); err == nil {
				t.Errorf("%s, %s: the caller took it for a success", install.name, name)
			}
			<-ended
			text := log.take()
			if said := strings.Contains(text, "panic=canary") && strings.Contains(text, methodOf(bidi)) &&
				strings.Contains(text, "panicOfAHandler"); said != (name == "canary") || !said && text != "" {
				t.Errorf("%s, %s: the log says %q", install.name, name, text)
			}
		}
	}
}
