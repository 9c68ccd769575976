package connectauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/bridge"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// lastWrite is how long a write that is under way when a credential expires may still take. A caller who does
// not read for so long gets no answer at all.
const lastWrite = time.Second

// serveUntil runs the handler of a call that must end when a credential expires.
//
// A handler that waits for the caller, or for something else, must not keep its call open, and a call ends when
// ServeHTTP returns. So the handler runs in a goroutine of its own, and this can return before it does.
func (m *middleware) serveUntil(
	ctx context.Context, expiry time.Time, check bridge.Check, w http.ResponseWriter, r *http.Request,
) {
	bounded, cancel := context.WithDeadlineCause(ctx, expiry, rules.ErrExpired)
	defer cancel()
	timer := time.NewTimer(time.Until(expiry))
	defer timer.Stop()
	response := newExpiringResponse(w, expiry)
	request := r.WithContext(bounded)
	request.Header = r.Header.Clone() // connect's handlers write to it, and the refusal reads it
	request.Body = &expiringBody{ReadCloser: r.Body, expired: response.expired}
	done := make(chan ending, 1)
	go run(bounded, r.URL.Path, func() error {
		m.next.ServeHTTP(response, request)
		return nil
	}, func(end ending) {
		response.handlerReturned()
		done <- end
	})
	select {
	case end := <-done:
		_ = end.result()
	case <-timer.C:
		<-bounded.Done() // at the same moment, at the latest; cancel would give it another cause
		if !response.recall() {
			end := <-done
			_ = end.result()
			break
		}
		control := http.NewResponseController(w)
		_ = control.SetWriteDeadline(time.Now().Add(lastWrite)) // where there is none, writes are waited for
		_ = control.SetReadDeadline(time.Now())
		response.stop()
		abandonBody(w, r) // only now: it changes the response
	}
	response.finish(func() { m.refuse(w, r, rules.ErrExpired, check) })
}

// expiringBody is read until the expiry, and tells a handler why it can read no more.
type expiringBody struct {
	io.ReadCloser

	expired func() bool
}

func (b *expiringBody) Read(p []byte) (int, error) {
	if b.expired() { // though there may be something: what has arrived waits with net/http
		return 0, connectError(rules.ErrExpired)
	}
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && b.expired() {
		err = connectError(rules.ErrExpired)
	}
	return n, err
}

func past(expiry time.Time) bool { return !time.Now().Before(expiry) }

// ending is how a handler ended that ran in a goroutine of its own.
type ending struct {
	err      error
	panicked bool
	value    any // of the panic; nil for runtime.Goexit
}

// run calls a handler, and returned when it has ended, in whatever way. It logs where a handler panicked: whoever
// recovers from the panic, or sees it end the process, finds another stack, and after the credential's expiry
// nobody is left to hear of it at all.
func run(ctx context.Context, method string, handler func() error, returned func(ending)) {
	end := ending{panicked: true}
	defer func() {
		if end.panicked {
			end.value = recover()
			logPanic(ctx, method, end.value)
		}
		returned(end) // here, as nothing after the handler's call runs when it ends its goroutine
	}()
	end.err = handler()
	end.panicked = false
}

func logPanic(ctx context.Context, method string, value any) {
	if value == nil || value == any(http.ErrAbortHandler) { // as net/http does
		return
	}
	slog.ErrorContext(ctx, "connectauth: the handler of a call whose credential expires panicked",
		slog.String("method", method),
		slog.String("panic", fmt.Sprint(value)),
		slog.String("stack", string(debug.Stack())))
}

// result is the handler's error. A panic goes on in the goroutine that asks, where the server's own code may
// recover it.
func (e ending) result() error {
	if e.panicked {
		if e.value == nil {
			runtime.Goexit()
		}
		panic(e.value)
	}
	return e.err
}
