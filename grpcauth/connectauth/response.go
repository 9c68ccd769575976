package connectauth

import (
	"encoding/binary"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// expiringResponse is the response of a handler until a credential expires. From then on the handler can write
// no more, also where it goes on after net/http has ended the call.
type expiringResponse struct {
	to     http.ResponseWriter
	expiry time.Time
	header http.Header // the handler's, copied when it counts: net/http reads its own at the end

	mutex    sync.Mutex // held while something is written
	changed  *sync.Cond
	begun    bool     // the header has been sent
	frames   *framing // of a stream's response, once begun
	broken   bool     // a write failed
	returned bool     // the handler
	over     bool     // nothing that the handler does counts any more

	beginning sync.Mutex // held while it is decided whether a response begins, and never while one is written
	final     bool       // a unary answer has begun
	late      bool       // the timer said so: the clock of the wall may be behind it
}

func newExpiringResponse(to http.ResponseWriter, expiry time.Time) *expiringResponse {
	made := &expiringResponse{to: to, expiry: expiry, header: http.Header{}}
	maps.Copy(made.header, to.Header())
	made.changed = sync.NewCond(&made.mutex)
	return made
}

// Header is the handler's header.
func (e *expiringResponse) Header() http.Header { return e.header }

// WriteHeader begins the response.
func (e *expiringResponse) WriteHeader(status int) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.begin(status)
}

// Write writes what the handler may still say: all of it before the expiry, and then the rest of a message or
// of a unary answer that has begun.
func (e *expiringResponse) Write(p []byte) (int, error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if !e.begin(http.StatusOK) || e.frames.complete() && e.expired() {
		return 0, connectError(rules.ErrExpired)
	}
	n, err := e.to.Write(p)
	e.frames.advance(p[:n])
	e.broken = e.broken || err != nil
	e.changed.Broadcast()
	return n, err //nolint:wrapcheck // an http.ResponseWriter's error is its own
}

// Flush sends what has been written.
func (e *expiringResponse) Flush() {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if e.begin(http.StatusOK) {
		_ = http.NewResponseController(e.to).Flush()
	}
}

// SetReadDeadline is for [http.ResponseController], as are the next two.
func (e *expiringResponse) SetReadDeadline(deadline time.Time) error {
	return e.control(func(c *http.ResponseController) error { return c.SetReadDeadline(deadline) })
}

// SetWriteDeadline is for [http.ResponseController].
func (e *expiringResponse) SetWriteDeadline(deadline time.Time) error {
	return e.control(func(c *http.ResponseController) error { return c.SetWriteDeadline(deadline) })
}

// EnableFullDuplex is for [http.ResponseController].
func (e *expiringResponse) EnableFullDuplex() error {
	return e.control((*http.ResponseController).EnableFullDuplex)
}

// begin is false if it is too late for a response.
func (e *expiringResponse) begin(status int) bool {
	switch {
	case e.over:
		return false
	case e.begun:
		return true
	}
	frames := framingOf(e.header.Get("Content-Type"))
	last := status >= http.StatusOK // else another header follows
	if !e.inTime(last && frames == nil) {
		return false
	}
	e.copyHeader()
	e.to.WriteHeader(status)
	if last {
		e.begun, e.frames = true, frames
	}
	return true
}

// inTime is true for a response that begins before the expiry. final says that it is a unary answer.
func (e *expiringResponse) inTime(final bool) bool {
	e.beginning.Lock()
	defer e.beginning.Unlock()
	if e.late || past(e.expiry) {
		return false
	}
	e.final = final
	return true
}

func (e *expiringResponse) expired() bool {
	e.beginning.Lock()
	defer e.beginning.Unlock()
	return e.late || past(e.expiry)
}

func (e *expiringResponse) control(do func(*http.ResponseController) error) error {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if e.over || e.expired() {
		return connectError(rules.ErrExpired)
	}
	return do(http.NewResponseController(e.to))
}

// handlerReturned says that nothing more will be written.
func (e *expiringResponse) handlerReturned() {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.returned = true
	e.changed.Broadcast()
}

// recall says that the credential has expired: no response begins from now on. It is false if a unary answer has
// begun, which was made in time, and which nothing but its end can follow. It does not wait for what is being
// written, which may be blocked.
func (e *expiringResponse) recall() bool {
	e.beginning.Lock()
	defer e.beginning.Unlock()
	e.late = true
	return !e.final
}

// stop waits for the message that is being written, and lets nothing follow.
func (e *expiringResponse) stop() {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	for e.begun && !e.frames.complete() && !e.broken && !e.returned {
		e.changed.Wait()
	}
	e.over = true
}

// finish ends the response: as the handler did if that was in time, and otherwise as the caller's protocol
// says that the credential has expired. refuse does so where the response has not begun.
func (e *expiringResponse) finish(refuse func()) {
	e.stop()
	e.mutex.Lock()
	defer e.mutex.Unlock()
	switch {
	case !e.expired(), e.begun && (e.frames == nil || e.frames.ended):
		if e.returned { // else its header is still the handler's
			e.copyHeader() // and with it the trailers
		}
	case !e.begun:
		refuse()
	case e.broken || !e.frames.complete():
		panic(http.ErrAbortHandler) // the caller could not read anything that followed
	default:
		e.frames.end(e.to, connectError(rules.ErrExpired))
	}
}

func (e *expiringResponse) copyHeader() {
	clear(e.to.Header())
	maps.Copy(e.to.Header(), e.header)
}

// framing follows the messages of a stream's response. nil is for responses without.
type framing struct {
	endFlag byte // of the frame that ends the stream; 0 where HTTP's trailers do

	prefix []byte // of the frame under way
	rest   uint32 // of the frame under way, after the prefix
	ended  bool
}

// The frames of all three protocols begin with a byte of flags and the length of what follows.
const (
	prefixBytes    = 5
	connectEndFlag = 1 << 1
	grpcWebEndFlag = 1 << 7
)

func framingOf(contentType string) *framing {
	switch {
	case strings.HasPrefix(contentType, "application/connect+"):
		return &framing{endFlag: connectEndFlag}
	case strings.HasPrefix(contentType, "application/grpc-web"):
		return &framing{endFlag: grpcWebEndFlag}
	case strings.HasPrefix(contentType, "application/grpc"):
		return &framing{}
	default:
		return nil
	}
}

// complete is true between two frames.
func (f *framing) complete() bool { return f != nil && f.rest == 0 && len(f.prefix) == 0 }

// advance follows what has been written.
func (f *framing) advance(p []byte) {
	for f != nil && len(p) > 0 {
		if f.rest > 0 {
			n := min(int64(f.rest), int64(len(p)))
			f.rest -= uint32(n) //nolint:gosec // not more than rest
			p = p[n:]
			continue
		}
		n := min(prefixBytes-len(f.prefix), len(p))
		f.prefix = append(f.prefix, p[:n]...)
		p = p[n:]
		if len(f.prefix) == prefixBytes {
			f.rest = binary.BigEndian.Uint32(f.prefix[1:])
			f.ended = f.ended || f.prefix[0]&f.endFlag != 0
			f.prefix = f.prefix[:0]
		}
	}
}

// end says why the stream ends, in words that need no escapes in any of the protocols.
func (f *framing) end(w http.ResponseWriter, reason *connect.Error) {
	code := strconv.Itoa(int(reason.Code()))
	var payload []byte
	switch f.endFlag {
	case connectEndFlag:
		payload = fmt.Appendf(nil, `{"error":{"code":%q,"message":%q}}`, reason.Code().String(), reason.Message())
	case grpcWebEndFlag:
		payload = fmt.Appendf(nil, "grpc-status: %s\r\ngrpc-message: %s\r\n", code, reason.Message())
	default:
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", code)
		w.Header().Set(http.TrailerPrefix+"Grpc-Message", reason.Message())
		return
	}
	frame := binary.BigEndian.AppendUint32([]byte{f.endFlag}, uint32(len(payload))) //nolint:gosec // short
	_, _ = w.Write(append(frame, payload...))
	_ = http.NewResponseController(w).Flush()
}
